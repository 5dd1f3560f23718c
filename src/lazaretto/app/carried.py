"""What a build of a source distribution carries, as the wheels of the same release show."""

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from lazaretto.app.opened import Part
from lazaretto.core.model import ArtifactKind


def settle(parts: Collection[Part]) -> None:
    """Take from the source distributions of a release the entries that they only suppose, and that no wheel carries.

    Nobody imports by its own name what is not installed. What other files lead to is reached all the same.
    """
    doubtful = [one for one in parts if one.artifact.kind is ArtifactKind.SDIST and one.manifest.supposed]
    wheels = [one for one in parts if one.artifact.kind is ArtifactKind.WHEEL] if doubtful else []
    if wheels:
        carried = Carried(wheels)
        for part in doubtful:
            gone = {path for path in part.manifest.supposed if not carried.has(path, part)}
            entries = tuple(entry for entry in part.manifest.entries if entry.path not in gone)
            part.manifest = replace(part.manifest, entries=entries)


class Carried:
    """The files of wheels. One of a source distribution is among them if its bytes are, or its path in any folder."""

    def __init__(self, wheels: Iterable[Part]) -> None:
        """Compare with these."""
        wheels = tuple(wheels)
        self._digests = {blob.digest for wheel in wheels for blob in wheel.tree.files.values()}
        self._paths = {path for wheel in wheels for path in wheel.tree}
        for path in list(self._paths):
            folder, _, rest = path.partition("/")
            if folder.endswith(".data"):
                self._paths.add(rest.partition("/")[2])

    def has(self, path: str, part: Part) -> bool:
        """Whether a build carries a file of a source distribution."""
        names = path.split("/")
        tails = ("/".join(names[start:]) for start in range(len(names)))
        return part.tree.files[path].digest in self._digests or any(tail in self._paths for tail in tails)
