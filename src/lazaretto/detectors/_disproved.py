"""What the detectors share that tell what is signed and does not hold: builders' attestations, the registry's own."""

from collections.abc import Iterable, Iterator, Mapping

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.model import Signed
from lazaretto.core.question import index_place, package_json
from lazaretto.core.update import Update

BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"}
AFTER = {"package.json": package_json("1.0.1"), "index.js": "module.exports = 2;\n"}

MAX_PLACES = 5
"""Artifacts that one finding names."""


def examples(by: Signed, signed: Mapping[str, bool], weaknesses: Iterable[str], place: str) -> Iterator[Example]:
    """Yield an example for each weakness, one that holds, and one of what the other signs.

    ``signed`` is what the index says of a release that ``by`` signs for; ``place`` its field there.
    """
    other = next(one for one in Signed if one is not by)
    for weakness in weaknesses:
        yield _example(f"the {weakness} does not hold", signed, by, weakness, f"index:{place}:0")
    yield _example("everything that is signed holds", signed)
    yield _example(f"what does not hold is the {other.value.replace('-', ' ')}", signed, other)


def _example(
    title: str, signed: Mapping[str, bool], by: Signed | None = None, weakness: str = "signature", at: str | None = None
) -> Example:
    disproof = {"by": by, "weakness": weakness, "filename": "x.tgz", "told": "it does not hold"}
    after = {**signed, "disproofs": [disproof] if by is not None else []}
    expect = weakness if at is not None else None
    return Example(title, AFTER, BEFORE, expect, at, world={"before": dict(signed), "after": after})


def found(update: Update, card: Card, by: Signed, place: str, words: str) -> Iterator[Finding]:
    """Yield one finding for each way in which what ``by`` signs fails; ``words`` begin its message."""
    for variant in card.variants:
        failed = [one for one in update.after.disproofs if one.by is by and one.weakness == variant]
        if failed:
            told = list(dict.fromkeys(f"{one.filename}: {one.told}" for one in failed))
            places = tuple(index_place(update, place, text) for text in told[:MAX_PLACES])
            yield Finding(card.id, variant, f"{words} does not hold: {'; '.join(told)[:400]}", places)
