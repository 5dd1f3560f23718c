"""The server: one process that serves, its routes, and how it begins and ends."""

import asyncio
import fcntl
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lazaretto.app.advice import AdvisoriesError, Project
from lazaretto.app.gate import LEASE
from lazaretto.app.ports import LedgerError, PortError
from lazaretto.bootstrap import App
from lazaretto.core.access import Passing, Scope, Tokens
from lazaretto.infra.metrics import Metrics
from lazaretto.infra.telemetry import LOGGER, configure
from lazaretto.infra.traces import NoTraces, Traces
from lazaretto.settings.firewall import FirewallSettings
from lazaretto.surfaces.firewall.access.descriptors import room
from lazaretto.surfaces.firewall.access.middleware import Access, AccessMiddleware, require
from lazaretto.surfaces.firewall.access.peers import LOOPBACK_NAMES, UNIX
from lazaretto.surfaces.firewall.access.protocol import Bounds, bounded
from lazaretto.surfaces.firewall.access.refusal import Application
from lazaretto.surfaces.firewall.access.watching import WatchingMiddleware
from lazaretto.surfaces.firewall.api import Review
from lazaretto.surfaces.firewall.desk import Desk
from lazaretto.surfaces.firewall.npm import Npm
from lazaretto.surfaces.firewall.pypi import Pypi
from lazaretto.surfaces.firewall.ready import Readiness
from lazaretto.surfaces.firewall.straight import Straight
from lazaretto.surfaces.firewall.wiring import bearers, passage, tracing, trimming
from lazaretto.surfaces.firewall.writing import MAX_PUBLICATION, Writing

if TYPE_CHECKING:
    import uvicorn

    from lazaretto.infra.feed_keeper import FeedKeeper

GRACE = 10
"""Seconds that answers and readings which were begun have when the service ends."""

BACKLOG = 2048
"""Connections that may wait to be accepted."""

KEEP_ALIVE = 30
"""Seconds for which a connection is kept between two requests: a client unpacks what it got before it asks again."""

LOCK = "firewall.lock"
LISTENER = "LAZARETTO_LISTENER"
"""The variable that names the open listener to the process that takes over with new settings."""

_ROUTES = ("npm", "pypi", "healthz", "readyz", "metrics", "-")


class InUse(PortError):
    """Another firewall has this state folder or this address."""


