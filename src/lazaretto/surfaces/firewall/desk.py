"""Between the server, which must not wait, and the gate, which does: threads, patience, and what was printed before."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from lazaretto.app.gate import Gate
from lazaretto.app.item import Item, Refused, served
from lazaretto.app.ports import Clock, Ecosystem, PortError, Served, Urgency
from lazaretto.app.shelf import View
from lazaretto.core.access import Viewer
from lazaretto.core.firewall_policy import FirewallPolicy, Mode, Undecided
from lazaretto.core.names import Digest, ProjectName
from lazaretto.core.view import PageView
from lazaretto.surfaces.firewall.press import Press, Printed
from lazaretto.surfaces.firewall.sealed import Sealed, kept
from lazaretto.surfaces.firewall.waiting import Bears, Waiting

ASKING = 64
"""Requests that may wait for an index or a registry at a time."""

HERE = 8
"""Threads for the ledger and the disk: whoever needs no more than these is not kept by a slow registry."""


MAX_SMALL = 2 << 20
"""Largest artifact that is kept in memory, in bytes."""

MAX_SMALL_BYTES = 64 << 20
"""Bytes of artifacts kept in memory, each verified when it was read; the longest unused go first."""

RETRY_AFTER = 5
"""Seconds after which a client is asked to try again while a reading goes on."""

AT_ONCE = 1
"""The same, where it was the request that waited."""

_POLL, _LOOK = 0.25, 1.0
_T = TypeVar("_T")


class NotDecided(PortError):
    """The client's patience ended before the reading did. ``after``: in how many seconds it may ask again."""

    def __init__(self, text: str, after: int = RETRY_AFTER) -> None:
        self.after = after
        super().__init__(text)


