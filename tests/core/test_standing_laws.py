"""The laws of ``core.standing``: what holds of every page, whatever its index, the ledger and the policy say."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lazaretto.core.firewall_policy import FirewallPolicy, Mode
from lazaretto.core.model import Artifact, ArtifactKind, Project, Release
from lazaretto.core.names import Digest, ProjectName, Version
from lazaretto.core.page_standing import PageStanding, lay_out, stand
from lazaretto.core.policy import Outcome
from lazaretto.core.standing import (
    Basis,
    Decision,
    Identity,
    Judge,
    Known,
    Place,
    told_digest,
    verdict_id,
)

NOW = datetime(2026, 3, 31, tzinfo=UTC)
NAME = ProjectName("thing")


class Semver:
    """Lines by the major; a version with a dash is a prerelease."""

    def line(self, version: Version) -> str:
        return version.partition(".")[0]

    def prerelease(self, version: Version) -> bool:
        return "-" in version

    def choose(self, release: Release) -> tuple[Artifact, ...]:
        return release.artifacts[:1]


ORDER = Semver()


def artifact(version: str, number: int = 0, *, digest: str | None = None, age: int | None = 1) -> Artifact:
    """Return a file of a release, ``age`` days old."""
    uploaded = None if age is None else NOW - timedelta(days=age)
    hexed = digest if digest is not None else f"{version}{number}".encode().hex().ljust(128, "0")
    digests = {"sha512": hexed} if hexed else {}
    return Artifact(f"thing-{version}-{number}.tgz", ArtifactKind.TARBALL, "", digests, uploaded=uploaded)


def project(*releases: tuple[str, int | None], tags: dict[str, str] | None = None, files: int = 1) -> Project:
    """Return a project of (version, age in days), oldest version first."""
    made = tuple(
        Release("npm", NAME, Version(version), tuple(artifact(version, n, age=age) for n in range(files)))
        for version, age in releases
    )
    return Project("npm", NAME, made, {tag: Version(version) for tag, version in (tags or {}).items()})


def identity(one: Artifact, version: str, told: str | None = None) -> Identity:
    """Return the note that a file was seen."""
    return Identity("npm", NAME, Version(version), one.filename, told_digest(one) if told is None else told, NOW)


def decision(version: str, outcome: Outcome, number: int = 0, **changes: object) -> Decision:
    """Return a reading of a file."""
    one = artifact(version, number)
    told = told_digest(one)
    made = Decision(
        ecosystem="npm",
        project=NAME,
        version=Version(version),
        filename=one.filename,
        told=told,
        sha256=None,
        outcome=outcome,
        complete=True,
        basis=Basis.READ,
        verdict=verdict_id("npm", NAME, one.filename, told),
        reason="as read",
        decided_at=NOW,
        for_cause=outcome is not Outcome.ALLOW,
    )
    return replace(made, **changes)


VERSIONS = ("1.0.0", "1.1.0", "1.2.0-b", "1.2.0", "2.0.0-b", "2.0.0", "2.1.0")
AGES = st.sampled_from([None, 0, 1, 29, 30, 400])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Project, Known, FirewallPolicy]:
    """Return a page, what is known of it, and a policy."""
    versions = sorted(draw(st.sets(st.sampled_from(VERSIONS), min_size=1)), key=VERSIONS.index)
    tags = draw(st.dictionaries(st.sampled_from(["latest", "next", "legacy"]), st.sampled_from(versions)))
    page = project(*[(version, draw(AGES)) for version in versions], tags=tags, files=2)
    identities, decisions = [], []
    for release in page.releases:
        for number, one in enumerate(release.artifacts):
            if draw(st.booleans()):
                told = draw(st.sampled_from([None, None, None, "sha512:00"]))
                identities.append(identity(one, release.version, told))
            if draw(st.booleans()):
                outcome = draw(st.sampled_from(Outcome))
                cause = outcome is not Outcome.ALLOW and draw(st.booleans())
                clean = draw(st.booleans())
                decisions.append(decision(release.version, outcome, number, for_cause=cause, clean=clean))
    advised = draw(st.none() | st.dictionaries(st.sampled_from([Version(v) for v in VERSIONS]), st.just("MAL-1")))
    days = st.sampled_from([0, 3, 30, 60])
    policy = FirewallPolicy(horizon=timedelta(days=draw(days)), cooldown=timedelta(days=draw(days)))
    return page, Known(tuple(identities), tuple(decisions), advised), policy


def visible(page: PageStanding) -> set[str]:
    """Return the files that a client sees."""
    return page.files.keys() - page.hidden


def judged(page: Project, known: Known, policy: FirewallPolicy) -> PageStanding:
    """Return where everything stands now."""
    return stand(page, lay_out(page, ORDER), known, policy, NOW, ORDER)


@given(worlds())
def test_a_page_only_loses(world: tuple[Project, Known, FirewallPolicy]) -> None:
    """What a client sees was on the upstream's page; versions go with their last file, and tags with their version."""
    page, known, policy = world
    seen = judged(page, known, policy)
    names = {one.filename for release in page.releases for one in release.artifacts}

    assert seen.files.keys() == names
    assert seen.hidden <= names
    for release in page.releases:
        assert (release.version in seen.vanished) == all(one.filename in seen.hidden for one in release.artifacts)
    assert seen.tags.keys() <= page.tags.keys()


