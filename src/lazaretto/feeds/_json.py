"""What the feeds share that read JSON: bounded decoding, times, texts, and errors that can be printed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from lazaretto.core.advisory import FeedError

MAX_FEED = 256 << 20
"""Largest document, in bytes."""

MAX_TEXT = 2000
"""Longest text that is kept, in characters."""

MAX_VALUE = 4000
"""Longest value of an indicator, in characters: a longer one is nobody's."""


def decoded(data: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what a JSON document holds. Raises FeedError."""
    if len(data) > MAX_FEED:
        raise FeedError("document", f"is larger than {MAX_FEED} bytes")
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise FeedError("document", plain(error)) from None


def plain(error: BaseException) -> str:
    """Return what went wrong on one line that does nothing."""
    return printable(str(error) or type(error).__name__)[:300]


def printable(text: str) -> str:
    """Return a text with a space for every sign that a terminal would act on."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)


def text(value: object, most: int = MAX_TEXT) -> str:
    """Return a text, cut; empty if the value is none. Halves of surrogate pairs cannot come out of JSON as bytes."""
    return value[:most] if isinstance(value, str) else ""


def items(value: object) -> list[Any]:
    """Return a list; empty if the value is none."""
    return value if isinstance(value, list) else []


def fields(value: object) -> dict[str, Any]:
    """Return an object; empty if the value is none."""
    return value if isinstance(value, dict) else {}


def texts(value: object) -> Iterator[str]:
    """Yield the texts of a list."""
    return (one[:MAX_TEXT] for one in items(value) if isinstance(one, str))


def instant(value: object) -> datetime | None:
    """Return a time (RFC 3339, or seconds since 1970) in UTC; None if the value is none."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if not isinstance(value, str):
            return None
        if value.isascii() and value.isdigit():
            return datetime.fromtimestamp(int(value[:20]), UTC)
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def day(value: object) -> date | None:
    """Return the day of a time, or None."""
    found = instant(value)
    return found.date() if found is not None else None
