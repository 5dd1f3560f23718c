"""The use case: a replay becomes a registry of real archive bytes, and an answer counts only with evidence."""

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256, sha512

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lazaretto.app.ports import NotFound, Plate, Registry, Unavailable
from lazaretto.app.replay import (
    After,
    Answer,
    Before,
    Expect,
    FoundIn,
    Insert,
    Origin,
    OwnDependency,
    Replay,
    ReplayResult,
    Side,
    World,
    judge,
    run,
)
from lazaretto.app.replay_pack import blob, pack, set_headers, set_json
from lazaretto.app.replay_world import Builder, ReplayError
from lazaretto.core.finding import Evidence, Finding
from lazaretto.core.manifest import Manifest
from lazaretto.core.model import Artifact, ArtifactKind, Dependency, Project, Provided, Publisher, Release
from lazaretto.core.names import Digest, ProjectName, Purl, Version
from lazaretto.core.tree import Tree
from lazaretto.core.view import PageView

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)


class PlainEcosystem:
    """Names as they are, dotted versions; dependencies from package.json."""

    def __init__(self, ecosystem: str) -> None:
        self.ID = ecosystem
        self.FORMS: Mapping[str, str] = {}

    def name(self, text: str) -> ProjectName:
        return ProjectName(text)

    def version(self, text: str) -> Version:
        if not text[:1].isdigit():
            raise ValueError(f"not a version: {text}")
        return Version(text)

    def sort_key(self, version: Version) -> object:
        return [int(part) for part in version.split(".")]

    def precedence(self, version: Version) -> object:
        return self.sort_key(version)

    def prerelease(self, version: Version) -> bool:
        return False

    def line(self, version: Version) -> str:
        return version.partition(".")[0]

    def purl(self, name: ProjectName, version: Version | None) -> Purl:
        return Purl(f"pkg:{self.ID}/{name}@{version}")

    def resolve(self, dependency: Dependency, project: Project, at: datetime | None) -> Release | None:
        return None

    def choose(self, release: Release) -> tuple[Artifact, ...]:
        return release.artifacts[-1:]

    def index(self, name: ProjectName, data: bytes, media_type: str, url: str) -> Project:
        raise AssertionError("a replay has its index in memory")

    def render(self, name: ProjectName, data: bytes, media_type: str, view: PageView, form: str) -> bytes:
        raise AssertionError("a replay shows no page")

    def plate(self, name: ProjectName, data: bytes, media_type: str, address: Callable[[str], str], form: str) -> Plate:
        raise AssertionError("a replay shows no page")

    def document(self, name: ProjectName, data: bytes, wanted: str, view: PageView) -> bytes | None:
        raise AssertionError("a replay shows no page")

    def manifest(self, artifact: Artifact, tree: Tree) -> Manifest:
        document = json.loads(tree.files["package.json"].data)
        needed = document.get("dependencies", {})
        return Manifest(
            path="package.json",
            dependencies=tuple(Dependency(name=ProjectName(name), requirement=text) for name, text in needed.items()),
        )

    def resolve_import(self, path: str, specifier: str, tree: Tree, manifest: Manifest) -> tuple[str, ...]:
        return ()

    def imported_name(self, specifier: str) -> str | None:
        return None


def unpack(artifact: Artifact, data: bytes) -> Tree:
    """Unpack with the standard library."""
    files = {}
    if artifact.kind is ArtifactKind.WHEEL:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {name: blob(archive.read(name)) for name in archive.namelist()}
    else:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                content = archive.extractfile(member)
                assert content is not None
                files[member.name.partition("/")[2]] = blob(content.read())
    return Tree(files=dict(sorted(files.items())))


class MemoryBlobs:
    """A blob store that remembers what it was asked."""

    def __init__(self) -> None:
        self.held: dict[Digest, bytes] = {}

    def get(self, digest: Digest) -> bytes | None:
        return self.held.get(digest)

    def put(self, data: bytes) -> Digest:
        digest = Digest(f"sha256:{sha256(data).hexdigest()}")
        self.held[digest] = data
        return digest


