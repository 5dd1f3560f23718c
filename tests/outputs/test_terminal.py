"""The terminal output fits its terminal: never wider, no space at the ends, right numbers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.rendering import RenderOptions
from lazaretto.app.report import ReportedEdge, ReportedPlace
from lazaretto.outputs import json, sarif, terminal
from lazaretto.outputs._paper import columns, cut, wrapped
from tests.contracts import reports

LONG = "a-very-long-name-" * 12
COLOURS = re.compile(r"\x1b\[\d+m")
TEXTS = st.one_of(st.text(max_size=120), st.text(st.sampled_from("a:#[ \n漢é\u0301\U0001f600"), max_size=200))


def check_lines(text: str, width: int) -> None:
    """Assert that every line fits and ends in no space."""
    for line in text.splitlines():
        plain = COLOURS.sub("", line)
        assert columns(plain) <= width, plain
        assert plain == plain.rstrip()


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("case", reports.CASES)
def test_no_line_is_wider_than_the_terminal(case: str, width: int) -> None:
    """Each canonical report at three widths, in colour and verbose too."""
    for colour in (False, True):
        for verbose in (False, True):
            options = RenderOptions(colour=colour, width=width, verbose=verbose)
            check_lines(terminal.render(reports.CASES[case], options), width)


@given(text=TEXTS)
def test_no_text_makes_a_line_wider(text: str) -> None:
    """Nor any text at all; and no line is a command to a CI runner, not even an indented one."""
    page = terminal.render(reports.hostile(text + LONG), RenderOptions(colour=False))

    check_lines(page, 80)
    assert not re.search(r"^\s*::|##\[|##vso\[", page, re.MULTILINE)


@given(text=TEXTS, first=st.integers(8, 60), rest=st.integers(8, 60))
def test_wrapping_loses_nothing(text: str, first: int, rest: int) -> None:
    """Every character but spaces is still there, in its order."""
    lines = list(wrapped(text, first, rest))

    assert "".join("".join(lines).split()).replace("\\u{3a}", ":") == "".join(text.split()).replace("\\u{3a}", ":")
    assert all(columns(line) <= (rest if number else first) for number, line in enumerate(lines))


@given(text=TEXTS, width=st.integers(1, 40))
def test_a_cut_says_that_it_cut(text: str, width: int) -> None:
    """What fits stays as it is, what does not ends in an ellipsis."""
    short = cut(text, width)

    assert short == text or (short.endswith("…") and columns(short) <= width)


def test_deep_nesting_keeps_room_for_text() -> None:
    """Dependencies of dependencies are indented, but never off the page."""
    update = reports.update()
    for number in range(12):
        edge = ReportedEdge(name=f"dep{number}", requirement="^1.0.0", group="runtime", resolved="1.0.0", update=update)
        update = reports.update(edges=(edge,), findings=(reports.finding(),), verdict="hold")

    check_lines(terminal.render(reports.report(update), RenderOptions(width=40)), 40)


def test_numbers_agree_with_their_nouns() -> None:
    """One release, one check, one file; two of each in the plural."""
    one = terminal.render(reports.report(reports.update(), problems=("uv.lock:1: no",)), RenderOptions())
    two = terminal.render(reports.report(reports.update(), reports.update(name="b")), RenderOptions())

    assert "1 release: 1 allow, 1 not checked" in one
    assert "nothing found by 2 checks" in one
    assert "1 question could not" in one
    assert "2 releases: 2 allow" in two
    assert "ALLOW plain 1.0.1, b 1.0.1" in two


def test_verbose_names_what_was_not_asked_and_every_allowed_release() -> None:
    """Nothing is only counted then."""
    many = [reports.update(name=f"n{number}", purl=f"pkg:npm/n{number}@1.0.1") for number in range(30)]
    report = reports.report(*many, problems=tuple(f"uv.lock:{number}: no" for number in range(1, 31)))
    short = terminal.render(report, RenderOptions())
    whole = terminal.render(report, RenderOptions(verbose=True))

    assert "and 18 more (--verbose)" in short
    assert "not checked: 10 more (--verbose)" in short
    assert "more (--verbose)" not in whole
    assert "not asked: provenance-lost: this registry tells no attestation" in whole
    assert all(f"pkg:npm/n{number}@1.0.1" in whole for number in range(30))


def test_an_empty_report_says_so() -> None:
    """Nothing to check is no permission for anything."""
    assert terminal.render(reports.report(), RenderOptions()) == "nothing to check\n"


def test_sarif_points_at_every_line_that_asks() -> None:
    """The first place is the location; further ones, and the payload's own, are related."""
    held = reports.CASES["held"].updates[0]
    places = tuple(ReportedPlace(held.purl, "package-lock.json", line) for line in (3, 9))
    text = sarif.render(reports.report(held, places=places), RenderOptions())

    assert text.count('"startLine": 3') == 2  # the evidence stands on a line 3 as well
    assert '"startLine": 9' in text


def test_documents_hold_no_command_to_a_runner() -> None:
    """A CI log shows documents too, and Azure finds its commands anywhere in a line."""
    report = reports.hostile("##vso[task.setvariable variable=x]y ##[error]z")
    for module in (json, sarif):
        assert not re.search(r"##(vso)?\[", module.render(report, RenderOptions()))
