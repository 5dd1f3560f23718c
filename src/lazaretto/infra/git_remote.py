"""A repository elsewhere: its branches and tags are fetched into a bare folder that is thrown away after it was read.

Nothing is checked out, no hook runs, no submodule is followed, and files that no lockfile could be are left where they
are if the server can do that. Time and size are bounded. Credentials are those that the user's own git has: nobody is
asked for any.
"""

import os
import re
import resource
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from lazaretto.app.inventory.ports import InventoryError

MAX_SECONDS = 1800.0
"""Time that the fetch of one repository may take."""

MAX_PACK = 8 << 30
"""Largest file of a repository that is fetched, in bytes."""

MAX_FILE = 64 << 20
"""Largest file in a repository that is asked for, in bytes; servers that cannot leave out larger ones send them."""

_PROTOCOLS = "https:http:ssh:git:file"
_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0", "-c", "maintenance.auto=0")
_SCP = re.compile(r"[\w.-]+@[\w.-]+:[^:].*")
_REFS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


def is_remote(text: str) -> bool:
    """Whether a text is the address of a repository: with a protocol that git is allowed, or as ``user@host:path``."""
    scheme, mark, _ = text.partition("://")
    return (bool(mark) and scheme in _PROTOCOLS.split(":")) or _SCP.fullmatch(text) is not None


def shown(address: str) -> str:
    """Return an address without what may be secret in it: user, password, query."""
    if "://" not in address:
        return address
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}".rstrip("/")


def fetch(address: str, folder: Path) -> None:
    """Fetch branches and tags into a new bare repository.

    Raises:
        InventoryError: git is missing, the repository cannot be had, or it goes beyond a bound.
    """
    _git("init", "--quiet", "--bare", "--template=", str(folder))
    words = ("--no-recurse-submodules", "--no-write-fetch-head", f"--filter=blob:limit={MAX_FILE}")
    _git(f"--git-dir={folder}", "fetch", "--quiet", *words, "--", address, *_REFS)


def _git(*arguments: str) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or "SSH" in name}
    environ |= {"GIT_ALLOW_PROTOCOL": _PROTOCOLS, "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    try:
        process = subprocess.Popen(  # noqa: S603 - a fixed program, and no shell
            ["git", *_QUIET, *arguments],  # noqa: S607 - the user's own git
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environ,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise InventoryError("git is not installed: repositories elsewhere are not read") from error
    with suppress(OSError, AttributeError):  # where limits cannot be set from outside, time alone bounds it
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (MAX_PACK, MAX_PACK))
    try:
        _, told = process.communicate(timeout=MAX_SECONDS)
    except subprocess.TimeoutExpired as error:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise InventoryError(f"it took longer than {MAX_SECONDS:g} s to fetch") from error
    if process.returncode:
        lines = told.decode("utf-8", "replace").strip().splitlines()
        raise InventoryError(f"cannot be fetched: {lines[-1][:300] if lines else 'git failed'}")
