"""What may leave: by its marking, its validity and the campaign that is asked for. What stays is counted, with why."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.core.exchange import Collection, stricter
from lazaretto.core.intel import Tlp
from lazaretto.core.knowledge import Knowledge


class PassedOn(Struct, frozen=True):
    """What leaves, and how many indicators do not, by the reason why."""

    collection: Collection
    kept_back: Mapping[str, int]


def shipped_too(imported: Collection | None, knowledge: Knowledge, product: str) -> Collection:
    """Return what was imported with what ships beside it. Of its own, what ships is as old as the youngest campaign."""
    last = max((one.last_seen or one.first_seen for one in knowledge.campaigns), default=date.min)
    base = imported or Collection(product, datetime.combine(last, time(), UTC))
    return replace(
        base,
        indicators=tuple(dict.fromkeys((*base.indicators, *knowledge.indicators))),
        campaigns=(*base.campaigns, *knowledge.campaigns),
        actors=(*base.actors, *knowledge.sets),
    )


def passed_on(whole: Collection, now: datetime, most: Tlp, campaign: str = "") -> PassedOn:
    """Return what may leave of a collection.

    Args:
        whole: all that there is.
        now: what is no longer valid at this instant stays.
        most: the strictest marking that may leave.
        campaign: the id or name of the only campaign that is asked for; empty: all.
    """
    named = {one.id for one in whole.campaigns if campaign in (one.id, one.name)} | {campaign}
    named |= {one.name for one in whole.campaigns if one.id in named}
    kept_back: Counter[str] = Counter()
    leaving = []
    for one in whole.indicators:
        if campaign and one.campaign not in named:
            continue
        if stricter(one.tlp, most) is not most:
            kept_back[f"marked TLP:{one.tlp.value.upper()} (--tlp {one.tlp.value} lets it leave)"] += 1
        elif one.valid_until is not None and one.valid_until <= now:
            kept_back["no longer valid"] += 1
        else:
            leaving.append(one)
    campaigns = tuple(one for one in whole.campaigns if not campaign or one.id in named)
    actors = () if campaign else whole.actors
    kept = replace(whole, indicators=tuple(leaving), campaigns=campaigns, actors=actors)
    return PassedOn(kept, dict(sorted(kept_back.items())))
