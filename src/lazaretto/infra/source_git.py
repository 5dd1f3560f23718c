"""A release's repository, asked of git: fetched into a bare folder of its own, read by plumbing, and thrown away.

The repository is hostile, and so is what an artifact says of where it is. No hook, filter, submodule, large-file
helper, credential or setting of anybody is used; nothing is checked out; no other protocol is spoken than the one of
the address; and git itself is bounded in time, in the size of what it writes and in processor time.
"""

import os
import re
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path

from lazaretto.app.ports import NotFound, Unavailable, Untrusted
from lazaretto.core.source import MAX_COMPARED, Commit

MAX_SECONDS = 120
"""How long git may take to fetch a commit."""

MAX_PACK = 512 << 20
"""Most bytes that one fetched file of git may have, packed."""

MAX_ANSWER = 64 << 20
"""Longest list of tags or files that is read."""

MAX_FILES = 200_000
"""Most files of a commit."""

_SHELL = f'ulimit -f {MAX_PACK // 512} && ulimit -t {MAX_SECONDS} && exec git "$@"'
_QUIET = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.askPass=true", "credential.helper=", "gc.auto=0",
    "maintenance.auto=false", "fetch.unpackLimit=1", "fetch.fsckObjects=true", "fetch.recurseSubmodules=false",
    "http.followRedirects=initial", "protocol.allow=never", "transfer.bundleURI=false",
)  # fmt: skip
_KEPT: tuple[str, ...] = ("PATH", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "https_proxy")
_KEPT += ("HTTPS_PROXY", "no_proxy", "NO_PROXY", "LD_LIBRARY_PATH", "TMPDIR")
_FORGES = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
_SHORT = re.compile(r"(?:(github|gitlab|bitbucket):)?([\w.-]+/[\w.-]+?)(?:\.git)?(?:#.*)?$")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?$")


