"""A bare git directory, read straight from plumbing: no work tree, no file on disk."""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct


class Entry(Struct, frozen=True):
    """A regular file of a tree: its path, its object id, its size in bytes (-1: it is not there)."""

    path: str
    oid: str
    size: int


class MissingError(Exception):
    """The repository does not have this object or commit: a snapshot may lack its largest files."""


class Git:
    """One bare repository. Close it to end the process that reads objects."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._batch: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End the reading process."""
        if self._batch is not None:
            self._batch.communicate()
            self._batch = None

    def has(self, commit: str) -> bool:
        """Whether the commit is there."""
        return self._run("cat-file", "-e", f"{commit}^{{commit}}").returncode == 0

    def files(self, commit: str, *folders: str) -> list[Entry]:
        """Return the regular files of a commit, in path order. Raises MissingError."""
        done = self._run("ls-tree", "-r", "-l", "-z", commit, "--", *folders)
        if done.returncode:
            raise MissingError(f"{self.folder} has no commit {commit}")
        return list(self._entries(done.stdout))

    def added(self, commit: str) -> dict[str, str]:
        """Return path -> the day on which the history of a commit first had it (``2024-05-17``)."""
        done = self._run("log", "--diff-filter=A", "--format=@%cs", "--name-only", "-z", commit)
        first: dict[str, str] = {}
        day = ""
        for word in done.stdout.replace(b"\n", b"\0").split(b"\0"):
            text = word.decode("utf-8", "surrogateescape")
            if text.startswith("@") and len(text) == 11:
                day = text[1:]
            elif text:
                first[text] = min(day, first.get(text, day))
        return first

    def read(self, oid: str) -> bytes:
        """Return an object. Raises MissingError."""
        batch = self._batch or self._start()
        assert batch.stdin is not None
        assert batch.stdout is not None
        batch.stdin.write(f"{oid}\n".encode())
        batch.stdin.flush()
        head = batch.stdout.readline().split()
        if len(head) != 3:
            raise MissingError(f"{self.folder} lacks object {oid}")
        size = int(head[2])
        data = batch.stdout.read(size + 1)[:-1]
        if len(data) != size:
            raise MissingError(f"{self.folder}: object {oid} is cut short")
        return data

    def _start(self) -> subprocess.Popen[bytes]:
        command = self._command("cat-file", "--batch")
        self._batch = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._batch

    def _run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(self._command(*words), capture_output=True, check=False)

    def _command(self, *words: str) -> Sequence[str]:
        return ["git", "-c", "safe.directory=*", f"--git-dir={self.folder}", *words]

    @staticmethod
    def _entries(listing: bytes) -> Iterator[Entry]:
        for line in listing.split(b"\0"):
            head, tab, path = line.partition(b"\t")
            if tab:
                mode, kind, oid, size = head.split()
                if kind == b"blob" and mode != b"120000":
                    # A snapshot may lack its largest files: they are listed all the same.
                    known = int(size) if size.isdigit() else -1
                    yield Entry(path.decode("utf-8", "surrogateescape"), oid.decode(), known)
