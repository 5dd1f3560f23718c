"""What ledger and journal ask of a database: statements that SQLite and PostgreSQL both know, and few promises.

Statements mark values with ``?``. Where the two spell something differently, a schema has a word in braces for it.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from msgspec import Struct

T = TypeVar("T")
Rows = list[tuple[Any, ...]]
Execute = Callable[[str, Sequence[object]], Rows]
"""(statement, values) -> its rows, inside a transaction."""


class Schema(Struct, frozen=True):
    """Tables of one purpose.

    ``tables`` are statements that make them, each harmless if repeated, with ``{number}`` for a number that grows with
    each row, ``{ordered}`` for text that is compared sign by sign, ``{bytes}`` for bytes. Rows of ``kept`` tables are
    never changed or removed: triggers refuse it.
    """

    name: str
    version: int
    tables: str
    kept: tuple[str, ...]


class Database(Protocol):
    """An opened schema. Several threads may use it. Every method raises the error of whoever it was opened for."""

    def read(self, query: str, values: Sequence[object] = ()) -> Rows:
        """Return the rows of a query; none if nothing was ever written."""
        ...

    def write(self, statement: str, values: Sequence[object]) -> Rows:
        """Carry out one statement; it is committed when this returns."""
        ...

    def write_at_once(self, statement: str, values: Sequence[object]) -> bool:
        """Carry out one statement if nobody and nothing has to be waited for; False: it was not carried out."""
        ...

    def transact(self, work: Callable[[Execute], T]) -> T:
        """Carry out work in one transaction, all or nothing, and return what it returns.

        All such transactions on a schema follow one another, also those of other processes: numbers that they give
        are seen in their order, and what one of them has read stays true until it has ended. ``work`` may be called
        twice, if the first time came to nothing.
        """
        ...

    def close(self) -> None:
        """Close; the next use opens it again."""
        ...


def instant(at: datetime) -> str:
    """Return a time as text whose order is that of time. Raises ValueError if it has no zone."""
    if at.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def instant_or_none(at: datetime | None) -> str | None:
    """Return the same, or None of None."""
    return instant(at) if at is not None else None
