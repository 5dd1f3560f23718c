"""Bringing a document of intelligence in: which feed reads it, what is kept, and what of it was not read."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from lazaretto.app.intelligence.ports import SHIPPED, Book, Feed, IntelligenceError, Taken
from lazaretto.core.advisory import FeedError
from lazaretto.core.exchange import NEVER_BLOCKED, Item, Told, Unread
from lazaretto.core.intel import Indicator


def feed_for(data: bytes, feeds: Mapping[str, Feed], wanted: str | None) -> str:
    """Return the name of the feed that reads a document: the one that is wanted, or that claims it most.

    Raises:
        IntelligenceError: there is none.
    """
    if wanted is not None:
        if wanted not in feeds:
            raise IntelligenceError(f"there is no feed {wanted!r} (there are: {', '.join(sorted(feeds))})")
        return wanted
    claims = {name: feed.claims(data) for name, feed in feeds.items()}
    best = max(sorted(claims), key=lambda name: claims[name])
    if not claims[best]:
        raise IntelligenceError("it looks like nothing that can be read; name its form with --form")
    return best


def bring(
    documents: Iterable[tuple[str, bytes]],
    feeds: Mapping[str, Feed],
    book: Book,
    told: Told,
    now: datetime,
    *,
    wanted: str | None = None,
    max_age: timedelta | None = None,
) -> Taken:
    """Take documents as one source, in the place of what was there of it; return what came of them.

    Args:
        documents: the place of each, and its bytes.
        feeds: what can be read, by name.
        book: where it is kept.
        told: what whoever brings it says of it.
        now: the instant at which it is taken.
        wanted: the feed that must read it.
        max_age: for how long it counts; None: for ever.

    Raises:
        IntelligenceError: a document is none that any feed can read, or the book cannot be written.
    """
    named = [(place, data, feed_for(data, feeds, wanted)) for place, data in documents]
    taken = Taken(
        source=told.source.name,
        feed=", ".join(dict.fromkeys(feed for _, _, feed in named)),
        place=", ".join(place for place, _, _ in named),
        at=now,
        tlp=told.tlp,
        licence=told.source.licence,
        max_age=max_age,
    )
    several = len(named) > 1

    def items() -> Iterable[Item]:
        for place, data, feed in named:
            try:
                for item in feeds[feed].read(data, told):
                    yield _placed(item, place) if several and isinstance(item, Unread) else item
            except FeedError as error:
                raise IntelligenceError(f"{place} cannot be read as {feed}: {error}") from None

    return book.replace(taken, items())


def spare(book: Book, shipped: Iterable[Indicator], now: datetime) -> None:
    """Put beside what is imported what ships that nobody is to be blocked for. Raises IntelligenceError.

    Widely copied errors and shared values stand in many a list; whoever imports one must not be hurt by them.
    """
    taken = Taken(SHIPPED, "knowledge", "what ships with this program", now)
    book.replace(taken, [one for one in shipped if one.use in NEVER_BLOCKED])


def _placed(unread: Unread, place: str) -> Unread:
    return Unread(f"{place}: {unread.place}", unread.reason, unread.broken)
