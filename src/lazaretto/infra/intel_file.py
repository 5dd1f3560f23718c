"""Campaigns and their indicators from one JSON file, in the words of ``core.intel``; strictly, or not at all."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from lazaretto.app.respond.ports import IncidentError
from lazaretto.core.intel import Campaign, Indicator

MAX_INTEL = 64 << 20
"""Largest file of intelligence, in bytes."""


class Intel(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. An indicator that names no campaign belongs to the only one there is."""

    campaigns: tuple[Campaign, ...] = ()
    indicators: tuple[Indicator, ...] = ()


class IntelFile:
    """``app.respond.ports.Knowledge`` of one file; without a file, nothing is known."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._intel: Intel | None = None

    def campaigns(self) -> Sequence[Campaign]:
        """Return every campaign."""
        return self._read().campaigns

    def indicators(self, campaign: str) -> Sequence[Indicator]:
        """Return the indicators of one campaign, by its id."""
        intel = self._read()
        alone = {one.id for one in intel.campaigns} == {campaign}
        return tuple(one for one in intel.indicators if one.campaign == campaign or (alone and not one.campaign))

    def _read(self) -> Intel:
        if self._intel is None:
            self._intel = Intel() if self._path is None else self._decoded(self._path)
        return self._intel

    @staticmethod
    def _decoded(path: Path) -> Intel:
        try:
            if path.stat().st_size > MAX_INTEL:
                raise IncidentError(f"{path}: larger than {MAX_INTEL} bytes")
            return msgspec.json.decode(path.read_bytes(), type=Intel)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise IncidentError(f"{path}: {error}") from error
