"""Brings the advisories up to date, again and again, each source in a process of its own.

A database of advisories takes seconds to read, of which whoever asks the firewall would notice each; and what is read
comes from elsewhere. So it is fetched and parsed apart: a source that is too much for its reader ends that reader and
nothing else, and its state says so.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from lazaretto._plugins import PluginError
from lazaretto.app.advice import AdvisoriesError, AdvisoryBook, Project, Source, update
from lazaretto.app.ports import PortError
from lazaretto.core.names import ProjectName
from lazaretto.infra.clock import SystemClock
from lazaretto.infra.http import HttpClient
from lazaretto.infra.redact import Secret
from lazaretto.infra.transport import Credentials, Transport, environment_proxies

if TYPE_CHECKING:
    from lazaretto.settings.sources import AdvisorySetting

EVERY_SECONDS = 600.0
"""How often each source is asked whether it has changed."""

MAX_SECONDS = 1800.0
"""Longest time in which a source may be fetched and read."""

ECOSYSTEMS = ("npm", "pypi")


class FeedPlace(Struct, frozen=True):
    """A source of advisories: its name, the feed that reads it, and a file or an address where it lies."""

    name: str
    place: str
    feed: str = "osv"
    token: Secret | None = None


def places(settings: Iterable["AdvisorySetting"], environment: Mapping[str, str]) -> list[FeedPlace]:
    """Return the sources that settings name. Raises PluginError for a feed that is none."""
    from lazaretto import _plugins

    found = []
    for one in settings:
        _plugins.load(f"lazaretto.feeds.{one.feed}", ("URL", "LICENCE", "MAX_AGE", "parse"))
        token = environment.get(one.token_env, "") if one.token_env else ""
        found.append(FeedPlace(one.name, one.place, one.feed, Secret(token) if token else None))
    return found


class FeedKeeper:
    """Asks all sources in turn, from a thread of its own, between ``start`` and ``close``."""

    def __init__(
        self,
        places: Iterable[FeedPlace],
        folder: Path,
        book: AdvisoryBook,
        changed: Callable[[frozenset[Project]], None],
        problem: Callable[[str], None],
        every: float = EVERY_SECONDS,
    ) -> None:
        """``folder`` is the book's.

        ``changed`` is called after each round, with the projects of which something else is said now, or with none:
        it is where whoever remembers answers looks at the book again. ``problem`` is told what went wrong.
        """
        self._places = tuple(places)
        self._folder = folder
        self._book = book
        self._changed = changed
        self._problem = problem
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feeds", daemon=True)

    def start(self) -> None:
        """Begin; the first round is at once."""
        self._thread.start()

    def close(self) -> None:
        """End, and do not wait for a source that is being read: it is taken as a whole or not at all."""
        self._stop.set()
        self._thread.join(2 * _POLL + 1)

    def round(self) -> frozenset[Project]:
        """Ask every source once, and return the projects of which something else is said."""
        changed: frozenset[Project] = frozenset()
        for place in self._places:
            if self._stop.is_set():
                break
            try:
                changed |= self._take(place)
            except AdvisoriesError as error:
                self._problem(str(error))
        return changed

    def _run(self) -> None:
        while not self._stop.is_set():
            self._changed(self.round())
            self._stop.wait(self._every)

    def _take(self, place: FeedPlace) -> frozenset[Project]:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        token = None if place.token is None else place.token.reveal()
        arguments = (theirs, place.name, place.place, place.feed, token, self._folder)
        process = context.Process(target=_child, args=arguments, name=f"feed {place.name}", daemon=True)
        process.start()
        theirs.close()
        try:
            return self._answer(place, ours)
        finally:
            ours.close()
            process.terminate()
            process.join(_POLL)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()

    def _answer(self, place: FeedPlace, ours: Connection) -> frozenset[Project]:
        left = MAX_SECONDS
        while left > 0 and not self._stop.is_set():
            if not ours.poll(_POLL):
                left -= _POLL
                continue
            try:
                found = ours.recv_bytes()
            except EOFError:
                break
            problem, projects = _decoder.decode(found)
            if problem:
                self._problem(f"advisories of {place.name}: {problem}")
            return frozenset(projects)
        if not self._stop.is_set():
            reason = "reading it took too long" if left <= 0 else "its reader died"
            self._book.failed(place.name, reason)
            self._problem(f"advisories of {place.name}: {reason}")
        return frozenset()


_POLL = 0.5
_decoder = msgspec.msgpack.Decoder(tuple[str, list[tuple[str, ProjectName]]])


def _child(answer: Connection, name: str, place: str, feed: str, token: str | None, folder: Path) -> None:
    """Take one source and answer what came of it; whatever goes wrong is its problem."""
    try:
        found = take(FeedPlace(name, place, feed, Secret(token) if token else None), folder)
    except (PortError, PluginError) as error:
        found = (str(error), frozenset())
    answer.send_bytes(msgspec.msgpack.encode(found))
    answer.close()


def _client(place: FeedPlace) -> tuple[HttpClient, Credentials | None]:
    environment = dict(os.environ)
    own = tuple(filter(None, (environment.get("SSL_CERT_FILE"),)))
    transport = Transport(proxies=environment_proxies(environment), ca_files=own)
    token = None if place.token is None else Credentials(Secret(f"Bearer {place.token.reveal()}"))
    return HttpClient(transport), token


def take(place: FeedPlace, folder: Path) -> tuple[str, frozenset[Project]]:
    """Bring one source up to date, here; return what is wrong with it, and the projects that it concerns.

    Raises:
        AdvisoriesError: the book cannot be read or written.
        PluginError: there is no such feed.
    """
    from lazaretto import _plugins
    from lazaretto.infra.advisories import SqliteAdvisories
    from lazaretto.infra.feed_source import from_address, from_file

    ecosystems = {one: _plugins.load(f"lazaretto.ecosystems.{one}", ("ECOSYSTEM",)).ECOSYSTEM for one in ECOSYSTEMS}
    feed = _plugins.load(f"lazaretto.feeds.{place.feed}", ("URL", "LICENCE", "MAX_AGE", "parse"))
    if place.place.startswith(("http://", "https://")):
        fetch = from_address(place.place, *_client(place))
    else:
        fetch = from_file(Path(place.place))
    book = SqliteAdvisories(folder, {name: one.name for name, one in ecosystems.items()})
    try:
        changed = update(Source(place.name, fetch, feed.parse), book, SystemClock().now())
        state = book.states().get(place.name)
        return (state.problem if state is not None else "", changed)
    finally:
        book.close()
