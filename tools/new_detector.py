"""Write the skeleton of a detector: ``make new-detector ID=lifecycle-script-added``.

The skeleton fails the contract tests on purpose: they list what is still to be said.
"""

import re
import sys
from pathlib import Path

DETECTORS = Path(__file__).resolve().parent.parent / "src" / "lazaretto" / "detectors"
SKELETON = '''\
"""This update {words}.

## What it detects

## Why it matters

## What it misses

## References

"""

from collections.abc import Iterator

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.update import Update

CARD = Card(
    id="{id}",
    title="",
    variants={{"VARIANT": "When it applies, in one sentence."}},
    group="",
    why="",
)

EXAMPLES = (
    Example(title="what fires", before={{}}, after={{}}, expect="VARIANT", at="PATH:1"),
    Example(title="what looks like it and is usual", before={{}}, after={{}}),
)


def detect(update: Update) -> Iterator[Finding]:
    """Yield a finding for each place where this update {words}."""
    yield from ()
'''


def main(identifier: str) -> int:
    """Write the file, or say why not; return the exit status."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", identifier):
        print("Usage: make new-detector ID=two-words-or-more (read after: this update ...)", file=sys.stderr)
        return 2
    path = DETECTORS / f"{identifier.replace('-', '_')}.py"
    if path.exists():
        print(f"{path} is there already", file=sys.stderr)
        return 2
    path.write_text(SKELETON.format(id=identifier, words=identifier.replace("-", " ")), encoding="utf-8")
    print(
        f"Written: {path}\nNow: a row for each variant in src/lazaretto/data/weights.json, then\n"
        "  make golden docs\n  .venv/bin/python -m pytest tests/contracts/test_detectors.py"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
