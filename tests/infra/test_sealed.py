"""A mounted disk is a world of its own: no path and no link leads out of it."""

import os
from pathlib import Path

import pytest

from lazaretto.infra import sealed
from lazaretto.infra.sealed import Sealed, SealedError


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Return a disk with a secret beside it."""
    (tmp_path / "outside").write_text("ours")
    root = tmp_path / "disk"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "hostname").write_text("theirs")
    return root


@pytest.mark.parametrize("target", ["../../outside", "../outside", "../../../../../../etc/hostname", "/etc/hostname"])
def test_links_end_within_the_root(disk: Path, target: str) -> None:
    """A link that climbs ends at the root, and an absolute one begins there."""
    (disk / "link").symlink_to(target)
    data = Sealed(str(disk)).read("link", 100)
    assert data in {None, b"theirs"}
    (disk / "folder").symlink_to("/")
    assert Sealed(str(disk)).read("folder/folder/etc/hostname", 100) == b"theirs"


def test_dots_do_not_climb(disk: Path) -> None:
    """A path with dots ends at the root too."""
    tree = Sealed(str(disk))
    assert tree.read("../outside", 100) is None
    assert tree.read("etc/../../etc/hostname", 100) == b"theirs"
    assert tree.is_folder("")
    assert tree.is_folder("etc/..")


def test_a_root_that_is_a_link_is_what_was_named(disk: Path, tmp_path: Path) -> None:
    """Whoever names a link means what it leads to."""
    (tmp_path / "named").symlink_to(disk)
    assert Sealed(str(tmp_path / "named")).is_file("etc/hostname")


def test_links_without_an_end(disk: Path) -> None:
    """A loop is no file, and takes no time."""
    (disk / "a").symlink_to("b")
    (disk / "b").symlink_to("a")
    tree = Sealed(str(disk))
    assert tree.read("a", 100) is None
    assert not tree.is_file("a")
    assert tree.list("a") == ()


def test_only_ordinary_files_are_read(disk: Path) -> None:
    """A pipe would never end, a folder is none, a name with a NUL is none; one that is too large is said."""
    os.mkfifo(disk / "pipe")
    tree = Sealed(str(disk))
    assert tree.read("pipe", 100) is None
    assert tree.read("etc", 100) is None
    assert tree.read("a\0b", 100) is None
    assert tree.list("etc/hostname") == ()
    with pytest.raises(SealedError, match="larger than 3"):
        tree.read("etc/hostname", 3)


def test_patterns(disk: Path) -> None:
    """Each part is a pattern of its own; letters may be large or small where the disk's system says so."""
    for name in ("a", "b"):
        (disk / "Users" / name / "AppData").mkdir(parents=True)
    tree = Sealed(str(disk))
    assert list(tree.find(("Users", "*", "AppData"))) == ["Users/a/AppData", "Users/b/AppData"]
    assert list(tree.find(("users", "*", "appdata"))) == []
    assert list(tree.find(("users", "A", "appdata"), fold=True)) == ["Users/a/AppData"]
    assert list(tree.find(("etc", "hostname", "x"))) == []


def test_what_cannot_be_listed_is_said(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with more names than are looked at is not passed over."""
    monkeypatch.setattr(sealed, "MAX_LISTED", 1)
    (disk / "etc" / "more").write_text("")
    with pytest.raises(SealedError, match="more than 1 names"):
        Sealed(str(disk)).list("etc")


def test_what_may_not_be_opened(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there and may not be opened is there all the same; reading it is said to fail."""
    real = os.open

    def refuse(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == "hostname":
            raise PermissionError(13, "Permission denied")
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refuse)
    tree = Sealed(str(disk))
    assert tree.is_file("etc/hostname")
    with pytest.raises(SealedError, match="Permission denied"):
        tree.read("etc/hostname", 100)
    with pytest.raises(SealedError, match="Permission denied"):
        tree.list("etc/hostname")
