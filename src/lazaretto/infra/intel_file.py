"""Campaigns and their indicators from one JSON file, in the words of ``core.intel``; strictly, or not at all."""

from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from lazaretto.app.respond.ports import IncidentError
from lazaretto.core.intel import Campaign, Indicator
from lazaretto.core.knowledge import Knowledge

MAX_INTEL = 64 << 20
"""Largest file of intelligence, in bytes."""


class _Intel(Struct, frozen=True, forbid_unknown_fields=True):
    campaigns: tuple[Campaign, ...] = ()
    indicators: tuple[Indicator, ...] = ()


def intel(path: Path) -> Knowledge:
    """Return what a file says; an indicator without a campaign belongs to the only one. Raises IncidentError."""
    try:
        if path.stat().st_size > MAX_INTEL:
            raise IncidentError(f"{path}: larger than {MAX_INTEL} bytes")
        found = msgspec.json.decode(path.read_bytes(), type=_Intel)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IncidentError(f"{path}: {error}") from error
    alone = found.campaigns[0].id if len(found.campaigns) == 1 else ""
    indicators = (one if one.campaign else replace(one, campaign=alone) for one in found.indicators)
    return Knowledge(campaigns=found.campaigns, indicators=tuple(indicators))
