"""A repository asked of git: tags, commits, bounds, and that nothing of it runs. Repositories are made here."""

import os
from pathlib import Path

import pytest

from lazaretto.app.ports import NotFound, PortError, Unavailable, Untrusted
from lazaretto.core.source import identifier
from lazaretto.infra import source_git
from lazaretto.infra.source_git import GitSource
from tests.inventory.company import BAD, commit, git


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a repository with two releases, one tagged with a message."""
    folder = tmp_path / "pad"
    commit(folder, "index.js", "1;\n", BAD)
    git(folder, "tag", "v1.0.0")
    commit(folder, "index.js", "22;\n", BAD)
    git(folder, "tag", "-a", "-m", "release", "pad@1.0.1")
    return folder


def test_the_first_tag_that_there_is(clone: Path) -> None:
    """A tag with a message stands for its commit; contents are named as git names them."""
    source = GitSource()
    found = source.commit(str(clone), ("v1.0.1", "1.0.1", "pad@1.0.1"), None, trusted=True)

    assert (found.where, found.asked) == ("pad", "pad@1.0.1")
    assert found.identifier == git(clone, "rev-parse", "HEAD")
    assert found.files == {"index.js": identifier(b"22;\n")}
    assert source.texts(found, ("index.js",)) == {"index.js": b"22;\n"}
    assert source.commit(clone.as_uri(), ("v1.0.0",), None, trusted=True).files == {"index.js": identifier(b"1;\n")}


def test_the_commit_that_is_known_counts_before_any_tag(clone: Path) -> None:
    """It is what the release was built from; the tag is named if it stands there too."""
    first, second = git(clone, "rev-list", "HEAD").split()[::-1]

    assert GitSource().commit(str(clone), ("v1.0.0",), first, trusted=True).asked == "v1.0.0"
    assert GitSource().commit(str(clone), ("v1.0.0",), second, trusted=True).asked == second
    assert GitSource().commit(str(clone), ("v1.0.0",), "0" * 40, trusted=True).identifier == first
    assert GitSource().commit(str(clone), ("v1.0.0",), "--upload-pack=x", trusted=True).identifier == first


def test_no_such_tag(clone: Path) -> None:
    """The message names the tag that was looked for."""
    with pytest.raises(NotFound, match="pad has no tag v9"):
        GitSource().commit(str(clone), ("v9.9.9", "9.9.9"), "0" * 40, trusted=True)


def test_no_such_repository(tmp_path: Path) -> None:
    """A folder that is no repository."""
    with pytest.raises(Untrusted, match="ls-remote"):
        GitSource().commit(str(tmp_path), ("v1",), None, trusted=True)


@pytest.mark.parametrize("where", [
    "ext::sh -c x", "file:///etc", "/etc", "ssh://host.invalid/a/b", "--upload-pack=x", "https://", "https://host.invalid",
    "https://host.invalid/a\nb", "http://host.invalid", "git@host.invalid:a/b.git", "",
])  # fmt: skip
def test_what_an_artifact_may_not_name(where: str, tmp_path: Path) -> None:
    """Only a public address over TLS: no folder of this machine, no other protocol, no option of git."""
    with pytest.raises(Untrusted, match="neither an https"):
        GitSource().commit(where, ("v1",), None, trusted=False)


@pytest.mark.parametrize(("where", "address", "shown"), [
    ("git+https://forge.invalid/team/pad.git#readme", "https://forge.invalid/team/pad.git", "forge.invalid/team/pad"),
    ("https://me:secret@forge.invalid/team/pad/", "https://forge.invalid/team/pad/", "forge.invalid/team/pad"),
    ("git://forge.invalid/team/pad.git", "https://forge.invalid/team/pad.git", "forge.invalid/team/pad"),
    ("ssh://git@forge.invalid/team/pad.git", "https://forge.invalid/team/pad.git", "forge.invalid/team/pad"),
    ("team/pad", "https://github.com/team/pad.git", "github.com/team/pad"),
    ("gitlab:team/pad", "https://gitlab.com/team/pad.git", "gitlab.com/team/pad"),
])  # fmt: skip
def test_addresses(where: str, address: str, shown: str) -> None:
    """As manifests write them; what is secret in one is neither used nor shown."""
    assert source_git._address(where, trusted=False) == (address, "https", shown)


def test_nothing_of_the_repository_runs(clone: Path, tmp_path: Path) -> None:
    """No hook of the clone, no filter that its attributes ask for, no submodule, no link."""
    mark = tmp_path / "ran"
    git(clone, "config", "filter.run.smudge", f"touch {mark}")
    commit(clone, ".gitattributes", "* filter=run\n", BAD)
    commit(clone, ".gitmodules", '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "touch ran"\n', BAD)
    (clone / "link").symlink_to("/etc/passwd")
    git(clone, "add", "link")
    git(clone, "commit", "-q", "-m", "link")
    git(clone, "tag", "v2")
    for name in ("post-checkout", "reference-transaction", "post-merge", "pre-receive", "update"):
        hook = clone / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
        hook.chmod(0o755)

    found = GitSource().commit(str(clone), ("v2",), None, trusted=True)

    assert "link" not in found.files
    assert not mark.exists()


def test_what_is_too_large_is_left_out(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be compared is told as such."""
    monkeypatch.setattr(source_git, "MAX_COMPARED", 2)
    source = GitSource()
    found = source.commit(str(clone), ("pad@1.0.1",), None, trusted=True)

    assert source.texts(found, ("index.js",)) == {}


