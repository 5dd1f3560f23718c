"""OSV 1.7: one record, a list of them, one on each line, or the zip archive of a whole database.

A record that breaks the schema ends the feed with its place: advisories are taken as a whole or not at all, for a
half of them would look like all of them. What the schema leaves open (a kind of range that is younger than this
program, whatever a database adds of its own) is no error: it decides nothing, or is told as unclear.
Withdrawn records are yielded too, so that what was told before can be taken back; they apply to nothing.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec

from lazaretto.core.advisory import Advisory, Affected, Event, EventKind, FeedError, Origin, Range, RangeKind
from lazaretto.core.exchange import Told, Unread

URL = "https://osv-vulnerabilities.storage.googleapis.com/{ecosystem}/all.zip"
"""Where its makers publish it. Nothing is fetched from there unless the settings name it."""

LICENCE = "of each database: CC-BY-4.0 (GitHub, PyPA), Apache-2.0 (OpenSSF malicious-packages)"

MAX_AGE = timedelta(hours=24)
"""After that, what it does not say no longer counts as said."""

MAX_FEED = 1 << 30
"""Largest feed, in bytes as it comes."""

MAX_UNPACKED = 8 << 30
"""Largest sum of the records of an archive, in bytes."""

MAX_RECORD = 16 << 20
"""Largest record, in bytes."""

MAX_RECORDS = 4_000_000
"""Most records of a feed."""

MAX_SUMMARY = 300
"""Longest summary that is kept, in characters."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,255}", re.ASCII)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_KINDS = {kind.value: kind for kind in RangeKind}
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class _Package(msgspec.Struct):
    ecosystem: str = ""
    name: str = ""


class _Event(msgspec.Struct):
    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None


class _Range(msgspec.Struct):
    type: str
    events: list[_Event] | None = None


class _Affected(msgspec.Struct):
    package: _Package | None = None
    versions: list[str] | None = None
    ranges: list[_Range] | None = None
    database_specific: Any = None


class _Record(msgspec.Struct):
    id: str
    modified: _Instant
    published: _Instant | None = None
    withdrawn: _Instant | None = None
    aliases: list[str] | None = None
    summary: str | None = None
    affected: list[_Affected] | None = None
    database_specific: Any = None


class _Answer(msgspec.Struct):
    """What the interface of a database answers."""

    vulns: list[msgspec.Raw] | None = None


_decoder = msgspec.json.Decoder(_Record)
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)
"""What ``zipfile`` raises where an archive is broken, encrypted, or packed in a way that it does not know."""


def parse(data: bytes) -> Iterator[Advisory]:
    """Yield the advisories of a feed, in its order.

    Raises:
        FeedError: it is too large, is no feed, or a record of it breaks the schema; with its place.
    """
    for place, piece in _pieces(data):
        yield _advisory(place, piece)


def claims(data: bytes) -> int:
    """Return how much it looks like an archive, or like JSON in which a record says when it was modified."""
    return 2 if data.startswith(_ZIP) or (b'"modified"' in data and b'"id"' in data) else 0


def read(data: bytes, told: Told) -> Iterator[Advisory | Unread]:  # noqa: ARG001 - one signature for all feeds
    """Yield the advisories of a document that a person brings: what breaks the schema is told, the rest still read.

    Raises:
        FeedError: it is too large, or is no feed.
    """
    for place, piece in _pieces(data):
        try:
            found = _advisory(place, piece)
        except FeedError as error:
            yield Unread(error.place, error.reason)
            continue
        yield found if found.withdrawn is None else Unread(place, f"{found.id} was withdrawn", broken=False)


def _pieces(data: bytes) -> Iterator[tuple[str, bytes]]:
    if len(data) > MAX_FEED:
        raise FeedError("feed", f"is larger than {MAX_FEED} bytes")
    count = 0
    for place, piece in _zipped(data) if data.startswith(_ZIP) else _written(data):
        count += 1
        if count > MAX_RECORDS:
            raise FeedError(place, f"the feed has more than {MAX_RECORDS} records")
        yield place, piece
    if not count:
        raise FeedError("feed", "holds no record; an empty one would take back everything that was told before")


