"""Replay folders: what the sheet says becomes values, and every defect is told at once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lazaretto.app.replay import Expect, Insert, Origin
from lazaretto.core.model import ArtifactKind, Provenance, Publisher
from lazaretto.infra import replay_folder
from lazaretto.infra.replay_folder import ReplayFormatError, find_replays, read_replay

REPLAYS = Path(__file__).parents[2] / "replays"

SHEET = """
incident  = "2026-04-pear"
ecosystem = "npm"
package   = "@fruit/pear"
now       = 2026-04-01T02:00:00+02:00
expect    = "block"
guessed   = ["all of it"]

[before]
version   = "1.0.0"
source    = "tree"
published = 2026-03-01T00:00:00Z
publisher = "GitHub Actions <robot@mail.invalid>"
trusted_publisher = true
attested  = true
git_head  = true
tag       = true
provenance = { repository = "https://code.invalid/pear", ref = "main", workflow = "x.yml", event = "push" }

[after]
version   = "1.0.1"
published = 2026-04-01T00:00:00Z
attested  = false
dist_tag  = "latest"
artifacts = ["tgz"]
remove    = ["old.js"]
manifest  = { scripts = { postinstall = "node setup.js" } }
manifest_remove = ["scripts.prepare"]

[[insert]]
path = "index.js"
from = "index.js"
line = 3

[[history]]
version   = "0.9.0"
published = 2026-01-01T00:00:00Z

[[dependency]]
name      = "@fruit/plum"
version   = "2.0.0"
published = 2026-03-31T00:00:00Z
publisher = "mallory"
"""


def folder_of(root: Path, sheet: str = SHEET, **files: str) -> Path:
    """Write a folder; keyword arguments are more files, with ``__`` for a slash."""
    folder = root / "2026-04-pear--scoped"
    content = {
        "replay.toml": sheet,
        "before/package.json": "{}",
        "overlay/setup.js": "bad()",
        "inserts/index.js": "worse()\n",
        "dependencies/@fruit/plum@2.0.0/package.json": "{}",
        **{name.replace("__", "/"): text for name, text in files.items()},
    }
    for name, text in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def problems_of(folder: Path) -> str:
    """Return every problem of a folder, one a line."""
    with pytest.raises(ReplayFormatError) as caught:
        read_replay(folder)
    return "\n".join(caught.value.problems)


def test_a_whole_sheet_is_read(tmp_path: Path) -> None:
    """Each key of the format arrives at its place; times are in UTC."""
    folder = folder_of(tmp_path)
    (folder / "overlay/setup.js").chmod(0o755)
    replay = read_replay(folder)
    assert (replay.name, replay.incident, replay.package) == ("2026-04-pear--scoped", "2026-04-pear", "@fruit/pear")
    assert (replay.now, replay.expect, replay.guessed) == (
        datetime(2026, 4, 1, tzinfo=UTC),
        Expect.BLOCK,
        ("all of it",),
    )
    assert replay.before is not None
    assert replay.before.origin is Origin.TREE
    assert replay.before.tree is not None
    assert list(replay.before.tree) == ["package.json"]
    side = replay.before.side
    assert side.publisher == Publisher("GitHub Actions", "robot@mail.invalid", trusted=True)
    assert side.provenance == Provenance("https://code.invalid/pear", "main", "x.yml", "push")
    assert (side.attested, side.git_head, side.tag) == (True, True, True)
    after = replay.after
    assert (after.origin, after.kinds) == (Origin.OVERLAY, (ArtifactKind.TARBALL,))
    assert (after.side.attested, after.side.git_head, after.side.publisher) == (False, None, None)
    assert (after.remove, after.manifest_remove) == (("old.js",), ("scripts.prepare",))
    assert after.manifest == {"scripts": {"postinstall": "node setup.js"}}
    assert after.overlay.executable == {"setup.js"}
    assert after.inserts == (Insert("index.js", 3, b"worse()\n"),)
    assert [own.name for own in replay.dependencies] == ["@fruit/plum"]
    assert replay.dependencies[0].side.publisher == Publisher("mallory")
    assert [side.version for side in replay.history] == ["0.9.0"]


def test_every_defect_is_told_at_once(tmp_path: Path) -> None:
    """One reading names all that is wrong, with the table and the key."""
    sheet = """
ecosystem = "gems"
package   = 7
now       = 2026-04-01
expect    = "maybe"
sparkle   = true
guessed   = [1]

[before]
version   = "1.0.0"
source    = "overlay"
published = 2026-03-01T00:00:00
trusted_publisher = true
sha256    = { "x.tgz" = "abc" }
provenance = { colour = "red" }

[after]
version   = "1.0.1"
published = 2026-04-01T00:00:00Z
artifacts = ["egg"]
source    = "nowhere"