@given(worlds())
def test_tags_stay_in_their_line(world: tuple[Project, Known, FirewallPolicy]) -> None:
    """A tag never points at what is hidden or undecided, never crosses a line, and never moves up."""
    page, known, policy = world
    seen = judged(page, known, policy)

    for tag, version in seen.tags.items():
        before = page.tags[tag]
        assert version not in seen.vanished
        assert ORDER.line(version) == ORDER.line(before)
        assert VERSIONS.index(version) <= VERSIONS.index(before)
        release = page.release(version)
        assert release is not None
        assert any(seen.files[one.filename].open for one in release.artifacts)


@given(worlds())
def test_no_head_is_undecided(world: tuple[Project, Known, FirewallPolicy]) -> None:
    """The newest visible version of a line has a file that may be handed out now."""
    page, known, policy = world
    seen = judged(page, known, policy)
    heads: dict[tuple[str, bool], Release] = {}
    for release in page.releases:
        if release.version not in seen.vanished:
            heads[ORDER.line(release.version), ORDER.prerelease(release.version)] = release

    for head in heads.values():
        assert any(seen.files[one.filename].open for one in head.artifacts)


@given(worlds())
def test_nothing_known_serves_nothing(world: tuple[Project, Known, FirewallPolicy]) -> None:
    """Without a decision or an identity nothing is handed out, however old it is."""
    page, _, policy = world

    assert not any(one.open for one in judged(page, Known(), policy).files.values())


@given(worlds(), st.data())
def test_losing_a_permission_opens_nothing(world: tuple[Project, Known, FirewallPolicy], data: st.DataObject) -> None:
    """Without one allowing decision, one identity, or the advisories, nothing is seen or served that was not before."""
    page, known, policy = world
    before = judged(page, known, policy)
    allowing = [one for one in known.decisions if one.outcome is Outcome.ALLOW]
    losses = [replace(known, advised=None)]
    losses += [replace(known, decisions=tuple(d for d in known.decisions if d is not one)) for one in allowing]
    losses += [
        replace(known, identities=tuple(i for i in known.identities if i is not one))
        for one in known.identities
        if one.told != "sha512:00"  # what was seen first is a charge where it differs, and no permission
    ]
    after = judged(page, data.draw(st.sampled_from(losses)), policy)

    assert {name for name, one in after.files.items() if one.open} <= {n for n, one in before.files.items() if one.open}
    assert visible(after) <= visible(before)


@given(worlds(), st.data())
def test_losing_a_refusal_permits_nothing_unread(
    world: tuple[Project, Known, FirewallPolicy], data: st.DataObject
) -> None:
    """What a reading refused is not handed out once the reading is lost; only the horizon admits what nobody read."""
    page, known, policy = world
    policy = replace(policy, horizon=timedelta(0))
    for lost in [one for one in known.decisions if one.outcome is not Outcome.ALLOW]:
        kept = replace(known, decisions=tuple(one for one in known.decisions if one is not lost))
        assert not judged(page, kept, policy).files[lost.filename].open


