"""A folder as a world of its own: every path begins at its root, and no link leads out of it.

The disk of a suspected machine is mounted somewhere here. Its ``/etc`` must never become ours, so links are followed as
the machine itself would, with ``/`` standing for the mounted root; one that climbs higher ends at the root (as
``openat2(2)`` does with ``RESOLVE_IN_ROOT``, which Python does not offer). Everything is opened for reading alone, step
by step, so that no link is followed by the system behind our back.
"""

import os
import stat as modes
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import BinaryIO, NamedTuple

MAX_LINKS = 40
"""Links that are followed on the way to one file."""

MAX_LISTED = 100_000
"""Names of one folder that are looked at."""

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


class SealedError(Exception):
    """Something below the root is there and cannot be read: the reason."""


class Seen(NamedTuple):
    """One name of a folder."""

    name: str
    folder: bool
    link: bool


class Sealed:
    """A root, read only. Paths are written with ``/`` and without a leading one."""

    def __init__(self, root: str) -> None:
        self.root = os.path.abspath(root)
        self._real = os.path.realpath(root)

    def shown(self, path: str) -> str:
        """Return the path as somebody at this machine finds it."""
        return f"{self.root.rstrip('/')}/{path.strip('/')}".rstrip("/") or "/"

    def is_folder(self, path: str) -> bool:
        """Whether there is such a folder."""
        found = self._mode(path)
        return found is not None and modes.S_ISDIR(found)

    def is_file(self, path: str) -> bool:
        """Whether there is such an ordinary file."""
        found = self._mode(path)
        return found is not None and modes.S_ISREG(found)

    def list(self, path: str) -> tuple[Seen, ...]:
        """Return what lies in a folder, sorted; nothing if there is none. Raises SealedError."""
        try:
            descriptor = self._open(path)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise SealedError(error.strerror or str(error)) from error
        try:
            with os.scandir(descriptor) as entries:
                found: list[Seen] = []
                for entry in entries:
                    if len(found) >= MAX_LISTED:
                        raise SealedError(f"more than {MAX_LISTED} names: not looked at")
                    found.append(Seen(entry.name, entry.is_dir(follow_symlinks=False), entry.is_symlink()))
        except NotADirectoryError:
            return ()
        except OSError as error:
            raise SealedError(error.strerror or str(error)) from error
        finally:
            os.close(descriptor)
        return tuple(sorted(found))

    def open(self, path: str) -> BinaryIO | None:
        """Return an ordinary file, opened; None if there is none. Raises SealedError."""
        try:
            descriptor = self._open(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SealedError(error.strerror or str(error)) from error
        if not modes.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return None
        return os.fdopen(descriptor, "rb")

    def read(self, path: str, limit: int) -> bytes | None:
        """Return the bytes of a file; None if there is none. Raises SealedError, also if it is larger."""
        file = self.open(path)
        if file is None:
            return None
        with file:
            try:
                data = file.read(limit + 1)
            except OSError as error:
                raise SealedError(error.strerror or str(error)) from error
        if len(data) > limit:
            raise SealedError(f"larger than {limit} bytes: not read")
        return data

    def find(self, parts: tuple[str, ...], *, fold: bool = False) -> Iterator[str]:
        """Yield every path of these parts, each of them a shell pattern. Raises SealedError.

        ``fold`` takes large and small letters for the same, as the systems do whose disks these are.
        """
        yield from self._find("", parts, fold=fold)

    def _find(self, above: str, parts: tuple[str, ...], *, fold: bool) -> Iterator[str]:
        head, rest = parts[0], parts[1:]
        if not fold and {"*", "?", "["}.isdisjoint(head):
            names = [head] if self._mode(f"{above}/{head}") is not None else []
        else:
            wanted = head.casefold() if fold else head
            listed = [one.name for one in self.list(above)] if not above or self.is_folder(above) else []
            names = [name for name in listed if fnmatchcase(name.casefold() if fold else name, wanted)]
        for name in names:
            path = f"{above}/{name}".lstrip("/")
            if not rest:
                yield path
            elif self.is_folder(path):
                yield from self._find(path, rest, fold=fold)

    def _mode(self, path: str) -> int | None:
        try:
            descriptor = self._open(path)
        except PermissionError:
            return self._beside(path)
        except OSError:
            return None
        try:
            return os.fstat(descriptor).st_mode
        finally:
            os.close(descriptor)

    def _beside(self, path: str) -> int | None:
        """Return the mode of what may be seen and not opened; None if not even that."""
        above, _, name = path.strip("/").rpartition("/")
        try:
            folder = self._open(above)
        except OSError:
            return None
        try:
            return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        except OSError:
            return None
        finally:
            os.close(folder)

    def _open(self, path: str) -> int:
        """Return a descriptor of what lies at a path, links followed within the root. Raises OSError."""
        waiting = [part for part in reversed(path.split("/")) if part not in {"", "."}]
        trail = [os.open(self._real, _FLAGS)]
        links = 0
        try:
            while waiting:
                part = waiting.pop()
                if part == "..":
                    if len(trail) > 1:
                        os.close(trail.pop())
                    continue
                try:
                    target = os.readlink(part, dir_fd=trail[-1])
                except OSError:
                    trail.append(os.open(part, _FLAGS, dir_fd=trail[-1]))
                    continue
                links += 1
                if links > MAX_LINKS:
                    raise FileNotFoundError(path)
                if target.startswith("/"):
                    while len(trail) > 1:
                        os.close(trail.pop())
                waiting += [one for one in reversed(target.split("/")) if one not in {"", "."}]
            return trail.pop()
        except ValueError as error:  # a name with a NUL
            raise FileNotFoundError(path) from error
        finally:
            for descriptor in trail:
                os.close(descriptor)
