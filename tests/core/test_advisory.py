"""Whether an advisory applies to a version, and whether a version is its cure."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.advisory import (
    Advisory,
    AdvisoryKind,
    Affected,
    Applies,
    Event,
    EventKind,
    Range,
    RangeKind,
    VersionOrder,
    affects,
    fixes,
)
from lazaretto.core.names import Version
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM
from lazaretto.ecosystems.pypi import ECOSYSTEM as PYPI

AT = datetime(2030, 1, 1, tzinfo=UTC)
NUMBERS = st.integers(0, 6)


def span(*events: tuple[str, str], kind: RangeKind = RangeKind.SEMVER) -> Range:
    """Return a range from pairs of an event and its version."""
    return Range(kind, tuple(Event(EventKind(event), version) for event, version in events))


def advisory(
    ranges: Iterable[Range] = (),
    versions: Iterable[str] = (),
    *,
    name: str = "plain",
    order: VersionOrder = NPM,
    identifier: str = "GHSA-1",
    withdrawn: datetime | None = None,
) -> Advisory:
    """Return an advisory about one project."""
    affected = Affected(order.ID, name, tuple(versions), tuple(ranges))
    return Advisory(identifier, AT, (affected,), withdrawn=withdrawn)


def asked(one: Advisory, version: str, order: VersionOrder = NPM, name: str = "plain") -> Applies:
    """Ask whether an advisory is about a version."""
    return affects(one, order, order.name(name), order.version(version))


@pytest.mark.parametrize(
    ("events", "inside", "outside"),
    [
        ((("introduced", "0"),), "0.0.1 1.0.0 99.0.0-rc.1", ""),
        ((("introduced", "0"), ("fixed", "1.2.4")), "0.0.1 1.2.3 1.2.4-rc.1", "1.2.4 1.2.5 2.0.0"),
        ((("introduced", "1.0.0"), ("last_affected", "1.2.3")), "1.0.0 1.2.3", "0.9.0 1.2.4 1.0.0-rc.1"),
        ((("introduced", "1.2.3"), ("last_affected", "1.2.3")), "1.2.3", "1.2.2 1.2.4"),
        ((("fixed", "2.0.0"), ("introduced", "1.0.0")), "1.0.0 1.9.9", "0.9.9 2.0.0"),
        (
            (("introduced", "0"), ("fixed", "1.0.0"), ("introduced", "1.0.0"), ("fixed", "2.0.0")),
            "0.1.0 1.0.0",
            "2.0.0",
        ),
        ((("introduced", "0"), ("fixed", "1.2.0"), ("introduced", "2.0.0")), "1.1.9 2.0.0 3.0.0", "1.2.0 1.9.9"),
        ((("introduced", "0"), ("limit", "2.0.0")), "1.9.9", "2.0.0 3.0.0"),
        ((("introduced", "0"), ("limit", "2.0.0"), ("limit", "*")), "1.9.9 3.0.0", ""),
        ((("introduced", "1.0.0"), ("fixed", "1.0.0")), "1.0.0", "0.9.0"),
    ],
)
def test_ranges(events: tuple[tuple[str, str], ...], inside: str, outside: str) -> None:
    """A range is a timeline of events in the ecosystem's order, whatever order they are written in."""
    one = advisory([span(*events)])

    assert [v for v in inside.split() if asked(one, v) is not Applies.YES] == []
    assert [v for v in outside.split() if asked(one, v) is not Applies.NO] == []


def test_the_order_is_the_ecosystems() -> None:
    """PyPI's versions are compared by PEP 440: spellings of one version are one, pre-releases come before."""
    one = advisory([span(("introduced", "1.0"), ("last_affected", "1.2"), kind=RangeKind.ECOSYSTEM)], order=PYPI)
    listed = advisory((), ["1.0"], order=PYPI)

    assert [asked(one, v, PYPI) for v in ("1.0.0", "1.2.0", "1.2.post1", "1.0rc1")] == ["yes", "yes", "no", "no"]
    assert asked(listed, "1.0.0", PYPI) is Applies.YES


def test_what_is_listed_comes_first() -> None:
    """A version that is listed is affected, whatever the ranges say or fail to say."""
    broken = span(("introduced", "not a version"))

    assert asked(advisory([broken], ["1.0.0"]), "1.0.0") is Applies.YES
    assert asked(advisory([broken], ["1.0.0"]), "1.0.1") is Applies.UNCLEAR
    assert asked(advisory((), ["v1.0.0"]), "1.0.0") is Applies.YES


@pytest.mark.parametrize(
    "one",
    [
        advisory(),
        advisory([span(("introduced", "0"), kind=RangeKind.GIT)]),
        advisory([span(("introduced", "0"), kind=RangeKind.OTHER)]),
        advisory([span()]),
        advisory([span(("fixed", "1.0.0"))]),
        advisory([span(("introduced", "0"), ("fixed", "when it is ready"))]),
        advisory([span(("introduced", "*"))]),
    ],
)
def test_what_cannot_be_read_is_unclear(one: Advisory) -> None:
    """An advisory about the project whose versions nobody can tell is neither a yes nor a no."""
    assert asked(one, "0.5.0") is Applies.UNCLEAR
    assert asked(one, "0.5.0", name="other") is Applies.NO