class Upstream:
    """The configured registry. Without projects it is down."""

    def __init__(self, *projects: Project, data: Mapping[str, bytes] | None = None) -> None:
        self.projects = {project.name: project for project in projects}
        self.data = dict(data or {})
        self.downloads: list[str] = []

    def project(self, name: ProjectName) -> Project:
        if not self.projects:
            raise Unavailable("the registry does not answer")
        if name not in self.projects:
            raise NotFound(f"no project {name}")
        return self.projects[name]

    def download(self, artifact: Artifact) -> bytes:
        self.downloads.append(artifact.filename)
        return self.data[artifact.url]

    def prefetch(self, artifacts: Iterable[Artifact]) -> None:
        self.downloads.extend(f"hint {artifact.filename}" for artifact in artifacts)


def tree(files: Mapping[str, str]) -> Tree:
    """A tree of text files."""
    return Tree(files={path: blob(text.encode()) for path, text in files.items()})


GOOD = tree(
    {
        "package.json": '{\n  "name": "pear",\n  "version": "1.0.0",\n'
        '  "dependencies": {\n    "a": "1",\n    "z": "1"\n  }\n}\n',
        "index.js": "one();\ntwo();\n",
        "old.js": "",
    }
)


def side(version: str, **more: object) -> Side:
    """One release of April."""
    return replace(Side(version=version, published=APRIL), **more)


def replay(**changes: object) -> Replay:
    """An update of pear whose entry file gains a line and whose manifest gains a young dependency."""
    base = Replay(
        name="2026-04-pear",
        incident="2026-04-pear",
        ecosystem="npm",
        package="pear",
        now=APRIL,
        expect=Expect.HOLD,
        before=Before(side=side("1.0.0", published=MARCH, dist_tag="latest"), origin=Origin.TREE, tree=GOOD),
        after=After(
            side=side("1.0.1", dist_tag="latest", attested=False, publisher=Publisher("mallory")),
            origin=Origin.OVERLAY,
            kinds=(ArtifactKind.TARBALL,),
            overlay=tree({"setup.js": "bad();\n"}),
            inserts=(Insert("index.js", 2, b"worse();\n"),),
            remove=("old.js",),
            manifest={"dependencies": {"plum": "^1"}},
        ),
        history=(side("0.9.0", published=MARCH, git_head=True),),
        dependencies=(OwnDependency(name="plum", side=side("1.0.0"), tree=tree({"evil.js": "x\ny"})),),
    )
    return replace(base, **changes)


def builder(upstream: Registry | None = None, blobs: MemoryBlobs | None = None) -> Builder:
    """A builder over the fakes."""
    upstream = upstream or Upstream()
    return Builder(
        ecosystems={"npm": PlainEcosystem("npm"), "pypi": PlainEcosystem("pypi")},
        registries={"npm": upstream, "pypi": upstream},
        unpack=unpack,
        blobs=blobs or MemoryBlobs(),
    )


def after_tree(world: World) -> Tree:
    """The files of the first artifact of the release in question, as served."""
    release = world.registry.project(world.project).release(world.version)
    assert release is not None
    return unpack(release.artifacts[0], world.registry.download(release.artifacts[0]))


def finding(path: str, line: int) -> Finding:
    """A finding at one place."""
    return Finding(detector="d", variant="v", message="m", evidence=(Evidence(path=path, line=line),))


def answer(outcome: str, *findings: tuple[str, str, int], complete: bool = True) -> Answer:
    """An answer whose findings stand at (purl, path, line)."""
    told = tuple(FoundIn(Purl(purl), finding(path, line)) for purl, path, line in findings)
    return Answer(outcome=outcome, complete=complete, findings=told)


PEAR, PLUM = "pkg:npm/pear@1.0.1", "pkg:npm/plum@1.0.0"


