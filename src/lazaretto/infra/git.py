"""What a file was at a git revision, asked of the user's own git. No hook runs and nothing is checked out."""

from pathlib import Path

from lazaretto.app.ports import PortError

_TIMEOUT = 30.0


class GitError(PortError):
    """git is missing, the folder is no repository, or there is no such revision."""


def file_at(path: Path, revision: str) -> str | None:
    """Return the text of ``path`` at ``revision``, or None if it did not exist then.

    Raises:
        GitError: the revision or the repository cannot be read.
    """
    if revision.startswith("-"):
        raise GitError(f"{revision!r} is not a revision")
    commit = _git(path.parent, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()
    if not commit:
        raise GitError(f"git knows no revision {revision!r} in {path.parent}; fetch it first, or name another")
    inside = _git(path.parent, "ls-tree", "--full-name", "--name-only", commit, "--", path.name).strip()
    return _git(path.parent, "cat-file", "blob", f"{commit}:{inside}") if inside else None


def staged_at(path: Path) -> str | None:
    """Return the text of ``path`` as it would be committed, or None if it is not in the index.

    Raises:
        GitError: the repository cannot be read.
    """
    if path.name not in staged_names(path.parent):
        return None
    return _git(path.parent, "cat-file", "blob", f":./{path.name}")


def staged_names(folder: Path) -> frozenset[str]:
    """Return the names of the files of a folder that would be committed, those of its folders as ``folder/name``.

    Raises:
        GitError: the repository cannot be read.
    """
    found = _git(folder, "ls-files", "-z", "--cached", "--", ".")
    return frozenset(filter(None, found.split("\0")))


def has_commit(folder: Path) -> bool:
    """Whether there is a commit to compare with. Raises GitError."""
    return bool(_git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip())


def _git(folder: Path, *arguments: str) -> str:
    import subprocess

    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT, check=False)  # noqa: S603 - fixed program
    except FileNotFoundError as error:
        raise GitError("git is not installed; --since and --staged need it") from error
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git took longer than {_TIMEOUT:g} s") from error
    text = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode not in (0, 1) or (done.returncode == 1 and text):
        raise GitError(f"git: {text or 'failed'}")
    return done.stdout.decode("utf-8", "replace")
