"""The main use case on a small world: edges, baselines, and what becomes of everything that fails."""

import gc
import json
from datetime import timedelta

import pytest
from msgspec.structs import replace

from lazaretto.app.analyse import Analyser, Analysis, Question
from lazaretto.app.ports import EngineError, Home, NotFound, Unavailable, Untrusted
from lazaretto.core.facts import Facts, Problem
from lazaretto.core.finding import Example
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.policy import Outage, Outcome, Policy
from lazaretto.core.verdict import RecordState
from tests.examples import NAME, NOW, World, analyse, build_world, rules

PLAIN = {"index.js": "module.exports = 1;\n"}
MANIFEST = '{{"name": "example-package", "version": "{}", "main": "index.js", "dependencies": {{{}}}}}\n'


def example(after_dependencies: str = "", **world: object) -> Example:
    """Return an update whose only change is its dependencies."""
    return Example(
        title="",
        before={**PLAIN, "package.json": MANIFEST.format("1.0.0", "")},
        after={**PLAIN, "package.json": MANIFEST.format("1.0.1", after_dependencies)},
        world=world,
    )


def ask(case: Example, policy: Policy | None = None) -> tuple[World, Analysis]:
    """Build the world of an example and put its question."""
    world, name, version, now = build_world(case)
    return world, analyse(world, name, version, policy, now)


def test_an_update_that_changes_nothing_is_allowed() -> None:
    """Every required check is complete, and nothing is charged."""
    _, analysis = ask(example())
    assert analysis.outcome is Outcome.ALLOW
    assert analysis.complete
    assert analysis.update.before is not None
    assert analysis.update.before.version == "1.0.0"


def test_new_edges_are_followed_to_the_end_and_once_each() -> None:
    """A brings b and c, both bring d: d is read once, each at first contact."""

    def tree(name: str, *needs: str) -> dict[str, object]:
        needed = ", ".join(f'"{need}": "^1.0.0"' for need in needs)
        manifest = f'{{"name": "{name}", "version": "1.0.0", "dependencies": {{{needed}}}}}'
        published = NOW - timedelta(days=900)
        return {"name": name, "version": "1.0.0", "published": published, "files": {"package.json": manifest}}

    entries = [tree("a", "b", "c"), tree("b", "d"), tree("c", "d"), tree("d", "a")]
    _, analysis = ask(example('"a": "^1.0.0"', dependency=entries))
    (a,) = analysis.edges
    assert a.analysis is not None
    assert [f.edge.dependency.name for f in a.analysis.edges] == ["b", "c"]
    assert a.analysis.update.first_contact
    b, c = a.analysis.edges
    assert b.analysis is not None
    assert c.analysis is not None
    (d,) = b.analysis.edges
    assert d.analysis is not None
    assert [f.seen for f in d.analysis.edges] == [True]
    assert [f.seen for f in c.analysis.edges] == [True]


def test_a_bad_dependency_makes_the_release_bad() -> None:
    """The verdict is the worst of a release's own and of all that it newly brings."""
    files = {"package.json": '{"name": "a", "version": "1.0.0"}'}
    entry = {"name": "a", "version": "1.0.0", "published": NOW - timedelta(days=900), "files": files}
    world, name, version, now = build_world(example('"a": "^1.0.0"', dependency=[entry]))
    world.broken["a-1.0.0.tgz"] = Untrusted("a-1.0.0.tgz: wrong hash")
    analysis = analyse(world, name, version, now=now)
    assert analysis.outcome is Outcome.HOLD
    assert not analysis.complete
    assert analysis.verdict.outcome is Outcome.ALLOW
    (edge,) = analysis.edges
    assert edge.analysis is not None
    assert edge.analysis.records["archive"].outage is Outage.UNTRUSTED


def test_a_dependency_whose_index_is_down_is_incomplete() -> None:
    """Nobody knows what the range resolves to, so nothing is permitted."""
    world, name, version, now = build_world(example('"down": "^1.0.0"'))
    world.broken["down"] = Unavailable("the registry is down")
    analysis = analyse(world, name, version, now=now)
    assert analysis.outcome is Outcome.HOLD
    assert analysis.records["edges"].state is RecordState.INCOMPLETE
    assert analysis.records["edges"].outage is Outage.UPSTREAM


