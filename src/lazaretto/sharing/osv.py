"""OSV 1.7: the releases that are to be blocked, a record for each project.

What low or unknown confidence says, and what anybody calls good, is not in it: whoever reads OSV takes it for blocking.
"""

from collections import defaultdict
from functools import reduce

from lazaretto.core.exchange import Collection, package_of, stricter
from lazaretto.core.intel import Indicator, IndicatorKind
from lazaretto.core.values import blockable
from lazaretto.outputs._ascii import document
from lazaretto.outputs._osv import known, record

MEDIA_TYPE = "application/json"
SUMMARY = "OSV records of the releases to block"


def render(collection: Collection) -> str:
    """Return a list of records."""
    told: dict[tuple[str, str, bool], list[tuple[str, Indicator]]] = defaultdict(list)
    for one in blockable(collection):
        parts = package_of(one.value) if one.kind is IndicatorKind.PACKAGE else None
        if parts is not None and known(parts[0]):
            told[parts[0], parts[1], bool(parts[2])].append((parts[2], one))
    return document([_record(collection, key[0], key[1], found) for key, found in sorted(told.items())])


def _record(collection: Collection, ecosystem: str, name: str, found: list[tuple[str, Indicator]]) -> dict[str, object]:
    indicators = [one for _, one in found]
    sources = [source for one in indicators for source in one.sources]
    names = ", ".join(dict.fromkeys(source.name for source in sources))
    contexts = dict.fromkeys(f"{one.value}: {one.context}" for one in indicators if one.context)
    return record(
        ecosystem,
        name,
        [version for version, _ in found if version],
        modified=collection.at,
        summary=f"Malicious code in {name} ({ecosystem})",
        details="\n".join([f"Reported by {names or 'an import'}.", *contexts]),
        references=[source.url for source in sources if source.url.startswith(("https://", "http://"))],
        specific={
            "lazaretto": {
                "product": collection.product,
                "campaigns": list(dict.fromkeys(one.campaign for one in indicators if one.campaign)),
                "tlp": reduce(stricter, (one.tlp for one in indicators)).value,
            }
        },
    )
