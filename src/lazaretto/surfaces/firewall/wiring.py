"""What the service alone needs of the adapters, made from the settings."""

import asyncio
import logging
import os
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from lazaretto.app.gate import Gate
from lazaretto.app.passing import Passage
from lazaretto.app.ports import PortError
from lazaretto.bootstrap import App
from lazaretto.core.identity_token import Issuer
from lazaretto.infra.metrics import Counter, Gauge, Metrics
from lazaretto.infra.redact import Secret
from lazaretto.infra.stores import NotInstalled
from lazaretto.infra.traces import NoTraces, Traces, over_http
from lazaretto.infra.transport import Limits
from lazaretto.surfaces.firewall.access.bearers import Bearers
from lazaretto.surfaces.firewall.desk import Desk

if TYPE_CHECKING:
    from lazaretto.infra.blobs import Trimmed

OF_ISSUERS = Limits(max_bytes=256 << 10, connect=5.0, read=5.0, total=10.0)
"""What an answer of an issuer of tokens may cost: its description, or its keys."""

TRIM_SECONDS = 600.0
"""How often it is looked at how much is kept."""


def tracing(app: App) -> Traces | NoTraces:
    """Return what sends traces to the collector that the settings name; nothing, if they name none."""
    settings = app.firewall
    if not settings.traces:
        return NoTraces()
    token = os.environ.get(settings.traces_token_env, "") if settings.traces_token_env else ""
    return Traces(over_http(settings.traces, Secret(f"Bearer {token}") if token else None))


def bearers(app: App, desk: Desk) -> Bearers | None:
    """Return what knows tokens of other issuers; None if the settings name none. Raises NotInstalled."""
    issuers = app.firewall.issuers
    if not issuers:
        return None
    try:
        from lazaretto.infra.oidc import Verifier
    except ImportError as error:
        raise NotInstalled(f"{error.name} is not installed: install lazaretto[oidc]") from None
    from lazaretto.infra.http import HttpClient
    from lazaretto.infra.registries import allowing
    from lazaretto.infra.upstreams import transport

    places = [place for issuer in issuers for place in (issuer.url, issuer.keys) if place]
    http = HttpClient(allowing(transport(os.environ), places, ()))
    verifier = Verifier(issuers, lambda url: http.get(url, limits=OF_ISSUERS).body)

    async def ask(issuer: Issuer, now: datetime) -> None:
        await desk.run(verifier.ask, issuer, now)

    return Bearers(verifier, ask, app.clock.now)


async def trimming(app: App, desk: Desk, metrics: Metrics, log: logging.Logger) -> None:
    """Keep the artifacts on this machine, and those in a store that is shared, within their bounds, for ever."""
    words = "Artifacts that were removed because they were not used"
    here = Bounded(
        metrics.gauge("blobs_bytes", "Bytes of artifacts and reports on this machine"),
        metrics.counter("blobs_removed_total", words),
        partial(app.stores.trim, app.firewall.keep),
    )
    shared = Bounded(
        metrics.gauge("store_bytes", "Bytes of artifacts and reports in the shared store, when we last looked"),
        metrics.counter("store_removed_total", f"{words}, from the shared store, by us"),
        lambda: app.stores.prune(app.clock.now()),
    )
    while True:
        await _bound(here, desk, log)
        await _bound(shared, desk, log)
        await asyncio.sleep(TRIM_SECONDS)


class Bounded(Struct, frozen=True):
    """Something that is bounded: its numbers, and what does it (None: not now)."""

    size: Gauge
    removed: Counter
    trim: "Callable[[], Trimmed | None]"


async def _bound(one: Bounded, desk: Desk, log: logging.Logger) -> None:
    try:
        found = await desk.run_here(one.trim)
    except (PortError, OSError) as error:
        log.warning("nothing was removed: %s", error)
        return
    if found is None:
        return
    one.size.set(found.left)
    one.removed.add(amount=found.removed)
    if found.removed:
        log.info("artifacts removed", extra={"fields": {"removed": found.removed, "bytes": found.left}})


def passage(app: App, gate: Gate) -> Passage:
    """Return what passes publications and log-ins on to npm registries; to none that the settings do not name."""
    from lazaretto.ecosystems.npm.publication import publication
    from lazaretto.infra.http import HttpClient
    from lazaretto.infra.receivers import Registries, Registry
    from lazaretto.infra.registries import allowing
    from lazaretto.infra.upstreams import transport

    named = [one for one in app.firewall.upstreams if one.ecosystem == "npm"]
    made = []
    for one in named:
        http = HttpClient(allowing(transport(os.environ), [one.url], ()))
        token = os.environ.get(one.token_env, "") if one.token_env else ""
        secret = Secret(token) if token else None
        made.append(Registry(http, one.url, one.scopes, secret, one.publish, one.login))
    purl = app.ecosystem("npm").purl
    return Passage(Registries(made), publication, purl, app.ledger, partial(gate.shelf.forget, "npm"))
