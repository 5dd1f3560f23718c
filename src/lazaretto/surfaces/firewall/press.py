"""Prints pages: each sheet is compressed once, and again only when it, or what stands before it, has changed.

A page is what its sheets are, one after another. Each is compressed by itself, with the end of what stands before it
as the dictionary, and ends on a whole byte (RFC 1951, 3.2.4): joined they are one stream, which is hardly longer than
if it had been compressed as a whole. So a page of which one version has vanished costs two sheets and not twenty.
"""

import zlib
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from threading import Lock

from isal import isal_zlib
from msgspec import Struct

from lazaretto.app.ports import Ecosystem, IndexPage, Plate
from lazaretto.app.shelf import View
from lazaretto.core.view import PageView

MAX_PRINTED_BYTES = 128 << 20
"""Bytes of printed pages kept in memory, compressed forms included; the longest unused go first."""

MAX_PLATE_BYTES = 64 << 20
"""Bytes of pages whose plates are kept in memory, as their registries sent them; the longest unused go first."""

MIN_GZIP = 1024
"""Pages below this many bytes are sent as they are."""

_LEVEL, _WINDOW = 5, 32 << 10
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # RFC 1952: deflate, no name, no time, no system
_END = b"\x03\x00"  # the last block of a stream, which is empty


class Sheet:
    """A part of a page: its bytes, and what they are compressed to where it stands."""

    def __init__(self, text: bytes, before: bytes) -> None:
        """``before`` is the end of what stands before it."""
        self.text = text
        self.before = before
        self.digest = sha256(text).digest()

    @cached_property
    def zipped(self) -> bytes:
        """Return the compressed form, which ends on a whole byte."""
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=self.before)
        return packer.compress(self.text) + packer.flush(zlib.Z_SYNC_FLUSH)


class Printed:
    """A page as it is sent: its size, its compressed form (empty if it is not worth it), and the tag of both."""

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        self.sheets = sheets
        self.size = sum(len(one.text) for one in sheets)
        self.zipped = _gzip(sheets, self.size) if self.size >= MIN_GZIP else b""
        self.etag = sha256(b"".join([one.digest for one in sheets])).hexdigest()[:32]
        self.cost = self.size + 2 * len(self.zipped)

    @property
    def body(self) -> bytes:
        """Return the page as it is."""
        return b"".join([one.text for one in self.sheets])


class _Kept(Struct):
    """What prints a page, and what it printed last."""

    page: IndexPage
    plate: Plate
    sheets: Sequence[Sheet] = ()


class Press:
    """Prints pages, and keeps what it printed. Several threads may use it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._printed: OrderedDict[tuple[str, ...], Printed] = OrderedDict()
        self._printed_bytes = 0
        self._plates: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()
        self._plate_bytes = 0

    def known(self, ecosystem: Ecosystem, view: View, form: str, base: str) -> Printed | None:
        """Return a page that was printed before; ``base`` is the address under which the client knows us."""
        key = (ecosystem.ID, view.project.name, form, base, view.key)
        with self._lock:
            known = self._printed.get(key)
            if known is not None:
                self._printed.move_to_end(key)
        return known

    def print(self, ecosystem: Ecosystem, view: View, form: str, base: str, seen: PageView) -> Printed:
        """Print a page and keep it. Raises ValueError: the upstream's page cannot be printed."""
        place = (ecosystem.ID, view.project.name, form, base)
        kept = self._plates.get(place)
        if kept is None or kept.page is not view.page:
            page = view.page
            plate = ecosystem.plate(view.project.name, page.body, page.media_type, seen.address, form)
            kept = _Kept(page, plate, kept.sheets if kept is not None else ())
        sheets = _sheets(kept.plate.print(seen), kept.sheets)
        printed = Printed(sheets)
        self._keep((*place, view.key), printed)
        self._keep_plate(place, _Kept(kept.page, kept.plate, sheets))
        return printed

    def _keep(self, key: tuple[str, ...], printed: Printed) -> None:
        with self._lock:
            old = self._printed.pop(key, None)
            self._printed[key] = printed
            self._printed_bytes += printed.cost - (old.cost if old is not None else 0)
            while self._printed_bytes > MAX_PRINTED_BYTES and len(self._printed) > 1:
                self._printed_bytes -= self._printed.popitem(last=False)[1].cost

    def _keep_plate(self, place: tuple[str, ...], kept: _Kept) -> None:
        with self._lock:
            old = self._plates.pop(place, None)
            self._plates[place] = kept
            self._plate_bytes += len(kept.page.body) - (len(old.page.body) if old is not None else 0)
            while self._plate_bytes > MAX_PLATE_BYTES and len(self._plates) > 1:
                self._plate_bytes -= len(self._plates.popitem(last=False)[1].page.body)


def _sheets(texts: Sequence[bytes], last: Sequence[Sheet]) -> list[Sheet]:
    """Return the sheets of a page; those of the last one that say the same at the same place are taken from there."""
    sheets, before = [], b""
    for number, text in enumerate(texts):
        old = last[number] if number < len(last) else None
        same = old is not None and old.text == text and old.before == before
        sheets.append(old if old is not None and same else Sheet(text, before))
        before = text[-_WINDOW:] if len(text) >= _WINDOW else (before + text)[-_WINDOW:]
    return sheets


def _gzip(sheets: Sequence[Sheet], size: int) -> bytes:
    check = 0
    for one in sheets:
        check = isal_zlib.crc32(one.text, check)
    tail = check.to_bytes(4, "little") + (size & 0xFFFF_FFFF).to_bytes(4, "little")
    return b"".join([_HEAD, *(one.zipped for one in sheets), _END, tail])
