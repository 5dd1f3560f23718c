"""How a user's installers are set up, and what of it could be better: values, and the judgement of a cooldown."""

import re
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

SCHEMA = "1"

GOOD_COOLDOWN = timedelta(days=3)
"""The shortest cooldown that is not advised about: most hijacked releases are withdrawn within hours."""

ADVISED_DAYS = 7
"""What a remedy proposes."""

_UNLIKELY_SHORT = timedelta(hours=12)
_UNLIKELY_LONG = timedelta(days=120)
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_WORDS = re.compile(
    r"(\d+(?:\.\d+)?)\s*(ms|millisecond|s|sec|second|m|min|minute|h|hr|hour|d|day|w|week|mo|month|y|year)s?(?![a-z])",
    re.IGNORECASE,
)
_ISO = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE)
MAX_DURATION = 40
"""Longest text in characters that is taken for a duration."""


class Severity(StrEnum):
    """How much it matters; ``high``: what is believed to protect does not, or a stranger can decide what runs."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Place(Struct, frozen=True, omit_defaults=True, order=True):
    """Where something was read: a file (of the home with ``~``, of the project relative), or a variable's name."""

    path: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


class Advice(Struct, frozen=True):
    """Something to do: what is so, why it matters, and one line that mends it."""

    id: str
    subject: str
    severity: Severity
    message: str
    remedy: str
    places: tuple[Place, ...] = ()


class Standing(Struct, frozen=True):
    """Something that is as it should be, or that a reader should know; nothing to do."""

    subject: str
    message: str
    places: tuple[Place, ...] = ()


class PrivateName(Struct, frozen=True, order=True):
    """A name that is meant to come from a registry of one's own, but that the public one is asked for, too."""

    ecosystem: str
    name: str


class Posture(Struct, frozen=True):
    """All that one look says. ``unread`` are files that could not be looked at; ``subjects`` whose settings were."""

    schema: str
    product: str
    advice: tuple[Advice, ...]
    standing: tuple[Standing, ...]
    unread: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()


def duration(text: str) -> timedelta | None:
    """Return a duration that names its units: ``7 days``, ``3d``, ``1 week 2 days``, ``P7D``, ``PT24H``; else None."""
    text = text.strip()
    if not text or len(text) > MAX_DURATION:
        return None
    iso = _ISO.fullmatch(text)
    if iso is not None and any(iso.groups()):
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in iso.groups())
        return _bounded(timedelta(), weeks * 604_800 + days * 86_400 + hours * 3_600 + minutes * 60 + seconds)
    if not re.fullmatch(rf"(?:{_WORDS.pattern}[\s,]*)+", text, re.IGNORECASE):
        return None
    seconds_ = sum(float(number) * _seconds(unit.lower()) for number, unit in _WORDS.findall(text))
    return _bounded(timedelta(), seconds_)


def amount(text: str, unit: timedelta) -> timedelta | None:
    """Return a bare number of a unit; None if it is none."""
    text = text.strip()
    if not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text):
        return None
    return _bounded(unit, float(text))


def _seconds(unit: str) -> float:
    if unit.startswith("mo"):
        return 30.0 * 86_400
    if unit.startswith("y"):
        return 365.0 * 86_400
    if unit.startswith(("ms", "milli")):
        return 0.001
    return _UNITS[unit[0]].total_seconds()


def _bounded(unit: timedelta, number: float) -> timedelta:
    """Return so many units (seconds, for none), or the longest duration there is."""
    try:
        return unit * number if unit else timedelta(seconds=number)
    except OverflowError:
        return timedelta.max


def spoken(span: timedelta) -> str:
    """Return a duration as a person says it: ``7 seconds``, ``2.8 hours``, ``7 days``, ``27.6 years``."""
    seconds = span.total_seconds()
    for unit, size in (("year", 365 * 86_400), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            number = f"{seconds / size:.1f}".removesuffix(".0")
            return f"{number} {unit}{'' if number == '1' else 's'}"
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"


def unit_mistake(written: str, span: timedelta, unit: str) -> str:
    """Return what is wrong if the number was surely meant in another unit; empty if nothing is.

    npm counts days, pnpm and yarn minutes, bun seconds: a number that was carried from one to another is far too short
    or far too long, never a little.
    """
    if timedelta() < span <= _UNLIKELY_SHORT:
        return f"{written} means {spoken(span)} here, because the unit is {unit}: that keeps nothing away"
    if span > _UNLIKELY_LONG:
        return (
            f"{written} means {spoken(span)} here, because the unit is {unit}: that holds back what nobody wants held"
        )
    return ""
