"""What an output module offers: ``FORMAT`` and ``render(report, options) -> str``; and text that can be written.

One whose text may be large offers ``pieces(report, options)`` as well, which yields the same text.
"""

from typing import Protocol, TypeVar

import msgspec
from msgspec import Struct

from lazaretto.app.report import Report

Reported = TypeVar("Reported", bound=Struct)


class Format(Struct, frozen=True):
    """The name for ``--format``, and the media type."""

    name: str
    media_type: str


class RenderOptions(Struct, frozen=True):
    """``colour`` only for a terminal; ``width`` in columns; ``verbose`` shows records and allowed parts in full."""

    colour: bool = False
    width: int = 80
    verbose: bool = False


class OutputModule(Protocol):
    """The names a module ``outputs/<format>.py`` exposes."""

    FORMAT: Format

    def render(self, report: Report, options: RenderOptions) -> str:
        """Return the report as text. Deterministic; every text from outside is inert in this format."""
        ...


def encodable(value: Reported) -> Reported:
    r"""Return a report whose every text can be written as UTF-8: a lone surrogate is spelled ``\u{d800}``.

    Code may hold half of a surrogate pair (ECMA-262 allows it in strings), and evidence quotes code. It is
    spelled as ``core.inert`` spells it, so that a report that was written down reads as it did when it was new.
    """
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.convert(_spelled(msgspec.to_builtins(value)), type(value))
    return value


def encoded(value: Struct) -> bytes:
    """Return a report, or a part of one, as JSON, spelled as ``encodable`` does."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_spelled(msgspec.to_builtins(value)))


def _spelled(value: object) -> object:
    if isinstance(value, str):
        return (
            value
            if value.isascii()
            else "".join(f"\\u{{{ord(c):x}}}" if "\ud800" <= c <= "\udfff" else c for c in value)
        )
    if isinstance(value, dict):
        return {_spelled(key): _spelled(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(inner) for inner in value]
    return value
