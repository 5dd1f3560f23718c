"""Publisher, provenance and tempo: what a project is used to."""

from datetime import datetime, timedelta

from lazaretto.core.model import Artifact, ArtifactKind, Publisher, Release
from lazaretto.detectors import dependency_young, provenance_lost, publisher_new, several_lines_at_once
from tests.detectors.updates import NOW, edge, release, update, view

NOTHING = view({})
KEEPER = Publisher("keeper", "k@mail.invalid")
PIPELINE = Publisher("Pipeline", "p@mail.invalid", trusted=True)


def _line(*attested: bool | None, publisher: Publisher | None = None) -> tuple[Release, ...]:
    return tuple(release(f"0.{n}.0", attested=known, publisher=publisher) for n, known in enumerate(attested))


def _provenance(*attested: bool | None, after: bool | None = False, publisher: Publisher | None = None) -> list[str]:
    line = _line(*attested, publisher=publisher)
    now = release("1.0.1", attested=after, publisher=KEEPER)
    return [f.variant for f in provenance_lost.detect(update(NOTHING, NOTHING, releases=(*line, now), after=now))]


def test_the_length_of_the_habit() -> None:
    """What counts is how many releases in a row, up to the last, were attested."""
    assert _provenance(False, True, True, True) == ["long-habit"]
    assert _provenance(True, True, False, True) == ["short-habit"]
    assert _provenance(True, True, True, False) == []
    assert _provenance(None, None) == []


def test_unknown_is_neither_no_nor_unchanged() -> None:
    """A registry that told and tells no longer is a charge; one that never told is none."""
    assert _provenance(True, True, after=None) == ["withdrawn"]
    assert _provenance(None, None, after=None) == []


def test_a_token_after_a_trusted_publisher() -> None:
    """Without any attestation the loss of the trusted publisher is still told."""
    assert _provenance(None, None, publisher=PIPELINE) == ["trusted-publisher"]


def test_files_that_are_attested_in_part() -> None:
    """One wheel without the attestation that its siblings have."""

    def files(*attested: bool) -> tuple[Artifact, ...]:
        return tuple(Artifact(f"{n}", ArtifactKind.WHEEL, "", attested=known) for n, known in enumerate(attested))

    before = release("1.0.0", attested=True, artifacts=files(True, True))
    now = release("1.0.1", attested=True, artifacts=files(True, False))
    found = provenance_lost.detect(update(NOTHING, NOTHING, releases=(before, now), after=now))

    assert [f.variant for f in found] == ["partly"]


def test_an_account_that_comes_back() -> None:
    """The owner of years ago is told apart from a colleague who published lately."""
    old = release("0.1.0", published=NOW - timedelta(days=900), publisher=Publisher("old", "o@mail.invalid"))
    line = tuple(release(f"0.2.{n}", published=NOW - timedelta(days=400 - n), publisher=KEEPER) for n in range(12))
    now = release("1.0.1", published=NOW, publisher=Publisher("old", "o@mail.invalid"))
    found = publisher_new.detect(update(NOTHING, NOTHING, releases=(old, *line, now), after=now))

    assert [f.variant for f in found] == ["returned"]


def test_two_majors_need_a_past() -> None:
    """A project with two releases has no habit that could be broken."""
    other = release("0.9.0", published=NOW - timedelta(minutes=10))
    now = release("1.0.1", published=NOW)

    assert list(several_lines_at_once.detect(update(NOTHING, NOTHING, releases=(other, now), after=now))) == []


def _ages(*times: timedelta | None, now: datetime = NOW, releases: tuple[Release, ...] = ()) -> list[str]:
    """Return what is said of a dependency whose releases appeared so long before the one that needs it."""
    told = [release(f"1.0.{number}", published=None if age is None else NOW - age) for number, age in enumerate(times)]
    asked = update(NOTHING, NOTHING, edges=(edge("pad-codec", *told),), now=now, releases=releases)
    return [finding.variant for finding in dependency_young.detect(asked)]


def test_a_young_project_is_measured_at_the_question() -> None:
    """Asked two years later, the dependency is two years old; a first contact is not asked."""
    young = edge("pad-codec", release("1.0.0", published=NOW - timedelta(hours=5)))

    assert _ages(timedelta(hours=5)) == ["hours"]
    assert _ages(timedelta(hours=5), now=NOW + timedelta(days=4)) == ["days"]
    assert _ages(timedelta(hours=5), now=NOW + timedelta(days=700)) == []
    assert list(dependency_young.detect(update(None, NOTHING, edges=(young,)))) == []


def test_an_impossible_age_is_unknown() -> None:
    """No time, first seen after the release that needs it, or after the question: nothing is said."""
    assert _ages(None) == []
    assert _ages(timedelta(minutes=-5), now=NOW + timedelta(hours=1)) == []
    assert _ages(timedelta(hours=5), now=NOW - timedelta(hours=6)) == []


def test_times_against_the_versions_are_unknown() -> None:
    """A mirror's own times say nothing, unless this registry is seen to tell true ones: nobody may hide so."""
    turned = (timedelta(hours=5), timedelta(hours=6))
    true = tuple(release(f"0.{n}.0", published=NOW - timedelta(days=90 - n)) for n in range(4))

    assert _ages(*turned) == []
    assert _ages(*turned, releases=true) == ["hours"]
    assert _ages(*turned, releases=tuple(release(r.version, published=NOW - timedelta(days=n)) for n, r in
                                         enumerate(true))) == []  # fmt: skip


def test_a_fresh_release_of_a_young_project() -> None:
    """The clean decoy came weeks before, the release that is resolved this morning."""
    decoy = release("1.0.0", published=NOW - timedelta(days=20))
    payload = release("1.0.1", published=NOW - timedelta(hours=2))
    found = dependency_young.detect(update(NOTHING, NOTHING, edges=(edge("pad-codec", decoy, payload),)))

    assert [f.variant for f in found] == ["fresh-release"]


def test_a_publisher_known_from_attestations_alone() -> None:
    """Where the attestation is lost, its publisher is lost with it: that is told once, by provenance-lost."""
    line = _line(True, True, publisher=PIPELINE)
    lost, hidden = release("1.0.1", attested=False), release("1.0.1", attested=True)

    assert list(publisher_new.detect(update(NOTHING, NOTHING, releases=(*line, lost), after=lost))) == []
    found = publisher_new.detect(update(NOTHING, NOTHING, releases=(*line, hidden), after=hidden))
    assert [f.variant for f in found] == ["withdrawn"]


def test_an_unattested_release_of_the_same_day_breaks_no_habit() -> None:
    """The first step of two does not make the second one usual; attested releases of the day still count."""
    old = tuple(release(f"0.{n}.0", attested=True, published=NOW - timedelta(days=9)) for n in range(2))
    fresh = release("0.2.0", attested=True, published=NOW - timedelta(hours=9))
    step = release("1.0.0", attested=False, published=NOW - timedelta(minutes=9))
    now = release("1.0.1", attested=False, published=NOW)
    found = provenance_lost.detect(update(NOTHING, NOTHING, releases=(*old, fresh, step, now), after=now))

    assert [f.variant for f in found] == ["long-habit"]


def test_an_age_of_minutes_is_told_in_minutes() -> None:
    """A project that appeared half an hour ago is hours old to the table, and minutes old to the reader."""
    young = edge("pad-codec", release("1.0.0", published=NOW - timedelta(minutes=31)))
    (finding,) = dependency_young.detect(update(NOTHING, NOTHING, edges=(young,), now=NOW))

    assert finding.variant == "hours"
    assert "31 minutes before" in finding.message
