"""The registries that the user's clients are configured for, behind ``app.ports.Registry``."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from lazaretto.app.ports import Clock, IndexPage, NotFound, Unavailable, Untrusted
from lazaretto.core.model import Artifact, Project
from lazaretto.core.names import ProjectName
from lazaretto.infra import local_index
from lazaretto.infra.client_config import Index, NpmConfig, PipConfig, load_npm, load_pip
from lazaretto.infra.downloads import Downloads
from lazaretto.infra.http import Answer, HttpClient
from lazaretto.infra.index_pages import IndexPages, Page, Understanding
from lazaretto.infra.pages import PageFolder
from lazaretto.infra.redact import shown
from lazaretto.infra.transport import Allowed, Credentials, Limits, Transport

PAGE_LIMITS = Limits(max_bytes=200 * 1024 * 1024, total=120.0)
ARTIFACT_LIMITS = Limits(max_bytes=1024 * 1024 * 1024, total=600.0)

AS_IT_IS = {"accept-encoding": "identity"}
"""Artifacts are compressed already; a server that wraps them once more would change their digest."""

NPM_TYPES = "application/json"
PYPI_TYPES = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"


class Parser(Protocol):
    """The part of an ecosystem that reads its pages."""

    def index(self, name: ProjectName, data: bytes, media_type: str, url: str) -> Project:
        """Return what a page says. Raises ValueError with the place."""
        ...


def configured(
    identifier: str,
    cache_dir: Path | None,
    env: Mapping[str, str],
    folder: Path | None = None,
    hosts: Iterable[str] | None = None,
    *,
    guarded: bool = False,
    max_age: float = 0.0,
    clock: Clock | None = None,
) -> "NpmRegistry | PypiRegistry":
    """Return the registry of an ecosystem as the user's clients would have it in ``folder`` (here).

    Index pages are kept in ``cache_dir``, if one is given, to be asked for only if they changed, and not again for
    ``max_age`` seconds (``infra.index_pages``). A ``guarded`` one follows no address to where only we can go
    (``infra.guard``); ``hosts`` are those that artifacts may come from.

    Raises:
        Unavailable: nothing is configured, or there is no registry for the ecosystem.
    """
    from lazaretto import _plugins

    where = folder or Path.cwd()
    pages = IndexPages(PageFolder(cache_dir / "pages") if cache_dir is not None else None, max_age, clock)
    projects = PageFolder(cache_dir / "projects") if cache_dir is not None else None
    parser: Parser = _plugins.load(f"lazaretto.ecosystems.{identifier}", ("ECOSYSTEM",)).ECOSYSTEM
    if identifier == "npm":
        npm = load_npm(env, where)
        transport = allowing(npm.transport, npm.addresses, hosts) if guarded else npm.transport
        return NpmRegistry(HttpClient(transport), npm, Understanding(parser.index, projects), pages)
    if identifier == "pypi":
        pip = load_pip(env, where)
        transport = allowing(pip.transport, pip.addresses, hosts) if guarded else pip.transport
        return PypiRegistry(HttpClient(transport), pip, Understanding(parser.index, projects), pages)
    raise Unavailable(f"no registry of the ecosystem {identifier!r} can be asked")


def allowing(transport: Transport, addresses: Iterable[str], hosts: Iterable[str] | None) -> Transport:
    """Return a transport that goes to these registries, and to hosts of artifacts (None: any with a public address).

    A host with its port is as much the user's word as a registry: it may be inside.
    """
    from urllib.parse import urlsplit

    listed = None if hosts is None else frozenset(hosts)
    upstreams = {host for host in listed or () if ":" in host}
    for address in addresses:
        parsed = urlsplit(address)
        if parsed.hostname:
            port = parsed.port or (443 if parsed.scheme == "https" else 80)
            host = f"[{parsed.hostname}]" if ":" in parsed.hostname else parsed.hostname
            upstreams.add(f"{host}:{port}")
    return replace(transport, allowed=Allowed(frozenset(upstreams), listed))


class _Remote:
    """What both registries share: pages with a memo, notes for the reader, downloads."""

    def __init__(
        self, http: HttpClient, parse: Understanding, pages: IndexPages, limits: Limits, notes: Iterable[str]
    ) -> None:
        self._http = http
        self._understand = parse
        self._pages = pages
        self._limits = limits
        self._notes: dict[str, None] = dict.fromkeys(notes)
        self._downloads = Downloads(self._fetch)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of how the answers came about, in the order in which it was learnt."""
        return tuple(self._notes)

    def download(self, artifact: Artifact) -> bytes:
        """Return an artifact's bytes, verified against size and digests of the index.

        Raises:
            NotFound, Unavailable, Untrusted: see ``app.ports``.
        """
        return self._downloads.get(artifact)

    def prefetch(self, artifacts: Iterable[Artifact]) -> None:
        """Begin to download; never raises: an error is told to whoever asks for the artifact."""
        self._downloads.ahead(artifacts)

    def close(self) -> None:
        """Forget what was begun ahead."""
        self._downloads.close()

    def _fetch(self, artifact: Artifact) -> bytes:
        raise AssertionError("each registry knows its own way")

    def fetch(self, url: str) -> bytes:
        """Return a document that stands beside an artifact. Raises NotFound, Unavailable, Untrusted."""
        answer = self._http.get(url, credentials=self._credentials(url), limits=self._limits)
        self._note(answer)
        return answer.body

    def question(self, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Return the answer to a question that is posted.

        Raises:
            NotFound, Unavailable, Untrusted: see ``app.ports``.
        """
        credentials = self._credentials(url)
        answer = self._http.get(url, headers=headers, credentials=credentials, limits=self._limits, body=body)
        self._note(answer)
        return answer.body

    def _credentials(self, url: str) -> Credentials | None:
        raise AssertionError("each registry knows its own")

    def _page(self, url: str, accept: str, credentials: Credentials | None) -> Page:
        def ask(etag: str | None) -> Answer:
            answer = self._http.get(
                url, headers={"accept": accept}, credentials=credentials, limits=self._limits, etag=etag
            )
            self._note(answer)
            return answer

        return self._pages.page(url, ask)

    def _understood(self, name: ProjectName, page: Page) -> Project:
        try:
            return replace(self._understand(name, page), source=_host(page.url))
        except ValueError as error:
            raise Untrusted(f"{error} (from {shown(page.url)}); check that the registry's address is right") from None

    def remembers(self, name: ProjectName) -> bool:
        """Whether ``again`` has an answer."""
        return self._understand.remembers(name)

    def again(self, name: ProjectName) -> Project | None:
        """Return what was last answered for a project, without asking; None if it is not remembered."""
        known = self._understand.again(name)
        return replace(known[0], source=_host(known[1])) if known is not None else None

    def _note(self, answer: Answer) -> None:
        self._notes.update(dict.fromkeys(answer.notes))


class NpmRegistry(_Remote):
    """The npm registries of an ``.npmrc``: the usual one, and those of scopes."""

    def __init__(
        self,
        http: HttpClient,
        config: NpmConfig,
        parse: Understanding,
        pages: IndexPages | None = None,
        page_limits: Limits = PAGE_LIMITS,
        artifact_limits: Limits = ARTIFACT_LIMITS,
    ) -> None:
        super().__init__(http, parse, pages or IndexPages(None), page_limits, config.notes)
        self._config = config
        self._artifact_limits = artifact_limits

    def project(self, name: ProjectName) -> Project:
        """Return what the full packument says.

        Raises:
            NotFound, Unavailable, Untrusted: see ``app.ports``.
        """
        return self._understood(name, self._asked(name))

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that may be asked for a page."""
        return self._config.addresses

    def page(self, name: ProjectName) -> IndexPage:
        """Return the full packument as it was sent, asked for only if it changed.

        Raises:
            NotFound, Unavailable, Untrusted: see ``app.ports``.
        """
        return self._asked(name).whole()

    def _asked(self, name: ProjectName) -> Page:
        url = self._address(name)
        return self._page(url, NPM_TYPES, self._config.credentials(url, name))

    def kept(self, name: ProjectName) -> IndexPage | None:
        """Return the packument as it was last seen, or None."""
        return self._pages.kept(self._address(name))

    def renew(self, name: ProjectName) -> bool:
        """Ask for the packument the next time, if it was taken as it was; return whether it was."""
        return self._pages.renew(self._address(name))

    def _address(self, name: ProjectName) -> str:
        return self._config.registry_for(name) + name.replace("/", "%2f")

    def statement(self, name: ProjectName, url: str) -> bytes:
        """Return what is attested of an artifact, from the package's registry, as npm does, whatever host it names."""
        from urllib.parse import urlsplit

        registry, path = self._config.registry_for(name), urlsplit(url).path
        own = urlsplit(registry).path.rstrip("/")
        return self.fetch(registry.rstrip("/") + path.removeprefix(own if path.startswith(f"{own}/") else ""))

    def keys(self, name: ProjectName) -> bytes:
        """Return the keys with which the registry of a package signs. Raises NotFound, Unavailable, Untrusted."""
        return self.fetch(self._config.registry_for(name) + "-/npm/v1/keys")

    def _credentials(self, url: str) -> Credentials | None:
        return self._config.credentials(url, _scope_of(url))

    def _fetch(self, artifact: Artifact) -> bytes:
        name = _scope_of(artifact.url)
        url = self._config.artifact_url(artifact.url, name)
        registry = self._config.registry_for(name)
        if url.startswith("http://") and not registry.startswith("http://"):
            raise Untrusted(f"the tarball {shown(url)} is not served encrypted, although the registry is")
        if _host(url) != _host(registry):
            self._notes[f"{_host(url)} serves tarballs for the registry {_host(registry)}"] = None
        credentials = self._config.credentials(url, name)
        answer = self._http.get(url, headers=AS_IT_IS, credentials=credentials, limits=self._artifact_limits)
        self._note(answer)
        return answer.body


class PypiRegistry(_Remote):
    """The indexes of pip or uv, asked in order: the first that has a project answers for it, alone.

    Priority and not a merge: an index that is asked later cannot put a higher version beside the first one's
    (dependency confusion).
    """

    def __init__(
        self,
        http: HttpClient,
        config: PipConfig,
        parse: Understanding,
        pages: IndexPages | None = None,
        page_limits: Limits = PAGE_LIMITS,
        artifact_limits: Limits = ARTIFACT_LIMITS,
    ) -> None:
        super().__init__(http, parse, pages or IndexPages(None), page_limits, config.notes)
        self._config = config
        self._artifact_limits = artifact_limits

    def project(self, name: ProjectName) -> Project:
        """Return what the first index that has the project says of it.

        Raises:
            NotFound: no index has it.
            Unavailable, Untrusted: an index failed before one had it; the next ones are not asked then.
        """
        return self._checked(name, self._asked(name))

    def statement(self, name: ProjectName, url: str) -> bytes:
        """Return a provenance object (PEP 740). Raises NotFound, Unavailable, Untrusted."""
        return self.fetch(url)

    def keys(self, name: ProjectName) -> bytes:
        """Raise NotFound: an index of Python signs nothing itself."""
        raise NotFound(f"the index that has {name} signs nothing itself")

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that may be asked for a page."""
        return self._config.addresses

    def page(self, name: ProjectName) -> IndexPage:
        """Return the page of the first index that has the project, as it was sent, asked for only if it changed.

        Raises:
            NotFound, Unavailable, Untrusted: as for ``project``.
        """
        return self._asked(name).whole()

    def _asked(self, name: ProjectName) -> Page:
        for number, index in enumerate(self._config.indexes):
            try:
                page = self._ask(name, index)
            except NotFound:
                continue
            if number:
                self._notes[f"{name} was found at {shown(index.url)}; the indexes before it do not have it"] = None
            return page
        asked = ", ".join(shown(index.url) for index in self._config.indexes)
        raise NotFound(f"no index has the project {name} (asked: {asked})")

    def kept(self, name: ProjectName) -> IndexPage | None:
        """Return the page of the first index that had the project when it was last seen, or None."""
        pages = (self._pages.kept(f"{index.url}{name}/") for index in self._config.indexes)
        return next((page for page in pages if page is not None), None)

    def renew(self, name: ProjectName) -> bool:
        """Ask for the pages of a project the next time, if one was taken as it was; return whether one was."""
        taken = [self._pages.renew(f"{index.url}{name}/") for index in self._config.indexes]
        return any(taken)

    def _ask(self, name: ProjectName, index: Index) -> Page:
        if index.is_file:
            body, url = local_index.page(index.url, name, self._limits.max_bytes)
            return Page("text/html", url, sha256(body).hexdigest(), lambda: IndexPage(body, "text/html", url))
        return self._page(f"{index.url}{name}/", PYPI_TYPES, index.credentials)

    def _checked(self, name: ProjectName, page: Page) -> Project:
        project = self._understood(name, page)
        artifacts = (artifact for release in project.releases for artifact in release.artifacts)
        if not page.url.startswith("file:") and any(artifact.url.startswith("file:") for artifact in artifacts):
            raise Untrusted(f"the page of {name} at {shown(page.url)} names files of this machine")
        return project

    def _credentials(self, url: str) -> Credentials | None:
        return self._config.credentials(url)

    def _fetch(self, artifact: Artifact) -> bytes:
        if artifact.url.startswith("file:"):
            folders = tuple(index.url for index in self._config.indexes if index.is_file)
            return local_index.artifact(artifact.url, folders, self._artifact_limits.max_bytes)
        if artifact.url.startswith("http://") and not any(i.url.startswith("http://") for i in self._config.indexes):
            raise Untrusted(f"the file {shown(artifact.url)} is not served encrypted, although the index is")
        credentials = self._config.credentials(artifact.url)
        answer = self._http.get(artifact.url, headers=AS_IT_IS, credentials=credentials, limits=self._artifact_limits)
        self._note(answer)
        return answer.body


def _scope_of(url: str) -> str:
    """Return the scoped package that a tarball's address belongs to, as npm lays them out; else an empty name."""
    from urllib.parse import unquote, urlsplit

    parts = unquote(urlsplit(url).path).split("/")
    scoped = next((number for number, part in enumerate(parts[:-1]) if part.startswith("@") and len(part) > 1), None)
    return f"{parts[scoped]}/{parts[scoped + 1]}" if scoped is not None else ""


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).netloc.rpartition("@")[2]
