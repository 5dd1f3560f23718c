"""A process that can read, think and answer on one socket, and do nothing else.

Hostile bytes are unpacked and parsed in such processes only. Each layer stands alone, so that a
kernel without one of them still has the others; ``Cage.enter`` tells which are in force and why others
are not. Layers: resource limits (any POSIX system); no new privileges, no capabilities, Landlock
and seccomp (Linux).

What is the same for every such process is made ready once, by the one that they are forked from: the less each does
before it begins, the fewer pages it has to itself.
"""

import os
import sys
from collections.abc import Callable, Mapping
from functools import partial

from msgspec import Struct

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CAPABILITY_VERSION_3 = 0x20080522
_SIGKILL = 9
MIB = 1 << 20


class Bounds(Struct, frozen=True):
    """What one reader may use: memory in bytes, time in seconds, both for one task.

    Memory is what a reader adds to what its program held when it was forked, which costs nothing again.
    ``unpack_memory`` holds the packed archive and one member at a time; ``read_memory`` a file and
    its syntax tree. ``wall`` is kept by the engine from outside, the others by the kernel. It stands far above ``cpu``:
    on a machine that is busy with other things, an honest file must not become one that nobody understands.
    """

    unpack_memory: int = 1536 * MIB
    read_memory: int = 400 * MIB
    cpu: int = 20
    wall: float = 60.0
    unpack_wall: float = 60.0
    files: int = 64


class Confinement(Struct, frozen=True):
    """Which layers are in force (name -> what it does) and which are not (name -> why)."""

    in_force: Mapping[str, str]
    absent: Mapping[str, str]

    @property
    def complete(self) -> bool:
        """Whether every layer is in force."""
        return not self.absent


def readable_paths() -> tuple[str, ...]:
    """Return the folders and files that importing needs: Python's own, its packages, shared libraries, this package."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    found = {package, os.path.dirname(os.path.abspath(os.__file__)), os.path.join(sys.base_prefix, "lib")}
    found |= {path for path in sys.path if path.endswith(("site-packages", "dist-packages", "lib-dynload", ".zip"))}
    found |= {
        "/lib",
        "/lib64",
        "/usr/lib",
        "/usr/lib64",
        "/usr/local/lib",
        "/etc/ld.so.cache",
        "/dev/null",
        "/dev/urandom",
    }
    return tuple(sorted(path for path in found if os.path.exists(path)))


class Cage:
    """What confines the processes that are forked from this one.

    Args:
        bounds: memory, CPU time and descriptors.
        readable: folders and files that may still be opened for reading.

    ``inherited``: bytes that this process holds already, which the kernel counts for whoever is forked from it.
    """

    def __init__(self, bounds: Bounds, readable: tuple[str, ...]) -> None:
        self.inherited = data_held()
        # In the order in which they are applied: each takes away what the next no longer needs.
        makers: dict[str, Callable[[], Callable[[], str]]] = {
            "limits": partial(_limits, bounds, self.inherited),
            "privileges": _privileges,
            "landlock": partial(_landlock, readable),
            "seccomp": _seccomp,
        }
        self._layers: dict[str, Callable[[], str]] = {}
        self._absent: dict[str, str] = {}
        for name, make in makers.items():
            try:
                self._layers[name] = make()
            except _REFUSALS as error:
                self._absent[name] = _told(error)

    def enter(self, parent: int) -> Confinement:
        """Give up for ever everything but reading what is readable and using what is already open.

        ``parent``: the process id of the parent; its death is this process's death.
        """
        sys.dont_write_bytecode = True  # it could not be written anyway
        in_force: dict[str, str] = {}
        absent = dict(self._absent)
        for name, apply in self._layers.items():
            try:
                in_force[name] = apply()
            except _REFUSALS as error:
                absent[name] = _told(error)
        if os.getppid() != parent:
            os._exit(0)  # the parent died before its death could be told
        return Confinement(in_force=in_force, absent=absent)


_REFUSALS = (OSError, ImportError, ValueError, AttributeError)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _landlock(readable: tuple[str, ...]) -> Callable[[], str]:
    from lazaretto.infra import _landlock as layer

    return layer.prepare(readable)


def _seccomp() -> Callable[[], str]:
    from lazaretto.infra import _seccomp as layer

    return layer.prepare()


def data_held() -> int:
    """Return the bytes of this process that ``RLIMIT_DATA`` counts; 0 if nobody tells (proc(5), statm)."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def _limits(bounds: Bounds, inherited: int) -> Callable[[], str]:
    import resource

    def lower(which: int, value: int) -> None:
        _, hard = resource.getrlimit(which)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))

    said = f"{bounds.unpack_memory // MIB} MiB of memory, {bounds.cpu} s of CPU a task, no file growth, no core dumps"

    def limit() -> str:
        lower(resource.RLIMIT_CORE, 0)
        lower(resource.RLIMIT_FSIZE, 0)
        lower(resource.RLIMIT_NOFILE, bounds.files)
        # Address space includes libraries and file mappings; data is what a program can really fill.
        lower(resource.RLIMIT_AS, inherited + bounds.unpack_memory + 2048 * MIB)
        lower(resource.RLIMIT_DATA, inherited + bounds.unpack_memory)
        return said

    return limit


def _privileges() -> Callable[[], str]:
    import ctypes
    import struct

    if not sys.platform.startswith("linux"):
        raise OSError(f"not known on {sys.platform}")
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    wanted = ((_PR_SET_PDEATHSIG, _SIGKILL), (_PR_SET_DUMPABLE, 0), (_PR_SET_NO_NEW_PRIVS, 1))
    options = [(option, ctypes.c_ulong(value)) for option, value in wanted]
    myself, none = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), bytes(24)

    def drop() -> str:
        for option, value in options:
            if libc.prctl(option, value, zero, zero, zero):
                raise OSError(ctypes.get_errno(), f"prctl {option}: {os.strerror(ctypes.get_errno())}")
        if libc.capset(myself, none):
            raise OSError(ctypes.get_errno(), f"capset: {os.strerror(ctypes.get_errno())}")
        return "no new privileges, no capabilities, ends with its parent"

    return drop


def begin_task(memory: int, cpu: int) -> None:
    """Set the soft limits for one task of a confined process: bytes of memory, seconds of CPU from now."""
    import resource
    import time

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (memory if hard == resource.RLIM_INFINITY else min(memory, hard), hard))
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    until = int(time.process_time()) + cpu + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until if hard == resource.RLIM_INFINITY else min(until, hard), hard))
