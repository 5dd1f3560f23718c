"""This update lacks the provenance that its line of releases is used to.

## What it detects
A release without an attestation where the releases before it had one; one published with a token where a trusted
publisher had done it; a release of which only some files are attested; and attestations that the registry used to
tell for this project and tells no longer. How many earlier releases were attested makes the habit long or short.

## Why it matters
A stolen token can publish; it cannot make the pipeline attest. axios 1.14.1 and the second ultralytics compromise
were releases without the provenance of those before them.

## What it misses
Lines that never attested (axios 0.30.4); attackers inside the pipeline, whose releases are validly attested. An
attestation never lowers a charge.

## References
- SLSA v1.0, provenance; PEP 740, index support for digital attestations
- MITRE ATT&CK T1195.002
"""

from collections.abc import Iterator

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.habit import is_settled, lower_releases
from lazaretto.core.model import Provided, Release
from lazaretto.core.question import index_place, package_json
from lazaretto.core.update import Update

CARD = Card(
    id="provenance-lost",
    title="Provenance lost",
    variants={
        "long-habit": "Three or more releases before it were attested, and this one is not.",
        "short-habit": "One or two releases before it were attested, and this one is not.",
        "trusted-publisher": "A trusted publisher published the releases before it, an account with a token this one.",
        "partly": "Some of its files are attested and some are not; all files of the release before it were.",
        "withdrawn": "The registry told the attestations of earlier releases, and tells nothing for this one.",
    },
    group="provenance",
    why="A stolen token can publish, but it cannot make the project's pipeline attest.",
    attack=("T1195.002", "T1078"),
    needs=frozenset({Provided.ATTESTATION}),
)

LONG_HABIT = 3

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"}
_AFTER = {"package.json": package_json("1.0.1"), "index.js": "module.exports = 2;\n"}
_HISTORY = [
    {"version": version, "published": "2025-06-01T00:00:00Z", "attested": True} for version in ("0.8.0", "0.9.0")
]

EXAMPLES = (
    Example(
        title="the third attested release is followed by one without attestation",
        before=_BEFORE,
        after=_AFTER,
        world={"history": _HISTORY, "before": {"attested": True}, "after": {"attested": False}},
        expect="long-habit",
        at="index:attestation:0",
    ),
    Example(
        title="a wheel without attestation after one that had it",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={"pad/__init__.py": "WIDTH = 3\n"},
        world={"before": {"attested": True}, "after": {"attested": False}},
        expect="short-habit",
        at="index:attestation:0",
    ),
    Example(
        title="a line that never attested",
        before=_BEFORE,
        after=_AFTER,
        world={"before": {"attested": False}, "after": {"attested": False}},
    ),
    Example(
        title="a line that always attests",
        before=_BEFORE,
        after=_AFTER,
        world={"history": _HISTORY, "before": {"attested": True}, "after": {"attested": True}},
    ),
)

_MESSAGES = {
    "long-habit": "is not attested",
    "short-habit": "is not attested",
    "trusted-publisher": "was not published by the trusted publisher",
    "partly": "is attested in part",
    "withdrawn": "has no attestation that the registry tells of",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield at most one finding; none at first contact."""
    habit = tuple(r for r in lower_releases(update) if is_settled(update, r) or _from_pipeline(r))
    if update.first_contact or not habit:
        return
    attested = _leading(habit)
    variant = _variant(update.after, habit[0], attested)
    if variant:
        count = f"the {attested} releases" if attested > 1 else "the release"
        told = f"{_MESSAGES[variant]}, unlike {count} before it, up to {habit[0].version}"
        yield Finding(CARD.id, variant, f"This update {told}", (index_place(update, "attestation", told),))


def _leading(habit: tuple[Release, ...]) -> int:
    """Return how many releases in a row, counted from the newest, were attested or published by a trusted publisher."""
    count = 0
    for release in habit:
        if not _from_pipeline(release):
            break
        count += 1
    return count


def _variant(after: Release, before: Release, attested: int) -> str | None:
    if attested == 0:
        return None
    if after.attested is None and before.attested:
        return "withdrawn"
    if before.attested and not after.attested:
        return "long-habit" if attested >= LONG_HABIT else "short-habit"
    if _trusted(before) and not _trusted(after):
        return "trusted-publisher"
    files = {artifact.attested for artifact in after.artifacts}
    all_before = all(artifact.attested for artifact in before.artifacts) and bool(before.artifacts)
    return "partly" if False in files and True in files and all_before else None


def _from_pipeline(release: Release) -> bool:
    return bool(release.attested) or _trusted(release)


def _trusted(release: Release) -> bool:
    return release.publisher is not None and release.publisher.trusted is True