@given(worlds())
def test_page_and_address_agree(world: tuple[Project, Known, FirewallPolicy]) -> None:
    """What the page withholds is not open by its address, and what is open on the page is open by its address."""
    page, known, policy = world
    seen = judged(page, known, policy)
    judge = Judge("npm", NAME, known, policy, NOW)
    for release in page.releases:
        for one in release.artifacts:
            direct = judge.artifact(release.version, one.filename, told_digest(one), one.uploaded)
            assert direct.open == seen.files[one.filename].open
            assert direct.place is Place.UNREAD or direct == seen.files[one.filename]


@given(worlds())
def test_what_is_wanted_is_undecided(world: tuple[Project, Known, FirewallPolicy]) -> None:
    """Only what waits for a reading is read ahead, and a page that starves wants something."""
    page, known, policy = world
    seen = judged(page, known, policy)

    assert all(seen.files[name].basis is Basis.UNDECIDED for name in seen.wanted)
    assert seen.wanted or not seen.starving


def test_a_held_release_leaves_the_page() -> None:
    """``latest`` falls back to the newest allowed release of its line; the other line stays where it is."""
    page = project(("0.9.0", 300), ("1.0.0", 200), ("1.1.0", 1), tags={"latest": "1.1.0", "old": "0.9.0"})
    files = [one for release in page.releases for one in release.artifacts]
    known = Known(
        tuple(identity(one, release.version) for release in page.releases for one in release.artifacts),
        (decision("1.1.0", Outcome.HOLD),),
    )
    seen = judged(page, known, FirewallPolicy())

    assert seen.hidden == {files[2].filename}
    assert seen.vanished == {"1.1.0"}
    assert seen.tags == {"latest": "1.0.0", "old": "0.9.0"}
    assert seen.files[files[2].filename].reason == "as read"


def test_the_next_of_a_line_is_wanted_when_the_newest_is_held() -> None:
    """While the newest is undecided it is wanted; once it is held, the one below it is."""
    page = project(("1.0.0", 5), ("1.1.0", 1), tags={"latest": "1.1.0"})

    assert judged(page, Known(), FirewallPolicy()).wanted == ("thing-1.1.0-0.tgz",)
    held = judged(page, Known(decisions=(decision("1.1.0", Outcome.HOLD),)), FirewallPolicy())
    assert held.wanted == ("thing-1.0.0-0.tgz",)
    assert held.starving


def test_a_changed_digest_is_blocked_unless_a_person_accepts_it() -> None:
    """A file that is not the one first seen is refused, whatever a reading said; a review of this digest counts."""
    page = project(("1.0.0", 300))
    one = page.releases[0].artifacts[0]
    known = Known((identity(one, "1.0.0", "sha512:00"),), (decision("1.0.0", Outcome.ALLOW),))
    seen = judged(page, known, FirewallPolicy())

    assert seen.changed == (one.filename,)
    assert seen.files[one.filename].basis is Basis.DIGEST_CHANGED
    accepted = replace(known, decisions=(decision("1.0.0", Outcome.ALLOW, basis=Basis.REVIEW),))
    assert judged(page, accepted, FirewallPolicy()).files[one.filename].open


def test_a_review_ends() -> None:
    """A person's word counts until its date; then the reading below it does again."""
    page = project(("1.0.0", 1))
    read = decision("1.0.0", Outcome.HOLD)
    review = replace(read, basis=Basis.REVIEW, outcome=Outcome.ALLOW, expires=NOW + timedelta(days=1))
    known = Known(decisions=(review, read))

    assert judged(page, known, FirewallPolicy()).files[read.filename].open
    later = stand(page, lay_out(page, ORDER), known, FirewallPolicy(), NOW + timedelta(days=1), ORDER)
    assert not later.files[read.filename].open


