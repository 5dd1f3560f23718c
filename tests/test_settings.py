"""Settings: strict, and every problem at once."""

from datetime import timedelta
from pathlib import Path

import pytest

from lazaretto.core.policy import Outage, Outcome
from lazaretto.settings import SettingsError, load, parse_duration

GOOD = """
[policy]
hold_at = 15
block_at = 45
cooldown = "7d"
early_release = false
required = ["self-deletion"]
[policy.outages]
upstream-unavailable = "block"
[[waiver]]
purl = "pkg:npm/x@1.0.0"
reason = "read by hand"
by = "somebody"
until = 2026-12-31T00:00:00+02:00
[engine]
workers = 1
"""


def write(folder: Path, text: str) -> Path:
    """Write a settings file and return its folder."""
    (folder / "lazaretto.toml").write_text(text)
    return folder


def test_the_nearest_file_is_read(tmp_path: Path) -> None:
    """A project's settings hold for its folders."""
    write(tmp_path, GOOD)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    settings = load({}, inner, tmp_path)
    policy = settings.policy
    assert (policy.hold_at, policy.block_at, policy.early_release) == (15.0, 45.0, False)
    assert policy.cooldown == timedelta(days=7)
    assert policy.on_outage(Outage.UPSTREAM) is Outcome.BLOCK
    assert policy.on_outage(Outage.ARCHIVE) is Outcome.HOLD
    assert policy.required == frozenset({"self-deletion"})
    assert policy.waivers[0].until.hour == 22
    assert settings.workers == 1
    assert settings.cache_dir == tmp_path / ".cache" / "lazaretto"


def test_directories_follow_the_environment(tmp_path: Path) -> None:
    """LAZARETTO_* wins over XDG_*."""
    settings = load({"XDG_CACHE_HOME": "/x", "LAZARETTO_STATE_DIR": "/y"}, tmp_path, tmp_path)
    assert settings.cache_dir == Path("/x/lazaretto")
    assert settings.state_dir == Path("/y")


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    """Unknown keys, wrong types, waivers without a name or an end: one error lists them all."""
    write(
        tmp_path,
        """
        typo = 1
        [policy]
        hold_at = "much"
        look_back = -1
        cooldown = 7
        settled = "1 week"
        early_release = "yes"
        required = "all"
        oops = true
        [policy.outages]
        weather = "hold"
        upstream-unavailable = "maybe"
        [paths]
        cash = "x"
        [engine]
        workers = true
        [plugins]
        detectors = "mine"
        [[waiver]]
        purl = "pkg:npm/x"
        digest = "sha256:0"
        until = 2026-12-31
        """,
    )
    with pytest.raises(SettingsError) as caught:
        load({}, tmp_path, tmp_path)
    text = "\n".join(caught.value.problems)
    for part in (
        "typo", "policy.hold_at", "policy.look_back", "policy.cooldown", "policy.settled", "policy.early_release",
        "policy.required", "policy.oops", "outages.weather", "outages.upstream-unavailable", "paths.cash",
        "engine.workers", "plugins.detectors", "waiver 1.reason", "waiver 1.by", "either a purl", "name a version",
        "waiver 1.until",
    ):  # fmt: skip
        assert part in text


@pytest.mark.parametrize(
    "text", ["policy = 3", "waiver = 3", "[policy]\noutages = 3", "[policy]\nhold_at = 50\nblock_at = 40"]
)
def test_wrong_shapes_are_errors(tmp_path: Path, text: str) -> None:
    """A table where a value stands, or thresholds in the wrong order, stop the program."""
    with pytest.raises(SettingsError):
        load({}, write(tmp_path, text), tmp_path)


def test_a_waiver_without_an_offset_is_refused(tmp_path: Path) -> None:
    """A local time means another instant elsewhere."""
    text = '[[waiver]]\npurl="pkg:npm/x@1"\nreason="r"\nby="b"\nuntil=2026-12-31T00:00:00\n'
    with pytest.raises(SettingsError, match="offset"):
        load({}, write(tmp_path, text), tmp_path)


def test_a_file_that_is_missing_or_broken_is_an_error(tmp_path: Path) -> None:
    """Never the defaults instead of what the user wrote."""
    with pytest.raises(SettingsError, match="cannot be read"):
        load({}, tmp_path, tmp_path, tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="not TOML"):
        load({}, write(tmp_path, "= nonsense"), tmp_path)


def test_durations_name_their_unit() -> None:
    """Npm counts days, pnpm minutes, bun seconds: a bare number is refused."""
    assert parse_duration("48h") == timedelta(hours=48)
    assert parse_duration("P3D") == timedelta(days=3)
    for bad in ("7", 7, "7 d", "d", "", "7w"):
        with pytest.raises(ValueError, match="unit"):
            parse_duration(bad)
