"""Documents of attestations, kept between runs: what a registry has once said of an artifact it does not change."""

from pathlib import Path

from lazaretto.app.ports import Upstream
from lazaretto.core.names import ProjectName
from lazaretto.infra.pages import PageFolder


class Statements:
    """Decorates a source of documents."""

    def __init__(self, inner: Upstream, folder: Path) -> None:
        self._inner = inner
        self._kept = PageFolder(folder)

    def fetch(self, name: ProjectName, url: str) -> bytes:
        """Return a document as it is now, and keep it. Raises NotFound, Unavailable, Untrusted."""
        body = self._inner.statement(name, url)
        self._kept[url] = ("\n", body)
        return body

    def kept(self, name: ProjectName, url: str) -> bytes:
        """Return a document as it was last seen; asked for if it never was. Raises as ``fetch``."""
        known = self._kept.get(url)
        return known[1] if known is not None else self.fetch(name, url)

    def keys(self, name: ProjectName) -> bytes:
        """Return the registry's keys as they are now. Raises NotFound, Unavailable, Untrusted."""
        return self._inner.keys(name)
