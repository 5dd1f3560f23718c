"""Which release an update is measured against."""

from datetime import UTC, datetime, timedelta

from lazaretto.core.baseline import choose_baseline, earlier_releases
from lazaretto.core.model import Artifact, ArtifactKind, Release
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.policy import Policy

NOW = datetime(2026, 3, 31, 1, 1, tzinfo=UTC)


def release(version: str, age_hours: float | None = 1000, *, artifacts: bool = True, yanked: bool = False) -> Release:
    """Return a release of a certain age."""
    published = None if age_hours is None else NOW - timedelta(hours=age_hours)
    files = (Artifact(f"x-{version}.tgz", ArtifactKind.TARBALL, ""),) if artifacts else ()
    return Release("npm", ProjectName("x"), Version(version), files, published, yanked=yanked)


def candidates(releases: list[Release], after: str, suspects: frozenset[str] = frozenset()) -> list[str]:
    """Return the versions that may serve, newest first."""
    target = next(r for r in releases if r.version == after)
    marked = frozenset(Version(v) for v in suspects)
    return [r.version for r in earlier_releases(releases, target, marked, NOW, lambda v: "-" in v)]


def test_the_order_is_that_of_versions_not_of_time() -> None:
    """0.30.4 is measured against 0.30.3, though 1.14.1 was published between them."""
    releases = [release("0.30.3"), release("0.30.4", 0.02), release("1.14.0", 77), release("1.14.1", 0.7)]
    assert candidates(releases, "0.30.4") == ["0.30.3"]


def test_suspects_yanked_prereleases_and_bare_ones_are_left_out() -> None:
    """None of them is what an honest line looked like."""
    releases = [
        release("1.0.0"),
        release("1.0.1", yanked=True),
        release("1.0.2"),
        release("1.0.3", artifacts=False),
        release("1.1.0-rc.1"),
        release("1.1.0"),
    ]
    assert candidates(releases, "1.1.0", frozenset({"1.0.2"})) == ["1.0.0"]


def test_a_candidate_serves_where_nothing_final_came_before() -> None:
    """The first final release is measured against its last candidate; a final release before it is preferred."""
    candidates_only = [release("1.0.0-rc.1"), release("1.0.0-rc.2"), release("1.0.0")]
    earlier = earlier_releases(candidates_only, candidates_only[2], frozenset(), NOW, lambda v: "-" in v)
    assert [one.version for one in earlier] == ["1.0.0-rc.2", "1.0.0-rc.1"]
    mixed = [release("0.9.0"), *candidates_only]
    earlier = earlier_releases(mixed, mixed[3], frozenset(), NOW, lambda v: "-" in v)
    assert [one.version for one in earlier] == ["0.9.0"]


def test_a_release_of_the_future_is_no_baseline() -> None:
    """What was published after the instant of the question did not exist then."""
    assert candidates([release("1.0.0"), release("1.0.1", -5), release("1.0.2", 0)], "1.0.2") == ["1.0.0"]


def test_a_two_step_release_hides_nothing() -> None:
    """A step published an hour ago is passed over for a settled release before it."""
    releases = [release("1.0.0"), release("1.0.1", 1), release("1.0.2", 0.1)]
    earlier = earlier_releases(releases, releases[2], frozenset(), NOW, lambda _: False)
    chosen = choose_baseline(earlier, NOW, Policy())
    assert chosen is not None
    assert chosen.version == "1.0.0"


def test_if_nothing_has_settled_the_newest_serves() -> None:
    """A line of young releases is still a line; unknown ages count as settled."""
    young = (release("1.0.1", 2), release("1.0.0", 3))
    assert choose_baseline(young, NOW, Policy()) == young[0]
    undated = (release("1.0.1", None), release("1.0.0"))
    assert choose_baseline(undated, NOW, Policy()) == undated[0]
    assert choose_baseline((), NOW, Policy()) is None


def test_only_so_many_as_are_asked_for() -> None:
    """Whoever looks for one release to measure against is not given a thousand; they are the newest all the same."""
    releases = [release(f"1.{minor}.0") for minor in range(9)]

    def newest(most: int) -> list[str]:
        found = earlier_releases(releases, releases[7], frozenset({Version("1.6.0")}), NOW, lambda _: False, most)
        return [one.version for one in found]

    assert newest(2) == ["1.5.0", "1.4.0"]
    assert newest(99) == candidates(releases, "1.7.0", frozenset({"1.6.0"}))