class TestWorld:
    """What the replayed registry serves."""

    def test_the_bad_artifact_is_the_good_one_with_the_change(self) -> None:
        """Overlay, insert, remove and manifest are applied, and nothing else changes."""
        bad = after_tree(builder().build(replay()))
        assert list(bad) == ["index.js", "package.json", "setup.js"]
        assert bad.files["index.js"].data == b"one();\nworse();\ntwo();\n"
        assert bad.files["setup.js"].data == b"bad();\n"
        assert json.loads(bad.files["package.json"].data) == {
            "name": "pear",
            "version": "1.0.1",
            "dependencies": {"a": "1", "plum": "^1", "z": "1"},
        }

    def test_only_changed_lines_are_places(self) -> None:
        """The bumped version is not the incident's work; the new dependency's line is, and its files are."""
        places = builder().build(replay()).places
        assert places[Purl(PEAR)] == {"index.js": {2}, "setup.js": {1, 2}, "package.json": {6}}
        assert places[Purl(PLUM)]["evil.js"] == {1, 2}

    def test_the_index_tells_what_the_sheet_says(self) -> None:
        """History has no artifact; the tag stands where the last publication put it; npm repeats the dependencies."""
        world = builder().build(replay())
        project = world.registry.project(world.project)
        assert [release.version for release in project.releases] == ["0.9.0", "1.0.0", "1.0.1"]
        history, before, after = project.releases
        assert history.artifacts == ()
        assert history.git_head is not None
        assert (before.tags, after.tags) == ((), ("latest",))
        assert project.tags == {"latest": "1.0.1"}
        assert project.provides == frozenset(Provided)
        assert after.dependencies is not None
        assert [dependency.name for dependency in after.dependencies] == ["a", "plum", "z"]
        assert (after.attested, after.git_head, after.publisher) == (False, None, Publisher("mallory"))

    def test_digests_are_those_of_the_bytes(self) -> None:
        """The served artifact is a real archive: its digest and its size are computed from its bytes."""
        world = builder().build(replay())
        release = world.registry.project(ProjectName("plum")).releases[0]
        data = world.registry.download(release.artifacts[0])
        assert release.artifacts[0].digests["sha512"] == sha512(data).hexdigest()
        assert release.artifacts[0].size == len(data)
        assert gzip.decompress(data)

    def test_other_projects_are_as_they_were(self) -> None:
        """A later release of another project is hidden, one without a time stays, and nothing left means not found."""
        releases = tuple(
            Release(ecosystem="npm", project=ProjectName("fig"), version=Version(version), published=time)
            for version, time in (("1.0.0", MARCH), ("1.1.0", None), ("2.0.0", MAY))
        )
        fig = Project("npm", ProjectName("fig"), releases, tags={"latest": Version("2.0.0"), "old": Version("1.0.0")})
        kiwi = Project("npm", ProjectName("kiwi"), (replace(releases[2], project=ProjectName("kiwi")),))
        upstream = Upstream(fig, kiwi, data={"https://files.invalid/fig": b"fig"})
        registry = builder(upstream).build(replay()).registry
        assert [release.version for release in registry.project(ProjectName("fig")).releases] == ["1.0.0", "1.1.0"]
        assert registry.project(ProjectName("fig")).tags == {"old": "1.0.0"}
        with pytest.raises(NotFound, match="kiwi had no release"):
            registry.project(ProjectName("kiwi"))
        fruit = Artifact("fig.tgz", ArtifactKind.TARBALL, "https://files.invalid/fig")
        own = registry.project(ProjectName("plum")).releases[0].artifacts[0]
        registry.prefetch([fruit, own])
        assert registry.download(fruit) == b"fig"
        assert upstream.downloads == ["hint fig.tgz", "fig.tgz"]

    def test_the_same_replay_gives_the_same_bytes(self) -> None:
        """Archives are deterministic."""
        first, second = (builder().build(replay()).registry.project(ProjectName("pear")) for _ in range(2))
        assert first == second

    def test_a_wheel_is_renamed_and_its_record_fits(self) -> None:
        """The folder of the metadata follows the version; RECORD lists every file with its digest."""
        wheel = tree(
            {
                "pear/__init__.py": "x = 1\n",
                "pear-1.0.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: pear\nVersion: 1.0.0\n\nAbout pears.\n",
                "pear-1.0.0.dist-info/RECORD": "stale\n",
            }
        )
        pypi = replay(
            ecosystem="pypi",
            before=Before(side=side("1.0.0", published=MARCH), origin=Origin.TREE, tree=wheel),
            after=After(
                side=side("1.0.1"),
                origin=Origin.OVERLAY,
                kinds=(ArtifactKind.WHEEL, ArtifactKind.SDIST),
                overlay=tree({"pear_init.pth": "import os\n", "odd,name.py": ""}),
                manifest={"Requires-Dist": ["plum"]},
            ),
            dependencies=(),
        )
        world = builder().build(pypi)
        bad = after_tree(world)
        assert bad.files["pear-1.0.1.dist-info/METADATA"].data == (
            b"Metadata-Version: 2.1\nName: pear\nVersion: 1.0.1\nRequires-Dist: plum\n\nAbout pears.\n"
        )
        record = bad.files["pear-1.0.1.dist-info/RECORD"].data.decode().splitlines()
        assert record[0] == '"odd,name.py",sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0'
        assert record[-1] == "pear-1.0.1.dist-info/RECORD,,"
        assert len(record) == len(bad.files)
        assert world.places[Purl("pkg:pypi/pear@1.0.1")]["pear_init.pth"] == {1, 2}
        release = world.registry.project(world.project).release(world.version)
        assert release is not None
        assert [one.filename for one in release.artifacts] == ["pear-1.0.1-py3-none-any.whl", "pear-1.0.1.tar.gz"]
        assert release.dependencies is None

    def test_first_contact_and_text_at_the_end(self) -> None:
        """Without a release before, the overlay is the whole artifact; an insert without a line goes to the end."""
        after = After(
            side=side("1.0.0"),
            origin=Origin.OVERLAY,
            kinds=(ArtifactKind.TARBALL,),
            overlay=tree({"index.js": "one();"}),
            inserts=(Insert("index.js", 0, b"two();"),),
        )
        world = builder().build(replay(before=None, history=(), after=after))
        bad = after_tree(world)
        assert bad.files["index.js"].data == b"one();two();"
        below = replace(after, inserts=(Insert("index.js", 2, b"two();"),))
        bad = after_tree(builder().build(replay(before=None, history=(), after=below)))
        assert bad.files["index.js"].data == b"one();\ntwo();"
        assert json.loads(bad.files["package.json"].data) == {"name": "pear", "version": "1.0.0"}

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"ecosystem": "gems"}, "no registry of ecosystem 'gems'"),
            ({"after": replace(replay().after, inserts=(Insert("none.js", 1, b""),))}, "which the release before"),
            ({"after": replace(replay().after, inserts=(Insert("index.js", 9, b""),))}, "which has 2 lines"),
            ({"after": replace(replay().after, side=side("latest"))}, "not a version: latest"),
            ({"before": Before(side=side("1.0.0"), origin=Origin.TREE)}, "has no tree"),
            ({"dependencies": (OwnDependency(name="x", side=side("1"), tree=tree({"package.json": "[]"})),)}, "object"),
        ],
    )
    def test_a_folder_that_contradicts_itself_is_an_error(self, changes: dict[str, object], message: str) -> None:
        """What cannot be put back on a registry is told, with the reason."""
        with pytest.raises(ReplayError, match=message):
            builder().build(replay(**changes))


