"""This update has no signature of its registry that holds, where the releases before it have one.

## What it detects
npm signs ``name@version:integrity`` of every release. A signature that does not verify with the registry's key, that
names a key which the registry does not have or which had expired when the release was published, and a release
without any signature among releases that have them. Only where the settings ask for it
(``policy.attestations = "verify"``).

## Why it matters
What lies between the registry and the client (a mirror, a proxy, a stolen certificate) cannot make this signature. It
is the only proof that the bytes are those that the registry took in.

## What it misses
A release that the registry itself took in from an attacker: it is signed like any other.

## References
- npm, *About ECDSA registry signatures*; ``npm audit signatures``
- MITRE ATT&CK T1557, Adversary-in-the-Middle
"""

from collections.abc import Iterator

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.model import Provided, Signed
from lazaretto.core.question import index_place
from lazaretto.core.update import Update
from lazaretto.detectors import _disproved

CARD = Card(
    id="registry-signature-invalid",
    title="Registry signature does not hold",
    variants={
        "signature": "The signature does not hold for this name, version and digest.",
        "key": "It names a key that the registry does not have, or that had expired.",
        "absent": "The registry signs this project's releases, and not this one.",
    },
    group="authenticity",
    why="Only the registry can make it: where it fails, something stands between the registry and you.",
    attack=("T1195.002", "T1557"),
    needs=frozenset({Provided.SIGNATURE, Provided.VERIFICATION}),
)

EXAMPLES = (
    *_disproved.examples(Signed.REGISTRY, {"signed": True}, ("signature", "key"), "signature"),
    Example(
        title="every release was signed but this one",
        before=_disproved.BEFORE,
        after=_disproved.AFTER,
        world={"before": {"signed": True}},
        expect="absent",
        at="index:signature:0",
    ),
)


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each way in which the registry's signatures fail."""
    yield from _disproved.found(update, CARD, Signed.REGISTRY, "signature", "The registry's signature")
    bare = [artifact for artifact in update.after.artifacts if not artifact.signatures]
    signed = any(artifact.signatures for release in update.history for artifact in release.artifacts)
    if bare and signed:
        place = index_place(update, "signature", f"{bare[0].filename}: not signed by the registry")
        told = ", ".join(artifact.filename for artifact in bare[:5])
        yield Finding(CARD.id, "absent", f"The registry signed the releases before this one and not {told}", (place,))
