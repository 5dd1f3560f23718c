"""Hostile input comes back soon, within bounds, and never as silence."""

import pytest

from lazaretto.core.facts import Kind
from lazaretto.languages.javascript import grammar
from tests.languages.javascript_reading import read, values


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 50_000,
        b"(" * 50_000,
        b"x={a:" * 10_000,
        b"`${" * 10_000,
        b"}" * 50_000,
        bytes(range(256)) * 400,
        b"a.b(" * 20_000,
    ],
)
def test_broken_nesting_is_incomplete(data: bytes) -> None:
    """What does not parse is a problem, however deep."""
    assert not read(data).complete


@pytest.mark.parametrize(
    "code",
    [
        "a=>" * 5_000 + "eval(1)",
        "!" * 50_000 + "1;eval(1)",
        "x=" + '"a"+' * 50_000 + "eval(1)",
        "if(a){}" + "else if(a){}" * 3_000 + "else{eval(1)}",
        "x=" + "a?b:" * 5_000 + "eval(1)",
        "let a=[1];" + "a=[...a,...a];" * 60 + "eval(a.join(''))",
        "eval('a'.repeat(1e9).repeat(1e9))",
        "function f(x){return f(x+1)+f(x+2)} eval(f(1))",
        "while(true){x++} eval(1)",
        "function g0(x){eval(x)}"
        + "".join(f"function g{n}(x){{g{n - 1}(x);g{n - 1}(x)}}" for n in range(1, 60))
        + "g59(y)",
        "eval(" + "'a'.replace(/(a+)+$/,'')" + ")",
        "".join(f"let v{n}=c?'a':'b';" for n in range(500)) + "eval(" + "+".join(f"v{n}" for n in range(500)) + ")",
    ],
)
def test_exhausting_code_is_still_seen(code: str) -> None:
    """Loops without end, doubling, recursion and long chains cost little and hide nothing, or are a problem."""
    facts = read(code)

    assert values(facts, Kind.CODE_EVAL) or not facts.complete


def test_too_many_tokens_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text whose tree would not fit is not parsed, and that is said."""
    monkeypatch.setattr(grammar, "MAX_TOKENS", 10_000)
    facts = read(b'x="https://a.invalid"+' + b"[]+" * 120_000 + b"1")

    assert not facts.complete
    assert values(facts, Kind.LITERAL_DOMAIN) == ["a.invalid"]


def test_too_large_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beyond the limit is not read, and that is said."""
    monkeypatch.setattr(grammar, "MAX_BYTES", 1000)

    assert not read(b"a;" * 1000).complete


def test_noise_is_given_up_early() -> None:
    """A large text full of errors is read as far as it makes sense to."""
    letters = b"abc(){}[]+-=;\"' \n/*0"
    noise = bytes(letters[(n * n * 31 + n * 7 + n // 11) % len(letters)] for n in range(600_000))
    facts = read(noise)

    assert any("the rest was not read" in problem.reason for problem in facts.problems)


def test_long_string_is_no_problem() -> None:
    """One line of a megabyte is an ordinary string."""
    facts = read(b'x="' + b"ab " * 350_000 + b'";eval(x)')

    assert facts.complete
    assert len(values(facts, Kind.CODE_EVAL)) == 1


TABLE = "`" + "Abidjan|LMT GMT|g.8 0|01)}{2a," * 30_000 + "`;fetch('https://host.invalid/x');"
"""A template longer than what is tried first of a long text."""


@pytest.mark.parametrize("before", ["g=`2026`,k=", "g=`a\\`b`,k="])
def test_a_long_template_is_no_noise(before: str) -> None:
    """Whoever looks at the beginning alone does not take the text of a table for code that is broken throughout."""
    facts = read(f"{before}{TABLE}".encode())
    assert facts.problems == ()
    assert values(facts, Kind.NET_CONNECT) == ["https://host.invalid/x"]


def test_a_long_template_that_is_taken_for_noise_is_incomplete() -> None:
    """Where it is guessed wrong whether a template is open, it is said that not all was read (the parser fell here)."""
    assert not read(f"// it`s\ng=`a\\`b`,k={TABLE}".encode()).complete
