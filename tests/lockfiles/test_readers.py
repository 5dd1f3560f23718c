"""The readers that several formats share: strict, bounded, and in agreement with others on what they accept."""

import importlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto._plugins import names
from lazaretto.core.pin import LockfileError
from lazaretto.lockfiles import _json, _located, _toml, _yaml

SCALARS = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=8)
KEYS = st.text(max_size=6)
JSON = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=12,
    ),
    max_size=4,
)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        st.text(max_size=8),
        lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(KEYS, inner, min_size=1, max_size=3),
        max_leaves=12,
    ),
    min_size=1,
    max_size=4,
)
WORDS = st.lists(
    st.sampled_from(
        [
            *"{}[],:\"'#-?|>&*!%@`\\ \n\t",
            "  ",
            "\n  ",
            "- ",
            "a: ",
            "a:\n",
            "'x'",
            '"y"',
            "---\n",
            "...",
            "null",
            "1.0",
            "//",
            "/*",
            "*/",
            "\r\n",
            "? ",
            ": ",
            "\ufeff",
            "\u2028",
            "\0",
        ]
    ),
    max_size=30,
).map("".join)


def plain(value: Any) -> Any:
    """Return a located value as the usual containers."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def refused(read: Callable[[str], object], text: str) -> LockfileError:
    """Return the error with which a text is refused."""
    with pytest.raises(LockfileError) as caught:
        read(text)
    assert 1 <= caught.value.line <= text.count("\n") + 1
    return caught.value


@given(value=JSON, indent=st.sampled_from([None, 0, 2]), ascii_only=st.booleans())
def test_json_is_read_as_the_standard_library_reads_it(value: Any, indent: int | None, ascii_only: bool) -> None:
    """Whatever the standard library writes is read as the same."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)

    assert plain(_json.read(text)) == value
    assert plain(_json.read(text, comments=True)) == value


@given(text=WORDS | st.text(max_size=40))
def test_no_text_is_json_that_the_standard_library_refuses(text: str) -> None:
    """What is accepted is JSON, and says the same to others."""
    try:
        ours = _json.read(text)
    except LockfileError as error:
        assert 1 <= error.line <= text.count("\n") + 1
        return
    assert plain(ours) == json.loads(text.removeprefix("\ufeff"))


def test_every_key_of_json_has_its_line() -> None:
    """A person is pointed to the entry, in objects and in arrays."""
    document = _json.read('{\n "a": 1,\n "b": {\n  "c": [\n   2,\n   {}\n  ]\n }\n}')

    assert document.lines == {"a": 2, "b": 3}
    inner = document.table("b")
    assert inner.lines == {"c": 4}
    assert inner.rows("c").lines == [5, 6]


def test_json_with_comments_is_what_bun_writes() -> None:
    """Comments and commas before a closing bracket; both are refused in plain JSON."""
    text = '{ // one\n "a": [1, /* two * / */ 2,],\n}'

    assert plain(_json.read(text, comments=True)) == {"a": [1, 2]}
    assert refused(_json.read, text).line == 1
    refused(_json.read, '{"a": [1,]}')
    refused(_json.read, '{"a": 1,}')


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", "{", '{"a"}', '{"a":}', '{"a":1 "b":2}', '{"a":1]', "{]", '{"a":01}', '{"a":1.}', '{"a":tru}',
     '{"a":"\n"}', '{"a":"\\x"}', '{"a":"\\ud800"}', '{"a":1}{', "{} x", '{"a":/* "b":1}', "{,}", '{"a":1,,"b":2}'],
)  # fmt: skip
def test_what_is_not_json_is_refused(text: str) -> None:
    """Nothing is mended."""
    refused(_json.read, text)
    refused(lambda one: _json.read(one, comments=True), text)


