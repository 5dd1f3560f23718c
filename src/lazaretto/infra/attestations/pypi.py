"""PyPI: attestations of trusted publishers in provenance objects (PEP 740), by PyPI's own library."""

from typing import TYPE_CHECKING

from lazaretto.app.attested import AttestationError, Checked, Keys
from lazaretto.core.model import Artifact, Disproof, Provenance, Release, Signed, Weakness
from lazaretto.infra.attestations._certificate import Bearer

if TYPE_CHECKING:
    from pypi_attestations import Attestation, Distribution, Publisher

MAX_DOCUMENT = 16 << 20
"""Largest provenance object that is looked at, in bytes."""

MAX_ATTESTATIONS = 32
"""Most attestations of one file that are verified."""

_OTHER_SUBJECT = "subject"
"""With this word the library says that an attestation is about something else."""


class Verifier:
    """Verifies what trusted publishers sign for files of PyPI."""

    def signatures(self, release: Release, artifact: Artifact, keys: Keys) -> tuple[Disproof, ...]:
        """Return nothing: PyPI itself signs no files."""
        return ()

    def attestations(self, release: Release, artifact: Artifact, document: bytes, keys: Keys) -> Checked:
        """Verify the attestations of a file, each by the publisher that the index names. Raises AttestationError."""
        from pydantic import ValidationError
        from pypi_attestations import Distribution
        from pypi_attestations import Provenance as ProvenanceObject

        name, sha256 = artifact.filename, artifact.digests.get("sha256")
        if len(document) > MAX_DOCUMENT:
            raise AttestationError(f"{name}: its provenance object is larger than {MAX_DOCUMENT} bytes")
        if sha256 is None:
            raise AttestationError(f"{name}: no SHA-256 is known that its attestations could be about")
        try:
            provenance = ProvenanceObject.model_validate_json(document)
            distribution = Distribution(name=name, digest=sha256)
        except (ValidationError, RecursionError) as error:
            raise AttestationError(f"{name}: its provenance object cannot be read: {_line(error)}") from None
        signed = [(one, bundle.publisher) for bundle in provenance.attestation_bundles for one in bundle.attestations]
        if not signed or len(signed) > MAX_ATTESTATIONS:
            raise AttestationError(f"{name}: its provenance object has {len(signed)} attestations")
        built: Provenance | None = None
        disproofs = []
        for attestation, publisher in signed:
            found = _verify(attestation, distribution, publisher)
            if isinstance(found, Provenance):
                built = built or found
            else:
                disproofs.append(Disproof(Signed.BUILDER, found[0], name, found[1]))
        return Checked(built, tuple(disproofs))


def _verify(
    attestation: "Attestation", distribution: "Distribution", publisher: "Publisher"
) -> Provenance | tuple[Weakness, str]:
    """Return what the certificate says, or in which way it does not hold."""
    from pypi_attestations import AttestationError as Broken
    from sigstore.errors import Error

    bearer = Bearer()
    try:
        attestation.verify(bearer, distribution, offline=True)
        built = bearer.provenance()
    except Broken as error:
        other = _OTHER_SUBJECT in str(error)
        return (Weakness.SUBJECT if other else Weakness.SIGNATURE), _line(error)
    except (Error, OSError) as error:
        raise AttestationError(f"{distribution.name}: its attestation cannot be verified: {_line(error)}") from None
    try:
        attestation.verify(publisher, distribution, offline=True)
    except Broken as error:
        told = f"signed from {built.repository}, which is not the publisher that the index names: {_line(error)}"
        return Weakness.IDENTITY, told
    return built


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