def application(app: App) -> Application:
    """Return the whole service as an ASGI application; what it needs is opened when it starts."""
    settings = app.firewall
    desk = Desk(app.gate(), settings.policy, app.clock, near=app.stores.alone)
    writing = Writing(desk, app.ecosystem("npm"), passage(app, desk.gate))
    npm = Npm(desk, app.ecosystem("npm"), app.upstream("npm"), writing)
    pypi = Pypi(desk, app.ecosystem("pypi"), app.served_blobs)
    review = Review(desk, app.ledger, app.adviser, settings.policy)
    metrics = Metrics()
    log = configure()
    traces = tracing(app)
    readiness = Readiness(partial(desk.run_here, app.stores.probe))
    keeper = _kept(app, log)
    _measure(metrics, app, traces)

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def numbers(request: Request) -> Response:
        require(request.scope, Scope.READ)
        return Response(metrics.text(), headers={"content-type": "text/plain; version=0.0.4; charset=utf-8"})

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        keeper.start()
        chores = [asyncio.create_task(_renew(desk, log)), asyncio.create_task(trimming(app, desk, metrics, log))]
        yield
        for chore in chores:
            chore.cancel()
        await desk.run(keeper.close)
        await desk.run(app.analysts.close, GRACE)
        await desk.run(traces.close)
        desk.close()

    routes = [
        Route("/healthz", healthz),
        Route("/readyz", readiness.answer),
        Route("/metrics", numbers),
        Route("/-/lazaretto/review", review.queue),
        Route("/-/lazaretto/review/{subject:path}", review.decide, methods=["POST"]),
        Route("/npm/-/npm/v1/security/{path:path}", npm.audit, methods=["POST"]),
        Route("/npm/{path:path}", npm.get),
        Route("/npm/{path:path}", writing.answer, methods=["PUT", "POST", "DELETE", "PATCH"]),
        Route("/pypi/simple/{project}", pypi.project),
        Route("/pypi/simple/{project}/", pypi.project),
        Route("/pypi/files/{project}/{filename}", pypi.file),
        Route("/pypi/withheld/{verdict}/{why:path}", pypi.withheld),
        Route("/pypi/{path:path}", pypi.other, methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
    ]
    inner = Starlette(routes=routes, lifespan=life)
    inner.state.public_url = settings.public_url
    straight = Straight(inner, {"/npm/": npm.get})
    known = bearers(app, desk)
    guarded = AccessMiddleware(straight, _access(settings), _tokens(app, desk), app.clock.now, bearers=known)
    return WatchingMiddleware(guarded, metrics, _route, log, traces)


def serve(app: App, announce: Callable[[str], None], usable: Callable[[], str]) -> socket.socket | None:
    """Serve until a signal ends it; return the open listener if that was SIGHUP, for whoever takes over.

    ``announce`` is told the address once it is open. ``usable`` looks at the settings anew and returns what is wrong
    with them: then SIGHUP changes nothing.

    Raises:
        InUse: the state folder or the address is taken.
        PortError: no registry is configured, or it is this very firewall.
    """
    import uvicorn

    settings = app.firewall
    with _Alone(app.settings.state_dir):
        listener = _listening(settings)
        host, port = listener.getsockname()[:2]
        refuse_itself(app, host, port)
        app.stores.begin()
        config = uvicorn.Config(
            application(app),
            http=bounded(Bounds(open=room(), proxies=tuple(one for one in settings.trusted_proxies if one != UNIX))),
            loop="uvloop",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
        )
        shown = f"[{host}]" if ":" in host else host
        server = _announcing(uvicorn.Server(config), lambda: announce(settings.public_url or f"http://{shown}:{port}"))
        again = False

        def reload(*_: object) -> None:
            nonlocal again
            problem = usable()
            if problem:
                logging.getLogger(LOGGER).warning("the settings are kept as they were: %s", problem)
                return
            again = server.should_exit = True

        signal.signal(signal.SIGHUP, reload)
        # A copy stays open when the server closes its own: whoever connects meanwhile waits, and is not refused.
        ours = listener.dup()
        server.run(sockets=[listener])
        if again:
            return ours
        ours.close()
        return None


def refuse_itself(app: App, host: str, port: int) -> None:
    """Raise PortError if a registry that would be asked is this very firewall."""
    from urllib.parse import urlsplit

    own = {(name, port) for name in (host, "localhost", "127.0.0.1", "::1")}
    public = urlsplit(app.firewall.public_url)
    if public.hostname:
        own.add((public.hostname, public.port or (443 if public.scheme == "https" else 80)))
    for identifier in ("npm", "pypi"):
        for address in app.upstream(identifier).addresses:
            parsed = urlsplit(address)
            if (parsed.hostname, parsed.port or (443 if parsed.scheme == "https" else 80)) in own:
                raise PortError(
                    f"your {identifier} client is configured for this firewall, which would ask itself; "
                    "name the registry behind it as [[firewall.upstream]] in lazaretto.toml"
                )


def _access(settings: FirewallSettings) -> Access:
    from urllib.parse import urlsplit

    public = urlsplit(settings.public_url).netloc
    names = (settings.host, public, *(LOOPBACK_NAMES if settings.loopback else ()))
    shown = any(Passing.THROUGH in (one.publish, one.login) for one in settings.upstreams)
    published = any(one.publish is not Passing.REFUSE for one in settings.upstreams)
    return Access(
        hosts=tuple(filter(None, names)),
        proxies=settings.trusted_proxies,
        anonymous=settings.open,
        groups={group.name: group.networks for group in settings.policy.groups},
        forward=shown,
        max_publication=MAX_PUBLICATION if published else 0,
    )


async def _renew(desk: Desk, log: logging.Logger) -> None:
    """Tell the other replicas now and then that what is being read here goes on."""
    while True:
        await asyncio.sleep(LEASE.total_seconds() / 3)
        try:
            await desk.run_here(desk.gate.renew, desk.now())
        except LedgerError as error:
            log.warning("%s", error)


def _tokens(app: App, desk: Desk) -> Callable[[], Awaitable[Tokens]]:
    """Return a look-up of tokens that reads them again when one was made or revoked, by whomever."""
    known: tuple[tuple[int, int], Tokens] = ((-1, -1), Tokens(()))

    def tokens() -> Tokens:
        nonlocal known
        epoch = app.ledger.token_epoch()
        if known[0] != epoch:
            known = (epoch, Tokens(app.ledger.tokens(), app.ledger.ended()))
        return known[1]

    async def asked() -> Tokens:
        return tokens() if app.stores.alone else await desk.run_here(tokens)

    return asked


def _measure(metrics: Metrics, app: App, traces: Traces | NoTraces) -> None:
    analysts = app.analysts
    metrics.gauge("readings_waiting", "Readings that have not ended").set(lambda: analysts.waiting)
    metrics.counter("readings_total", "Readings that have ended").follow(lambda: analysts.readings)
    metrics.counter("analysts_replaced_total", "Analysts that had to be replaced").follow(lambda: analysts.replaced)
    metrics.counter("spans_dropped_total", "Spans that could not be sent in time").follow(lambda: traces.dropped)
    age = metrics.gauge("advisories_age_seconds", "Age of a source of advisories; +Inf if unknown", "source")
    for name in app.adviser.ages():
        age.set(partial(_age, app, name), name)


def _age(app: App, source: str) -> float:
    found = app.adviser.ages()[source]
    return inf if found is None else found.total_seconds()


def _kept(app: App, log: logging.Logger) -> "FeedKeeper":
    """Return what keeps the advisories up to date, with those that lie here already taken into account."""

    def changed(projects: frozenset[Project]) -> None:
        try:
            app.adviser.refresh()
            for act in app.adviser.alarms(projects, app.ledger):
                log.warning("%s", act.reason, extra={"fields": {"alarm": act.subject}})
        except (AdvisoriesError, LedgerError) as error:
            log.warning("%s", error)
        if projects:
            log.info("advisories changed", extra={"fields": {"projects": len(projects)}})

    changed(frozenset())
    return app.feed_keeper(changed, partial(log.warning, "%s"))


def _route(path: str) -> str:
    first = path.split("/", 2)[1] if path.count("/") else ""
    return f"/{first}" if first in _ROUTES else "other"


class _Alone:
    """Holds the lock of a state folder: two firewalls on one SQLite ledger would each take the other's leases."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor = -1

    def __enter__(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(self._folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise InUse(f"another firewall runs on {self._folder}; stop it, or name another state folder") from None

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _listening(settings: FirewallSettings) -> socket.socket:
    """Return what is listened on: what the process before this one left open, if that is where the settings say."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    left = os.environ.pop(LISTENER, "")
    if left.isdigit():
        listener = socket.socket(fileno=int(left))
        listener.set_inheritable(False)
        host, port = listener.getsockname()[:2]
        if host == settings.host and settings.port in (0, port):
            return listener
        listener.close()
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        place = f"{settings.host}:{settings.port}"
        raise InUse(f"{place} cannot be listened on: {error.strerror}; name another as firewall.listen") from None
    return listener


def _announcing(server: "uvicorn.Server", announce: Callable[[], None]) -> "uvicorn.Server":
    """Return the server, which announces itself once it accepts connections."""
    startup = server.startup

    async def started(sockets: list[socket.socket] | None = None) -> None:
        await startup(sockets)
        if server.started:
            announce()

    server.startup = started  # type: ignore[method-assign]
    return server
