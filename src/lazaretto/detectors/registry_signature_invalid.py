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
from lazaretto.core.question import index_place, package_json
from lazaretto.core.update import Update

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

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"}
_AFTER = {"package.json": package_json("1.0.1"), "index.js": "module.exports = 2;\n"}


def _world(weakness: str, by: str = "registry-signature") -> dict[str, object]:
    disproof = {"by": by, "weakness": weakness, "filename": "x.tgz", "told": "it does not hold"}
    return {"before": {"signed": True}, "after": {"signed": True, "disproofs": [disproof]}}


EXAMPLES = (
    *(
        Example(
            title=f"the {weakness} does not hold",
            before=_BEFORE,
            after=_AFTER,
            world=_world(weakness),
            expect=weakness,
            at="index:signature:0",
        )
        for weakness in ("signature", "key")
    ),
    Example(
        title="every release was signed but this one",
        before=_BEFORE,
        after=_AFTER,
        world={"before": {"signed": True}},
        expect="absent",
        at="index:signature:0",
    ),
    Example(
        title="the signature holds",
        before=_BEFORE,
        after=_AFTER,
        world={"before": {"signed": True}, "after": {"signed": True}},
    ),
    Example(
        title="what does not hold is an attestation",
        before=_BEFORE,
        after=_AFTER,
        world=_world("signature", "attestation"),
    ),
)


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each way in which the registry's signatures fail."""
    for variant in ("signature", "key"):
        failed = [one for one in update.after.disproofs if one.by is Signed.REGISTRY and one.weakness == variant]
        if failed:
            told = "; ".join(dict.fromkeys(f"{one.filename}: {one.told}" for one in failed))
            places = tuple(index_place(update, "signature", f"{one.filename}: {one.told}") for one in failed[:5])
            yield Finding(CARD.id, variant, f"The registry's signature does not hold: {told[:400]}", places)
    bare = [artifact for artifact in update.after.artifacts if not artifact.signatures]
    signed = any(artifact.signatures for release in update.history for artifact in release.artifacts)
    if bare and signed:
        place = index_place(update, "signature", f"{bare[0].filename}: not signed by the registry")
        told = ", ".join(artifact.filename for artifact in bare[:5])
        yield Finding(CARD.id, "absent", f"The registry signed the releases before this one and not {told}", (place,))
