"""``npm search``, passed on; what it finds is compared with the pages that a client would see."""

import asyncio
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from lazaretto.app.ports import PortError, Upstream
from lazaretto.core.access import Viewer
from lazaretto.core.names import ProjectName, Version
from lazaretto.ecosystems.npm import search
from lazaretto.surfaces.firewall.access.middleware import viewer_of
from lazaretto.surfaces.firewall.desk import Desk

MAX_FOUND = 50
"""Packages that one search finds at most: the page of each is looked at."""

PAGES_SECONDS = 20.0
"""How long a search waits for these pages; what has not come by then is left out."""

AT_A_TIME = 8
"""Pages that one search asks for at a time."""

_PASSED = ("text", "from", "quality", "popularity", "maintenance")


async def answer(desk: Desk, upstream: Upstream, request: Request) -> Response:
    """Answer a search. Raises PortError, ValueError."""
    query = {key: request.query_params[key] for key in _PASSED if key in request.query_params}
    size = request.query_params.get("size", "20")
    query["size"] = str(min(int(size), MAX_FOUND)) if size.isdecimal() and len(size) < 6 else "20"
    body = await desk.run(upstream.fetch, f"{upstream.addresses[0]}-/v1/search?{urlencode(query)}")
    found = await desk.run_here(search.found, body)
    visible = await _visible(desk, dict(list(found.items())[:MAX_FOUND]), viewer_of(request.scope))
    headers = {"content-type": "application/json", "cache-control": "private, no-cache"}
    return Response(await desk.run_here(search.shown, body, visible), headers=headers)


async def _visible(desk: Desk, found: dict[ProjectName, Version], viewer: Viewer) -> dict[ProjectName, Version]:
    """Return for each package the version that a search may show: the one it found, or that of ``latest``."""
    visible: dict[ProjectName, Version] = {}
    turn = asyncio.Semaphore(AT_A_TIME)

    async def look(name: ProjectName, version: Version) -> None:
        async with turn:
            try:
                view = await desk.run(desk.gate.page, "npm", name, viewer, desk.now())
            except (PortError, ValueError):
                return  # nobody would see a page
        tags = view.project.tags if view.tags is None else view.tags
        seen = version if version in view.shown.values() else tags.get("latest")
        if seen is not None:
            visible[name] = seen

    looks = [asyncio.ensure_future(look(name, version)) for name, version in found.items()]
    if looks:
        _, late = await asyncio.wait(looks, timeout=PAGES_SECONDS)
        for one in late:
            one.cancel()
    return visible
