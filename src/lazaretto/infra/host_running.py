"""What runs on this machine, and to whom it is connected, compared with a campaign's indicators (proc(5))."""

import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from lazaretto.core.host import Found, Sought, address_fits, digest_fits, fits, lies_at
from lazaretto.infra.host_digests import digests_of, kinds_of
from lazaretto.infra.sealed import SealedError

MAX_COMMAND = 64 << 10
"""Bytes of a command line that are compared."""

_GONE = " (deleted)"


class Running:
    """What runs on this machine, and to whom it is connected (proc(5))."""

    def __init__(self, proc: Path, wanted: Sought) -> None:
        self._proc = proc
        self._wanted = wanted
        self._kinds = kinds_of(wanted)
        self._own = self._ancestors(os.getpid())
        self._sockets: dict[str, str] = {}
        self.processes = self.connections = 0
        self.unread: list[str] = []

    def look(self) -> Iterator[Found]:
        """Yield what fits."""
        hidden = 0
        for number in self._numbers():
            words = self._words(number)
            if words is None:
                continue
            self.processes += 1
            hidden += not self._note_sockets(number)
            if number in self._own:  # we ourselves, and whoever called us, name the indicators
                continue
            yield from self._running(number)
            for pattern, one in self._wanted.words:
                match = pattern.search(words)
                if match is not None:  # of the other words nothing is told: a password may be among them
                    what = f"{_program(words)} with {match[0]} in its words"
                    yield Found(f"process {number}", one.kind, one.value, one.use, one.confidence, what, one.context)
        yield from self._connections()
        if hidden:
            self.unread.append(
                f"{hidden} processes belong to others: what they run, and to whom each is connected, is not seen"
            )

    def _running(self, number: int) -> Iterator[Found]:
        """Yield what the program of a process fits: by its path, and by its digest if its file is gone from the disk.

        What still lies there is looked at where it lies.
        """
        try:
            target = os.readlink(self._proc / str(number) / "exe")
        except OSError:
            return  # it has ended, has none, or belongs to others: that is told of its connections
        path = target.removesuffix(_GONE)
        gone = path != target
        what = f"runs {path}, whose file is gone" if gone else f"runs {path}"
        for pattern in self._wanted.paths:
            if lies_at(pattern, path):
                yield fits(pattern, f"process {number}", what)
        if gone and self._kinds:
            yield from self._recognised(number, what)

    def _recognised(self, number: int, what: str) -> Iterator[Found]:
        try:
            with (self._proc / str(number) / "exe").open("rb") as file:
                digests = tuple(digests_of(file, self._kinds))
        except FileNotFoundError:
            return  # it has ended
        except (OSError, SealedError) as error:
            self.unread.append(f"process {number} {what}: {error}")
            return
        for digest in digests:
            found = digest_fits(f"process {number} {what}", digest, self._wanted.digests)
            if found is not None:
                yield found

    def _numbers(self) -> list[int]:
        try:
            return sorted(int(name) for name in os.listdir(self._proc) if name.isdecimal())
        except OSError as error:
            self.unread.append(f"{self._proc}: {error.strerror}: no processes were looked at")
            return []

    def _words(self, number: int) -> str | None:
        try:
            with (self._proc / str(number) / "cmdline").open("rb") as file:
                raw = file.read(MAX_COMMAND)
        except OSError:
            return None  # it has ended
        return raw.replace(b"\0", b" ").decode("utf-8", "replace").strip()

    def _note_sockets(self, number: int) -> bool:
        """Note whose sockets are whose; False if that may not be seen."""
        folder = self._proc / str(number) / "fd"
        try:
            for name in os.listdir(folder):
                try:
                    target = os.readlink(folder / name)
                except FileNotFoundError:
                    continue
                if target.startswith("socket:["):
                    self._sockets[target[8:-1]] = str(number)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def _connections(self) -> Iterator[Found]:
        for name in ("tcp", "tcp6", "udp", "udp6"):
            try:
                lines = (self._proc / "net" / name).read_text("ascii").splitlines()[1:]
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                self.unread.append(f"{self._proc}/net/{name}: {error}")
                continue
            for line in lines:
                fields = line.split()
                if len(fields) < 10:
                    continue
                self.connections += 1
                peer = peer_of(fields[2])
                if peer is None:
                    continue
                address, port = peer
                whose = self._sockets.get(fields[9], "")
                for one in address_fits(address, port, self._wanted):
                    where = f"{name} connection to {address} port {port}"
                    what = f"of process {whose}" if whose else "of a process that is not told"
                    yield Found(where, one.kind, one.value, one.use, one.confidence, what, one.context)

    def _ancestors(self, number: int) -> frozenset[int]:
        found: set[int] = set()
        while number > 1 and number not in found:
            found.add(number)
            try:
                stat = (self._proc / str(number) / "stat").read_text("utf-8", "replace")
                number = int(stat.rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                break
        return frozenset(found)


def _program(words: str) -> str:
    """Return the name of the program alone."""
    return words.partition(" ")[0].rpartition("/")[2][:80]


def peer_of(text: str) -> tuple[str, int] | None:
    """Return address and port as proc(5) writes them: hexadecimal, each four bytes in the order of this machine."""
    address, _, port = text.partition(":")
    try:
        raw = bytes.fromhex(address)
        if len(raw) not in {4, 16}:
            return None
        words = struct.unpack(f"={len(raw) // 4}I", raw)
        packed = struct.pack(f">{len(words)}I", *words) if sys.byteorder == "little" else raw
        family = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
        return socket.inet_ntop(family, packed), int(port, 16)
    except (ValueError, OSError):
        return None
