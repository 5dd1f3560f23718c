"""The Python ecosystem: PEP 503 names, PEP 440 versions, index pages, wheels and source distributions."""

from collections.abc import Callable
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from lazaretto.core.manifest import Manifest
from lazaretto.core.model import Artifact, Dependency, Project, Release
from lazaretto.core.names import ProjectName, Purl, Version
from lazaretto.core.tree import Tree
from lazaretto.core.view import PageView
from lazaretto.ecosystems.pypi import names, versions

if TYPE_CHECKING:
    from lazaretto.ecosystems.pypi.page import Plate


class Pypi:
    """``app.ports.Ecosystem`` for pip, uv, poetry and pdm. Pure; parts that are seldom needed load late."""

    ID = "pypi"
    FORMS = MappingProxyType(
        {
            "legacy": "text/html",
            "json": "application/vnd.pypi.simple.v1+json",
            "html": "application/vnd.pypi.simple.v1+html",
        }
    )

    def name(self, text: str) -> ProjectName:
        """Return the normal form (PEP 503). Raises ValueError."""
        return names.name(text)

    def version(self, text: str) -> Version:
        """Return the version as PEP 440 writes it. Raises ValueError."""
        return versions.version(text)

    def sort_key(self, version: Version) -> object:
        """Return PEP 440's order, made total by the text."""
        return versions.sort_key(version)

    def precedence(self, version: Version) -> object:
        """Return PEP 440's order alone: ``1.0`` and ``1.0.0`` are one version."""
        return versions.precedence(version)

    def prerelease(self, version: Version) -> bool:
        """Whether pip leaves this version out unless asked for it."""
        return versions.is_prerelease(version)

    def line(self, version: Version) -> str:
        """Return the major, with the epoch if there is one."""
        return versions.line(version)

    def purl(self, name: ProjectName, version: Version | None) -> Purl:
        """Return ``pkg:pypi/name@version``."""
        from urllib.parse import quote

        return Purl(f"pkg:pypi/{name}" if version is None else f"pkg:pypi/{name}@{quote(version, safe=':')}")

    def resolve(self, dependency: Dependency, project: Project, at: datetime | None) -> Release | None:
        """Return what pip would install for a range at an instant, or None."""
        from lazaretto.ecosystems.pypi import pick

        return pick.resolve(dependency, project, at)

    def choose(self, release: Release) -> tuple[Artifact, ...]:
        """Return the sdist and the wheel that pip would take on this platform; all artifacts if there is neither."""
        from lazaretto.ecosystems.pypi import platforms

        return platforms.choose(release)

    def index(self, name: ProjectName, data: bytes, media_type: str, url: str) -> Project:
        """Return what an index page says (PEP 691 JSON, PEP 503 HTML). Raises ValueError with the place."""
        from lazaretto.ecosystems.pypi import index

        return index.parse(name, data, media_type, url)

    def render(self, name: ProjectName, data: bytes, media_type: str, view: PageView, form: str) -> bytes:
        """Return an index page as a client may see it, in one of ``FORMS``. Raises ValueError with the place."""
        from lazaretto.ecosystems.pypi import page

        return page.render(name, data, media_type, view, form)

    def plate(
        self, name: ProjectName, data: bytes, media_type: str, address: Callable[[str], str], form: str
    ) -> "Plate":
        """Return an index page made ready to be printed many times."""
        from lazaretto.ecosystems.pypi.page import Plate

        return Plate(name, data, media_type, address, form)

    def document(self, name: ProjectName, data: bytes, wanted: str, view: PageView) -> bytes | None:
        """Return None: an index of Python packages has pages of whole projects only."""
        return None

    def manifest(self, artifact: Artifact, tree: Tree) -> Manifest:
        """Return what a wheel or a source distribution declares. Never raises."""
        from lazaretto.ecosystems.pypi import manifest

        return manifest.manifest(artifact, tree)

    def resolve_import(self, path: str, specifier: str, tree: Tree, manifest: Manifest) -> tuple[str, ...]:
        """Return the files of the tree that an import in ``path`` loads."""
        from lazaretto.ecosystems.pypi import imports

        return imports.resolve_import(path, specifier, tree, manifest)

    def imported_name(self, specifier: str) -> str | None:
        """Return the top-level module that a specifier names, None if relative or of the standard library."""
        from lazaretto.ecosystems.pypi import imports

        return imports.imported_name(specifier)


ECOSYSTEM = Pypi()
