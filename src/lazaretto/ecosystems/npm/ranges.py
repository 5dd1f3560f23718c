"""npm's version ranges: ``^ ~ x-ranges || hyphen``, with its rule for prereleases.

Read loosely, as npm itself reads the ranges of published manifests: a word that is no comparator is
left out of its alternative, and an alternative with no comparator left is left out of the range.
"""

import re
from functools import lru_cache

from lazaretto.ecosystems.npm.versions import Semver, parse, prerelease_identifiers

Comparator = tuple[str, Semver]
"""An operator (``>=``, ``<=``, ``>``, ``<``, ``=``) and its version."""

Range = tuple[tuple[Comparator, ...], ...]
"""Alternatives, each a conjunction; an empty conjunction admits every final version."""

MAX_RANGE = 8192
"""Longest range text, in characters."""

_MAX_NUMBER = 2**53 - 1
_LOWEST = ((0, 0, ""),)  # the prerelease "-0": below every other version of its triple
_NOTHING: tuple[Comparator, ...] = (("<", Semver(0, 0, 0, _LOWEST)),)
_ALL: Comparator = (">=", Semver(0, 0, 0))

Partial = tuple[int | None, int | None, int | None, tuple[tuple[int, int, str], ...]]
"""Major, minor, patch (None: any) and prerelease."""


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    number = r"\d+|[xX*]"
    identifier = r"(?:\d*[a-zA-Z-][a-zA-Z0-9-]*|\d+)"
    partial = (
        rf"[v=\s]*({number})(?:\.({number})(?:\.({number})"
        rf"(?:-?({identifier}(?:\.{identifier})*))?(?:\+[0-9A-Za-z.-]+)?)?)?"
    )
    return (
        re.compile(rf"\s*{partial}\s+-\s+{partial}\s*", re.ASCII),
        re.compile(rf"(\^|~>?|[<>]?=?){partial}", re.ASCII),
        re.compile(r"([~^<>=]|~>)\s+", re.ASCII),
    )


@lru_cache(maxsize=4096)
def parse_range(text: str) -> Range | None:
    """Return the range, or None if npm would not take the text for one (it is a dist-tag then)."""
    if len(text) > MAX_RANGE:
        return None
    alternatives = []
    for part in text.split("||"):
        comparators = _alternative(part.strip())
        if comparators is not None:
            alternatives.append(tuple(bound for bound in comparators if bound != _ALL))
    if () in alternatives:
        return ((),)  # npm keeps the any-version alternative alone: the others' prereleases go with them
    return tuple(alternatives) or None


def satisfies(version: str, wanted: Range) -> bool:
    """Whether a version lies in a range. A prerelease needs a comparator with a prerelease of its triple."""
    parsed = parse(version)
    if parsed is None:
        return False
    return any(_admits(parsed, comparators) for comparators in wanted)


def _admits(version: Semver, comparators: tuple[Comparator, ...]) -> bool:
    if not all(_holds(version, operator, bound) for operator, bound in comparators):
        return False
    if not version.prerelease:
        return True
    triple = (version.major, version.minor, version.patch)
    return any(bound.prerelease and (bound.major, bound.minor, bound.patch) == triple for _, bound in comparators)


def _holds(version: Semver, operator: str, bound: Semver) -> bool:
    mine, other = version.precedence, bound.precedence
    if operator == ">=":
        return mine >= other
    if operator == "<":
        return mine < other
    if operator == ">":
        return mine > other
    if operator == "<=":
        return mine <= other
    return mine == other


