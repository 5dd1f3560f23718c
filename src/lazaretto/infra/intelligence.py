"""The intelligence that was imported, in one SQLite file beside the journal: it is state, for its sources may be gone.

A source is taken as a whole or not at all, in the place of what was there of it. Times are UTC in ISO 8601, with an
order that is that of time.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from lazaretto.app.intelligence.ports import IntelligenceError, Taken
from lazaretto.core.advisory import Advisory
from lazaretto.core.exchange import Collection, Item, Unread, key_of, package_of
from lazaretto.core.intel import Campaign, Indicator, IndicatorKind, IntrusionSet, Tlp
from lazaretto.core.names import ProjectName
from lazaretto.infra._sql import Execute, Rows, Schema, instant, instant_or_none
from lazaretto.infra._sqlite import SqliteDatabase
from lazaretto.infra.advisories import Normal

FILE_NAME = "intelligence.sqlite"
MAX_UNREAD = 1000
"""Places of a source that are kept of what was not read; the rest is counted."""

_MANY = 500
_NEVER = "9999"
_SCHEMA = Schema(
    name="intelligence",
    version=1,
    kept=(),
    tables="""
CREATE TABLE IF NOT EXISTS item (
    source TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, begins TEXT NOT NULL,
    ends TEXT NOT NULL, body {bytes} NOT NULL, PRIMARY KEY (source, kind, id, key));
