"""Bytes in memory that the kernel can send by itself, and that nobody can change any more.

What was verified must be what is sent. A file on the disk could be another one between the two; a file that has no
name, lies in memory and is sealed cannot.
"""

import fcntl
import os
from contextlib import suppress

MIN_SEALED = 256 << 10
"""Below this many bytes a copy is cheaper than a file."""


class Sealed:
    """Bytes, as a file in memory: for reading, also by a kernel that sends a file. Closed with the last reference."""

    def __init__(self, data: bytes) -> None:
        """Raises OSError: there are too many files, or no such thing on this machine."""
        self._descriptor = -1  # for ``__del__``, if there is none to be had
        self._size = len(data)
        self._descriptor = os.memfd_create("artifact", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        fcntl.fcntl(self._descriptor, fcntl.F_ADD_SEALS, seals)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        first, end, _ = part.indices(self._size)
        return os.pread(self._descriptor, max(0, end - first), first)

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._descriptor


def kept(data: bytes) -> bytes | Sealed:
    """Return bytes in the form in which they are best kept to be sent again and again."""
    if len(data) >= MIN_SEALED and hasattr(os, "memfd_create"):
        with suppress(OSError):
            return Sealed(data)
    return data
