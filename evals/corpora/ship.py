"""``python -m evals.corpora.ship OUT``: write into the shipped table on how much each row of first contact was counted.

Counts and their date come from results that ``make eval`` left behind; weights are not touched. What they would be by
counting alone, and what that would cost, stands in the report: whoever changes a weight has both in sight. A row
without counts is provisional, and the reference says so.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from evals.corpora import figures, pool
from evals.corpora.__main__ import OUT, benign_items, gather
from evals.corpora.figures import Case, Rate
from evals.corpora.judge import Judged, Surveyed

TABLE = Path(__file__).parents[2] / "src" / "lazaretto" / "data" / "weights.json"
FIRST_CONTACT = re.compile(r"acts-at-first-contact/|[^/]+/first-contact")
"""Rows that fire only where there is no earlier release: what is counted there says nothing of the others."""

_ROW = re.compile(r'(    "(?P<name>[^"]+)": \{"weight": [\d.]+, "group": "[^"]+", "counts": )(?:null|\{[^}]*\})\}')


def main() -> int:
    """Read results and write the table."""
    parser = argparse.ArgumentParser(prog="python -m evals.corpora.ship", description=__doc__)
    parser.add_argument("corpora", type=Path, help="folder that holds the corpora")
    parser.add_argument("--artifacts", action="append", default=[], help="folder with real releases")
    parser.add_argument("--out", type=Path, default=OUT, help="where the results are")
    parser.add_argument("--judged", action="append", type=Path, required=True, help="a file of results")
    parser.add_argument("--date", required=True, help="the day of the results (2026-01-31)")
    options = parser.parse_args()
    items, _ = gather(options.corpora)
    items += benign_items(options.artifacts, options.out, 2)
    surveyed = {one.key: one for one in pool.known(options.out / "surveyed.jsonl", Surveyed)}
    judged = {one.key: one for path in options.judged for one in pool.known(path, Judged)}
    found, _ = figures.cases(items, surveyed, judged.values())
    TABLE.write_text(shipped(TABLE.read_text(), *counted(found), options.date))
    return 0


def counted(found: list[Case]) -> tuple[Mapping[str, Rate], Mapping[str, Rate], int, int]:
    """Return how often rows fire among malicious clusters and among benign first contacts, and how many there are."""
    malicious, _, newest = figures.sides(found)
    newest = [case for case in newest if case.item.corpus == "newest"]
    return (
        figures.firing(malicious),
        figures.firing(newest),
        len({case.cluster for case in malicious}),
        len({case.cluster for case in newest}),
    )


def shipped(table: str, bad: Mapping[str, Rate], good: Mapping[str, Rate], clusters: int, benign: int, day: str) -> str:
    """Return the text of the table with counts in the rows of first contact, and the day on which they were made."""

    def row(match: re.Match[str]) -> str:
        name = match["name"]
        if not FIRST_CONTACT.match(name):
            return match[0]
        hits = bad.get(name, Rate(0, clusters)).hits
        alarms = good.get(name, Rate(0, benign)).hits
        counts = f'"malicious": {hits:.0f}, "of malicious": {clusters}, "benign": {alarms:.0f}, "of benign": {benign}'
        return f"{match[1]}{{{counts}}}}}"

    return _ROW.sub(row, re.sub(r'("date": ")[\d-]+', rf"\g<1>{day}", table, count=1))


if __name__ == "__main__":
    sys.exit(main())
