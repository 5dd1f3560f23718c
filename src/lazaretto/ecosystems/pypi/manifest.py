"""What a distribution declares, by its kind."""

from lazaretto.core.manifest import Manifest
from lazaretto.core.model import Artifact, ArtifactKind
from lazaretto.core.tree import Tree


def manifest(artifact: Artifact, tree: Tree) -> Manifest:
    """Return the manifest of a wheel or of a source distribution. Never raises."""
    if artifact.kind is ArtifactKind.WHEEL:
        from lazaretto.ecosystems.pypi import wheel

        return wheel.manifest(tree)
    from lazaretto.ecosystems.pypi import sdist

    return sdist.manifest(tree)
