"""The npm ecosystem: names, semantic versions and ranges, packuments, manifests, module resolution."""

from collections.abc import Callable
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from lazaretto.core.manifest import Manifest
from lazaretto.core.model import Artifact, Dependency, Project, Release
from lazaretto.core.names import ProjectName, Purl, Version
from lazaretto.core.tree import Tree
from lazaretto.core.view import PageView
from lazaretto.ecosystems.npm import names, versions

if TYPE_CHECKING:
    from lazaretto.ecosystems.npm.page import Plate


class Npm:
    """``app.ports.Ecosystem`` for npm, pnpm, yarn and bun. Pure; parts that are seldom needed load late."""

    ID = "npm"
    FORMS = MappingProxyType({"full": "application/json", "abbreviated": "application/vnd.npm.install-v1+json"})

    def name(self, text: str) -> ProjectName:
        """Return the package name, which npm compares exactly. Raises ValueError."""
        return names.name(text)

    def version(self, text: str) -> Version:
        """Return the semantic version as npm prints it. Raises ValueError."""
        return versions.version(text)

    def sort_key(self, version: Version) -> versions.SemverKey:
        """Return semver's order, made total by build metadata and text."""
        return versions.sort_key(version)

    def precedence(self, version: Version) -> versions.SemverKey:
        """Return semver's order alone: build metadata makes no difference."""
        return versions.precedence(version)

    def prerelease(self, version: Version) -> bool:
        """Whether a range leaves this version out unless it names its prerelease."""
        return versions.is_prerelease(version)

    def line(self, version: Version) -> str:
        """Return the major, or ``0.minor``."""
        return versions.line(version)

    def purl(self, name: ProjectName, version: Version | None) -> Purl:
        """Return ``pkg:npm/%40scope/name@version``."""
        return names.purl(name, version)

    def resolve(self, dependency: Dependency, project: Project, at: datetime | None) -> Release | None:
        """Return what npm would install for a range at an instant, or None."""
        from lazaretto.ecosystems.npm import pick

        return pick.resolve(dependency, project, at)

    def choose(self, release: Release) -> tuple[Artifact, ...]:
        """Return the tarball."""
        return release.artifacts

    def index(self, name: ProjectName, data: bytes, media_type: str = "", url: str = "") -> Project:
        """Return what a full packument says, wherever it was served from. Raises ValueError with the place."""
        from lazaretto.ecosystems.npm import index

        return index.parse(name, data)

    def render(self, name: ProjectName, data: bytes, media_type: str, view: PageView, form: str) -> bytes:
        """Return a packument as a client may see it, in one of ``FORMS``. Raises ValueError with the place."""
        return b"".join(self.plate(name, data, media_type, view.address, form).print(view))

    def plate(
        self, name: ProjectName, data: bytes, media_type: str, address: Callable[[str], str], form: str
    ) -> "Plate":
        """Return a packument made ready to be printed many times. Raises ValueError with the place."""
        from lazaretto.ecosystems.npm.page import Plate

        return Plate(name, data, address, form)

    def document(self, name: ProjectName, data: bytes, wanted: str, view: PageView) -> bytes | None:
        """Return the manifest of one version, named by itself or by a tag; None if it cannot be seen."""
        from lazaretto.ecosystems.npm import page

        return page.document(name, data, wanted, view)

    def manifest(self, artifact: Artifact, tree: Tree) -> Manifest:
        """Return what the package's own manifest declares. Never raises."""
        from lazaretto.ecosystems.npm import manifest

        return manifest.manifest(tree)

    def resolve_import(self, path: str, specifier: str, tree: Tree, manifest: Manifest) -> tuple[str, ...]:
        """Return the files of the tree that an import in ``path`` can load."""
        from lazaretto.ecosystems.npm import imports

        return imports.resolve_import(path, specifier, tree, manifest)

    def imported_name(self, specifier: str) -> str | None:
        """Return the package that a specifier names, None if it is a path or built in."""
        from lazaretto.ecosystems.npm import imports

        return imports.imported_name(specifier)


ECOSYSTEM = Npm()