def test_commits_beside_versions_say_nothing() -> None:
    """A range of commits is another way to say what the versions say."""
    one = advisory([span(("introduced", "0"), kind=RangeKind.GIT)], ["1.0.0"])

    assert (asked(one, "1.0.0"), asked(one, "1.0.1")) == (Applies.YES, Applies.NO)


def test_names_are_compared_in_normal_form() -> None:
    """An advisory that spells a project in another way is about it; one of another ecosystem is not."""
    one = advisory((), ["1.0"], name="Plain.Example", order=PYPI)

    assert asked(one, "1.0", PYPI, "plain-example") is Applies.YES
    assert asked(one, "1.0.0", NPM, "plain-example") is Applies.NO
    assert asked(advisory((), ["1.0.0"], name="../no name"), "1.0.0") is Applies.NO


@given(versions=st.lists(NUMBERS), events=st.lists(st.tuples(st.sampled_from(EventKind), NUMBERS)), at=NUMBERS)
def test_withdrawn_applies_to_nothing(versions: list[int], events: list[tuple[EventKind, int]], at: int) -> None:
    """Whatever a withdrawn advisory says, it says it no more, and nothing is its cure."""
    one = advisory(
        [span(*((kind.value, f"1.{number}.0") for kind, number in events))],
        [f"1.{number}.0" for number in versions],
        withdrawn=AT,
    )

    assert asked(one, f"1.{at}.0") is Applies.NO
    assert not fixes(one, NPM, NPM.name("plain"), Version(f"1.{at}.0"))


@given(
    starts=st.lists(NUMBERS, min_size=1),
    fixed=st.lists(NUMBERS),
    last=st.lists(NUMBERS),
    limits=st.lists(NUMBERS),
    at=NUMBERS,
    order=st.randoms(use_true_random=False),
)
def test_ranges_are_as_the_specification_evaluates_them(
    starts: list[int], fixed: list[int], last: list[int], limits: list[int], at: int, order: st.DataObject
) -> None:
    """The specification's own algorithm, written again over whole numbers, gives the same answer."""
    kinds = {"introduced": starts, "fixed": fixed, "last_affected": last, "limit": limits}
    events = [(kind, number) for kind, numbers in kinds.items() for number in numbers]
    order.shuffle(events)  # type: ignore[attr-defined]  # random.Random
    rank = ["fixed", "introduced", "last_affected"]
    within = False
    for kind, number in sorted((e for e in events if e[0] in rank), key=lambda e: (e[1], rank.index(e[0]))):
        if kind == "introduced" and at >= number:
            within = True
        elif (kind == "fixed" and at >= number) or (kind == "last_affected" and at > number):
            within = False
    expected = within and (not limits or any(at < limit for limit in limits))

    found = asked(advisory([span(*((kind, f"{number}.0.0") for kind, number in events))]), f"{at}.0.0")

    assert found is (Applies.YES if expected else Applies.NO)


def test_malware_is_told_apart() -> None:
    """By its number, by an alias's, or by its weakness: not every database has a prefix for it."""
    plain = Advisory("GHSA-1", AT, ())

    assert plain.kind is AdvisoryKind.VULNERABILITY
    assert Advisory("MAL-1", AT, ()).kind is AdvisoryKind.MALWARE
    assert Advisory("GHSA-1", AT, (), aliases=("CVE-1", "MAL-1")).kind is AdvisoryKind.MALWARE
    assert Advisory("GHSA-1", AT, (), cwes=("CWE-506",)).kind is AdvisoryKind.MALWARE


def cures(one: Advisory, version: str) -> bool:
    """Ask whether a version is the cure of an advisory."""
    return fixes(one, NPM, NPM.name("plain"), NPM.version(version))


def test_the_named_version_is_the_cure() -> None:
    """The version that an advisory names as fixed is its cure; one before or after it is not."""
    one = advisory([span(("introduced", "1.0.0"), ("fixed", "1.2.4"))])

    assert [v for v in ("1.2.3", "1.2.4", "1.2.5", "0.9.0") if cures(one, v)] == ["1.2.4"]


@pytest.mark.parametrize(
    "one",
    [
        advisory((), ["1.14.1"], identifier="MAL-1"),
        advisory([span(("introduced", "1.14.1"), ("last_affected", "1.14.1"))], identifier="MAL-1"),
        advisory([span(("introduced", "1.0.0"), ("fixed", "1.14.2"))], ["1.14.2"]),
        advisory([span(("introduced", "1.0.0"), ("fixed", "1.14.2"), kind=RangeKind.GIT)], ["1.14.1"]),
        advisory([span(("introduced", "1.0.0"), ("fixed", "soon"))]),
    ],
)
def test_what_follows_is_no_cure(one: Advisory) -> None:
    """The next release after a bad one is not its cure unless somebody says so, and never while it is listed itself."""
    assert not cures(one, "1.14.2")