def test_cooldown_is_ended_by_evidence_only() -> None:
    """A complete reading without a finding, or an advisory that it ends, releases a young one; age never a held one."""
    page, policy = project(("1.0.0", 1)), FirewallPolicy(cooldown=timedelta(days=7))
    name = page.releases[0].artifacts[0].filename
    for known, expected in (
        (Known(decisions=(decision("1.0.0", Outcome.ALLOW),)), Basis.COOLDOWN),
        (Known(decisions=(decision("1.0.0", Outcome.ALLOW, clean=True),)), Basis.READ),
        (Known(decisions=(decision("1.0.0", Outcome.ALLOW),), fixes={Version("1.0.0"): "GHSA-1"}), Basis.READ),
        (Known(decisions=(decision("1.0.0", Outcome.HOLD),), fixes={Version("1.0.0"): "GHSA-1"}), Basis.READ),
    ):
        stands = judged(page, known, policy).files[name]
        assert stands.basis is expected
        assert stands.open == (expected is Basis.READ and known.decisions[0].outcome is Outcome.ALLOW)
    old = project(("1.0.0", 400))
    noted = Known((identity(old.releases[0].artifacts[0], "1.0.0"),), (decision("1.0.0", Outcome.HOLD),))
    assert not judged(old, noted, policy).files[name].open


def test_an_advisory_refuses_what_was_allowed() -> None:
    """A release becomes bad after it was read: the advisory stands before the reading, the allow-list before both."""
    page = project(("1.0.0", 1))
    known = Known(decisions=(decision("1.0.0", Outcome.ALLOW),), advised={Version("1.0.0"): "MAL-2026-1: malware"})
    stands = next(iter(judged(page, known, FirewallPolicy()).files.values()))

    assert (stands.place, stands.basis, stands.reason) == (Place.WITHHELD, Basis.ADVISORY, "MAL-2026-1: malware")
    assert stands.outcome is Outcome.BLOCK
    unclear = replace(known, held=frozenset({Version("1.0.0")}))
    held = next(iter(judged(page, unclear, FirewallPolicy()).files.values()))
    assert (held.place, held.outcome) == (Place.WITHHELD, Outcome.HOLD)
    listed = FirewallPolicy(allowed=frozenset({Digest(stands.told)}))
    assert next(iter(judged(page, known, listed).files.values())).open


def test_a_file_without_digest_is_not_served() -> None:
    """An index that tells no digest cannot be held to anything."""
    one = artifact("1.0.0", digest="", age=400)
    page = Project("npm", NAME, (Release("npm", NAME, Version("1.0.0"), (one,)),))
    stands = judged(page, Known((identity(one, "1.0.0"),)), FirewallPolicy()).files[one.filename]

    assert (stands.place, stands.basis) == (Place.WITHHELD, Basis.NO_DIGEST)


def test_groups_override_the_general_policy() -> None:
    """A group has its own mode, horizon and cooldown; whom nobody named has the general ones."""
    from lazaretto.core.firewall_policy import Group

    general = FirewallPolicy(groups=(Group("lab", mode=Mode.OBSERVE, horizon=timedelta(0)),))

    assert general.of("lab").mode is Mode.OBSERVE
    assert not general.of("lab").horizon
    assert general.of("lab").cooldown is None
    assert general.of(None) is general
    assert general.of("other") is general


def test_a_head_is_shown_once_what_its_client_takes_is_decided() -> None:
    """A file that is allowed does not show a release whose other file, that the client would take, is still unread."""
    page = project(("1.0.0", 400), ("1.1.0", 1), files=2)
    seen = [identity(one, release.version) for release in page.releases for one in release.artifacts]
    first, second = (one.filename for one in page.releases[1].artifacts)

    half = judged(page, Known(tuple(seen), (decision("1.1.0", Outcome.ALLOW, 1),)), FirewallPolicy())
    whole = judged(page, Known(tuple(seen), (decision("1.1.0", Outcome.ALLOW, 0),)), FirewallPolicy())

    assert "1.1.0" in half.vanished
    assert {first, second} <= half.hidden
    assert half.wanted == (first,)
    assert half.files[second].place is Place.SERVED
    assert "1.1.0" not in whole.vanished
    assert not {first, second} & whole.hidden
