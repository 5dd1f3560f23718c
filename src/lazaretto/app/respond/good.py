"""To which version to go back, as far as the intelligence on a campaign names versions that are known to be good."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from lazaretto.app.inventory.exposed import Asked
from lazaretto.app.ports import Ecosystem
from lazaretto.app.respond.incident import Good
from lazaretto.core.intel import Indicator, IndicatorKind, Use


def known_good(
    indicators: Iterable[Indicator], releases: Iterable[Asked], ecosystem: Callable[[str], Ecosystem]
) -> Iterator[Good]:
    """Yield for each bad release the known-good version that comes next below it, so that each line keeps its own."""
    known: dict[tuple[str, str], list[str]] = {}
    for one in indicators:
        found = _purl(one.value) if one.kind is IndicatorKind.PACKAGE and one.use is Use.KNOWN_GOOD else None
        if found is not None:
            known.setdefault(found[:2], []).append(found[2])
    for asked in releases:
        house = ecosystem(asked.ecosystem)
        key = cast("Callable[[str], Any]", house.sort_key)
        try:
            versions = [house.version(text) for text in known.get((asked.ecosystem, asked.name), ())]
        except ValueError:
            continue
        below = [one for one in versions if key(one) < key(asked.version)]
        if below:
            yield Good(asked.ecosystem, asked.name, max(below, key=key), asked.version)


def _purl(text: str) -> tuple[str, str, str] | None:
    kind, slash, rest = text.removeprefix("pkg:").partition("/")
    name, at, version = rest.rpartition("@")
    if not text.startswith("pkg:") or not slash or not at or not name:
        return None
    return kind, name.replace("%40", "@"), version
