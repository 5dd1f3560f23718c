"""Parts of a file that another language reads: what they may cost, and where what they say stands."""

from collections.abc import Iterable
from types import ModuleType
from typing import cast

import pytest

from lazaretto.core import inner
from lazaretto.core.facts import Fact, Facts, Flow, Kind, Moment, Problem, Span
from lazaretto.core.inner import Inner, read_through
from lazaretto.core.language import Claim, LanguageModule, NoUnits, Units

PLACE = Span(7, 0, 70, 80)


def fact(kind: Kind, value: str, line: int = 1) -> Fact:
    """Return a fact on a line."""
    return Fact(kind, value, Span(line, 0, line, line + 1), Moment.LOAD, "plain")


CODE = Facts(
    "code",
    (fact(Kind.NET_CONNECT, "https://a.invalid"), fact(Kind.CODE_EVAL, "x", 2)),
    (Flow(source=0, sink=1, how="data"),),
)


def table(parts: Iterable[Inner | Problem]) -> dict[str, LanguageModule]:
    """Return two languages: one that reads code, and one whose files have these parts."""

    def read(_dialect: str, _data: bytes, _units: Units) -> Facts:
        return CODE

    def claim(path: str, _data: bytes) -> Claim | None:
        return Claim("code", 50) if path.endswith(".code") else None

    code, page = ModuleType("code"), ModuleType("page")
    vars(code).update(ID="code", VERSION=1, DIALECTS=("code",), claim=claim, read=read)
    vars(page).update(ID="page", VERSION=1, DIALECTS=("page",), claim=lambda _path, _data: None)
    vars(page).update(read=lambda *_: Facts("page"), inner=lambda *_: parts)
    return {"code": cast("LanguageModule", code), "page": cast("LanguageModule", page)}


def test_what_a_part_says_stands_where_it_stands() -> None:
    """Facts and their flows, each once; who reads a part may be found by its path, and what nobody reads is left."""
    part = Inner(b"x", path="a.code", places=(PLACE,), step="page")
    found = read_through(table([part, part, Inner(b"x", path="a.none")]), "page", b"page", NoUnits())

    assert [(one.kind, one.span, one.via) for one in found.facts] == [
        (Kind.NET_CONNECT, PLACE, "page"),
        (Kind.CODE_EVAL, PLACE, "page"),
    ]
    assert found.flows == (Flow(source=0, sink=1, how="data"),)
    assert found.complete


def test_too_many_facts_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is over the bound is a problem, and only one however many parts bring more."""
    monkeypatch.setattr(inner, "MAX_INNER_FACTS", 1)
    parts = [Inner(b"x", "code", places=(Span(line, 0, line, line),)) for line in (1, 2, 3)]
    found = read_through(table(parts), "page", b"page", NoUnits())

    assert len(found.facts) == 1
    assert [problem.reason for problem in found.problems] == ["more than 1 facts inside the file: not all are told"]


def test_a_part_that_cannot_be_taken_out_is_a_problem() -> None:
    """It stands beside what the others say."""
    found = read_through(table([Problem(3, "an encrypted member"), Inner(b"x", "code")]), "page", b"page", NoUnits())

    assert found.problems == (Problem(3, "an encrypted member"),)
    assert found.facts


@pytest.mark.parametrize("lenient", [False, True])
def test_parts_beyond_the_bound_are_not_read(lenient: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is a problem, also where nobody runs them as they stand there."""
    monkeypatch.setattr(inner, "MAX_PARTS", 1)
    parts = [Inner(b"x", "code", lenient=lenient), Inner(b"y", "code", lenient=lenient)]
    found = read_through(table(parts), "page", b"page", NoUnits())

    assert [problem.unread for problem in found.problems] == [True]
    assert found.facts
