"""Detectors that ask of each value of a file: thousands of values cost no more than each of them."""

import json
import time

from lazaretto.core.facts import Fact, Kind, Reach
from lazaretto.core.update import ArtifactView
from lazaretto.detectors import exfil_literal_added, source_map_differs
from tests.detectors.updates import fact, update, view

MANY = 4_000
SECONDS = 10
"""More than this takes on a slow machine, and less than what once grew with the square of the values."""


def _view(sources: str, *facts: Fact) -> ArtifactView:
    document = json.dumps({"version": 3, "sources": ["a.ts"], "sourcesContent": [sources]})
    files = {"index.js": str(len(facts)), "index.js.map": document}
    return view(files, {"index.js": facts}, {"index.js": Reach.IMPORT})


def test_a_value_that_the_map_does_not_know_among_many() -> None:
    """Those that it knows keep it from nothing, and those that it does not know are told up to a bound."""
    known = [f"https://dull{number}.invalid/" for number in range(MANY)]
    sources = "const a = 1;\n" * 50_000 + "\n".join(known)
    dull = [fact(Kind.LITERAL_URL, value, line + 1) for line, value in enumerate(known)]
    bad = fact(Kind.LITERAL_URL, "https://x.example.invalid/a", MANY + 2)
    strange = [fact(Kind.LITERAL_URL, f"https://odd{number}.invalid/", number + 1) for number in range(MANY)]
    before = time.perf_counter()

    (found,) = source_map_differs.detect(update(_view(sources), _view(sources, *dull, bad)))
    (many,) = source_map_differs.detect(update(_view(sources), _view(sources, *strange)))

    assert time.perf_counter() - before < SECONDS
    assert [one.line for one in found.evidence] == [MANY + 2]
    assert f"and {source_map_differs.MAX_MISSING - 3} more" in many.message


def test_many_addresses_of_one_file() -> None:
    """What was decoded in a file is looked for once."""
    facts = [fact(Kind.NET_CONNECT, f"http://203.0.113.{number % 250}/{number}", number + 1) for number in range(MANY)]
    before = time.perf_counter()

    (found,) = exfil_literal_added.detect(update(_view(""), _view("", *facts)))

    assert time.perf_counter() - before < SECONDS
    assert found.variant == "address"
