"""The history of a repository, asked of git's plumbing: nothing is checked out, fetched, filtered or run.

A repository that is read may be hostile. Plumbing reads none of the settings that start programs
(``log.showSignature``, ``diff.external``, filters); hooks and the file system monitor are switched off; and objects
that a partial clone lacks are not fetched: no protocol is allowed, which older versions of git understand too.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import IO

from lazaretto.app.inventory.ports import InventoryError, Version

MAX_COMMITS = 2_000_000
"""Commits of one repository that are looked at."""

MAX_PATH = 4096
"""Longest path in a repository, in bytes."""

_QUIET = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.bareRepository=all")


class GitHistory:
    """``app.inventory.ports.History`` of a git folder, bare or not."""

    def __init__(self, folder: str) -> None:
        self._command = ["git", *_QUIET, "--no-optional-locks", "--no-replace-objects", f"--git-dir={folder}"]
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self._environment |= {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "GIT_TERMINAL_PROMPT": "0"}
        self._objects: subprocess.Popen[bytes] | None = None

    def mark(self) -> str:
        """Return a digest of what every branch and tag points to."""
        from hashlib import sha256

        return sha256(self._output("for-each-ref", "--format=%(refname) %(objectname)")).hexdigest()

    def versions(self, patterns: Sequence[str]) -> Iterator[Version]:
        """Yield every change of files of these names, parents before children.

        A merge counts where it is neither of what it merged. ``diff-tree`` is given the commits that ``rev-list``
        names, so that both run at once and neither's answer has to be kept.
        """
        specs = [f":(glob)**/{pattern}" for pattern in patterns]
        listing = self._start(
            "rev-list",
            "--all",
            "--topo-order",
            "--reverse",
            "--full-history",
            f"--max-count={MAX_COMMITS}",
            "--",
            *specs,
        )
        words = (
            "--stdin",
            "-r",
            "-c",
            "--root",
            "--raw",
            "--no-renames",
            "--no-abbrev",
            "--pretty=format:%x01%H %ct",
            "-z",
        )
        try:
            changes = self._start("diff-tree", *words, "--", *specs, stdin=listing.stdout)
        finally:
            if listing.stdout is not None:
                listing.stdout.close()  # its other end is the child's
        try:
            yield from _versions(_records(changes.stdout))
        finally:
            _end(changes)
            code = _end(listing)
        if code > 0 or changes.returncode > 0:
            raise InventoryError("git cannot read the history: an object is missing or broken")

    def tips(self, patterns: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield path and blob of such files at every branch, each pair once."""
        refs = self._output("for-each-ref", "--format=%(objectname)", "refs/heads", "refs/remotes").split()
        from fnmatch import translate
        from re import compile as pattern

        wanted = pattern("|".join(translate(one) for one in patterns))
        seen: set[tuple[str, str]] = set()
        for ref in sorted(set(refs)):
            for row in self._output("ls-tree", "-r", "-z", "--full-tree", ref.decode("ascii")).split(b"\0"):
                told, _, raw = row.partition(b"\t")
                path = raw.decode("utf-8", "surrogateescape")
                if wanted.match(path.rpartition("/")[2]):
                    pair = (path, told.split()[-1].decode("ascii"))
                    if pair not in seen:
                        seen.add(pair)
                        yield pair

    def blob(self, identifier: str, limit: int) -> bytes:
        """Return a blob, from one process that answers for all of them."""
        if self._objects is None:
            self._objects = self._start("cat-file", "--batch", stdin=subprocess.PIPE)
        asked, answer = self._objects.stdin, self._objects.stdout
        if asked is None or answer is None:
            raise InventoryError("git gives no answer")
        try:
            asked.write(f"{identifier}\n".encode("ascii"))
            asked.flush()
            head = answer.readline(200).split()
            if len(head) != 3 or head[1] != b"blob":
                raise InventoryError(f"git has no file {identifier[:12]}")
            size = int(head[2])
            data = answer.read(min(size, limit + 1))
            rest = size + 1 - len(data)
            while rest > 0:
                rest -= len(answer.read(min(rest, 1 << 20))) or rest
        except (OSError, ValueError) as error:
            raise InventoryError(f"git ended: {error}") from error
        if size > limit:
            raise InventoryError(f"larger than {limit} bytes: not read")
        return data

    def close(self) -> None:
        """End the process that answers for blobs."""
        if self._objects is not None:
            _end(self._objects)
            self._objects = None

    def __del__(self) -> None:
        self.close()

    def _output(self, *arguments: str) -> bytes:
        process = self._start(*arguments, errors=subprocess.PIPE)
        out, err = process.communicate()
        if process.returncode:
            told = err.decode("utf-8", "replace").strip().splitlines()
            raise InventoryError(f"git: {told[0] if told else 'failed'}")
        return out

    def _start(
        self, *arguments: str, stdin: IO[bytes] | int | None = subprocess.DEVNULL, errors: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 - a fixed program, and no shell
                [*self._command, *arguments],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self._environment,
            )
        except FileNotFoundError as error:
            raise InventoryError("git is not installed: histories are not read") from error


def _end(process: subprocess.Popen[bytes]) -> int:
    """End a process and return its code; one that was ended because nobody reads on has none to blame."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        return process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _records(stream: IO[bytes] | None) -> Iterator[bytes]:
    """Yield what stands between NULs."""
    rest = b""
    while stream is not None and (piece := stream.read(1 << 16)):
        *whole, rest = (rest + piece).split(b"\0")
        yield from whole
        if len(rest) > 4 * MAX_PATH:
            raise InventoryError("git's answer is not understood")
    if rest:
        yield rest


def _versions(records: Iterator[bytes]) -> Iterator[Version]:
    """Yield the changes that ``diff-tree`` tells: a commit's line, then for each file its blobs and its path.

    The record of a commit may be followed by a line break and the first file's blobs, or stand by itself.
    """
    commit, at = "", datetime.fromtimestamp(0, UTC)
    blobs: list[bytes] = []
    for record in records:
        text = record
        if text.startswith(b"\x01"):
            head, _, text = text[1:].partition(b"\n")
            words = head.split()
            commit, at = words[0].decode("ascii"), datetime.fromtimestamp(max(0, int(words[1])), UTC)
        text = text.lstrip(b"\n")
        if text.startswith(b":"):
            blobs = text.split()
        elif text and blobs:
            # Of n parents there are n + 1 modes, then n + 1 blobs, the last of each the commit's own.
            names = blobs[(len(blobs) - 1) // 2 : -1]
            before, after = names[0].decode("ascii"), names[-1].decode("ascii")
            path = text.decode("utf-8", "surrogateescape")
            yield Version(commit, at, path, _there(before), _there(after))
            blobs = []


def _there(blob: str) -> str | None:
    return None if not blob.strip("0") else blob
