"""What is asked of every feed, present and future. Nothing here names one.

A feed's seeds are the files in ``tests/contracts/feeds`` whose names start with its own and a hyphen.
"""

import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto._plugins import discover
from lazaretto.core.advisory import Advisory, Applies, FeedError, affects
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM
from lazaretto.ecosystems.pypi import ECOSYSTEM as PYPI

MODULES = discover("lazaretto.feeds", ("URL", "LICENCE", "MAX_AGE", "parse"))
SEEDS = {path.name: path.read_bytes() for path in sorted(Path(__file__).with_name("feeds").iterdir())}
TOKENS = (b"null", b"{}", b"[]", b"0", b"true", b'""', b'"x"', b"\xff", b"\0", b"\n", b"PK\x03\x04", b"[" * 2000)


class Feed(Protocol):
    """The names that a feed offers at module level."""

    URL: str
    LICENCE: str
    MAX_AGE: timedelta

    def parse(self, data: bytes) -> Iterator[Advisory]:
        """Yield the advisories."""
        ...


def short_name(module: ModuleType) -> str:
    """Return the last part of a module's name."""
    return module.__name__.rpartition(".")[2]


each = pytest.mark.parametrize("feed", MODULES, ids=short_name)


def seeds(feed: ModuleType) -> dict[str, bytes]:
    """Return the seed files of a feed."""
    return {name: data for name, data in SEEDS.items() if name.startswith(f"{short_name(feed)}-")}


def check(feed: Feed, data: bytes) -> list[Advisory] | None:
    """Parse bytes and assert what must hold of them; None if the feed was refused."""
    try:
        found = list(feed.parse(data))
    except FeedError as error:
        assert error.place
        assert error.reason
        assert str(error).isprintable()
        return None
    assert found, "a feed without a record would take back all that was told before"
    for one in found:
        assert type(one) is Advisory
        assert one.id.isascii()
        assert one.id.isprintable()
        assert one.modified.tzinfo is UTC
    return found


@each
def test_a_feed_says_what_it_is(feed: Feed) -> None:
    """Where it is published, under which licence, and for how long it may be believed."""
    assert re.match(r"https://[a-z0-9.-]+/", feed.URL)
    assert feed.LICENCE
    assert timedelta() < feed.MAX_AGE <= timedelta(days=7)


@each
def test_seeds_are_read(feed: ModuleType) -> None:
    """Each feed has recorded samples, and reads the same records out of them each time."""
    assert seeds(feed), "add a small inert sample to tests/contracts/feeds"
    for name, data in seeds(feed).items():
        found = check(feed, data)
        assert found, name
        assert list(feed.parse(data)) == found


@each
def test_what_was_withdrawn_applies_to_nothing(feed: ModuleType) -> None:
    """A seed has a record that was withdrawn, and no version is affected by it."""
    withdrawn = [one for data in seeds(feed).values() for one in feed.parse(data) if one.withdrawn]

    assert withdrawn
    for advisory in withdrawn:
        for ecosystem in (NPM, PYPI):
            for affected in advisory.affected:
                name, version = ecosystem.name(affected.name), ecosystem.version("1.0.0")
                assert affects(advisory, ecosystem, name, version) is Applies.NO


@each
@given(data=st.one_of(st.binary(), st.lists(st.sampled_from(TOKENS)).map(b"".join)))
def test_any_bytes_give_records_or_one_error(feed: Feed, data: bytes) -> None:
    """Whatever comes: records that are well formed, or one error with its place."""
    check(feed, data)


@each
@given(data=st.data())
def test_damage_gives_records_or_one_error(feed: ModuleType, data: st.DataObject) -> None:
    """The same for a real feed in which something was cut out or put in."""
    whole = data.draw(st.sampled_from(list(seeds(feed).values())))
    start = data.draw(st.integers(0, len(whole)))
    length = data.draw(st.integers(0, 40))
    token = data.draw(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=5)))

    check(feed, whole[:start] + token + whole[start + length :])
