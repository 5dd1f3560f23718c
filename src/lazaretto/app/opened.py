"""Archives on both sides of an update, unpacked: what there is to read in them, and who reads it."""

from collections.abc import Callable, Sequence
from functools import cached_property
from hashlib import sha256

from msgspec import Struct

from lazaretto.app.ports import ArchiveError, Ecosystem, Engine, Job, PortError
from lazaretto.core.language import Claim
from lazaretto.core.manifest import Hook, HookKind, Manifest
from lazaretto.core.model import Artifact
from lazaretto.core.names import Digest
from lazaretto.core.tree import Blob, Tree

COMMAND_DIALECT = "command"
"""The dialect in which the text of a lifecycle script is read."""

ClaimFile = Callable[[str, bytes], Claim | None]
"""(path, bytes) -> the languages' best offer to read a file."""


class Source(Struct, frozen=True, dict=True):
    """An artifact to read, with its verified bytes. Short-lived: a release may have dozens."""

    artifact: Artifact
    data: bytes

    @cached_property
    def sha256(self) -> str:
        """The digest of the bytes, in hex."""
        return sha256(self.data).hexdigest()


class Part(Struct, eq=False):
    """One unpacked artifact while it is being read: what there is to read, and who reads it."""

    artifact: Artifact
    tree: Tree
    manifest: Manifest
    wanted: dict[str, Job]
    commands: list[tuple[Hook, Job]]


class Opened(Struct, eq=False, dict=True):
    """The same kind of artifact on both sides, unpacked; ``before`` is None at first contact."""

    before: Part | None
    after: Part

    def unchanged(self, path: str) -> bool:
        """Whether the file is the same on both sides."""
        return path in self._unchanged

    @cached_property
    def _unchanged(self) -> frozenset[str]:
        old, new = self.before.tree.files if self.before else {}, self.after.tree.files
        return frozenset(path for path in old.keys() & new.keys() if old[path].digest == new[path].digest)

    def earlier(self) -> list[Job]:
        """Return the earlier sides of what changed or was removed."""
        before = self.before
        return [] if before is None else [job for path, job in before.wanted.items() if not self.unchanged(path)]


class Homes:
    """Says which archive answers for the bytes of a file (``ports.Home``).

    What both sides have is the earlier one's: whoever meets the bytes of the release in question must not answer for
    what the line did before.
    """

    def __init__(self, opened: Sequence[Opened]) -> None:
        """Speak of the archives of these pairs."""
        self._opened = opened

    def __call__(self, digest: Digest) -> Tree | None:
        """Return the archive; None if none of them has a file or a command of these bytes."""
        return self._trees.get(digest)

    @cached_property
    def _trees(self) -> dict[Digest, Tree]:
        earlier = [pair.before for pair in self._opened if pair.before is not None]
        found: dict[Digest, Tree] = {}
        for part in (*(pair.after for pair in self._opened), *earlier):  # the last word has the earlier side
            found.update((blob.digest, part.tree) for blob in part.tree.files.values())
            found.update((job.blob.digest, part.tree) for _, job in part.commands)
        return found


def open_parts(
    engine: Engine, claim: ClaimFile, ecosystem: Ecosystem, sources: Sequence[Source]
) -> list[Part | PortError]:
    """Return for each source what there is to read, or the error that kept its archive from being unpacked."""
    trees = engine.unpack_many([(source.artifact, source.data) for source in sources])
    # Most files are the same on both sides, and then the same object: the engine has compared their bytes.
    offers: dict[tuple[str, int], Claim | None] = {}

    def claim_once(path: str, blob: Blob) -> Claim | None:
        key = (path, id(blob))
        if key not in offers:
            offers[key] = claim(path, blob.data)
        return offers[key]

    return [
        tree if isinstance(tree, PortError) else _part(claim_once, ecosystem, source.artifact, tree)
        for source, tree in zip(sources, trees, strict=True)
    ]


def text_blob(text: str) -> Blob:
    """Return a piece of text as a file to read."""
    data = text.encode("utf-8", "surrogatepass")
    return Blob(digest=Digest(f"sha256:{sha256(data).hexdigest()}"), held=data)


def _part(
    claim: Callable[[str, Blob], Claim | None], ecosystem: Ecosystem, artifact: Artifact, tree: Tree
) -> Part | PortError:
    if not tree.files:
        return ArchiveError(f"{artifact.filename}: the archive holds no file")
    manifest = ecosystem.manifest(artifact, tree)
    wanted = {}
    for path, blob in tree.files.items():
        offer = claim(path, blob)
        if offer is not None:
            wanted[path] = Job(path=path, dialect=offer.dialect, blob=blob)
    commands = [
        (hook, Job(path=f"{hook.path}#{hook.name}", dialect=COMMAND_DIALECT, blob=text_blob(hook.command)))
        for hook in manifest.hooks
        if hook.kind is HookKind.SCRIPT or (hook.kind is HookKind.IMPLICIT and hook.name != hook.path)
    ]
    return Part(artifact, tree, manifest, wanted, commands)
