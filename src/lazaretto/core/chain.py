"""An append-only chain of entries, each sealed with the hash of the one before: whoever changes one breaks the rest.

What a chain alone shows is a change, a removal, a swap or an insertion by someone who did not seal everything after
it anew. Against someone who did, or who cut off its end, stands a *head* that was noted elsewhere (in a log, on
paper, on another machine): a chain that does not lead to it is not the one it was.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec
from msgspec import Struct

from lazaretto.core.names import Digest

Content = Mapping[str, str | int | bool | None]
"""What an entry says: flat, without fractions, so that it has one spelling only."""

_PLAIN = {str, int, bool, type(None)}
_SEAL = b"lazaretto chain 1"


class Head(Struct, frozen=True):
    """Where a chain stands: the number of its last entry, and that entry's hash. Numbers start at 1."""

    number: int
    hash: Digest


START = Head(0, Digest(f"sha256:{'0' * 64}"))
"""Where a chain stands that has no entry yet."""


class Entry(Struct, frozen=True):
    """One entry as it is kept. ``previous`` and ``hash`` seal ``content`` into its place."""

    number: int
    content: Content
    previous: Digest
    hash: Digest

    @property
    def head(self) -> Head:
        """Where the chain stands after it."""
        return Head(self.number, self.hash)


class Break(Struct, frozen=True):
    """The first place where a chain is not what it was: the number of the entry, and why."""

    number: int
    reason: str


def canonical(content: Content) -> bytes:
    """Return the one spelling of a content: JSON in UTF-8, keys in order, no spaces.

    Raises:
        ValueError: a text has half of a surrogate pair, which UTF-8 cannot write.
        TypeError: a value is of another type than ``Content`` says.
    """
    if {type(key) for key in content} - {str} or {type(value) for value in content.values()} - _PLAIN:
        raise TypeError("an entry of a chain holds texts, whole numbers, true, false and null, and nothing else")
    return msgspec.json.encode(content, order="sorted")


def append(head: Head, content: Content) -> Entry:
    """Return the entry that follows a head. Raises what ``canonical`` raises."""
    number = head.number + 1
    return Entry(number, content, head.hash, _hash(number, head.hash, content))


def verify(entries: Iterable[Entry], known: Iterable[Head] = (), start: Head = START) -> Break | None:
    """Return the first break of a chain, or None if it holds and leads through every head that is known.

    Args:
        entries: all of them, in order, from ``start`` on. They are looked at once, one at a time.
        known: heads that were noted elsewhere, at any time since ``start``.
        start: where an earlier verification ended, to go on from there.
    """
    waiting = {head.number: head.hash for head in known if head.number > start.number}
    at = start
    for entry in entries:
        reason = _wrong(at, entry)
        if reason:
            return Break(at.number + 1, reason)
        if waiting.pop(entry.number, entry.hash) != entry.hash:
            return Break(entry.number, "its hash is another than the one that was noted for it")
        at = entry.head
    if waiting:
        number = max(waiting)
        return Break(at.number + 1, f"the chain ends here, and entry {number} was noted: its end was cut off")
    return None


def _wrong(at: Head, entry: Entry) -> str:
    """Return why an entry does not follow a head, or nothing."""
    if entry.number != at.number + 1:
        return f"it has the number {entry.number}: an entry was removed, put in or moved"
    if entry.previous != at.hash:
        return "it follows another entry than the one before it: an entry was changed, removed, put in or moved"
    try:
        expected = _hash(entry.number, entry.previous, entry.content)
    except (TypeError, ValueError):
        return "what it says cannot be sealed: it was changed"
    return "" if entry.hash == expected else "its hash is not that of what it says: it was changed"


def _hash(number: int, previous: Digest, content: Content) -> Digest:
    # The first three lines hold no line end, so that no two entries give the same bytes.
    sealed = b"\n".join((_SEAL, str(number).encode(), previous.encode(), canonical(content)))
    return Digest(f"sha256:{sha256(sealed).hexdigest()}")
