"""What is asked of every feed, present and future. Nothing here names one.

A feed's seeds are the files in ``tests/contracts/feeds`` whose names start with its own and a hyphen. Some feeds are
databases of advisories, which the firewall keeps up to date: these have ``parse`` beside ``read``.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, timedelta
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto._plugins import discover
from lazaretto.core.advisory import Advisory, Applies, FeedError, affects
from lazaretto.core.exchange import NEVER_BLOCKED, Item, Told, Unread
from lazaretto.core.intel import Campaign, Confidence, Indicator, IntrusionSet, Source, Tlp, Use
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM
from lazaretto.ecosystems.pypi import ECOSYSTEM as PYPI

MODULES = discover("lazaretto.feeds", ("URL", "LICENCE", "MAX_AGE", "claims", "read"))
DATABASES = tuple(module for module in MODULES if hasattr(module, "parse"))
SEEDS = {path.name: path.read_bytes() for path in sorted(Path(__file__).with_name("feeds").iterdir())}
TOKENS = (b"null", b"{}", b"[]", b"0", b"true", b'""', b'"x"', b"\xff", b"\0", b"\n", b"PK\x03\x04", b"[" * 2000)
TOLD = Told(Source("somebody", "https://feed.invalid/", None, "a licence"))


class Feed(Protocol):
    """The names that a feed offers at module level."""

    URL: str
    LICENCE: str
    MAX_AGE: timedelta

    def claims(self, data: bytes) -> int:
        """Return how much the bytes look like its own."""
        ...

    def read(self, data: bytes, told: Told) -> Iterable[Item]:
        """Yield what a document says, and what of it was not read."""
        ...


class Database(Feed, Protocol):
    """A feed of advisories alone."""

    def parse(self, data: bytes) -> Iterator[Advisory]:
        """Yield the advisories."""
        ...


def short_name(module: ModuleType) -> str:
    """Return the last part of a module's name."""
    return module.__name__.rpartition(".")[2]


each = pytest.mark.parametrize("feed", MODULES, ids=short_name)
each_database = pytest.mark.parametrize("feed", DATABASES, ids=short_name)


def seeds(feed: ModuleType) -> dict[str, bytes]:
    """Return the seed files of a feed."""
    return {name: data for name, data in SEEDS.items() if name.startswith(f"{short_name(feed)}-")}


def check(feed: Feed, data: bytes) -> list[Item] | None:
    """Read bytes and assert what must hold of them; None if the document was refused."""
    assert 0 <= feed.claims(data) <= 9
    try:
        found = list(feed.read(data, TOLD))
    except FeedError as error:
        assert error.place
        assert error.reason
        assert str(error).isprintable()
        return None
    for item in found:
        check_item(item)
    return found


def check_item(item: Item) -> None:
    """Assert what must hold of anything that a feed gives."""
    if isinstance(item, Unread):
        assert item.place
        assert item.reason
        assert f"{item.place}{item.reason}".isprintable()
    elif isinstance(item, Advisory):
        assert item.id.isascii()
        assert item.id.isprintable()
        assert item.modified.tzinfo is UTC
    elif isinstance(item, Indicator):
        assert item.value
        assert item.sources
        for at in (item.valid_from, item.valid_until):
            assert at is None or at.tzinfo is UTC
    else:
        assert isinstance(item, Campaign | IntrusionSet)
        assert item.sources


def check_database(feed: Database, data: bytes) -> list[Advisory] | None:
    """Take a whole database, or none of it."""
    try:
        found = list(feed.parse(data))
    except FeedError as error:
        assert str(error).isprintable()
        return None
    assert found, "a feed without a record would take back all that was told before"
    for one in found:
        check_item(one)
    return found


@each
def test_a_feed_says_what_it_is(feed: Feed) -> None:
    """Where it is published, under which licence, and for how long it may be believed."""
    assert re.match(r"https://[a-z0-9.-]+/", feed.URL)
    assert feed.LICENCE
    assert timedelta() < feed.MAX_AGE <= timedelta(days=7)


