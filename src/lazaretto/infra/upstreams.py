"""The registries that the firewall's own settings name, behind ``app.ports.Upstream``.

A name that a scope covers is asked for there and nowhere else: a private name is never looked up in public, whoever
claims it there. Of the others the first that has a project answers for it, alone, in the order of their priority.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from lazaretto.app.ports import IndexPage, NotFound, Unavailable, Upstream
from lazaretto.core.model import Artifact, Project
from lazaretto.core.names import ProjectName
from lazaretto.infra.client_config import Index, NpmConfig, PipConfig
from lazaretto.infra.http import HttpClient
from lazaretto.infra.index_pages import IndexPages, Understanding
from lazaretto.infra.pages import PageFolder
from lazaretto.infra.redact import Secret
from lazaretto.infra.registries import NpmRegistry, Parser, PypiRegistry, allowing, configured
from lazaretto.infra.transport import Credentials, Transport, environment_proxies

if TYPE_CHECKING:
    from lazaretto.settings.firewall import FirewallSettings

_T = TypeVar("_T")


ORIGIN = "the firewall's own settings"


def named(
    identifier: str, url: str, token: str, cache_dir: Path, env: Mapping[str, str], hosts: Iterable[str] | None = None
) -> Upstream:
    """Return the registry at an address, with a bearer token if there is one. Raises Unavailable, PluginError.

    ``hosts`` are those that artifacts may come from; None: any with a public address.
    """
    from lazaretto import _plugins

    address = url if url.endswith("/") else f"{url}/"
    parser: Parser = _plugins.load(f"lazaretto.ecosystems.{identifier}", ("ECOSYSTEM",)).ECOSYSTEM
    pages = IndexPages(PageFolder(cache_dir / "pages"))
    allowed = allowing(transport(env), [address], hosts)
    if identifier == "npm":
        values = {f"//{address.partition('://')[2]}:_authtoken": Secret(token)} if token else {}
        npm = NpmConfig(registry=address, origin=ORIGIN, values=values, transport=allowed)
        return NpmRegistry(HttpClient(allowed), npm, Understanding(parser.index, None), pages)
    if identifier == "pypi":
        credentials = Credentials(Secret(f"Bearer {token}")) if token else None
        pip = PipConfig((Index(address, credentials),), ORIGIN, allowed)
        return PypiRegistry(HttpClient(allowed), pip, Understanding(parser.index, None), pages)
    raise Unavailable(f"no registry of the ecosystem {identifier!r} can be asked")


def transport(env: Mapping[str, str]) -> Transport:
    """Return how connections are made for a registry that no client's own configuration names."""
    extra = tuple(filter(None, (env.get("NODE_EXTRA_CA_CERTS"),)))
    bundle = tuple(filter(None, (env.get("SSL_CERT_FILE"),)))
    return Transport(proxies=environment_proxies(env), ca_files=bundle, extra_ca_files=extra)


class Scoped(Struct, frozen=True):
    """One registry, its address, and the patterns of names that are its alone."""

    upstream: Upstream
    url: str
    scopes: tuple[str, ...] = ()

    def covers(self, name: ProjectName) -> bool:
        """Whether a name is this registry's alone."""
        return any(fnmatchcase(name, pattern) for pattern in self.scopes)


class Prioritized:
    """Several registries as one, each asked for what is its."""

    def __init__(self, upstreams: Sequence[Scoped]) -> None:
        """``upstreams`` in the order of their priority."""
        self._upstreams = tuple(upstreams)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that may be asked."""
        return tuple(one.url for one in self._upstreams)

    def project(self, name: ProjectName) -> Project:
        """Return what the first registry that has the project says of it. Raises as ``page`` does."""
        return self._first(name, lambda upstream: upstream.project(name))

    def page(self, name: ProjectName) -> IndexPage:
        """Return the page of the first registry that has the project.

        Raises:
            NotFound: none has it.
            Unavailable, Untrusted: one failed before one had it; the next ones are not asked then.
        """
        return self._first(name, lambda upstream: upstream.page(name))

    def kept(self, name: ProjectName) -> IndexPage | None:
        """Return the page of the first registry that had the project when it was last seen, or None."""
        return next((page for one in self._of(name) if (page := one.kept(name)) is not None), None)

    def download(self, artifact: Artifact) -> bytes:
        """Return an artifact's bytes from the registry whose address it has. Raises NotFound, RegistryError."""
        return self._at(artifact.url).download(artifact)

    def fetch(self, url: str) -> bytes:
        """Return a document from the registry whose address it has. Raises NotFound, RegistryError."""
        return self._at(url).fetch(url)

    def statement(self, name: ProjectName, url: str) -> bytes:
        """Return what is attested, from the registry that has the project. Raises NotFound, RegistryError."""
        return self._first(name, lambda upstream: upstream.statement(name, url))

    def keys(self, name: ProjectName) -> bytes:
        """Return the keys of the registry that has the project. Raises NotFound, RegistryError."""
        return self._first(name, lambda upstream: upstream.keys(name))

    def question(self, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Return the answer of the registry whose address it is. Raises NotFound, RegistryError."""
        return self._at(url).question(url, body, headers)

    def prefetch(self, artifacts: Iterable[Artifact]) -> None:
        """Pass the hint on."""
        for artifact in artifacts:
            self._at(artifact.url).prefetch([artifact])

    def close(self) -> None:
        """Forget what was begun ahead."""
        for one in self._upstreams:
            close = getattr(one.upstream, "close", None)
            if close is not None:
                close()

    def _of(self, name: ProjectName) -> Iterator[Upstream]:
        own = [one.upstream for one in self._upstreams if one.covers(name)]
        yield from own or [one.upstream for one in self._upstreams if not one.scopes]

    def _first(self, name: ProjectName, ask: Callable[[Upstream], _T]) -> _T:
        for upstream in self._of(name):
            try:
                return ask(upstream)
            except NotFound:
                continue
        raise NotFound(f"no registry that the firewall may ask for {name} has it")

    def _at(self, url: str) -> Upstream:
        """Return the registry with the longest address that this one begins with, else the first on its host."""
        fits = sorted((one for one in self._upstreams if url.startswith(one.url)), key=lambda one: -len(one.url))
        return (fits or [one for one in self._upstreams if _host(one.url) == _host(url)] or self._upstreams)[0].upstream


def serving(identifier: str, settings: "FirewallSettings", cache_dir: Path, env: Mapping[str, str]) -> Upstream:
    """Return the registries of an ecosystem that settings name, in the order of their priority; else the clients' own.

    Raises:
        Unavailable, PluginError: as ``named`` and ``configured``.
    """
    ours = sorted((one for one in settings.upstreams if one.ecosystem == identifier), key=lambda one: one.priority)
    if not ours:
        return configured(identifier, cache_dir, env, hosts=settings.artifact_hosts, guarded=True)
    made = []
    for one in ours:
        token = env.get(one.token_env, "") if one.token_env else ""
        upstream = named(identifier, one.url, token, cache_dir, env, settings.artifact_hosts)
        made.append(Scoped(upstream, one.url, one.scopes))
    return Prioritized(made)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]