class Desk:
    """Answers for the routes. One for each event loop."""

    def __init__(self, gate: Gate, policy: FirewallPolicy, clock: Clock, *, near: bool = True) -> None:
        """``near``: the ledger is on this machine, and asking it for a number is no waiting."""
        self.gate = gate
        self._policy = policy
        self._clock = clock
        self._near = near
        self._asking = ThreadPoolExecutor(ASKING, thread_name_prefix="asking")
        self._here = ThreadPoolExecutor(HERE, thread_name_prefix="here")
        self._press = Press()
        self._small: OrderedDict[Digest, bytes | Sealed] = OrderedDict()
        self._small_bytes = 0
        self._waiting = Waiting(policy.patience.total_seconds())
        self._rows: list[tuple[Served, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._marked: tuple[int, int] | None = None

    def now(self) -> datetime:
        """Return the present instant."""
        return self._clock.now()

    def close(self) -> None:
        """Let what waits go."""
        for threads in (self._asking, self._here):
            threads.shutdown(wait=False, cancel_futures=True)

    async def run(self, function: Callable[..., _T], *arguments: object) -> _T:
        """Run what may wait for an index or a registry."""
        return await asyncio.get_running_loop().run_in_executor(self._asking, partial(function, *arguments))

    async def run_here(self, function: Callable[..., _T], *arguments: object) -> _T:
        """Run what waits for this machine alone."""
        return await asyncio.get_running_loop().run_in_executor(self._here, partial(function, *arguments))

    async def page(self, ecosystem: str, name: ProjectName, viewer: Viewer, bears: Bears) -> View:
        """Return a project's page, after the readings without which something would be missing that may be asked for.

        That is for a moment the newest finished releases, and for the whole patience anything at all. A client that
        asks again waits for the patience in pieces, each no longer than it ``bears``: see ``waiting``.

        Raises:
            NotDecided: nothing is on it yet, and the patience has ended; or the client may ask again.
            LedgerError, JournalError: nothing is on it, and what is read cannot be written down.
        """
        peek = self.gate.shelf.peek
        where = (ecosystem, name, viewer.group, self.now())
        known = peek(*where, self._mark()) if self._near else await self.run_here(self._peek, *where)
        if known is not None and not known.standing.wanted:
            return known
        view, begun = await self.run(self._page, ecosystem, name, viewer)
        loop = asyncio.get_running_loop()
        began, patience, retry = loop.time(), self._policy.patience.total_seconds(), Undecided.RETRY
        bears = bears if self._policy.on_undecided is retry else replace(bears, tries=1)
        waits = view.policy.mode is Mode.ENFORCE
        piece = self._waiting.piece(ecosystem, name, bears, began) if waits else None
        while piece is not None and (view.standing.starving or view.standing.awaited):
            alone = view.standing.starving and bears.tries == 1
            left = (began + patience if alone else piece.end) - loop.time()
            if left <= 0 and not piece.last:
                raise NotDecided(f"the newest release of {name} is being read; try again in a moment", AT_ONCE)
            if left <= 0:
                self._waiting.over(ecosystem, name, bears, loop.time())
                break
            trouble = await _first(begun, left)
            view, begun = await self.run(self._page, ecosystem, name, viewer)
            if trouble is not None:
                if view.standing.starving and not view.shown:
                    raise trouble
                break  # what is decided is shown; the rest waits until it can be written down
        else:
            self._waiting.done(ecosystem, name, bears)
        if view.standing.starving and not view.shown and self._policy.on_undecided is retry:
            raise NotDecided(f"no release of {name} has been read yet; try again in a moment")
        return view

    async def item(self, ecosystem: str, name: ProjectName, filename: str, viewer: Viewer) -> Item:
        """Return where an artifact stands, after its reading if it waits for one.

        Raises:
            NotDecided: it is not decided, and the patience has ended.
            LedgerError, JournalError: it is not decided, and what is read cannot be written down.
        """
        known = self.gate.peek(ecosystem, name, filename, viewer, self.now(), self._mark()) if self._near else None
        if known is None:
            known = await self.run_here(self.gate.on_record, ecosystem, name, filename, viewer, self.now())
        if known is None:
            known = await self.run(self.gate.artifact, ecosystem, name, filename, viewer, self.now())
        item = known
        loop = asyncio.get_running_loop()
        end = loop.time() + self._policy.patience.total_seconds()
        while item.waits:
            reading = await self.run(self.gate.read, self.gate.request(item), Urgency.ASKED, self.now())
            if loop.time() >= end:  # who waits for nothing has it read all the same, for the next time it is asked for
                break
            trouble = await _first([reading], end - loop.time())
            item = await self.run(self.gate.artifact, ecosystem, name, filename, viewer, self.now())
            if trouble is not None and item.waits:
                raise trouble
        if item.waits and self._policy.on_undecided is Undecided.RETRY:
            raise NotDecided(f"{item.purl} ({filename}) is being read; try again in a moment")
        return item

    async def hand_out(self, item: Item, viewer: Viewer) -> tuple[Digest, bytes | Sealed]:
        """Return an artifact's bytes, after it is written down that they go out. Raises as ``Gate.bytes_of``."""
        if not item.open:
            raise Refused(item.standing, item.purl)
        digest, data = await self.look(item)
        await self._write_down(served(item, digest, viewer, self.now()))
        return digest, data

    async def look(self, item: Item) -> tuple[Digest, bytes | Sealed]:
        """Return an artifact's bytes for someone who only asks about them. Raises as ``Gate.look``."""
        digest = item.standing.sha256
        if digest is not None and digest in self._small and item.open and not item.unsettled:
            self._small.move_to_end(digest)
            return digest, self._small[digest]
        run = self.run if digest is None else self.run_here
        got, data = await run(self.gate.look, item, self.now())
        self._remember(got, data)
        return got, data

    async def printed(
        self, ecosystem: Ecosystem, view: View, form: str, base: str, seen: Callable[[View, str], PageView]
    ) -> Printed:
        """Return a page in a form, printed now or before; ``base`` is the address under which the client knows us.

        Raises:
            ValueError: the upstream's page cannot be printed.
        """
        known = self._press.known(ecosystem, view, form, base)
        if known is None:
            known = await self.run_here(self._press.print, ecosystem, view, form, base, seen(view, base))
        return known

    def _mark(self) -> tuple[int, int]:
        """Return the mark of the ledger, asked for once for all requests that came at the same moment."""
        if self._marked is None:
            self._marked = self.gate.shelf.mark()
            asyncio.get_running_loop().call_soon(self._unmark)
        return self._marked

    def _unmark(self) -> None:
        self._marked = None

    def _peek(self, ecosystem: str, name: ProjectName, group: str | None, now: datetime) -> View | None:
        return self.gate.shelf.peek(ecosystem, name, group, now, self.gate.shelf.mark())

    async def _write_down(self, row: Served) -> None:
        """Return when a row is committed; those that come at the same moment are written together."""
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[None] = loop.create_future()
        if not self._rows:
            loop.call_soon(self._write)
        self._rows.append((row, mine))
        await mine

    def _write(self) -> None:
        """Write what has come at once if that takes no waiting, else in a thread, with all that comes meanwhile.

        Handing a row to a thread and back costs more than writing it, but nothing else goes on while it is written.
        """
        if self._writer is not None:  # it takes these as well, when it has done
            return
        if self._near and self._written_at_once():
            return
        # A task of its own: whoever asked may go away, and the others' rows with them.
        self._writer = asyncio.get_running_loop().create_task(self._write_all())

    def _written_at_once(self) -> bool:
        rows, problem, done = self._rows, None, len(self._rows)
        try:
            done = self.gate.hand_out_at_once([row for row, _ in rows])
        except Exception as error:  # noqa: BLE001 - see ``_commit``
            problem = error
        self._rows = rows[done:]
        _tell(rows[:done], problem)
        return not self._rows

    async def _write_all(self) -> None:
        while self._rows:
            rows, self._rows = self._rows, []
            await self._commit(rows)
        self._writer = None

    async def _commit(self, rows: "list[tuple[Served, asyncio.Future[None]]]") -> None:
        problem: Exception | None = None
        try:
            await self.run_here(self.gate.hand_out, [row for row, _ in rows])
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits is told, and who comes later is served
            problem = error
        _tell(rows, problem)

    def _remember(self, digest: Digest, data: bytes) -> None:
        if len(data) <= MAX_SMALL:
            self._small_bytes += len(data) if digest not in self._small else 0
            self._small[digest] = kept(data)
            while self._small_bytes > MAX_SMALL_BYTES:
                self._small_bytes -= len(self._small.popitem(last=False)[1])

    def _page(self, ecosystem: str, name: ProjectName, viewer: Viewer) -> "tuple[View, list[Future[bool]]]":
        now = self.now()
        view = self.gate.page(ecosystem, name, viewer, now)
        return view, self.gate.ahead(ecosystem, view, now) if view.standing.wanted else []


def _tell(rows: "list[tuple[Served, asyncio.Future[None]]]", problem: Exception | None) -> None:
    """Tell those who wait for their rows that they are written, or what went wrong."""
    for _, waits in rows:
        if waits.done():  # whoever asked has gone
            continue
        if problem is not None:
            waits.set_exception(problem)
        else:
            waits.set_result(None)


async def _first(readings: "list[Future[bool]]", seconds: float) -> PortError | None:
    """Wait until one of these ends, or for a moment: another replica may decide what waits here for its turn.

    Returns what kept one from being written down.
    """
    waits = [asyncio.wrap_future(one) for one in readings]
    for one in waits:
        one.add_done_callback(_heard)
    if waits:
        done, _ = await asyncio.wait(waits, timeout=min(_LOOK, seconds), return_when="FIRST_COMPLETED")
        trouble = next((error for one in done if isinstance(error := one.exception(), PortError)), None)
        if trouble is not None or any(one.result() for one in done) or not done:
            return trouble
    await asyncio.sleep(min(_POLL, seconds))
    return None


def _heard(ended: "asyncio.Future[bool]") -> None:
    """Take note of how a reading ended for which nobody waits any more, lest the loop complains that nobody did."""
    if not ended.cancelled():
        ended.exception()