def _zipped(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each JSON file of an archive, with its name made printable."""
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [info for info in archive.infolist() if info.filename.endswith(".json")]
            for info in names:
                place = ascii(info.filename[:200]).strip("'\"")
                with archive.open(info) as file:
                    piece = file.read(MAX_RECORD + 1)
                total += len(piece)
                if total > MAX_UNPACKED:
                    break
                yield place, piece
    except _BROKEN_ZIP as error:
        raise FeedError("archive", f"cannot be unpacked: {_plain(error)}") from None
    if total > MAX_UNPACKED:
        raise FeedError("archive", f"unpacks to more than {MAX_UNPACKED} bytes")


def _written(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the records of a text: a list, the answer of an interface, a single one, or one on each line."""
    text = data.removeprefix(b"\xef\xbb\xbf").strip()
    if text.startswith(b"["):
        for number, raw in enumerate(_raw(text, list[msgspec.Raw], "feed"), 1):
            yield f"record {number}", bytes(raw)
        return
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
            if line.strip():
                yield f"line {number}", line
        return
    listed = _raw(text, _Answer, "feed").vulns if b'"vulns"' in text and text.startswith(b"{") else None
    if listed is not None:
        yield from ((f"record {number}", bytes(raw)) for number, raw in enumerate(listed, 1))
        return
    yield "record 1", text


def _raw(text: bytes, kind: Any, place: str) -> Any:  # noqa: ANN401 - what the kind says
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise FeedError(place, _plain(error)) from None


def _advisory(place: str, piece: bytes) -> Advisory:
    """Return the advisory of one record."""
    if len(piece) > MAX_RECORD:
        raise FeedError(place, f"is larger than {MAX_RECORD} bytes")
    try:
        record = _decoder.decode(piece)
        return _made(place, record)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, OverflowError) as error:
        raise FeedError(place, _plain(error)) from None


def _made(place: str, record: _Record) -> Advisory:
    if not _ID.fullmatch(record.id):
        raise FeedError(place, "its id is no identifier")
    affected = record.affected or []
    own = [record.database_specific, *(one.database_specific for one in affected)]
    cwes = {cwe for specific in own for cwe in _cwes(specific)}
    return Advisory(
        id=record.id,
        modified=record.modified.astimezone(UTC),
        published=record.published.astimezone(UTC) if record.published else None,
        withdrawn=record.withdrawn.astimezone(UTC) if record.withdrawn else None,
        aliases=tuple(alias for alias in record.aliases or () if _ID.fullmatch(alias)),
        summary=(record.summary or "")[:MAX_SUMMARY],
        affected=tuple(_affected(one) for one in affected if one.package is not None),
        cwes=tuple(sorted(cwes)),
        origins=tuple(_origins(record.database_specific)),
    )


def _affected(one: _Affected) -> Affected:
    """Return what it says of one package. ``PyPI`` and ``Debian:12`` become ``pypi`` and ``debian``."""
    package = one.package or _Package()
    return Affected(
        ecosystem=package.ecosystem.partition(":")[0].lower(),
        name=package.name,
        versions=tuple(one.versions or ()),
        ranges=tuple(Range(_kind(item.type), tuple(_events(item.events or []))) for item in one.ranges or ()),
    )


def _kind(text: str) -> RangeKind:
    return _KINDS.get(text, RangeKind.OTHER)


def _events(events: list[_Event]) -> Iterator[Event]:
    for event in events:
        for kind in EventKind:
            version = getattr(event, kind.value)
            if version is not None:
                yield Event(kind, version)


def _cwes(specific: object) -> Iterator[str]:
    """Yield the weaknesses of a record, as GitHub and the OpenSSF each write them."""
    if not isinstance(specific, dict):
        return
    for item in [*_list(specific.get("cwe_ids")), *_list(specific.get("cwes"))]:
        text = item.get("cweId") if isinstance(item, dict) else item
        if isinstance(text, str) and _ID.fullmatch(text):
            yield text


def _origins(specific: object) -> Iterator[Origin]:
    if not isinstance(specific, dict):
        return
    for item in _list(specific.get("malicious-packages-origins")):
        if isinstance(item, dict) and isinstance(item.get("source"), str):
            digest = item.get("sha256")
            yield Origin(
                source=item["source"][:MAX_SUMMARY],
                sha256=digest if isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest) else "",
                imported=_instant(item.get("import_time")),
            )


def _instant(value: object) -> datetime | None:
    try:
        return msgspec.convert(value, _Instant).astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        return None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _plain(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return "".join(character if character.isprintable() else " " for character in text)[:300]
