"""The words of a signing certificate of Fulcio: who asked for it, and from where the artifact was built.

Source: Sigstore, Fulcio's certificate extensions (OID 1.3.6.1.4.1.57264.1).
"""

import logging
from typing import TYPE_CHECKING

from lazaretto.core.model import Provenance

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_ARC = "1.3.6.1.4.1.57264.1."
_ISSUER, _REPOSITORY, _COMMIT, _REF, _WORKFLOW, _EVENT = (f"{_ARC}{n}" for n in (8, 12, 13, 14, 18, 20))
_SHORT = 128
"""Lengths from here on are spelt in several bytes (X.690, 8.1.3)."""

for _name in ("sigstore", "tuf", "pypi_attestations"):
    logging.getLogger(_name).setLevel(logging.ERROR)  # that it works offline is no news to anybody


class Bearer:
    """A policy of Sigstore that accepts every signer and remembers the certificate: who signed is asked afterwards."""

    certificate: "Certificate | None" = None

    def verify(self, cert: "Certificate") -> None:
        """Take note of the certificate, whose chain has been verified."""
        self.certificate = cert

    def provenance(self) -> Provenance:
        """Return what the certificate says. Raises ValueError before one was verified."""
        if self.certificate is None:
            raise ValueError("no certificate was verified")
        return provenance_of(self.certificate)


def provenance_of(certificate: "Certificate") -> Provenance:
    """Return what a verified certificate says about the build."""
    from cryptography.x509 import UnrecognizedExtension

    said: dict[str, str] = {}
    for extension in certificate.extensions:
        if isinstance(extension.value, UnrecognizedExtension):
            text = _utf8_string(extension.value.value)
            if text is not None:
                said[extension.oid.dotted_string] = text
    repository = said.get(_REPOSITORY)
    return Provenance(
        repository=repository,
        ref=said.get(_REF),
        workflow=_path(said.get(_WORKFLOW), repository),
        event=said.get(_EVENT),
        commit=said.get(_COMMIT),
        issuer=said.get(_ISSUER),
        verified=True,
    )


def _path(workflow: str | None, repository: str | None) -> str | None:
    """Return where in the repository the workflow stands; its address ends in the reference that it was taken from."""
    if workflow is None:
        return None
    path = workflow.rpartition("@")[0] or workflow
    inside = repository is not None and path.startswith(f"{repository}/")
    return path[len(repository) :].lstrip("/") if repository is not None and inside else path


def _utf8_string(der: bytes) -> str | None:
    """Return the text of a DER UTF8String (tag 12), None if it is something else."""
    if len(der) < 2 or der[0] != 12:
        return None
    start = 2 if der[1] < _SHORT else 2 + (der[1] - _SHORT)
    try:
        return der[start:].decode()
    except UnicodeDecodeError:
        return None
