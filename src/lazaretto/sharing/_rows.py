"""An indicator as a row of texts, in the columns that ``feeds.lists`` reads."""

from datetime import UTC, datetime

from lazaretto.core.intel import Indicator

COLUMNS = ("type", "value", "use", "confidence", "context", "campaign", "tlp", "valid_from", "valid_until")


def fields(one: Indicator) -> dict[str, object]:
    """Return the fields of an indicator but for its sources."""
    told = (
        *(one.kind.value, one.value, one.use.value, one.confidence.value, one.context, one.campaign, one.tlp.value),
        *(_instant(one.valid_from), _instant(one.valid_until)),
    )
    return dict(zip(COLUMNS, told, strict=True))


def _instant(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at is not None else ""
