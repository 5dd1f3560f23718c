"""Documents of registries kept between runs, each in a file of its own with a line that says what it is.

The line can be read without the document: most of what is kept is only compared with what comes, or confirmed.
"""

import os
from collections.abc import Iterator, MutableMapping
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

_MAX_BYTES = 64 * 1024 * 1024
_MAX_LINE = 64 * 1024


class Line(Struct, frozen=True, array_like=True):
    """The first line of a file: SHA-256 and bytes of the document that follows, and what its keeper says of it."""

    digest: str
    size: int
    head: str


class Kept(Struct, frozen=True):
    """What is known of a document without reading it. ``confirmed``: when it last came or was confirmed, in seconds."""

    head: str
    digest: str
    confirmed: float


class PageFolder(MutableMapping[str, tuple[str, bytes]]):
    """Address -> (head, document), one file each. What cannot be read or written is simply not known."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, url: str) -> tuple[str, bytes]:
        try:
            with self._path(url).open("rb") as file:
                line = _line(file)
                body = file.read() if line is not None else b""
        except OSError:
            raise KeyError(url) from None
        if line is None or sha256(body).hexdigest() != line.digest:
            raise KeyError(url)  # a write was cut off
        return line.head, body

    def __setitem__(self, url: str, page: tuple[str, bytes]) -> None:
        head, body = page
        self.keep(url, head, body, sha256(body).hexdigest())

    def keep(self, url: str, head: str, body: bytes, digest: str) -> None:
        """Keep a document whose SHA-256 is known, that came just now."""
        line = Line(digest, len(body), head)
        written = msgspec.json.encode(line) + b"\n"
        if len(body) > _MAX_BYTES or len(written) > _MAX_LINE:
            return
        path = self._path(url)
        try:
            with path.open("rb", buffering=0) as file:
                if file.read(len(written)) == written and os.fstat(file.fileno()).st_size == len(written) + len(body):
                    os.utime(path)
                    return  # a registry that names no ETag sends the same page again and again
        except OSError:
            pass
        draft = path.with_suffix(f".{os.getpid()}")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_bytes(written + body)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)  # half a page would lie on the full disk for ever

    def known(self, url: str) -> Kept | None:
        """Return what is known of a document that is all there, without reading it; None if nothing is."""
        try:
            with self._path(url).open("rb") as file:
                line, about = _line(file), os.fstat(file.fileno())
                if line is None or about.st_size != file.tell() + line.size:
                    return None
        except OSError:
            return None
        return Kept(line.head, line.digest, about.st_mtime)

    def confirm(self, url: str) -> None:
        """Note that a document still is what it was."""
        try:
            os.utime(self._path(url))
        except OSError:
            return  # it stays as old as it is

    def __delitem__(self, url: str) -> None:
        try:
            self._path(url).unlink()
        except OSError:
            raise KeyError(url) from None

    def __iter__(self) -> Iterator[str]:
        return iter(())  # addresses are kept as digests only

    def __len__(self) -> int:
        return 0

    def _path(self, url: str) -> Path:
        return self._folder / f"{sha256(url.encode()).hexdigest()}.page"


def _line(file: BinaryIO) -> Line | None:
    try:
        return msgspec.json.decode(file.readline(_MAX_LINE), type=Line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