class TestRealArtifacts:
    """``source = "registry"``: the real artifact, once, and never another one."""

    data = pack(ArtifactKind.TARBALL, "pear", GOOD)
    digest = sha256(data).hexdigest()
    url = "https://files.invalid/pear-1.0.0.tgz"

    def upstream(self, kind: ArtifactKind = ArtifactKind.TARBALL, version: str = "1.0.0") -> Upstream:
        artifact = Artifact("pear-1.0.0.tgz", kind, self.url, digests={"sha256": self.digest})
        release = Release("npm", ProjectName("pear"), Version(version), artifacts=(artifact,))
        return Upstream(Project("npm", ProjectName("pear"), (release,)), data={self.url: self.data})

    def real(self, **more: object) -> Replay:
        before = Before(side=side("1.0.0", published=MARCH), origin=Origin.REGISTRY)
        return replay(before=replace(before, **more))

    def test_it_is_fetched_once_and_kept_by_digest(self) -> None:
        """The second world takes it from the store; a pinned digest does so without asking the registry at all."""
        upstream, blobs = self.upstream(), MemoryBlobs()
        for _ in range(2):
            world = builder(upstream, blobs).build(self.real())
            assert world.notes == ()
        assert upstream.downloads == ["pear-1.0.0.tgz"]
        offline = builder(Upstream(), blobs).build(self.real(digests={"pear-1.0.0.tgz": self.digest}))
        served = offline.registry.project(ProjectName("pear")).releases[1].artifacts[0]
        assert offline.registry.download(served) == self.data

    def test_pins_of_other_kinds_do_not_count(self) -> None:
        """A replay of several artifacts pins each by its file name."""
        pins = {"pear-1.0.0.tar.gz": "0" * 64, "pear-1.0.0-py3-none-any.whl": "0" * 64}
        world = builder(self.upstream()).build(self.real(digests=pins))
        assert world.notes == ()

    def test_another_artifact_than_the_pinned_one_is_refused(self) -> None:
        """A registry that serves other bytes under this name is not believed, and nothing is stored."""
        blobs = MemoryBlobs()
        (result,) = run(
            [self.real(digests={"pear-1.0.0.tgz": "0" * 64})], no_question, builder(self.upstream(), blobs).build
        )
        assert result.outcome == "error"
        assert "not the one that this replay names" in result.note
        assert blobs.held == {}

    def test_the_stand_in_is_used_only_if_out_of_reach_and_said(self) -> None:
        """With ``before/`` beside it, a dead registry is survived, and the result says so."""
        near = builder(self.upstream()).build(self.real(tree=tree({"package.json": "{}", "index.js": "1\n2\n"})))
        assert near.notes == ()
        assert "old.js" not in after_tree(near)
        far = builder(Upstream()).build(self.real(tree=GOOD))
        assert far.notes == ("the stand-in tree takes the place of the real 1.0.0: the registry does not answer",)

    @pytest.mark.parametrize(
        ("upstream", "message"),
        [
            ({"kind": ArtifactKind.WHEEL}, "no tgz of pear 1.0.0"),
            ({"version": "0.1.0"}, "the registry has no pear 1.0.0"),
        ],
    )
    def test_what_the_registry_does_not_have(self, upstream: dict[str, object], message: str) -> None:
        """A missing release or kind is an error with its name."""
        (result,) = run([self.real()], no_question, builder(self.upstream(**upstream)).build)  # type: ignore[arg-type]
        assert (result.outcome, result.held) == ("error", False)
        assert message in result.note

    def test_a_control_serves_the_real_release_after(self) -> None:
        """``[after] source = "registry"`` changes nothing in the artifact."""
        control = self.real()
        after = After(side=side("1.0.0"), origin=Origin.REGISTRY, kinds=(ArtifactKind.TARBALL,))
        world = builder(self.upstream()).build(
            replace(control, before=None, history=(), after=after, expect=Expect.ALLOW)
        )
        served = world.registry.project(ProjectName("pear")).releases[0].artifacts[0]
        assert world.registry.download(served) == self.data
        assert world.places == {Purl(PLUM): world.places[Purl(PLUM)]}


