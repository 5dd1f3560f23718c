"""The table ``[intelligence]``: what imported indicators ask for, and which sources must lie here, how fresh."""

from collections.abc import Mapping
from datetime import timedelta

from lazaretto.app.intelligence.obey import Rules
from lazaretto.core.heed import HeedPolicy
from lazaretto.core.policy import Outcome
from lazaretto.settings.parts import parse_duration, texts_of, unknown_keys

_OUTCOMES = ("exact", "seen", "unsure")
_WORDS = {outcome.word: outcome for outcome in Outcome}


def read(table: Mapping[str, object], problems: list[str]) -> Rules:
    """Return what the table says; what is wrong with it is added to ``problems``."""
    unknown_keys(table, {*_OUTCOMES, "sources", "max_age"}, "intelligence.", problems)
    meant: dict[str, Outcome] = {}
    for key in _OUTCOMES:
        word = table.get(key)
        if isinstance(word, str) and word in _WORDS:
            meant[key] = _WORDS[word]
        elif word is not None:
            problems.append(f"intelligence.{key}: must be allow, hold or block")
    age: timedelta | None = None
    if "max_age" in table:
        try:
            age = parse_duration(table["max_age"])
        except ValueError as error:
            problems.append(f"intelligence.max_age: {error}")
    sources = texts_of(table, "sources", "intelligence.", problems)
    if age is not None and not sources:
        problems.append("intelligence.max_age: is for intelligence.sources, which names none")
    return Rules(heed=HeedPolicy(**meant), sources=sources, max_age=age)
