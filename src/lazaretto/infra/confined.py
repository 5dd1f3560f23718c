"""A process that can read, think and answer on one socket, and do nothing else.

Hostile bytes are unpacked and parsed in such processes only. Each layer stands alone, so that a
kernel without one of them still has the others; ``confine`` tells which are in force and why others
are not. Layers: resource limits (any POSIX system); no new privileges, no capabilities, Landlock
and seccomp (Linux).
"""

import os
import sys
from collections.abc import Callable, Mapping

from msgspec import Struct

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CAPABILITY_VERSION_3 = 0x20080522
_SIGKILL = 9
MIB = 1 << 20


class Bounds(Struct, frozen=True):
    """What one reader may use: memory in bytes, time in seconds, both for one task.

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


def confine(bounds: Bounds, parent: int, readable: tuple[str, ...]) -> Confinement:
    """Give up for ever everything but reading ``readable`` and using what is already open.

    Args:
        bounds: memory, CPU time and descriptors.
        parent: process id of the parent; its death is this process's death.
        readable: folders and files that may still be opened for reading.
    """
    sys.dont_write_bytecode = True  # it could not be written anyway
    in_force: dict[str, str] = {}
    absent: dict[str, str] = {}
    for name, apply in _layers(bounds, parent, readable).items():
        try:
            in_force[name] = apply()
        except (OSError, ImportError, ValueError, AttributeError) as error:
            absent[name] = f"{type(error).__name__}: {error}"
    return Confinement(in_force=in_force, absent=absent)


def _layers(bounds: Bounds, parent: int, readable: tuple[str, ...]) -> dict[str, Callable[[], str]]:
    """Return the layers in the order in which they must be applied: each takes away what the next no longer needs."""

    def landlock() -> str:
        from lazaretto.infra import _landlock

        return _landlock.restrict(readable)

    def seccomp() -> str:
        from lazaretto.infra import _seccomp

        return _seccomp.restrict()

    return {
        "limits": lambda: _limit_resources(bounds),
        "privileges": lambda: _drop_privileges(parent),
        "landlock": landlock,
        "seccomp": seccomp,
    }


def _limit_resources(bounds: Bounds) -> str:
    import resource

    def lower(which: int, value: int) -> None:
        _, hard = resource.getrlimit(which)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))

    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_FSIZE, 0)
    lower(resource.RLIMIT_NOFILE, bounds.files)
    # Address space includes libraries and file mappings; data is what a program can really fill.
    lower(resource.RLIMIT_AS, bounds.unpack_memory + 2048 * MIB)
    lower(resource.RLIMIT_DATA, bounds.unpack_memory)
    return f"{bounds.unpack_memory // MIB} MiB of memory, {bounds.cpu} s of CPU a task, no file growth, no core dumps"


def _drop_privileges(parent: int) -> str:
    import ctypes
    import struct

    if not sys.platform.startswith("linux"):
        raise OSError(f"not known on {sys.platform}")
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    options = ((_PR_SET_PDEATHSIG, _SIGKILL), (_PR_SET_DUMPABLE, 0), (_PR_SET_NO_NEW_PRIVS, 1))
    for option, value in options:
        if libc.prctl(option, ctypes.c_ulong(value), zero, zero, zero):
            raise OSError(ctypes.get_errno(), f"prctl {option}: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        os._exit(0)  # the parent died before its death could be told
    if libc.capset(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), bytes(24)):
        raise OSError(ctypes.get_errno(), f"capset: {os.strerror(ctypes.get_errno())}")
    return "no new privileges, no capabilities, ends with its parent"


def begin_task(memory: int, cpu: int) -> None:
    """Set the soft limits for one task of a confined process: bytes of memory, seconds of CPU from now."""
    import resource
    import time

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (memory if hard == resource.RLIM_INFINITY else min(memory, hard), hard))
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    until = int(time.process_time()) + cpu + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until if hard == resource.RLIM_INFINITY else min(until, hard), hard))