@each
def test_seeds_are_read(feed: ModuleType) -> None:
    """Each feed has recorded samples, claims them more than any other, and reads the same out of them each time."""
    assert seeds(feed), "add a small inert sample to tests/contracts/feeds"
    for name, data in seeds(feed).items():
        found = check(feed, data)
        assert found, name
        assert any(not isinstance(item, Unread) for item in found), name
        assert list(feed.read(data, TOLD)) == found
        assert max(MODULES, key=lambda one: one.claims(data)) is feed, name


@each
def test_what_is_broken_is_told_and_the_rest_is_read(feed: ModuleType) -> None:
    """A seed has something that is broken, with its place, and something that is read after it."""
    for data in seeds(feed).values():
        found = check(feed, data) or []
        broken = [number for number, item in enumerate(found) if isinstance(item, Unread) and item.broken]
        if broken and any(not isinstance(item, Unread) for item in found[broken[0] :]):
            return
    pytest.fail("add a seed in which something is broken before something that is not")


@each
def test_whoever_imports_has_the_last_word(feed: ModuleType) -> None:
    """Use and confidence as they say, but for what spares the innocent; a marking never freer than they say."""
    told = Told(Source("me"), Use.HUNT, Confidence.LOW, Tlp.AMBER_STRICT)
    for data in seeds(feed).values():
        for item in feed.read(data, told):
            if isinstance(item, Indicator):
                assert item.use is Use.HUNT or item.use in NEVER_BLOCKED
                assert item.confidence is Confidence.LOW
                assert item.tlp in (Tlp.AMBER_STRICT, Tlp.RED)


@each
@given(data=st.one_of(st.binary(), st.lists(st.sampled_from(TOKENS)).map(b"".join)))
def test_any_bytes_give_items_or_one_error(feed: Feed, data: bytes) -> None:
    """Whatever comes: items that are well formed, or one error with its place."""
    check(feed, data)


@each
@given(data=st.data())
def test_damage_gives_items_or_one_error(feed: ModuleType, data: st.DataObject) -> None:
    """The same for a real document in which something was cut out or put in."""
    whole = data.draw(st.sampled_from(list(seeds(feed).values())))
    start = data.draw(st.integers(0, len(whole)))
    length = data.draw(st.integers(0, 40))
    token = data.draw(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=5)))

    check(feed, whole[:start] + token + whole[start + length :])


@each_database
def test_what_was_withdrawn_applies_to_nothing(feed: ModuleType) -> None:
    """A seed has a record that was withdrawn; no version is affected by it, and an import does not keep it."""
    withdrawn = [one for data in wholes(feed) for one in feed.parse(data) if one.withdrawn]

    assert withdrawn
    for advisory in withdrawn:
        for ecosystem in (NPM, PYPI):
            for affected in advisory.affected:
                name, version = ecosystem.name(affected.name), ecosystem.version("1.0.0")
                assert affects(advisory, ecosystem, name, version) is Applies.NO
    for data in seeds(feed).values():
        assert not any(isinstance(item, Advisory) and item.withdrawn for item in feed.read(data, TOLD))


def wholes(feed: ModuleType) -> Iterator[bytes]:
    """Yield the seeds that can be taken as a whole."""
    return (data for data in seeds(feed).values() if check_database(feed, data) is not None)


@each_database
def test_a_database_is_taken_as_a_whole_or_not_at_all(feed: ModuleType) -> None:
    """It reads the same each time, and what breaks the schema ends it."""
    assert list(wholes(feed))
    for data in wholes(feed):
        assert list(feed.parse(data)) == list(feed.parse(data))
    assert len(list(wholes(feed))) < len(seeds(feed)), "a seed has a broken record"


@each_database
@given(data=st.one_of(st.binary(), st.lists(st.sampled_from(TOKENS)).map(b"".join)))
def test_any_bytes_give_a_whole_database_or_one_error(feed: ModuleType, data: bytes) -> None:
    """Whatever comes."""
    check_database(feed, data)