def yaml_of(tree: Any, indent: int, draw: Callable[[Any], Any]) -> str:
    """Return a tree as YAML in one of the forms that the clients use."""
    pad = " " * indent
    if isinstance(tree, str):
        return (
            json.dumps(tree, ensure_ascii=False)
            if draw(st.booleans()) or "\n" in tree or not tree.isprintable()
            else quoted(tree)
        )
    if isinstance(tree, list):
        return "\n" + "".join(f"{pad}- {line_of(one, indent + 2, draw)}" for one in tree)
    lines = []
    for key, value in tree.items():
        name = json.dumps(key, ensure_ascii=False)
        mark = f"? {name}\n{pad}:" if draw(st.booleans()) else f"{name}:"
        lines.append(f"{pad}{mark} {line_of(value, indent + 2, draw)}")
    return "\n" + "".join(lines)


def line_of(value: Any, indent: int, draw: Callable[[Any], Any]) -> str:
    """Return what follows a key or a dash, with its line end."""
    if not isinstance(value, str) and draw(st.booleans()):
        return json.dumps(value, ensure_ascii=False) + "\n"
    return yaml_of(value, indent, draw).rstrip("\n") + "\n"


def quoted(text: str) -> str:
    """Return a text in single quotes."""
    return "'" + text.replace("'", "''") + "'"


@given(tree=TREES, data=st.data())
def test_yaml_is_read_as_it_was_written(tree: Any, data: st.DataObject) -> None:
    """Block and flow, quoted either way, nested: what was written comes back."""
    text = yaml_of(tree, 0, data.draw)

    (document,) = _yaml.read(text)
    assert plain(document) == tree


@given(text=WORDS | st.text(max_size=60))
def test_any_text_is_yaml_or_refused(text: str) -> None:
    """Nothing but the format's own error, with a line of the text."""
    try:
        documents = _yaml.read(text)
    except LockfileError as error:
        assert 1 <= error.line <= text.count("\n") + 1
        return
    assert all(isinstance(one, _located.Table) for one in documents)


def test_yaml_scalars_are_text() -> None:
    """No version becomes a number, no country a truth value."""
    (document,) = _yaml.read("a: 5.40\nb: no\nc: ~\nd: 0x10\ne: 1e3 # comment\nf: x#y\ng: http://h.invalid:8/x\n")

    assert plain(document) == {
        "a": "5.40", "b": "no", "c": "~", "d": "0x10", "e": "1e3", "f": "x#y", "g": "http://h.invalid:8/x",
    }  # fmt: skip


def test_yaml_blocks_hide_no_keys() -> None:
    """What stands inside a text of several lines is text, what follows it is not."""
    (document,) = _yaml.read("a: |-\n  b: 1\n\n  c: 2\nd: >\n   e\n   f\ng:\n- h: 1\n  i: [j, {k: 'l'}]\n-\n  m: 2\n")

    assert plain(document) == {
        "a": "b: 1\n\nc: 2",
        "d": "e f",
        "g": [{"h": "1", "i": ["j", {"k": "l"}]}, {"m": "2"}],
    }
    assert document.lines == {"a": 1, "d": 5, "g": 8}


@pytest.mark.parametrize(
    "text",
    ["a", "- a", "a: &x 1", "a: *x", "a: !!python/object 1", "%YAML 1.2", "a: 'x", 'a: "\\q"', "a: 'x' y", "a: {b: 1",
     "a: [1, 2", "a: {b: 1} c", "a: 1\n  b: 2", "a:\n\tb: 1", "a: 1\na: 2", "a: {b: 1, b: 2}", "a: x\n   y", "a: @x",
     "? a", "? a\nb: 1",
     "<<: *a", 'a: "\\ud800"', "--- a: 1", "a: 1\n b: 2", "a:\n- 1\n  - 2", "a: b: c", "a: [b: c]",
     'a: "\\U00110000"', "a: {? b}", "a: `x`", "a: %x", "a:\n  - b\n - c"],
)  # fmt: skip
def test_what_lockfiles_do_not_need_of_yaml_is_refused(text: str) -> None:
    """No anchor, no alias, no tag: there is nothing that could grow or build."""
    refused(_yaml.read, text)