def no_question(ecosystem: str, name: ProjectName, version: Version, now: datetime, registry: Registry) -> Answer:
    """An analyser that must not be asked."""
    raise AssertionError("asked")


class TestJudge:
    """When an expectation holds."""

    world = builder().build(replay())

    def judged(self, answered: Answer, expect: Expect = Expect.HOLD) -> ReplayResult:
        return judge(replay(expect=expect), self.world, answered)

    @pytest.mark.parametrize(
        ("where", "held"),
        [
            ((PEAR, "index.js", 2), True),
            ((PEAR, "package.json", 6), True),
            ((PLUM, "evil.js", 1), True),
            ((PEAR, "index.js", 1), False),
            ((PEAR, "package.json", 3), False),
            ((PEAR, "setup.js", 0), False),
            ((PEAR, "index:publisher", 0), False),
            ((PLUM, "other.js", 1), False),
            (("pkg:npm/fig@1.0.0", "evil.js", 1), False),
        ],
    )
    def test_a_refusal_needs_a_changed_line(self, where: tuple[str, str, int], *, held: bool) -> None:
        """A hold for another reason does not count: not the line before, nor the version, nor the index alone."""
        result = self.judged(answer("hold", where))
        assert result.held is held
        assert (result.place is not None) is held
        assert ("no finding names a line" in result.note) is not held

    @pytest.mark.parametrize(
        ("expect", "outcome", "held"),
        [
            (Expect.HOLD, "hold", True),
            (Expect.HOLD, "block", True),
            (Expect.HOLD, "allow", False),
            (Expect.BLOCK, "block", True),
            (Expect.BLOCK, "hold", False),
        ],
    )
    def test_block_satisfies_hold(self, expect: Expect, outcome: str, *, held: bool) -> None:
        """And not the other way round."""
        assert self.judged(answer(outcome, (PEAR, "index.js", 2)), expect).held is held

    @pytest.mark.parametrize(
        ("outcome", "complete", "held"), [("allow", True, True), ("allow", False, False), ("hold", True, False)]
    )
    def test_a_control_needs_a_complete_allow(self, outcome: str, *, complete: bool, held: bool) -> None:
        """A control that could not be checked to the end does not hold; the note says what was found."""
        result = self.judged(answer(outcome, (PEAR, "index.js", 2), complete=complete), Expect.ALLOW)
        assert result.held is held
        assert ("d/v at index.js:2" in result.note) is not held

    @given(
        st.lists(
            st.tuples(st.sampled_from([PEAR, PLUM, "x"]), st.sampled_from(["index.js", "evil.js"]), st.integers(-1, 4))
        )
    )
    def test_place_is_always_a_changed_line(self, findings: list[tuple[str, str, int]]) -> None:
        """Whatever the analyser says, the place reported is one that the incident changed."""
        result = self.judged(answer("block", *findings))
        assert result.held is (result.place is not None)
        if result.place is not None and result.where is not None:
            assert result.place.line in self.world.places[result.where][result.place.path]


