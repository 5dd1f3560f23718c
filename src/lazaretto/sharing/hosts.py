"""A block list of hosts and addresses, as CSV: what is to be blocked, by somebody who is sure, now.

What anybody told to be good, or not to be blocked, is not in it.
"""

from lazaretto.core.exchange import Collection
from lazaretto.core.intel import IndicatorKind
from lazaretto.core.values import blockable
from lazaretto.outputs._quote import row

MEDIA_TYPE = "text/csv"
SUMMARY = "a block list of hosts and addresses, as CSV"

_KINDS = (IndicatorKind.DOMAIN, IndicatorKind.IPV4, IndicatorKind.IPV6, IndicatorKind.CIDR)


def render(collection: Collection) -> str:
    """Return a table with a header."""
    lines = [row(("host", "type", "confidence", "campaign", "source"))]
    for one in blockable(collection):
        if one.kind in _KINDS:
            source = one.sources[0].name if one.sources else ""
            lines.append(row((one.value, one.kind.value, one.confidence.value, one.campaign, source)))
    return "".join(lines)