def test_too_many_new_edges_are_incomplete_not_silent() -> None:
    """The bound on following is a limit that is told."""
    needed = ", ".join(f'"dep{number}": "^1.0.0"' for number in range(4))
    _, analysis = ask(example(needed), Policy(max_edges=2))
    assert analysis.records["edges"].outage is Outage.LIMIT
    assert analysis.outcome is Outcome.HOLD


def test_a_broken_archive_is_held() -> None:
    """An archive that is refused leaves an incomplete record, and its reason."""
    world, name, version, now = build_world(example())
    del world.trees[f"{NAME}-1.0.1.tgz"]
    analysis = analyse(world, name, version, now=now)
    assert analysis.outcome is Outcome.HOLD
    assert analysis.records["archive"].outage is Outage.ARCHIVE
    assert "broken" in analysis.records["archive"].problems[0]


def test_a_missing_baseline_adds_charges_and_never_permits() -> None:
    """If the earlier artifact is gone, the release is read as at first contact, and the record says so."""
    world, name, version, now = build_world(example())
    world.broken[f"{NAME}-1.0.0.tgz"] = Unavailable("gone")
    analysis = analyse(world, name, version, now=now)
    assert analysis.outcome is Outcome.HOLD
    assert analysis.update.pairs[0].before is None


def test_a_file_that_is_not_understood_is_held_only_if_it_is_new() -> None:
    """Of an update, what it changed must be understood; what stood there before is no news."""
    broken = "const = = ;;; ) (\n"
    old = Example(title="", before={**PLAIN, "odd.js": broken}, after={**PLAIN, "odd.js": broken})
    new = Example(title="", before=PLAIN, after={**PLAIN, "odd.js": broken})
    assert ask(old)[1].outcome is Outcome.ALLOW
    held = ask(new)[1]
    assert held.outcome is Outcome.HOLD
    assert held.records["files"].outage is Outage.NOT_UNDERSTOOD
    assert "odd.js" in held.records["files"].problems[0]


def test_a_reader_that_stops_is_told_apart() -> None:
    """A file on which the reader died is incomplete for another reason than one that is not understood."""
    world, name, version, now = build_world(Example(title="", before=PLAIN, after={**PLAIN, "new.js": "x();\n"}))
    real = world.read

    def stopping(jobs: object, home: Home) -> object:
        for job, facts in real(jobs, home):  # type: ignore[arg-type]
            failed = Facts("javascript", problems=(Problem(0, "reader stopped: out of time"),))
            yield job, failed if job.path == "new.js" else facts

    world.read = stopping  # type: ignore[method-assign, assignment]
    assert analyse(world, name, version, now=now).records["files"].outage is Outage.READER


def test_a_detector_that_fails_is_an_incomplete_check() -> None:
    """Its absence is no clean record."""

    class Broken:
        CARD = rules().detectors[0].CARD
        EXAMPLES = ()

        def detect(self, update: object) -> object:
            raise ZeroDivisionError(update)

    world, name, version, now = build_world(example())
    from msgspec.structs import replace

    analyser = Analyser(world.ecosystem, world, world, replace(rules(), detectors=(Broken(),)), now)
    analysis = analyser.release(Question(ProjectName(name), Version(version)))
    assert analysis.records[Broken.CARD.id].outage is Outage.DETECTOR
    assert analysis.outcome is Outcome.HOLD


def test_unknown_releases_are_errors() -> None:
    """Neither a project nor a version that does not exist is ever allowed."""
    world, name, _, now = build_world(example())
    with pytest.raises(NotFound, match=r"9\.9\.9"):
        analyse(world, name, "9.9.9", now=now)
    with pytest.raises(NotFound):
        analyse(world, "nobody", "1.0.0", now=now)
    analyser = Analyser(world.ecosystem, world, world, rules(), now)
    with pytest.raises(NotFound, match="compare"):
        analyser.release(Question(ProjectName(name), Version("1.0.1"), before=Version("0.0.9")))


def test_an_engine_that_fails_is_held() -> None:
    """A reader that could not be confined leaves an incomplete record."""
    world, name, version, now = build_world(example())
    world.unpack_many = lambda items: [EngineError("reader stopped") for _ in items]  # type: ignore[method-assign]
    analysis = analyse(world, name, version, now=now)
    assert analysis.records["archive"].outage is Outage.READER
    assert analysis.outcome is Outcome.HOLD