def _alternative(text: str) -> tuple[Comparator, ...] | None:
    """Return the comparators of one alternative, or None if nothing in it is one."""
    hyphen, comparator, gap = _patterns()
    match = hyphen.fullmatch(text)
    if match is not None:
        low, high = _partial(match.groups()[:4]), _partial(match.groups()[4:])
        return None if low is None or high is None else _hyphen(low, high)
    if not text:
        return ()
    comparators: list[Comparator] = []
    understood = False
    for word in gap.sub(r"\1", text).split():
        match = comparator.fullmatch(word)
        bound = _partial(match.groups()[1:]) if match else None
        if match is None or bound is None or (match[1][:1] not in ("^", "~") and _number_after_x(match.groups()[1:4])):
            continue
        understood = True
        comparators.extend(_comparators(match[1], bound))
    return tuple(comparators) if understood else None


def _number_after_x(groups: tuple[str | None, ...]) -> bool:
    """Whether a number follows an ``x``: ``1.x.3`` is no comparator, though ``^1.x.3`` is."""
    free = [text is None or text in "xX*" for text in groups]
    return free != sorted(free)


def _partial(groups: tuple[str | None, ...]) -> Partial | None:
    """Return major, minor, patch and prerelease; all after an ``x`` is ``x``. None: a number too large."""
    numbers: list[int | None] = []
    for text in groups[:3]:
        if text is None or text in "xX*" or None in numbers:
            numbers.append(None)
            continue
        number = int(text)
        if number > _MAX_NUMBER:
            return None
        numbers.append(number)
    words = prerelease_identifiers(groups[3] or "") if None not in numbers else ()
    return (numbers[0], numbers[1], numbers[2], words)


def _comparators(operator: str, bound: Partial) -> tuple[Comparator, ...]:
    """Return what one word of a range asks for."""
    major, minor, patch, words = bound
    if operator == "^":
        return _caret(bound)
    if operator.startswith("~"):
        return _between(bound, 1 if minor is not None else 0)
    if major is None:
        return _NOTHING if operator in ("<", ">") else ()
    if patch is not None and minor is not None:
        return ((operator or "=", Semver(major, minor, patch, words)),)
    partial = {
        ">": (">=", _next(major, minor)),
        "<=": ("<", _below(_next(major, minor))),
        "<": ("<", _below(Semver(major, minor or 0, 0))),
        ">=": (">=", Semver(major, minor or 0, 0)),
    }
    if operator in partial:
        return (partial[operator],)
    return _between(bound, 1 if minor is not None else 0)


def _caret(bound: Partial) -> tuple[Comparator, ...]:
    """Return what does not change the left-most number that is not zero."""
    major, minor, patch, _ = bound
    if major or minor is None:
        return _between(bound, 0)
    if minor or patch is None:
        return _between(bound, 1)
    return _between(bound, 2)


def _between(bound: Partial, kept: int) -> tuple[Comparator, ...]:
    """Return ``>=`` the bound and below the next version that differs at or before place ``kept``."""
    major, minor, patch, words = bound
    if major is None:
        return ()
    low = Semver(major, minor or 0, patch or 0, words)
    if kept == 0:
        high = Semver(major + 1, 0, 0, _LOWEST)
    elif kept == 1:
        high = Semver(major, low.minor + 1, 0, _LOWEST)
    else:
        high = Semver(major, low.minor, low.patch + 1, _LOWEST)
    return ((">=", low), ("<", high))


def _hyphen(low: Partial, high: Partial) -> tuple[Comparator, ...]:
    """Return ``low - high``, both ends within; a partial upper end takes in all it covers."""
    comparators: list[Comparator] = []
    major, minor, patch, words = low
    if major is not None:
        comparators.append((">=", Semver(major, minor or 0, patch or 0, words)))
    major, minor, patch, words = high
    if major is not None:
        if minor is not None and patch is not None:
            comparators.append(("<=", Semver(major, minor, patch, words)))
        else:
            comparators.append(("<", _below(_next(major, minor))))
    return tuple(comparators)


def _next(major: int, minor: int | None) -> Semver:
    return Semver(major + 1, 0, 0) if minor is None else Semver(major, minor + 1, 0)


def _below(version: Semver) -> Semver:
    return Semver(version.major, version.minor, version.patch, _LOWEST)