CREATE INDEX IF NOT EXISTS item_by_key ON item (key, kind);
CREATE INDEX IF NOT EXISTS item_by_beginning ON item (begins);
CREATE INDEX IF NOT EXISTS item_by_end ON item (ends);
CREATE TABLE IF NOT EXISTS source (
    name TEXT PRIMARY KEY, feed TEXT NOT NULL, place TEXT NOT NULL, at TEXT NOT NULL, items TEXT NOT NULL,
    unread INTEGER NOT NULL, tlp TEXT NOT NULL, licence TEXT NOT NULL, max_age INTEGER, mark TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS unread (
    source TEXT NOT NULL, number INTEGER NOT NULL, place TEXT NOT NULL, reason TEXT NOT NULL, broken INTEGER NOT NULL,
    PRIMARY KEY (source, number));
""",
)
_KINDS: Mapping[type[Item], str] = {
    Indicator: "indicator",
    Advisory: "advisory",
    Campaign: "campaign",
    IntrusionSet: "intrusion-set",
}
_T = TypeVar("_T", Indicator, Advisory, Campaign, IntrusionSet)
_encoder = msgspec.msgpack.Encoder()


class SqliteIntelligence:
    """The book in ``folder``; a file that is not there says nothing and is not made by asking.

    ``normal`` gives for each ecosystem the normal form of its names.
    """

    def __init__(self, folder: Path, normal: Normal) -> None:
        self.path = folder / FILE_NAME
        self._normal = normal
        self._database = SqliteDatabase(self.path, _SCHEMA, IntelligenceError, durable=True)

    def keyed(self, keys: Iterable[str]) -> tuple[Indicator, ...]:
        """Return every indicator with one of these keys, of every source."""
        wanted = sorted(set(keys))
        rows: Rows = []
        for start in range(0, len(wanted), _MANY):
            some = wanted[start : start + _MANY]
            marks = ",".join("?" * len(some))
            query = f"SELECT body FROM item WHERE kind = 'indicator' AND key IN ({marks}) ORDER BY key, source, id"  # noqa: S608 - marks alone
            rows += self._database.read(query, some)
        return self._decoded(rows, Indicator)

    def about(self, ecosystem: str, name: ProjectName) -> tuple[Advisory, ...]:
        """Return every advisory about a project, of every source."""
        query = "SELECT body FROM item WHERE kind = 'advisory' AND key = ? ORDER BY id, source"
        return self._decoded(self._database.read(query, (f"package:{ecosystem}/{name}",)), Advisory)

    def keys(self, sort: str) -> frozenset[str]:
        """Return all keys of a sort (``package``, ``digest``) of which anything is said."""
        query = "SELECT DISTINCT key FROM item WHERE key > ? AND key < ?"
        return frozenset(key for (key,) in self._database.read(query, (f"{sort}:", f"{sort};")))

    def sources(self) -> tuple[Taken, ...]:
        """Return every source that was taken, by its name."""
        query = "SELECT name, feed, place, at, items, unread, tlp, licence, max_age FROM source ORDER BY name"
        return tuple(_taken(row) for row in self._database.read(query))

    def unread(self, source: str) -> tuple[Unread, ...]:
        """Return what of a source was not taken, the first of it."""
        query = "SELECT place, reason, broken FROM unread WHERE source = ? ORDER BY number"
        return tuple(Unread(place, why, bool(broken)) for place, why, broken in self._database.read(query, (source,)))

    def collection(self, sources: Sequence[str], product: str, at: datetime) -> Collection:
        """Return all that lies here of some sources; of every one if none is named."""
        marks = f"AND source IN ({','.join('?' * len(sources))})" if sources else ""
        query = f"SELECT DISTINCT body FROM item WHERE kind = ? {marks} ORDER BY id, source"  # noqa: S608 - marks alone

        def all_of(kind: type[_T]) -> tuple[_T, ...]:
            return self._decoded(self._database.read(query, (_KINDS[kind], *sources)), kind)

        found = all_of(Indicator), all_of(Advisory), all_of(Campaign), all_of(IntrusionSet)
        return Collection(product, at, *found)

    def mark(self, now: datetime) -> str:
        """Return what changes whenever something else may be said: by an import, or as a validity begins or ends."""
        at = instant(now)
        sources = self._database.read("SELECT name, mark FROM source ORDER BY name")
        begun = self._database.read("SELECT max(begins) FROM item WHERE begins <= ?", (at,))
        ended = self._database.read("SELECT max(ends) FROM item WHERE ends <= ?", (at,))
        return sha256(repr((sources, begun, ended)).encode()).hexdigest()[:24]

    def replace(self, taken: Taken, items: Iterable[Item]) -> Taken:
        """Take a source in the place of what was there of it; return it with its counts. All or nothing.

        Raises what ``items`` raises, with everything as it was.
        """

        def take(execute: Execute) -> Taken:
            execute("DELETE FROM item WHERE source = ?", (taken.source,))
            execute("DELETE FROM unread WHERE source = ?", (taken.source,))
            kept: set[tuple[str, str]] = set()
            broken = passed = 0
            seen = sha256()
            for item in items:
                if isinstance(item, Unread):
                    broken += item.broken
                    passed += not item.broken
                    if broken + passed <= MAX_UNREAD:
                        row = (taken.source, broken + passed, item.place, item.reason, int(item.broken))
                        execute("INSERT INTO unread VALUES (?, ?, ?, ?, ?)", row)
                    continue
                kept.add(self._put(execute, taken.source, item, seen))
            counts = Counter(kind for kind, _ in sorted(kept))
            done = msgspec.structs.replace(taken, items=dict(counts), unread=broken)
            execute("DELETE FROM source WHERE name = ?", (taken.source,))
            execute("INSERT INTO source VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*_row(done), seen.hexdigest()[:16]))
            return done

        return self._database.transact(take)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._database.close()

    def _put(self, execute: Execute, source: str, item: Item, seen: Any) -> tuple[str, str]:  # noqa: ANN401 - a running digest
        """Write an item under each of its keys; return its kind and id."""
        body = _encoder.encode(item)
        digest = sha256(body).hexdigest()[:24]
        begins = ends = None
        identifier = digest
        if isinstance(item, Indicator):
            begins, ends = item.valid_from, item.valid_until
        elif not isinstance(item, Unread):
            identifier = item.id
        seen.update(body)
        kind = _KINDS[type(item)]
        for key in self._keys(item):
            row = (source, kind, identifier, key, instant_or_none(begins) or "", instant_or_none(ends) or _NEVER, body)
            execute("INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return kind, identifier

    def _keys(self, item: Item) -> set[str]:
        """Return the keys of an item: an advisory has one for each project that it speaks of."""
        if isinstance(item, Indicator):
            return {self._normal_key(item)}
        if not isinstance(item, Advisory):
            return {""}
        named = {(one.ecosystem, one.name) for one in item.affected if one.ecosystem in self._normal}
        return {f"package:{ecosystem}/{self._named(ecosystem, name)}" for ecosystem, name in named} or {""}

    def _normal_key(self, item: Indicator) -> str:
        parts = package_of(item.value) if item.kind is IndicatorKind.PACKAGE else None
        if parts is None or parts[0] not in self._normal:
            return key_of(item)
        return f"package:{parts[0]}/{self._named(parts[0], parts[1])}"

    def _named(self, ecosystem: str, name: str) -> str:
        try:
            return self._normal[ecosystem](name)
        except ValueError:
            return name

    def _decoded(self, rows: Rows, kind: type[_T]) -> tuple[_T, ...]:
        try:
            return tuple(msgspec.msgpack.decode(row[0], type=kind) for row in rows)
        except msgspec.DecodeError as error:
            raise IntelligenceError(f"the intelligence {self.path} holds a broken {_KINDS[kind]}: {error}") from error


def _row(taken: Taken) -> tuple[object, ...]:
    seconds = None if taken.max_age is None else int(taken.max_age.total_seconds())
    counts = msgspec.json.encode(taken.items).decode()
    return (
        *(taken.source, taken.feed, taken.place, instant(taken.at), counts, taken.unread),
        *(taken.tlp.value, taken.licence, seconds),
    )


def _taken(row: Sequence[Any]) -> Taken:
    source, feed, place, at, items, unread, tlp, licence, seconds = row
    counts = msgspec.json.decode(items, type=dict[str, int])
    age = None if seconds is None else timedelta(seconds=seconds)
    return Taken(source, feed, place, datetime.fromisoformat(at), counts, unread, Tlp(tlp), licence, age)