def test_a_suspect_is_never_a_baseline() -> None:
    """What was held yesterday is not what today's release is measured against."""
    case = Example(title="", before=PLAIN, after=PLAIN, world={"history": [{"version": "0.9.0"}]})
    world, name, version, now = build_world(case)
    analyser = Analyser(world.ecosystem, world, world, rules(), now, suspects=lambda _: frozenset({Version("1.0.0")}))
    analysis = analyser.release(Question(ProjectName(name), Version(version)))
    assert analysis.update.before is None


def test_a_registry_that_stops_telling_is_not_believed() -> None:
    """A field that it used to give for this project and no longer gives is a charge, unlike one it never gave."""
    from lazaretto.core.model import Provided

    world, name, version, now = build_world(example())
    analyser = Analyser(world.ecosystem, world, world, rules(), now)
    question = Question(ProjectName(name), Version(version))
    analysis = analyser.release(question, withdrawn=frozenset({Provided.PUBLISHER}))
    assert analysis.outcome is Outcome.HOLD
    assert analysis.records["index"].outage is Outage.UNTRUSTED
    assert "publisher" in analysis.records["index"].problems[0]


def test_code_that_a_command_carries_itself() -> None:
    """What stands behind ``node -e`` in a lifecycle script is read as the code that it is."""
    body = "require('child_process').execSync(Buffer.from('aWQ=', 'base64').toString())"
    manifest = {"name": NAME, "version": "1.0.1", "main": "index.js", "scripts": {"postinstall": f'node -e "{body}"'}}
    before = {**PLAIN, "package.json": MANIFEST.format("1.0.0", "")}
    after = {**PLAIN, "package.json": json.dumps(manifest)}
    _, analysis = ask(Example(title="", before=before, after=after))
    placed = [placed.fact for placed in analysis.update.pairs[0].after.placed if placed.path == "package.json"]

    assert ("process.spawn", "id") in [(fact.kind.value, fact.value) for fact in placed]
    assert analysis.outcome is not Outcome.ALLOW


def test_a_question_about_files_reads_these_alone() -> None:
    """The gate asks about the artifact that a client wants, whatever this platform would choose; others are unknown."""
    world, name, version, now = build_world(example())
    asked = Question(ProjectName(name), Version(version))
    analyser = Analyser(world.ecosystem, world, world, rules(None), now)
    (filename,) = [one.filename for one in analyser.release(asked).update.after.artifacts]
    named = analyser.release(replace(asked, files=(filename,)))

    assert [one.filename for one in named.artifacts] == [filename]
    with pytest.raises(NotFound, match="has no file other"):
        analyser.release(replace(asked, files=(filename, "other.tgz")))


def test_what_was_read_is_let_go_at_once() -> None:
    """Memory follows the release in hand: nothing read of it is part of a cycle, which would wait for a collector."""
    case = example('"a": "^1.0.0"', dependency=[{"name": "a", "version": "1.0.0", "published": NOW}])
    world, name, version, now = build_world(case)
    contacts: dict[tuple[str, str], Analysis] = {}
    analyser = Analyser(world.ecosystem, world, world, rules(), now, contacts=contacts)
    question = Question(ProjectName(name), Version(version))
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        analyser.verdict(question)
        gc.collect()
        left = {type(thing).__name__ for thing in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        if enabled:
            gc.enable()
    assert left.isdisjoint(
        {"Reading", "Opened", "Part", "Update", "Pair", "ArtifactView", "Loader", "Facts", "Project"}
    )


def test_what_was_judged_holds_neither_files_nor_pages() -> None:
    """A release may bring hundreds of others, and a project has hundreds of releases."""
    case = example('"a": "^1.0.0"', dependency=[{"name": "a", "version": "1.0.0", "published": NOW}])
    world, name, version, now = build_world(case)
    contacts: dict[tuple[str, str], Analysis] = {}
    analyser = Analyser(world.ecosystem, world, world, rules(), now, contacts=contacts)
    whole = analyser.release(Question(ProjectName(name), Version(version)))
    analyser = Analyser(world.ecosystem, world, world, rules(), now, contacts=contacts)
    small = analyser.verdict(Question(ProjectName(name), Version(version)))

    assert small.verdict == whole.verdict
    assert small.records == whole.records
    assert small.edges == whole.edges
    assert whole.update.pairs
    for analysis in (small, *contacts.values()):
        update = analysis.update
        assert not any((update.pairs, update.releases, update.history, update.edges, update.names))
        assert all(one.edge.project is None for one in analysis.edges)
