"""This update has an attestation that does not hold: its signature, its subject, or who signed.

## What it detects
A document of attestations that the index names for an artifact, of which a part fails: the signature, certificate
chain or log entry; a statement about other bytes or another release; a signer that is not the publisher whom the index
names, or a repository in the statement that is not the certificate's. Verified by Sigstore's and PyPI's own libraries
where the settings ask for it (``policy.attestations = "verify"``).

## Why it matters
Registries verify attestations when a release is published. One that fails later was exchanged, or bytes or metadata
beside it were: a mirror, a proxy or the registry itself was tampered with, or the statement was lifted from another
release to look attested.

## What it misses
Whatever the right pipeline was made to build: a valid attestation is no alibi.

## References
- PEP 740; npm, *Generating provenance statements*; Sigstore, *bundle format*
- MITRE ATT&CK T1553, Subvert Trust Controls
"""

from collections.abc import Iterator

from lazaretto.core.finding import Card, Finding
from lazaretto.core.model import Provided, Signed
from lazaretto.core.update import Update
from lazaretto.detectors import _disproved

CARD = Card(
    id="attestation-invalid",
    title="Attestation does not hold",
    variants={
        "signature": "No valid signature, certificate chain or log entry.",
        "subject": "It is about other bytes, or about another release.",
        "identity": "It was signed by somebody else than the index or the statement says.",
        "key": "It names a key that the registry does not have, or that had expired.",
    },
    group="authenticity",
    why="The registry verified it when the release was published: what fails now was changed since, or lifted.",
    attack=("T1195.002", "T1553"),
    needs=frozenset({Provided.ATTESTATION, Provided.VERIFICATION}),
)

EXAMPLES = tuple(_disproved.examples(Signed.BUILDER, {"attested": True}, CARD.variants, "attestation"))


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each way in which attestations fail."""
    return _disproved.found(update, CARD, Signed.BUILDER, "attestation", "An attestation of this update")
