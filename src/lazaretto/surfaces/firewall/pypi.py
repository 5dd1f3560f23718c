"""What pip, uv, poetry and pdm ask of an index, below ``/pypi/``."""

from hashlib import sha256
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from lazaretto.app.item import Item, Refused
from lazaretto.app.ports import BlobStore, Ecosystem, NotFound, PortError, Untrusted
from lazaretto.app.shelf import View
from lazaretto.core.names import Digest
from lazaretto.core.view import PageView
from lazaretto.surfaces.firewall import answers
from lazaretto.surfaces.firewall.access.middleware import viewer_of
from lazaretto.surfaces.firewall.desk import Desk
from lazaretto.surfaces.firewall.waiting import bears

METADATA, PROVENANCE = ".metadata", ".provenance"


class Pypi:
    """The routes of an index of Python packages."""

    def __init__(self, desk: Desk, ecosystem: Ecosystem, blobs: BlobStore) -> None:
        self._desk = desk
        self._ecosystem = ecosystem
        self._blobs = blobs

    async def project(self, request: Request) -> Response:
        """Answer with a project's page (PEP 503, 691), or lead to it from another spelling of its name."""
        try:
            text = request.path_params["project"]
            name = answers.named(self._ecosystem, text)
            if text != name or not request.url.path.endswith("/"):
                return RedirectResponse(f"{request.app.state.public_url}/pypi/simple/{name}/", 301)
            again = bears(request.headers.get("user-agent", ""))
            view = await self._desk.page("pypi", name, viewer_of(request.scope), again)
            form = answers.negotiated(request.headers.get("accept", ""), self._ecosystem.FORMS)
            printed = await self._desk.printed(self._ecosystem, view, form, answers.base(request), self._seen)
            return answers.page(request, printed, self._ecosystem.FORMS[form], {})
        except (PortError, ValueError) as error:
            return answers.problem(error)

    async def file(self, request: Request) -> Response:
        """Answer with a file, its metadata (PEP 658, 714) or its provenance (PEP 740)."""
        try:
            return await self._file(request)
        except Refused as refused:
            # pip prints nothing of a refusal but the address that refused: so the address says it.
            stands = refused.standing
            said = quote(answers.notice(f"{refused.purl} {stands.reason}").replace(" ", "-"), safe="/@:.,-")
            place = f"{request.app.state.public_url}/pypi/withheld/{stands.verdict}/{said}"
            return RedirectResponse(place, 303)
        except (PortError, ValueError) as error:
            return answers.problem(error)

    async def withheld(self, request: Request) -> Response:
        """Answer that something is withheld; the address says what, and why."""
        verdict, why = request.path_params["verdict"], request.path_params["why"]
        text = (
            f"lazaretto: withheld: {why} [verdict {verdict}; to see the evidence: lazaretto firewall review {verdict}]"
        )
        return answers.said(403, text, {"x-lazaretto-verdict": answers.notice(verdict)})

    async def other(self, request: Request) -> Response:
        """Answer an upload, and whatever else would change the index; and whoever asks for what is not there."""
        if request.method in ("GET", "HEAD"):
            return answers.said(404, "the firewall has no such page")
        text = "this is a firewall that only hands out packages: upload to the index itself (twine: --repository-url)"
        return answers.said(405, text, {"allow": "GET, HEAD"})

    async def _file(self, request: Request) -> Response:
        name = answers.named(self._ecosystem, request.path_params["project"])
        filename, viewer = request.path_params["filename"], viewer_of(request.scope)
        for ending, beside in ((METADATA, self._metadata), (PROVENANCE, self._provenance)):
            if filename.endswith(ending):
                item = await self._desk.item("pypi", name, filename.removesuffix(ending), viewer)
                if not item.open:
                    raise Refused(item.standing, item.purl)
                return await self._desk.run(beside, item)
        item = await self._desk.item("pypi", name, filename, viewer)
        get = request.method == "GET"
        digest, data = await (self._desk.hand_out(item, viewer) if get else self._desk.look(item))
        return answers.artifact(request, digest, data, "application/octet-stream")

    def _metadata(self, item: Item) -> Response:
        """Answer with the metadata that the index gives beside a file, if they have the digest that it tells."""
        artifact = self._desk.gate.listed(item, self._desk.now())
        told = artifact.metadata
        if told is None:
            raise NotFound(f"the index gives no metadata beside {artifact.filename}")
        kept = self._blobs.get(Digest(told)) if told else None
        data = kept if kept is not None else self._desk.gate.fetch("pypi", f"{artifact.url}{METADATA}")
        if told and told != f"sha256:{sha256(data).hexdigest()}":
            raise Untrusted(f"the metadata of {artifact.filename} are not those that the index names")
        if kept is None and told:
            self._blobs.put(data)
        return Response(data, headers={"content-type": "text/plain; charset=utf-8"})

    def _provenance(self, item: Item) -> Response:
        artifact = self._desk.gate.listed(item, self._desk.now())
        if artifact.provenance_url is None:
            return answers.said(404, f"the index tells no provenance of {artifact.filename}")
        data = self._desk.gate.fetch("pypi", artifact.provenance_url)
        return Response(data, headers={"content-type": "application/vnd.pypi.integrity.v1+json"})

    def _seen(self, view: View, base: str) -> PageView:
        name = view.project.name
        return PageView(view.shown, lambda filename: f"{base}/pypi/files/{name}/{quote(filename)}", view.tags)