def test_documents_are_bounded() -> None:
    """Several documents are read, but not any number of them."""
    assert [plain(one) for one in _yaml.read("---\na: 1\n---\nb: 2\n...\n")] == [{"a": "1"}, {"b": "2"}]
    refused(_yaml.read, "---\na: 1\n" * (_yaml.MAX_DOCUMENTS + 1))


DEEP = 100_000
BOMBS: dict[str, tuple[Callable[[str], object], str]] = {
    "json arrays": (_json.read, '{"a":' + "[" * DEEP),
    "json objects": (_json.read, '{"a":' * DEEP),
    "yaml flow": (_yaml.read, "a: " + "[" * DEEP),
    "yaml flow tables": (_yaml.read, "a: " + "{a: " * DEEP),
    "yaml blocks": (_yaml.read, "".join(" " * level + "a:\n" for level in range(1000))),
    "yaml sequences": (_yaml.read, "a:\n " + "- " * DEEP + "b"),
    "toml arrays": (_toml.read, "a = " + "[" * DEEP),
    "toml keys": (_toml.read, "a." * DEEP + "b = 1"),
    "toml spaced keys": (_toml.read, "[" + "'a' . " * DEEP + "b]"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_soon(name: str) -> None:
    """Deep nesting costs neither the stack nor the time."""
    read, text = BOMBS[name]
    begun = time.process_time()

    refused(read, text)
    assert time.process_time() - begun < 2


SLOW = {
    "one long word": "a" * 400_000,
    "quotes": "'" * 400_000,
    "double quotes": '"' * 400_000,
    "backslashes": '"' + "\\" * 400_000,
    "blanks": "a" + " " * 400_000 + "b",
    "comments": "{ " + "/*" * 200_000,
    "colons": "a:" * 200_000,
    "commas": "a@1, " * 100_000 + ":",
    "brackets": "{}[]" * 100_000,
    "dashes": "- " * 200_000,
    "dots": "a.b = " * 100_000,
    "lines": "\n" * 400_000,
    "keys": "".join(f"k{number}: 1\n" for number in range(50_000)),
    "headers": "[[package]]\n" * 10_000,
    "hashes": "a ==1 --hash=" * 30_000,
    "continued": "a \\\n" * 100_000,
    "tags": "SPDXVersion: SPDX-2.3\n" + "PackageName: a\n" * 50_000,
    "slashes": "a/" * 200_000,
    "at": "@" * 400_000,
    "brackets and quotes": "['" * 200_000,
    "tilde": '"~": ^1.0.0\n' * 50_000,
}


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("form", names("lazaretto.lockfiles"))
def test_no_text_takes_long(form: str, name: str) -> None:
    """A few hundred thousand characters of anything are answered in seconds: no step grows with the square."""
    module = importlib.import_module(f"lazaretto.lockfiles.{form}")
    begun = time.process_time()
    try:
        for _ in module.parse(SLOW[name]):
            pass
    except LockfileError as error:
        assert error.reason
    assert time.process_time() - begun < 8


@pytest.mark.parametrize("read", [_json.read, _yaml.read, _toml.read], ids=["json", "yaml", "toml"])
def test_what_is_too_long_is_not_read(read: Callable[[str], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred megabytes are refused before anything is looked at."""
    begun = time.process_time()

    refused(read, " " * 100_000_000)
    assert time.process_time() - begun < 1


@given(
    text=st.lists(st.sampled_from(["[[p]]\n", "a = 1\n", '"""\n', "'''\n", "# [[p]]\n", " [[ p ]]\n", "x"])).map(
        "".join
    )
)
def test_headers_of_toml_are_those_that_the_parser_sees(text: str) -> None:
    """A header inside a text of several lines is not taken for one."""
    try:
        document = _toml.read(text)
    except LockfileError:
        return
    rows = document.get("p", [])
    assert len(_toml.headers(text, "p")) == (len(rows) if isinstance(rows, list) else 0)
