"""Which earlier releases a habit is read from."""

from datetime import timedelta

from lazaretto.core.habit import earlier, is_sibling, published_earlier
from lazaretto.core.model import Artifact, Provenance, Publisher, Release
from tests.detectors.updates import ARTIFACT, NOW, edge, release, update, view

NOTHING = view({})


def _at(version: str, days: int, artifacts: tuple[Artifact, ...] = (ARTIFACT,)) -> Release:
    return release(version, published=NOW - timedelta(days=days), artifacts=artifacts)


def test_suspects_are_no_habit() -> None:
    """A lower version that may not be a baseline counts for nothing; a bare or yanked one still names publishers."""
    suspect, bare, base, newer = _at("0.9.0", 90), _at("0.9.5", 80, ()), _at("1.0.0", 40), _at("2.0.0", 5)
    releases = (suspect, bare, base, release("1.0.1", published=NOW), newer)
    found = update(NOTHING, NOTHING, releases=releases, history=(base,))

    assert [r.version for r in earlier(found)] == ["1.0.0", "0.9.5"]
    assert [r.version for r in published_earlier(found)] == ["2.0.0", "1.0.0", "0.9.5"]


def test_siblings() -> None:
    """The same scope, publisher or repository makes a sibling; the shared name of all pipelines does not."""
    keeper, pipeline = Publisher("keeper", "k@mail.invalid"), Publisher("Pipeline", "p@mail.invalid", trusted=True)
    home = Provenance(repository="https://forge.invalid/pads/pad")
    respelt = Provenance(repository="git+https://forge.invalid/Pads/pad.git")
    ours = (release("0.9.0", publisher=keeper, provenance=home), release("1.0.0", publisher=pipeline))
    question = update(NOTHING, NOTHING, releases=(*ours, release("1.0.1")))

    assert is_sibling(question, edge("x", release("1.0.0", publisher=keeper)))
    assert is_sibling(question, edge("x", release("1.0.0", provenance=respelt)))
    assert not is_sibling(question, edge("x", release("1.0.0", publisher=pipeline)))
    assert not is_sibling(question, edge("x", release("1.0.0")))
    assert not is_sibling(question, edge("x"))


def test_a_release_of_the_same_day_is_no_habit() -> None:
    """Two steps within an hour do not make the second one usual, unless nothing else is known."""
    step = release("1.0.0", published=NOW - timedelta(minutes=40))
    base = _at("0.9.0", 30)
    now = release("1.0.1", published=NOW)

    assert [r.version for r in earlier(update(NOTHING, NOTHING, releases=(base, step, now)))] == ["0.9.0"]
    assert [r.version for r in earlier(update(NOTHING, NOTHING, releases=(step, now)))] == ["1.0.0"]
