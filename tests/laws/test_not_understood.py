"""Not understood is not clean: whatever is missing, unread or failed, the answer is never ``allow``."""

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lazaretto.app.analyse import Analyser, Analysis, Question, Rules
from lazaretto.app.ports import (
    ArchiveError,
    EngineError,
    Home,
    Job,
    NotFound,
    PortError,
    Unavailable,
    Untrusted,
    no_home,
)
from lazaretto.core.facts import Facts, Problem
from lazaretto.core.finding import Detector, Example
from lazaretto.core.language import Claim
from lazaretto.core.model import Provided
from lazaretto.core.policy import Outcome
from lazaretto.core.verdict import RecordState
from tests.examples import NAME, World, app, build_world, rules

FILES = {"index.js": "1;\n", "lib/a.js": "2;\n", "notes.md": "words\n", "run.sh": "true\n"}
CHANGED = {path: text.replace("1", "3").replace("2", "4") + "\n" for path, text in FILES.items()}
UPDATE = Example(title="", before=FILES, after=CHANGED)
NEW = f"{NAME}-1.0.1.tgz"


class Damaged(World):
    """A world whose readers fail on some files."""

    unread: frozenset[str] = frozenset()

    def read(self, jobs: Iterable[Job], home: Home = no_home) -> Iterator[tuple[Job, Facts]]:
        """Read, and understand nothing of the damaged files."""
        for job, facts in super().read(jobs, home):
            yield job, Facts(facts.language, problems=(Problem(1, "odd"),)) if job.path in self.unread else facts


def ask(world: World, judge: Rules | None = None, withdrawn: frozenset[Provided] = frozenset()) -> Analysis:
    """Ask about the newer release."""
    _, name, version, now = build_world(UPDATE)
    analyser = Analyser(world.ecosystem, world, world, judge or rules(), now)
    question = Question(world.ecosystem.name(name), world.ecosystem.version(version))
    return analyser.release(question, withdrawn=withdrawn)


def damaged() -> Damaged:
    """Return the world of the update, in which nothing is damaged yet."""
    world = Damaged()
    world.__dict__.update(build_world(UPDATE)[0].__dict__)
    return world


def test_undamaged_it_is_allowed() -> None:
    """What the other tests take away is what stands between this update and a hold."""
    assert ask(damaged()).outcome is Outcome.ALLOW


@given(unread=st.sets(st.sampled_from(sorted([*CHANGED, "package.json"])), min_size=1))
def test_changed_files_that_nobody_understands(unread: set[str]) -> None:
    """Any of the changed files, whatever its kind."""
    world = damaged()
    world.unread = frozenset(unread)
    analysis = ask(world)

    assert analysis.outcome is Outcome.HOLD
    assert not analysis.complete
    told = [problem for record in analysis.records.values() for problem in record.problems]
    assert all(any(path in problem for problem in told) for path in unread)


@pytest.mark.parametrize("path", sorted(CHANGED))
def test_changed_files_that_nobody_claims(path: str) -> None:
    """A file that no language offers to read was not read."""

    def claim(candidate: str, data: bytes) -> Claim | None:
        return None if candidate == path else app().claim(candidate, data)

    assert ask(damaged(), replace(rules(), claim=claim)).outcome is Outcome.HOLD


@pytest.mark.parametrize("error", [NotFound, Unavailable, Untrusted, ArchiveError, EngineError])
@pytest.mark.parametrize("filename", [NEW, f"{NAME}-1.0.0.tgz"])
def test_archives_that_cannot_be_had(filename: str, error: type[PortError]) -> None:
    """Of the release in question or of the one to measure it against, for whatever reason."""
    world = damaged()
    if error in (ArchiveError, EngineError):
        world.trees[filename] = error("refused")  # type: ignore[assignment]  # the engine answers with the error
    else:
        world.broken[filename] = error("gone")

    assert ask(world).outcome is Outcome.HOLD


@pytest.mark.parametrize("detector", rules().detectors, ids=lambda detector: detector.CARD.id)
def test_detectors_that_fail(detector: Detector) -> None:
    """Each of them is required, so that a failure anywhere is no permission."""

    class Broken:
        CARD = detector.CARD
        EXAMPLES = ()

        def detect(self, update: object) -> object:
            raise MemoryError

    others = tuple(Broken() if one is detector else one for one in rules().detectors)
    analysis = ask(damaged(), replace(rules(), detectors=others))

    assert analysis.outcome is Outcome.HOLD
    assert analysis.records[detector.CARD.id].state is RecordState.INCOMPLETE


def test_a_release_without_artifacts() -> None:
    """There is nothing to read, so nothing was read."""
    world = damaged()
    project = world.projects[NAME]
    bare = tuple(replace(release, artifacts=()) for release in project.releases)
    world.projects[NAME] = replace(project, releases=bare)

    assert ask(world).outcome is Outcome.HOLD


@given(withdrawn=st.sets(st.sampled_from(Provided), min_size=1))
def test_fields_that_the_registry_tells_no_longer(withdrawn: set[Provided]) -> None:
    """What it used to tell is not unknown: it is hidden."""
    assert ask(damaged(), withdrawn=frozenset(withdrawn)).outcome is Outcome.HOLD
