"""ASGI middleware: finds out who asks, refuses whoever may not, and hands on a request that can be believed."""

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from msgspec import Struct, field

from lazaretto.app.ports import LedgerError
from lazaretto.core.access import OIDC_PREFIX, Networks, Scope, Tokens, Viewer
from lazaretto.surfaces.firewall.access.bearers import Bearers
from lazaretto.surfaces.firewall.access.credentials import NOTHING, Presented, presented
from lazaretto.surfaces.firewall.access.peers import LOOPBACK_NAMES, Peer, Peers, cleaned
from lazaretto.surfaces.firewall.access.rate import RateLimit, counted_as
from lazaretto.surfaces.firewall.access.refusal import (
    Application,
    ASGIScope,
    Message,
    Receive,
    Refused,
    Send,
    answer,
)

MAX_BODY = 4 * 1024 * 1024
"""Largest body of a request, in bytes; what ``npm audit`` sends of a large project is a tenth of it."""

_CHALLENGE = ((b"www-authenticate", b'Bearer realm="lazaretto"'), (b"www-authenticate", b'Basic realm="lazaretto"'))


class Access(Struct, frozen=True):
    """Who may ask.

    ``hosts`` are our own names; ``proxies`` the peers that may speak for others. ``anonymous``: whether reading needs
    no token (the default of a listener on loopback alone). ``groups``: name -> networks. ``open_paths`` are answered
    for everyone, for the balancer's sake. ``forward``: whether credentials that are not ours stay in the request, for
    the registry behind. ``rate`` is in requests a second. ``max_publication`` bounds the body of a publication, if any
    is passed on.
    """

    hosts: tuple[str, ...] = LOOPBACK_NAMES
    proxies: tuple[str, ...] = ()
    anonymous: bool = False
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    open_paths: frozenset[str] = frozenset(("/healthz", "/readyz"))
    forward: bool = False
    rate: float = 200.0
    burst: int = 5000
    max_body: int = MAX_BODY
    max_publication: int = 0

    def largest(self, scope: ASGIScope) -> int:
        """Return how large the body of a request may be."""
        published = scope["method"] == "PUT" and scope["path"].startswith("/npm/")
        return max(self.max_body, self.max_publication) if published else self.max_body


def viewer_of(scope: ASGIScope) -> Viewer:
    """Return who asks, as the middleware found out. One that never passed it may nothing."""
    viewer = scope.get("state", {}).get("viewer")
    return viewer if isinstance(viewer, Viewer) else Viewer("unknown")


def require(scope: ASGIScope, wanted: Scope) -> Viewer:
    """Return who asks, if they may.

    Raises:
        Refused: 401 without a token, 403 with one that does not reach so far. The middleware answers it.
    """
    viewer = viewer_of(scope)
    if viewer.may(wanted):
        return viewer
    if viewer.token is None:
        raise _noted(scope, Refused(401, f"this needs a token with the scope {wanted}", _CHALLENGE))
    reason = f"the token {viewer.token} does not reach so far here: this needs the scope {wanted} as Bearer"
    raise _noted(scope, Refused(403, reason))


def _noted(scope: ASGIScope, refused: Refused) -> Refused:
    """Note a refusal in a request's state: a framework in between answers exceptions by itself, with a 500."""
    scope.setdefault("state", {})["refused"] = refused
    return refused


