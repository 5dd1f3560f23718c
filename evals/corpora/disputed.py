"""Which labels of the corpora reading does not bear out: ``disputed.toml`` says which and why."""

import tomllib
from functools import cache
from pathlib import Path

from evals.corpora.items import Item

_FILE = Path(__file__).with_suffix(".toml")


@cache
def disputed() -> dict[tuple[str, str], str]:
    """Return what each release is that a corpus calls malicious, by corpus and key."""
    tables: dict[str, dict[str, str]] = tomllib.loads(_FILE.read_text("utf-8"))
    return {(corpus, key): told for corpus, rows in tables.items() for key, told in rows.items()}


def is_disputed(item: Item) -> bool:
    """Whether the label of an item is in doubt."""
    return (item.corpus, item.key) in disputed()
