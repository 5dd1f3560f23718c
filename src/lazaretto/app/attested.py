"""What is signed for a release: the documents beside its artifacts, read and, if that is wanted, verified."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.app.ports import NotFound, PortError, RegistryError, Untrusted
from lazaretto.app.records import complete, incomplete
from lazaretto.core.model import Artifact, Disproof, Provenance, Release
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.policy import Outage, Policy
from lazaretto.core.verdict import CHECK_ATTESTATION, Record

HABIT_DEPTH = 3
"""Earlier attested releases whose documents are read: what makes a habit, and one more."""


class AttestationError(PortError):
    """What is signed cannot be verified here: its form is not known, a key or a trust root could not be got."""


class Documents(Protocol):
    """Where what stands beside artifacts comes from."""

    def fetch(self, name: ProjectName, url: str) -> bytes:
        """Return a document as it is now. Raises NotFound, Unavailable, Untrusted."""
        ...

    def kept(self, name: ProjectName, url: str) -> bytes:
        """Return a document as it was last seen: that of an earlier release does not change. Raises as ``fetch``."""
        ...

    def keys(self, name: ProjectName) -> bytes:
        """Return the document of the keys with which the registry of a project signs. Raises as ``fetch``."""
        ...


class Checked(Struct, frozen=True):
    """What a verifier makes of a document: whence the artifact came, and everything that does not hold."""

    provenance: Provenance | None = None
    disproofs: tuple[Disproof, ...] = ()


Keys = Callable[[], bytes]
"""Gives the document of the registry's keys when it is needed. Raises RegistryError."""


class AttestationVerifier(Protocol):
    """Verifies what is signed for the artifacts of one ecosystem, by libraries that are kept for that."""

    def attestations(self, release: Release, artifact: Artifact, document: bytes, keys: Keys) -> Checked:
        """Verify a document of attestations: signatures, certificates, log entries, subject and signer.

        Raises:
            AttestationError: it cannot be verified here.
            RegistryError: the keys could not be got.
        """
        ...

    def signatures(self, release: Release, artifact: Artifact, keys: Keys) -> tuple[Disproof, ...]:
        """Verify the registry's own signatures of an artifact. Raises as ``attestations``."""
        ...


class Attested(Struct, frozen=True):
    """A release with what is signed for it, what earlier ones were built from, and whether all of it could be got.

    ``untold`` are documents that the index names and the registry does not have: many mirrors pass the index on alone.
    """

    release: Release
    earlier: Mapping[Version, Provenance]
    record: Record
    verified: bool = False
    untold: tuple[str, ...] = ()

    def filled(self, releases: Iterable[Release]) -> tuple[Release, ...]:
        """Return the releases with what is known of where they were built."""
        return tuple(self._filled(release) for release in releases)

    def _filled(self, release: Release) -> Release:
        known = self.earlier.get(release.version)
        return replace(release, provenance=known) if known is not None and release.provenance is None else release


class Attester:
    """Gets and reads what is signed for the releases of one ecosystem.

    Args:
        claims: reads what a document claims, without verifying it; raises ValueError if it is none.
        verifier: verifies it; None where that is not wanted.
        notes: what a reader should know of what was verified with.
    """

    def __init__(
        self,
        documents: Documents,
        claims: Callable[[bytes], Provenance | None],
        verifier: AttestationVerifier | None,
        policy: Policy,
        notes: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        self._documents = documents
        self._notes = notes
        self._claims = claims
        self._verifier = verifier
        self._policy = policy
        self._keys: dict[ProjectName, bytes] = {}

    def attest(self, release: Release, earlier: Sequence[Release]) -> Attested:
        """Return a release, with the artifacts that were read of it, and what is signed for it; never raises PortError.

        ``earlier`` are the releases that a habit may be read from, the nearest first.
        """
        trouble = _Trouble(strict=self._verifier is not None)
        found = [self._of(release, artifact, trouble) for artifact in release.artifacts]
        provenance = next((one.provenance for one in found if one.provenance is not None), None)
        disproofs = tuple(disproof for one in found for disproof in one.disproofs)
        habit: dict[Version, Provenance] = {}
        asked = [one for one in earlier if one.provenance is None and _document(one) is not None]
        for before in asked[:HABIT_DEPTH] if provenance is not None else ():
            known = self._earlier(before, trouble)
            if known is not None:
                habit[before.version] = known
        attested = replace(release, provenance=provenance or release.provenance, disproofs=disproofs)
        record = trouble.record(self._policy)
        untold = (*trouble.untold, *self._notes())
        return Attested(attested, habit, record, verified=self._verifier is not None, untold=untold)

    def _of(self, release: Release, artifact: Artifact, trouble: "_Trouble") -> Checked:
        disproofs: tuple[Disproof, ...] = ()
        if artifact.signatures and self._verifier is not None:
            with trouble:
                disproofs = self._verifier.signatures(release, artifact, lambda: self._known_keys(release.project))
        checked = Checked()
        if artifact.provenance_url is not None:
            with trouble:
                checked = self._read(release, artifact, self._documents.fetch(release.project, artifact.provenance_url))
        return Checked(checked.provenance, (*disproofs, *checked.disproofs))

    def _earlier(self, release: Release, trouble: "_Trouble") -> Provenance | None:
        artifact = _document(release)
        if artifact is None or artifact.provenance_url is None:
            return None
        with trouble, suppress(NotFound):  # a mirror may have forgotten it: then it makes no habit
            document = self._documents.kept(release.project, artifact.provenance_url)
            try:
                known = self._read(release, artifact, document)
            except AttestationError:  # of an older form: what it claims is still what the line was used to
                known = Checked()
            return known.provenance or self._claimed(artifact, document)
        return None

    def _read(self, release: Release, artifact: Artifact, document: bytes) -> Checked:
        if self._verifier is None:
            return Checked(self._claimed(artifact, document))
        return self._verifier.attestations(release, artifact, document, lambda: self._known_keys(release.project))

    def _claimed(self, artifact: Artifact, document: bytes) -> Provenance | None:
        try:
            return self._claims(document)
        except ValueError as error:
            raise Untrusted(f"{artifact.filename}: {error}") from None

    def _known_keys(self, project: ProjectName) -> bytes:
        if project not in self._keys:
            self._keys[project] = self._documents.keys(project)
        return self._keys[project]


def _document(release: Release) -> Artifact | None:
    return next((artifact for artifact in release.artifacts if artifact.provenance_url is not None), None)


class _Trouble:
    """Collects what kept something signed from being got or verified: a ``with`` block that may fail.

    Where nothing is to be verified, a document that a registry does not have is one that it does not tell.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._told: dict[str, Outage] = {}
        self.untold: dict[str, None] = {}

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        if not isinstance(error, PortError):
            return False
        if isinstance(error, NotFound) and not self._strict:
            self.untold[f"where it was built: {error}"] = None
        elif isinstance(error, AttestationError):
            self._told[str(error)] = Outage.UNVERIFIED
        elif isinstance(error, RegistryError):
            self._told[str(error)] = Outage.UNTRUSTED if isinstance(error, Untrusted) else Outage.UPSTREAM
        else:
            return False
        return True

    def record(self, policy: Policy) -> Record:
        """Return the record: of several kinds of trouble, that which the policy takes worst."""
        if not self._told:
            return complete(CHECK_ATTESTATION)
        worst = max(self._told.values(), key=policy.on_outage)
        return incomplete(CHECK_ATTESTATION, worst, list(self._told))