class AccessMiddleware:
    """Stands before the application. ``tokens`` is asked for each request, so that a revocation counts at once."""

    def __init__(
        self,
        app: Application,
        access: Access,
        tokens: Callable[[], Awaitable[Tokens]],
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        refused: Callable[[ASGIScope, Refused], None] | None = None,
        bearers: Bearers | None = None,
    ) -> None:
        """Raises ValueError if the access cannot be used.

        ``refused`` is told of each refusal, for logs and counters. ``bearers`` knows tokens of other issuers.
        """
        self._app = app
        self._access = access
        self._tokens = tokens
        self._now = now
        self._monotonic = monotonic
        self._told = refused
        self._bearers = bearers
        self._peers = Peers(access.hosts, access.proxies)
        self._groups = Networks(access.groups)
        self._rates = RateLimit(access.rate, access.burst)

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer a refusal, or pass the request on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"no {scope['type']} is served")  # the server is told not to offer any
        state, started = scope.setdefault("state", {}), False

        async def watched(message: Message) -> None:
            nonlocal started
            if started or "refused" not in state:
                started = True
                await send(message)

        try:
            admitted = scope if scope["path"] in self._access.open_paths else await self._admitted(scope)
            await self._app(admitted, self._bounded(scope, receive), watched)
        except Refused as refused:
            if started:
                raise
            state["refused"] = refused
        final = state.get("refused")
        if final is not None and not started:
            if self._told is not None:
                self._told(scope, final)
            await answer(scope, send, final)

    async def _admitted(self, scope: ASGIScope) -> ASGIScope:
        """Return the scope of a request that may be answered, with its viewer in ``state``. Raises Refused."""
        peer = self._peers.resolve(scope)
        self._peers.check_host(peer.host)
        shown = presented(scope["headers"])
        viewer, problem = await self._viewer(peer, shown)
        # The server gives each request a state of its own; what watches from outside reads it there.
        scope["state"]["viewer"] = viewer
        wait = self._rates.take(
            viewer.client if viewer.token else counted_as(peer.address, peer.text), self._monotonic()
        )
        if wait:
            raise Refused(429, "too many requests; wait and try again", ((b"retry-after", str(wait).encode()),))
        if problem is not None:
            raise problem
        if not viewer.may(Scope.READ):
            raise Refused(401, "a token is needed to read here; ask whoever runs this firewall", _CHALLENGE)
        found = cleaned(scope, peer)
        if shown is not NOTHING and (not (shown.foreign and self._access.forward) or viewer.token is not None):
            found["headers"] = [pair for pair in found["headers"] if pair[0] != b"authorization"]
        return found

    async def _viewer(self, peer: Peer, shown: Presented) -> tuple[Viewer, Refused | None]:
        """Return who asks, and why they are refused whatever they ask for: it is counted before that is said."""
        group = self._groups.of(peer.address)
        unknown = Viewer(peer.text, None, group)
        if shown.token is not None:
            token = (await self._known()).find(shown.token.reveal(), self._now())
            if token is None:
                return unknown, Refused(401, "the token is not known here, was revoked or has expired", _CHALLENGE)
            scopes = token.grants & {Scope.READ} if shown.basic else token.grants
            return Viewer(peer.text, token.name, token.group or group, scopes), None
        scopes = frozenset({Scope.READ})
        if shown.signed is not None and self._bearers is not None:
            try:
                holder = await self._bearers.holder(shown.signed)
            except Refused as refused:
                more = _CHALLENGE if refused.status == 401 else refused.headers
                return unknown, Refused(refused.status, refused.reason, more)
            if holder is not None:
                name = f"{OIDC_PREFIX}{holder.name}"
                if (await self._known()).revoked(name, holder.issued):
                    return unknown, Refused(401, "the token was revoked here; ask its issuer for another", _CHALLENGE)
                return Viewer(peer.text, name, holder.group or group, scopes), None
        return Viewer(peer.text, None, group, scopes if self._access.anonymous else frozenset()), None

    async def _known(self) -> Tokens:
        """Return the tokens that count now. Raises Refused."""
        try:
            return await self._tokens()
        except LedgerError as error:
            raise Refused(503, str(error), ((b"retry-after", b"5"),)) from None

    def _bounded(self, scope: ASGIScope, receive: Receive) -> Callable[[], Awaitable[Message]]:
        """Return a ``receive`` that refuses a body which is too large, by its promise or by its bytes.

        Whoever answers without a look at the body is not kept from it: a refusal says more than that it was too large.
        """
        came = 0

        async def bounded() -> Message:
            nonlocal came
            most = self._access.largest(scope)
            promised = [value for name, value in scope["headers"] if name == b"content-length"]
            if not promised or not promised[0].isdigit() or int(promised[0][:20]) <= most:
                message = await receive()
                came += len(message.get("body", b""))
                if came <= most:
                    return message
            raise _noted(scope, Refused(413, f"the request's body is larger than {most} bytes"))

        return bounded
