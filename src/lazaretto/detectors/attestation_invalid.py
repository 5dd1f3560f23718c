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

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.model import Provided, Signed
from lazaretto.core.question import index_place, package_json
from lazaretto.core.update import Update

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

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"}
_AFTER = {"package.json": package_json("1.0.1"), "index.js": "module.exports = 2;\n"}


def _world(weakness: str, by: str = "attestation") -> dict[str, object]:
    disproof = {"by": by, "weakness": weakness, "filename": "x.tgz", "told": "it does not hold"}
    return {"before": {"attested": True}, "after": {"attested": True, "disproofs": [disproof]}}


EXAMPLES = (
    *(
        Example(
            title=f"the {weakness} does not hold",
            before=_BEFORE,
            after=_AFTER,
            world=_world(weakness),
            expect=weakness,
            at="index:attestation:0",
        )
        for weakness in CARD.variants
    ),
    Example(
        title="everything that is attested holds",
        before=_BEFORE,
        after=_AFTER,
        world={"before": {"attested": True}, "after": {"attested": True}},
    ),
    Example(
        title="what does not hold is the registry's own signature",
        before=_BEFORE,
        after=_AFTER,
        world=_world("signature", "registry-signature"),
    ),
)


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each way in which attestations fail."""
    for variant in CARD.variants:
        failed = [one for one in update.after.disproofs if one.by is Signed.BUILDER and one.weakness == variant]
        if failed:
            told = "; ".join(dict.fromkeys(f"{one.filename}: {one.told}" for one in failed))
            places = tuple(index_place(update, "attestation", f"{one.filename}: {one.told}") for one in failed[:5])
            yield Finding(CARD.id, variant, f"An attestation of this update does not hold: {told[:400]}", places)
