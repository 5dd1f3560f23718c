"""What npm, pnpm, yarn and bun ask of a registry, below ``/npm/``."""

from functools import lru_cache
from urllib.parse import quote

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazaretto.app.ports import Ecosystem, NotFound, PortError, Upstream
from lazaretto.app.shelf import View
from lazaretto.core.names import ProjectName
from lazaretto.core.standing import Basis, Place, Standing
from lazaretto.core.view import PageView
from lazaretto.surfaces.firewall import answers, search
from lazaretto.surfaces.firewall.access.middleware import viewer_of
from lazaretto.surfaces.firewall.desk import Desk
from lazaretto.surfaces.firewall.waiting import NPM
from lazaretto.surfaces.firewall.writing import USER, Writing

MAX_NAMED = 3
"""Withheld releases that a notice names."""

_AUDITS = ("advisories/bulk", "audits", "audits/quick")
_OF_AUDIT = ("content-type", "content-encoding")
_FOR_CAUSE = frozenset((Basis.READ, Basis.REVIEW, Basis.ADVISORY, Basis.DIGEST_CHANGED, Basis.COOLDOWN))


class Asked(Struct, frozen=True):
    """What a path asks for: a package, and of it a file, or a version or tag. Nothing of it: the page."""

    name: str
    filename: str = ""
    version: str = ""


@lru_cache(maxsize=4096)
def parsed(path: str) -> Asked | None:
    """Return what a path below ``/npm/`` asks for, None if it is no path of a package.

    A scoped name may be spelled with a slash or with ``%2f``; the server has undone the latter.
    """
    parts = path.strip("/").split("/")
    count = 2 if parts[0].startswith("@") else 1
    name, rest = "/".join(parts[:count]), parts[count:]
    if len(parts) < count or not all(parts):
        return None
    if not rest:
        return Asked(name)
    if len(rest) == 1:
        return Asked(name, version=rest[0])
    return Asked(name, filename=rest[1]) if len(rest) == 2 and rest[0] == "-" else None


class Npm:
    """The routes of a registry of npm packages."""

    def __init__(self, desk: Desk, ecosystem: Ecosystem, upstream: Upstream, writing: Writing) -> None:
        self._desk = desk
        self._ecosystem = ecosystem
        self._upstream = upstream
        self._writing = writing

    async def get(self, request: Request) -> Response:
        """Answer a GET or HEAD."""
        path = request.path_params["path"].strip("/")
        try:
            if path.startswith("-/"):
                return await self._service(request, path)
            asked = parsed(path)
            if asked is None:
                return answers.said(404, "the firewall has no such page")
            if asked.filename:
                return await self._tarball(request, asked)
            return await (self._document(request, asked) if asked.version else self._packument(request, asked))
        except (PortError, ValueError) as error:
            return answers.problem(error)

    async def _service(self, request: Request, path: str) -> Response:
        """Answer what is about no package, or about one in a way of its own."""
        if path == "-/ping":
            return JSONResponse({})
        if path == "-/whoami":
            return await self._writing.whoami(request)
        if path.startswith(USER):
            return await self._writing.user(request)
        if path == "-/v1/search":
            return await search.answer(self._desk, self._upstream, request)
        if path.startswith("-/package/") and path.endswith("/dist-tags"):
            return await self._tags(request, path.removeprefix("-/package/").removesuffix("/dist-tags"))
        return answers.said(404, "the firewall has no such page")

    async def audit(self, request: Request) -> Response:
        """Pass a question about advisories on; it names all that a project uses, so it goes to one place only."""
        what = request.path_params["path"]
        if what not in _AUDITS:
            return answers.said(404, "the firewall has no such page")
        if len(self._upstream.addresses) > 1:
            text = "several registries stand behind the firewall, and none may be told the names of another's packages"
            return answers.said(404, f"{text}: point npm audit at the registry itself (--registry)")
        headers = {name: value for name in _OF_AUDIT if (value := request.headers.get(name))}
        address = f"{self._upstream.addresses[0]}-/npm/v1/security/{what}"
        try:
            body = await self._desk.run(self._upstream.question, address, await request.body(), headers)
        except PortError as error:
            return answers.problem(error)
        return Response(body, headers={"content-type": "application/json"})

    async def _packument(self, request: Request, asked: Asked) -> Response:
        name, view = await self._view(request, asked)
        form = answers.negotiated(request.headers.get("accept", ""), self._ecosystem.FORMS)
        base = answers.base(request)
        printed = await self._desk.printed(self._ecosystem, view, form, base, self._seen)
        return answers.page(request, printed, self._ecosystem.FORMS[form], self._notices(name, view))

    async def _document(self, request: Request, asked: Asked) -> Response:
        name, view = await self._view(request, asked)
        seen = self._seen(view, answers.base(request))
        body = await self._desk.run(self._ecosystem.document, name, view.page.body, asked.version, seen)
        if body is None:
            raise NotFound(f"{name} has no release or tag {asked.version} that may be seen")
        return Response(body, headers={"content-type": "application/json", **self._notices(name, view)})

    async def _tags(self, request: Request, name: str) -> Response:
        _, view = await self._view(request, Asked(name))
        return JSONResponse(dict(view.project.tags if view.tags is None else view.tags))

    async def _tarball(self, request: Request, asked: Asked) -> Response:
        viewer = viewer_of(request.scope)
        item = await self._desk.item("npm", answers.named(self._ecosystem, asked.name), asked.filename, viewer)
        get = request.method == "GET"
        digest, data = await (self._desk.hand_out(item, viewer) if get else self._desk.look(item))
        return answers.artifact(request, digest, data, "application/octet-stream")

    async def _view(self, request: Request, asked: Asked) -> tuple[ProjectName, View]:
        name = answers.named(self._ecosystem, asked.name)
        return name, await self._desk.page("npm", name, viewer_of(request.scope), NPM)

    def _seen(self, view: View, base: str) -> PageView:
        path = quote(view.project.name, safe="@/")
        return PageView(view.shown, lambda filename: f"{base}/npm/{path}/-/{quote(filename)}", view.tags)

    def _notices(self, name: ProjectName, view: View) -> dict[str, str]:
        """Say which of the newest releases are withheld and why: npm prints this header for every answer."""
        told: list[Standing] = []
        for release in reversed(view.project.releases):
            if release.version not in view.standing.vanished:
                break
            told += [view.standing.files[one.filename] for one in release.artifacts[:1]]
        named = [one for one in told if one.place is Place.WITHHELD and one.basis in _FOR_CAUSE][:MAX_NAMED]
        if not named or view.tags is None:
            return {}
        said = answers.notice(f"lazaretto: {name} {'; '.join(map(answers.withheld, named))}")
        return {"npm-notice": said, "cache-control": "no-store"}  # npm prints no notice of an answer that it may keep