class TestRun:
    """Many replays in a row."""

    def test_each_gets_a_result_in_order_and_a_line(self) -> None:
        """A replay that cannot be built does not hide the next; the analyser gets the clock of the incident."""
        asked: list[tuple[str, str, str, datetime]] = []

        def ask(ecosystem: str, name: ProjectName, version: Version, now: datetime, registry: Registry) -> Answer:
            asked.append((ecosystem, name, version, now))
            return answer("block", (PLUM, "evil.js", 2), complete=False)

        broken = replay(name="broken", ecosystem="gems")
        first, second = run([broken, replay()], ask, builder().build)
        assert asked == [("npm", "pear", "1.0.1", APRIL)]
        assert first.summary.startswith("FAIL broken: expected hold, got error  (ReplayError: broken: no registry")
        assert second.summary == (
            "ok   2026-04-pear: expected hold, got block  pkg:npm/plum@1.0.0 evil.js:2"
            "  (not everything could be checked)"
        )

    def test_a_question_that_fails_is_a_result(self) -> None:
        """A PortError of the analyser is reported beside the replay."""

        def ask(ecosystem: str, name: ProjectName, version: Version, now: datetime, registry: Registry) -> Answer:
            raise Unavailable("down")

        (result,) = run([replay()], ask, builder().build)
        assert (result.outcome, result.note) == ("error", "Unavailable: down")

    def test_the_decoded_value_is_part_of_the_line(self) -> None:
        """What the reader recovered stands in the summary."""
        evidence = Evidence(path="a.js", line=1, decoded="curl")
        result = judge(replay(), TestJudge.world, answer("hold"))
        shown = replace(result, place=evidence, where=Purl(PEAR))
        assert "a.js:1 = curl" in shown.summary


class TestPacking:
    """Archives of trees that are not quite a distribution."""

    def test_a_wheel_without_metadata_gets_no_record(self) -> None:
        """There is no folder that a RECORD could stand in."""
        data = pack(ArtifactKind.WHEEL, "pear", tree({"a.py": ""}))
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.namelist() == ["a.py"]


class TestManifests:
    """Small edits that leave the rest of a manifest as it was."""

    @pytest.mark.parametrize(
        "text", ['{\n\t"b": {\n\t\t"x": 1\n\t},\n\t"a": []\n}\n', '{\n    "b": {\n        "x": 1\n    }\n}']
    )
    def test_the_indentation_stays(self, text: str) -> None:
        """Nothing merged and nothing removed gives the same bytes."""
        assert set_json(text.encode(), {}, ("no.such.key",)) == text.encode()

    def test_keys_are_merged_and_removed(self) -> None:
        """A table is merged, another value replaced, a dotted key removed."""
        text = b'{"scripts": {"prepare": "husky", "test": "x"}, "main": "a.js"}'
        changed = set_json(text, {"scripts": {"preinstall": "node x"}, "main": "b.js"}, ("scripts.prepare",))
        assert json.loads(changed) == {"scripts": {"preinstall": "node x", "test": "x"}, "main": "b.js"}

    def test_headers_are_set_replaced_and_removed(self) -> None:
        """A folded field goes with all its lines, a repeated one is replaced once, a new one is added at the end."""
        text = b"Name: pear\nLicense: a\n  b\nRequires-Dist: x\nRequires-Dist: y\n\nbody: kept\n"
        changed = set_headers(text, {"requires-dist": ["z"], "Summary": "s"}, ("License",))
        assert changed == b"Name: pear\nrequires-dist: z\nSummary: s\n\nbody: kept\n"
