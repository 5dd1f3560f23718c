"""What an output module offers: ``FORMAT`` and ``render(report, options) -> str``."""

from typing import Protocol

from msgspec import Struct

from lazaretto.app.report import Report


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
