"""Languages for tests: one that behaves and one that does everything that a reader must not."""

import ctypes
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import cast

from lazaretto.app.ports import Job
from lazaretto.core.archive import digest_of
from lazaretto.core.facts import Fact, Facts, Kind, Moment, Problem, Span
from lazaretto.core.language import Claim, LanguageModule, Units
from lazaretto.core.tree import Blob


def read_words(dialect: str, data: bytes, units: Units) -> Facts:
    """Return one fact for each distinct line, each line being a cut; an empty file has a problem."""
    digests = [digest_of(line) for line in sorted(set(data.split(b"\n")))]
    known = units.get(dialect, digests)
    for digest in digests:
        if digest not in known:
            units.put(dialect, digest, digest.encode()[-4:])
    span = Span(1, 0, 0, len(data))
    facts = tuple(Fact(Kind.LITERAL_PATH, f"{dialect}:{digest[-4:]}", span, Moment.LOAD) for digest in digests)
    return Facts("words", facts, problems=() if data else (Problem(1, "empty"),))


def count_known(dialect: str, data: bytes, units: Units) -> Facts:
    """Return, as a fact, how many of the file's lines the memo knew."""
    digests = [digest_of(line) for line in data.split(b"\n")]
    known = units.get(dialect, digests)
    for digest in digests:
        units.put(dialect, digest, b"cut")
    span = Span(1, 0, 0, 0)
    return Facts("counting", (Fact(Kind.LITERAL_PATH, str(len(known)), span, Moment.LOAD),))


def _spin() -> None:
    while True:
        pass


def _fill_memory() -> None:
    held = bytearray(4 << 30)
    held[::4096] = b"x" * (len(held) // 4096)


def _recurse() -> None:
    _recurse()


MISDEEDS: Mapping[str, Callable[[], object]] = {
    "socket": lambda: socket.socket(socket.AF_INET),
    "unix-socket": socket.socketpair,
    "write": lambda: os.open(f"/tmp/lazaretto-{os.getpid()}", os.O_CREAT | os.O_WRONLY, 0o600),
    "delete": lambda: os.unlink(__file__ + ".absent"),
    "read": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "fork": os.fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "thread": lambda: threading.Thread(target=print).start(),
    "kill": lambda: os.kill(os.getppid(), 9),
    "trace": lambda: ctypes.CDLL(None).ptrace(0, 0, 0, 0),
    "memory": _fill_memory,
    "spin": _spin,
    "sleep": lambda: time.sleep(600),
    "crash": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "leave": lambda: os._exit(0),
    "recurse": _recurse,
}
"""What hostile code inside a reader would try."""


def misbehave(dialect: str, data: bytes, units: Units) -> Facts:
    """Do what the dialect says; return the facts of a reader that got away with it."""
    MISDEEDS[dialect]()
    return Facts("hostile")


def fail(dialect: str, data: bytes, units: Units) -> Facts:
    """Fail as no language may."""
    raise ZeroDivisionError


def unwritable(dialect: str, data: bytes, units: Units) -> Facts:
    """Return text that no encoding holds."""
    return Facts("\ud800")


def unclaimed(path: str, data: bytes) -> Claim | None:
    """Offer nothing."""
    return None


def language(name: str, read: Callable[[str, bytes, Units], Facts], *dialects: str, version: int = 1) -> LanguageModule:
    """Return a language module made of a function, for engines that do not leave this process."""
    module = SimpleNamespace(ID=name, VERSION=version, DIALECTS=dialects, claim=unclaimed, read=read)
    return cast("LanguageModule", module)


def job(data: bytes, dialect: str = "words", path: str = "a") -> Job:
    """Return a job whose blob has its right digest."""
    return Job(path=path, dialect=dialect, blob=Blob(digest_of(data), data))
