"""This update was attested, but built in another place than the releases before it.

## What it detects
An attestation that names another source repository, another workflow file, another sort of branch or tag, or another
trigger than every earlier release of the line whose attestation is known.

## Why it matters
Attestations say where from, not harmless: 11 of 34 tampered releases of 2026 were validly attested. Some came from a
branch, a workflow or a repository that the project had never released from.

## What it misses
Attackers who release through the project's own, unchanged workflow. A project that moves to another repository fires
once and is honest.

## References
- SLSA v1.0, provenance; in-toto attestation framework
- MITRE ATT&CK T1677, Poisoned Pipeline Execution
"""

from collections.abc import Callable, Iterator

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.habit import earlier, repository
from lazaretto.core.model import Provenance, Provided, Release
from lazaretto.core.question import index_place, package_json, shown
from lazaretto.core.update import Update

CARD = Card(
    id="provenance-changed",
    title="Provenance differs from the habit",
    variants={
        "repository": "The attested source repository is another one.",
        "ref": "It was built from another sort of reference than every release before it: a branch instead of a tag.",
        "workflow": "Another workflow file built it.",
        "event": "Another event started the build.",
    },
    group="provenance",
    why="A valid attestation of the wrong pipeline is what an attacker inside the forge can make.",
    attack=("T1195.002", "T1677"),
    needs=frozenset({Provided.ATTESTATION}),
)

HABIT = 2
"""Attested releases with a known value that make a habit."""

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"}
_AFTER = {"package.json": package_json("1.0.1"), "index.js": "module.exports = 2;\n"}
_HOME = {
    "repository": "https://forge.invalid/pads/pad",
    "ref": "refs/tags/v1.0.0",
    "workflow": ".github/workflows/publish.yml",
    "event": "push",
}


def _world(**change: str) -> dict[str, object]:
    return {
        "history": [{"version": "0.9.0", "published": "2025-06-01T00:00:00Z", "attested": True, "provenance": _HOME}],
        "before": {"attested": True, "provenance": _HOME},
        "after": {"attested": True, "provenance": {**_HOME, **change}},
    }


EXAMPLES = (
    Example(
        title="the source is a fork",
        before=_BEFORE,
        after=_AFTER,
        world=_world(repository="https://forge.invalid/padz/pad"),
        expect="repository",
        at="index:provenance:0",
    ),
    Example(
        title="the build comes from a snapshot branch",
        before=_BEFORE,
        after=_AFTER,
        world=_world(ref="refs/heads/snapshot-1"),
        expect="ref",
        at="index:provenance:0",
    ),
    Example(
        title="the next tag of the same repository", before=_BEFORE, after=_AFTER, world=_world(ref="refs/tags/v1.0.1")
    ),
    Example(
        title="the same repository, spelt differently",
        before=_BEFORE,
        after=_AFTER,
        world=_world(repository="https://forge.invalid/Pads/pad.git"),
    ),
)


def _ref_sort(provenance: Provenance) -> str | None:
    """``refs/tags`` or ``refs/heads/<name>``: a branch that releases come from has a name, tags change theirs."""
    if provenance.ref is None:
        return None
    return "refs/tags" if provenance.ref.startswith("refs/tags/") else provenance.ref


_FIELDS: dict[str, Callable[[Provenance], str | None]] = {
    "ref": _ref_sort,
    "workflow": lambda provenance: provenance.workflow.split("@", 1)[0] if provenance.workflow else None,
    "event": lambda provenance: provenance.event,
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each field that differs from the whole habit; none at first contact."""
    if update.first_contact or update.after.provenance is None:
        return
    known = [release for release in earlier(update) if release.provenance is not None]
    for variant in CARD.variants:
        now = _value(variant, update.after)
        before = [value for release in known if (value := _value(variant, release))]
        if now and len(before) >= HABIT and now not in before:
            told = f"{variant} {shown(now)}, before: {shown(before[0])}"
            place = index_place(update, "provenance", told)
            yield Finding(CARD.id, variant, f"This update was built elsewhere than those before it: {told}", (place,))


def _value(variant: str, release: Release) -> str | None:
    if variant == "repository":
        return repository(release)
    return _FIELDS[variant](release.provenance) if release.provenance else None