class GitSource:
    """``app.sourced.SourceRepository``. What it fetched lies in a temporary folder, and is gone when this is."""

    def __init__(self) -> None:
        self._folder: str | None = None
        self._environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._environment |= {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "HOME": os.devnull,
            "LC_ALL": "C",
        }

    def commit(self, where: str, names: Sequence[str], identifier: str | None, *, trusted: bool) -> Commit:
        """Return the files of a commit, or else of the first of these tags that there is. See the port."""
        address, protocol, shown = _address(where, trusted=trusted)
        known = identifier if identifier is not None and _COMMIT.match(identifier) else None
        tags = self._tags(address, protocol)
        asked = next((name for name in names if name in tags), None)
        if known is not None and self._fetched(address, protocol, known):
            return Commit(shown, asked if asked and tags[asked] == known else known, known, self._files(known))
        if asked is None:
            more = " and no such commit" if known else ""
            raise NotFound(f"{shown} has no tag {names[0]} or the like{more}")
        if not self._fetched(address, protocol, f"refs/tags/{asked}"):
            raise Unavailable(f"{shown} does not give its tag {asked}")
        found = self._git("rev-parse", "--verify", "FETCH_HEAD^{commit}").decode("ascii").strip()
        return Commit(shown, asked, found, self._files(found))

    def texts(self, commit: Commit, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Return the contents of some files, without those that are too large. See the port."""
        wanted = {commit.files[path]: b"" for path in paths}
        sizes = self._git("cat-file", "--batch-check=%(objectname) %(objectsize)", feed="\n".join(wanted).encode())
        small = [
            row.split()[0] for row in sizes.splitlines() if row[-1:].isdigit() and int(row.split()[1]) <= MAX_COMPARED
        ]
        for name in small:
            wanted[name.decode("ascii")] = self._git("cat-file", "blob", name.decode("ascii"))
        read = {name.decode("ascii") for name in small}
        return {path: wanted[commit.files[path]] for path in paths if commit.files[path] in read}

    def _tags(self, address: str, protocol: str) -> dict[str, str]:
        """Return tag -> commit, as the repository tells."""
        listed = self._git("ls-remote", "--tags", "--", address, protocol=protocol)
        tags: dict[str, str] = {}
        for row in listed.decode("utf-8", "replace").splitlines():
            found, _, name = row.partition("\t")
            tags[name.removeprefix("refs/tags/").removesuffix("^{}")] = (
                found  # the commit of a tag stands after the tag
            )
        return tags

    def _fetched(self, address: str, protocol: str, what: str) -> bool:
        words = ("fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-commit-graph")
        try:
            self._git(*words, "--", address, what, protocol=protocol)
        except Untrusted:
            return False
        return True

    def _files(self, commit: str) -> dict[str, str]:
        files = {}
        for row in self._git("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
            told, _, path = row.partition(b"\t")
            words = told.split()
            if len(words) == 3 and words[0] in (b"100644", b"100755"):  # no links, no submodules
                files[path.decode("utf-8", "surrogateescape")] = words[2].decode("ascii")
        if len(files) > MAX_FILES:
            raise Untrusted(f"its commit {commit[:12]} has more than {MAX_FILES} files")
        return files

    def _git(self, *words: str, protocol: str | None = None, feed: bytes = b"") -> bytes:
        """Return what git says. Raises Unavailable if it cannot run or ends late, Untrusted if it fails."""
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="lazaretto-source-")
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            self._git("init", "--quiet", "--bare", "--template=", ".")
        settings = [*_QUIET, *([f"protocol.{protocol}.allow=always"] if protocol else ())]
        command = ["/bin/sh", "-c", _SHELL, "git", *(word for one in settings for word in ("-c", one)), *words]
        with tempfile.TemporaryFile(dir=self._folder) as answer:
            try:
                done = subprocess.run(  # noqa: S603 - a fixed program, every word of ours by itself
                    command,
                    input=feed,
                    stdout=answer,
                    stderr=subprocess.PIPE,
                    env=self._environment,
                    cwd=self._folder,
                    timeout=MAX_SECONDS,
                    check=False,
                )
            except FileNotFoundError as error:
                raise Unavailable("git is not installed; --source needs it") from error
            except subprocess.TimeoutExpired as error:
                raise Unavailable(f"git took longer than {MAX_SECONDS} s") from error
            if done.returncode == 127:
                raise Unavailable("git is not installed; --source needs it")
            if done.returncode:
                told = done.stderr.decode("utf-8", "replace").strip().splitlines()
                raise Untrusted(
                    f"git {words[0]}: {told[-1][:200] if told else 'was ended: too large, or too much work'}"
                )
            if answer.tell() > MAX_ANSWER:
                raise Untrusted(f"git {words[0]} gives more than {MAX_ANSWER} bytes")
            answer.seek(0)
            return answer.read()


def _address(where: str, *, trusted: bool) -> tuple[str, str, str]:
    """Return an address for git, the protocol it may speak, and how to show it. Raises Untrusted."""
    text = where.strip().removeprefix("git+").partition("#")[0]
    if trusted and Path(text.removeprefix("file://")).is_dir():
        folder = Path(text.removeprefix("file://")).absolute()
        return folder.as_uri(), "file", folder.name
    short = _SHORT.match(text) if "://" not in text else None
    if short is not None and not trusted:
        host = _FORGES[short.group(1) or "github"]
        return f"https://{host}/{short.group(2)}.git", "https", f"{host}/{short.group(2)}"
    for other in ("git://", "ssh://git@", "http://"):  # of forges, which give the same over TLS
        if text.startswith(other) and not trusted:
            text = "https://" + text.removeprefix(other)
    scheme, _, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    if scheme != "https" or not slash or not path or any(ord(one) <= 32 for one in text):
        raise Untrusted(f"{where[:200]!r} is neither an https address nor a folder")
    host = host.rpartition("@")[2]
    return f"https://{host}/{path}", "https", f"{host}/{path.removesuffix('.git').rstrip('/')}"
