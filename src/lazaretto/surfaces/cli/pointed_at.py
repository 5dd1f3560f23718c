"""Releases that intelligence points at: those of a campaign, and those that a document of indicators names.

Only what is told to be blocked or hunted points at anything.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from lazaretto.app.inventory.exposed import Asked
from lazaretto.app.ports import PortError
from lazaretto.bootstrap import App
from lazaretto.core.intel import Indicator, IndicatorKind, Use
from lazaretto.surfaces.cli.common import UsageError, named, parse_target


class Pointed(Struct, frozen=True):
    """The releases, each once, and what was left out, for a person."""

    asked: tuple[Asked, ...] = ()
    notes: tuple[str, ...] = ()


def by_campaign(app: App, name: str) -> Pointed:
    """Return the releases of a campaign that ships or was imported. Raises UsageError."""
    from lazaretto.surfaces.cli.intel._common import known, unknown
    from lazaretto.surfaces.cli.respond import campaign_of

    knowledge = known(app)
    campaign = campaign_of(knowledge, name)
    if campaign is None:
        raise unknown("campaign", name, (one.id for one in knowledge.campaigns))
    return _pointed(app, (*campaign.packages, *_packages(knowledge.of_campaign(campaign.id))), campaign.id)


def by_document(app: App, path: str) -> Pointed:
    """Return the releases that a document of indicators names, in any form that can be imported. Raises UsageError."""
    from lazaretto.app.intelligence.bring import feed_for
    from lazaretto.core.advisory import FeedError
    from lazaretto.core.exchange import Told, Unread
    from lazaretto.core.intel import Source
    from lazaretto.surfaces.cli.intel._sources import feeds

    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    readers = feeds()
    try:
        items = list(readers[feed_for(data, readers, None)].read(data, Told(Source(path))))
    except (PortError, FeedError) as error:
        raise UsageError(f"{path}: {error}") from error
    unread = tuple(f"{path}: {one.place}: {one.reason}" for one in items if isinstance(one, Unread) and one.broken)
    found = _pointed(app, _packages(one for one in items if isinstance(one, Indicator)), path)
    return Pointed(found.asked, (*found.notes, *unread))


def _packages(indicators: Iterable[Indicator]) -> Iterator[str]:
    for one in indicators:
        if one.kind is IndicatorKind.PACKAGE and one.use in (Use.BLOCK, Use.HUNT):
            yield one.value


def _pointed(app: App, purls: Iterable[str], whence: str) -> Pointed:
    asked: dict[Asked, None] = {}
    notes: list[str] = []
    for purl in dict.fromkeys(purls):
        target = parse_target(purl, None)
        if target.ecosystem not in app.ecosystems:
            notes.append(f"{whence}: {purl} is of another registry: not asked")
        elif target.version is None:
            notes.append(f"{whence}: {purl} names no version: not asked")
        else:
            name, version = named(app, target.ecosystem, target.name, target.version)
            if version is not None:
                asked.setdefault(Asked(target.ecosystem, name, version))
    if not asked:
        raise UsageError(f"{whence} names no release that could be asked about")
    return Pointed(tuple(asked), tuple(notes))
