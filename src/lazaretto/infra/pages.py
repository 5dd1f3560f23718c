"""Index pages kept between runs, so that a page that did not change is not sent again (ETag)."""

import os
from collections.abc import Iterator, MutableMapping
from hashlib import sha256
from pathlib import Path

_MAX_BYTES = 64 * 1024 * 1024


class PageFolder(MutableMapping[str, tuple[str, bytes]]):
    """Address -> (ETag and media type, body), one file each. What cannot be read or written is simply not known."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, url: str) -> tuple[str, bytes]:
        try:
            data = self._path(url).read_bytes()
        except OSError:
            raise KeyError(url) from None
        digest, _, rest = data.partition(b"\n")
        if sha256(rest).hexdigest().encode() != digest:
            raise KeyError(url)  # a write was cut off
        etag, media_type, body = rest.split(b"\n", 2)
        return f"{etag.decode()}\n{media_type.decode()}", body

    def __setitem__(self, url: str, page: tuple[str, bytes]) -> None:
        head, body = page
        if len(body) > _MAX_BYTES or head.count("\n") != 1:
            return
        rest = head.encode() + b"\n" + body
        digest = sha256(rest).hexdigest().encode()
        path = self._path(url)
        if _holds(path, digest, len(rest)):
            return  # a registry that names no ETag sends the same page again and again
        draft = path.with_suffix(f".{os.getpid()}")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_bytes(digest + b"\n" + rest)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)  # half a page would lie on the full disk for ever

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


def _holds(path: Path, digest: bytes, size: int) -> bool:
    """Whether a file begins with this digest and is as long as what it is of."""
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(len(digest)) == digest and os.fstat(file.fileno()).st_size == len(digest) + 1 + size
    except OSError:
        return False
