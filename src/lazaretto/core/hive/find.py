"""What is looked for in a hive, and what is found: names followed from the root, and nothing read beside the way."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import translate
from itertools import islice
from typing import Annotated

from msgspec import Meta, Struct

from lazaretto.core.hive.cells import HANDLE, LINK, Cells, Data, HiveFault, Key, Value
from lazaretto.core.hive.content import holds, texts
from lazaretto.core.hive.recovery import recovered

MAX_HITS = 1_000
"""Keys and values of one hive that are told one by one."""

MAX_FAULTS = 20
"""Places of one hive that cannot be read and are told one by one."""

_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_CURRENT = "currentcontrolset"
_SELECT = ("select", "current")


class Wanted(Struct, frozen=True, array_like=True):
    """One place to look at: the names from the root of the hive on, each a shell pattern, and the data if it matters.

    The last names may be those of keys, or the name of a value. ``number`` is the asker's.
    """

    number: int
    names: tuple[str, ...]
    data: str = ""


class Hit(Struct, frozen=True, array_like=True, order=True):
    """What lies at such a place: a key, or a value of it (``value`` is its name; None: the key itself).

    ``written`` says when the key was last changed, in seconds since 1970, UTC; None if it says nothing that can be.
    """

    number: Annotated[int, Meta(ge=0)]
    key: str
    value: str | None
    written: Annotated[int, Meta(gt=-11_644_473_601, lt=253_402_300_800)] | None


class Answer(Struct, frozen=True, array_like=True):
    """What was found in one hive, and what of it could not be read. ``read``: its root could be, at least."""

    hits: Annotated[tuple[Hit, ...], Meta(max_length=MAX_HITS)] = ()
    gaps: Annotated[tuple[str, ...], Meta(max_length=MAX_FAULTS + 1)] = ()
    read: bool = False


def look(data: Data, logs: Sequence[Data], wanted: Sequence[Wanted]) -> Answer:
    """Return what a hive has of what is wanted. It does not raise: what cannot be read is a gap."""
    gaps: dict[str, None] = {}
    hits: list[Hit] = []
    try:
        whole = recovered(data, logs)
        if whole.gap:
            gaps[whole.gap] = None
        cells = Cells(whole.data)
    except HiveFault as fault:
        return Answer(gaps=(*gaps, str(fault)))
    search = _Search(cells)
    for one in wanted:
        try:
            hits += islice(search.hits(one), MAX_HITS + 1 - len(hits))
        except HiveFault as fault:
            gaps[str(fault)] = None
    if len(hits) > MAX_HITS:
        gaps[f"has more than {MAX_HITS} keys and values that fit: the rest is not told"] = None
    told = [*gaps, *(fault for fault in cells.faults if fault not in gaps)]
    if len(told) > MAX_FAULTS:
        told = [*told[:MAX_FAULTS], f"and {len(told) - MAX_FAULTS} more places that cannot be read"]
    return Answer(tuple(sorted(dict.fromkeys(hits[:MAX_HITS]), key=_order)), tuple(told), read=True)


def _order(hit: Hit) -> tuple[int, str, bool, str]:
    return hit.number, hit.key, hit.value is not None, hit.value or ""


class _Search:
    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._patterns: dict[str, re.Pattern[str] | None] = {}

    def hits(self, one: Wanted) -> Iterator[Hit]:
        """Yield what fits. Raises HiveFault."""
        for names in self._control_sets(one.names):
            yield from self._below(one, self._cells.root, names, ())

    def _control_sets(self, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """Yield the names with what *current* means in a hive on a disk: all sets, if it does not say which."""
        if not names or names[0].casefold() != _CURRENT:
            yield names
            return
        number = self._current()
        yield (f"ControlSet{number:03}" if number else "ControlSet[0-9][0-9][0-9]", *names[1:])

    def _current(self) -> int:
        for offset in self._cells.names(self._cells.root).get(_SELECT[0], ()):
            for value in self._cells.values(self._cells.key(offset)):
                if value.name.casefold() == _SELECT[1]:
                    number = int.from_bytes(self._cells.data(value)[:4], "little")
                    return number if number < 1000 else 0
        return 0

    def _below(self, one: Wanted, key: Key, names: tuple[str, ...], path: tuple[str, ...]) -> Iterator[Hit]:
        """Yield what fits at a key, or below it. Raises HiveFault."""
        self._cells.spend()
        shown = "\\".join(path)
        if not names:
            if not one.data:
                yield _hit(one, key, shown, None)
            else:
                yield from self._valued(one, key, shown, None)
            return
        yield from self._valued(one, key, shown, "\\".join(names))
        if key.flags & LINK:
            self._tell_link(key, shown)
        if key.flags & HANDLE:
            self._cells.faults[f"{shown} is kept elsewhere: its values are not looked at"] = None
        for offset in self._matching(key, names[0]):
            below = self._cells.key(offset)
            yield from self._below(one, below, names[1:], (*path, below.name))

    def _matching(self, key: Key, name: str) -> Iterator[int]:
        known = self._cells.names(key)
        pattern = self._pattern(name)
        if pattern is None:
            yield from known.get(name.casefold(), ())
            return
        self._cells.spend(len(known))
        for other, offsets in known.items():
            if pattern.match(other):
                yield from offsets

    def _valued(self, one: Wanted, key: Key, shown: str, name: str | None) -> Iterator[Hit]:
        """Yield the values of a key with a name (None: any), and with the data that is wanted."""
        values = self._cells.values(key)
        self._cells.spend(len(values))
        for value in values:
            if name is not None and not self._named(value.name.strip("\0"), name):
                continue
            if not one.data or holds(self._texts(value), one.data):
                yield _hit(one, key, shown, value.name)

    def _named(self, name: str, wanted: str) -> bool:
        pattern = self._pattern(wanted)
        folded = name.casefold()
        return folded == wanted.casefold() if pattern is None else pattern.match(folded) is not None

    def _pattern(self, name: str) -> re.Pattern[str] | None:
        if name not in self._patterns:
            plain = {"*", "?", "["}.isdisjoint(name)
            self._patterns[name] = None if plain else re.compile(translate(name.casefold()))
        return self._patterns[name]

    def _texts(self, value: Value) -> tuple[str, ...]:
        try:
            data = self._cells.data(value)
            self._cells.spend(len(data) >> 8)
            return texts(value.kind, data)
        except HiveFault as fault:
            self._cells.faults[str(fault)] = None
            return ()

    def _tell_link(self, key: Key, shown: str) -> None:
        """Tell a key that stands for another; that of a user's classes is told by the hive that it leads to."""
        targets = [text for value in self._cells.values(key) for text in self._texts(value)[:1]]
        if not any(target.casefold().endswith("_classes") for target in targets):
            self._cells.faults[f"{shown} is a link to {', '.join(targets) or 'nowhere'}, which is not followed"] = None


def _hit(one: Wanted, key: Key, shown: str, value: str | None) -> Hit:
    try:
        written = int((_EPOCH + timedelta(microseconds=key.written // 10)).timestamp())
    except OverflowError:
        written = 0
    return Hit(one.number, shown, value, written if key.written and written else None)
