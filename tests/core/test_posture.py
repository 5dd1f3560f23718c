"""Durations as the clients write them, and which of them were surely meant in another unit."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.posture import amount, duration, spoken, unit_mistake

DAYS = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7 days", 7 * DAYS),
        ("1 week", 7 * DAYS),
        ("3d", 3 * DAYS),
        ("36h", 1.5 * DAYS),
        ("1 day 12 hours", 1.5 * DAYS),
        ("P7D", 7 * DAYS),
        ("p1w", 7 * DAYS),
        ("PT24H", DAYS),
        ("2 months", 60 * DAYS),
        ("1 year", 365 * DAYS),
        ("90 min", timedelta(minutes=90)),
        ("500ms", timedelta(milliseconds=500)),
        ("7", None),
        ("", None),
        ("P", None),
        ("days", None),
        ("2026-01-01", None),
        ("7 days ago", None),
    ],
)
def test_duration(text: str, expected: timedelta | None) -> None:
    """A duration names its units; a bare number is none."""
    assert duration(text) == expected


@given(text=st.text(max_size=60))
def test_any_text_is_a_duration_or_none(text: str) -> None:
    """No text breaks the readers, not even one that asks for more days than there are."""
    for span in (duration(text), amount(text, DAYS), duration("9" * 12 + " years"), amount("9" * 12, DAYS)):
        assert span is None or span >= timedelta()


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (timedelta(seconds=7), "7 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(minutes=7), "7 minutes"),
        (timedelta(seconds=10_080), "2.8 hours"),
        (7 * DAYS, "7 days"),
        (10_080 * DAYS, "27.6 years"),
    ],
)
def test_spoken(span: timedelta, expected: str) -> None:
    """A duration is said in the unit that a person would take."""
    assert spoken(span) == expected


@pytest.mark.parametrize("days", [3, 7, 14, 30])
def test_a_number_carried_over_is_noticed(days: int) -> None:
    """A number that is right for one client is a mistake in each other one: days, minutes, seconds."""
    units = {"days": DAYS, "minutes": timedelta(minutes=1), "seconds": timedelta(seconds=1)}
    for meant, size in units.items():
        number = int(days * DAYS / size)
        for unit, other in units.items():
            mistake = unit_mistake("x", number * other, unit)
            assert bool(mistake) == (unit != meant), (meant, unit, mistake)


def test_off_is_no_mistake() -> None:
    """Nought is meant."""
    assert unit_mistake("x", timedelta(), "days") == ""