[[insert]]
path = "index.js"
from = "none.js"
line = -1

[[dependency]]
name = "fig"
"""
    told = problems_of(folder_of(tmp_path, sheet, note__txt="?"))
    for expected in (
        "incident: is required",
        "ecosystem: expected one of npm, pypi, found 'gems'",
        "package: expected str, found 7",
        "now: expected a date and time with an offset",
        "expect: expected one of allow, hold, block, found 'maybe'",
        "sparkle: is not a key of the format",
        "guessed: expected a list of strings",
        "[before] source: expected one of registry, tree, found 'overlay'",
        "[before] published: expected a date",
        "[before] trusted_publisher: is given without a publisher",
        "[before] sha256: 'x.tgz': expected 64",
        "provenance.colour: is not a key",
        "[after] artifacts: expected any of , found 'egg'",
        "[after] source: expected one of overlay, registry, found 'nowhere'",
        "[[insert]] 1: from: there is no file inserts/none.js",
        "[[insert]] 1: line: counts from 1",
        "[[dependency]] 1: version: is required",
        "[[dependency]] 1: name: there is no folder dependencies/fig@/",
        "note: nothing of this name belongs into a replay",
        "dependencies/@fruit/plum@2.0.0/package.json: no [[dependency]] speaks of it",
        "now is before [after] published",
    ):
        assert expected in told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[after]", "[later]", "after: is required"),
        ('artifacts = ["tgz"]', 'source = "registry"', "a real artifact takes no overlay"),
        ("incident", "= =", "replay.toml:"),
        ("line = 3", "line = 'three'", "line: expected int, found 'three'"),
    ],
)
def test_single_defects(tmp_path: Path, old: str, new: str, told: str) -> None:
    """Defects that end the reading, or that contradict the rest of the folder."""
    assert told in problems_of(folder_of(tmp_path, SHEET.replace(old, new, 1)))


def test_something_else_in_the_place_of_a_table(tmp_path: Path) -> None:
    """A list of numbers is not a list of tables."""
    head, _, tail = SHEET.partition("[[history]]")
    sheet = "history = [3]\n" + head + "[[dependency]]" + tail.partition("[[dependency]]")[2]
    assert "[[history]] 1: a table is expected" in problems_of(folder_of(tmp_path, sheet))


def test_a_missing_stand_in(tmp_path: Path) -> None:
    """``source = "tree"`` needs the tree."""
    folder = folder_of(tmp_path)
    (folder / "before/package.json").unlink()
    (folder / "before").rmdir()
    assert "source: is tree, and there is no folder before/" in problems_of(folder)


def test_links_and_too_much_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing outside the folder is read, and a folder is no place for a sample."""
    folder = folder_of(tmp_path)
    (folder / "overlay/link.js").symlink_to("/etc/passwd")
    (folder / "overlay/away").symlink_to(tmp_path)
    told = problems_of(folder)
    assert "overlay/link.js: neither a file nor a folder" in told
    assert "overlay/away: neither a file nor a folder" in told
    monkeypatch.setattr(replay_folder, "MAX_BYTES", 1)
    assert "overlay: more than 1 bytes" in problems_of(folder)


def test_replays_are_found_below_a_folder(tmp_path: Path) -> None:
    """One folder, a folder of folders, or an error that says what was looked for."""
    folder = folder_of(tmp_path)
    assert find_replays(folder) == (folder,)
    assert find_replays(tmp_path) == (folder,)
    with pytest.raises(ReplayFormatError, match="here or below"):
        find_replays(folder / "overlay")


@pytest.mark.parametrize("folder", find_replays(REPLAYS), ids=lambda path: path.name)
def test_the_replays_of_this_project_are_in_the_format(folder: Path) -> None:
    """Each can be read; controls, and only they, should be allowed: real releases, or stand-ins that say so."""
    replay = read_replay(folder)
    control = folder.parent.name == "controls"
    assert (replay.expect is Expect.ALLOW) is control
    if control:
        name, _, version = folder.name.rpartition("@")
        assert (name == replay.package or name.endswith(replay.package.rpartition("/")[2]), version) == (
            True,
            replay.after.side.version,
        )
        assert replay.after.origin is Origin.REGISTRY or replay.guessed
    else:
        assert replay.after.origin is not Origin.REGISTRY
        assert folder.name.startswith(replay.incident)
        assert replay.guessed


def test_every_incident_has_a_control() -> None:
    """A benign update of the same package stands beside each replay."""
    replays = [read_replay(folder) for folder in find_replays(REPLAYS)]
    packages = {replay.package for replay in replays if replay.expect is not Expect.ALLOW}
    assert packages <= {replay.package for replay in replays if replay.expect is Expect.ALLOW}