@pytest.mark.parametrize(("bound", "value"), [("MAX_FILES", 0), ("MAX_ANSWER", 10)])
def test_bounds(clone: Path, monkeypatch: pytest.MonkeyPatch, bound: str, value: int) -> None:
    """Too many files and too long a list are refused."""
    monkeypatch.setattr(source_git, bound, value)
    with pytest.raises(Untrusted, match="more than"):
        GitSource().commit(str(clone), ("pad@1.0.1",), None, trusted=True)


def test_a_large_repository_is_not_taken(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may not write a file beyond the bound: what it fetched is not there then."""
    commit(clone, "large", os.urandom(400_000).hex(), BAD)
    git(clone, "tag", "v3")
    monkeypatch.setattr(source_git, "_SHELL", 'ulimit -f 100 && exec git "$@"')

    with pytest.raises(Unavailable, match="does not give its tag v3"):
        GitSource().commit(str(clone), ("v3",), None, trusted=True)


def test_git_that_takes_too_long_or_is_not_there(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are told in words."""
    monkeypatch.setattr(source_git, "_SHELL", "exit 127")
    with pytest.raises(Unavailable, match="not installed"):
        GitSource().commit(str(clone), ("v1.0.0",), None, trusted=True)
    monkeypatch.setattr(source_git, "_SHELL", "exec sleep 5")
    monkeypatch.setattr(source_git, "MAX_SECONDS", 0.05)
    with pytest.raises(Unavailable, match="longer than"):
        GitSource().commit(str(clone), ("v1.0.0",), None, trusted=True)


def test_what_was_fetched_is_thrown_away(clone: Path) -> None:
    """With the object that holds it."""
    source = GitSource()
    source.commit(str(clone), ("v1.0.0",), None, trusted=True)
    folder = Path(source._folder or "")
    assert (folder / "objects").is_dir()
    del source

    assert not folder.exists()


def test_settings_and_variables_of_the_user_count_for_nothing(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may name helpers that start programs, or other addresses."""
    (tmp_path / ".gitconfig").write_text('[url "ext::false "]\n\tinsteadOf = file://\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_SSH_COMMAND", "false")

    assert GitSource().commit(str(clone), ("v1.0.0",), None, trusted=True).asked == "v1.0.0"
    assert issubclass(Unavailable, PortError)
