"""Whose handiwork, with one incident left out: ``python -m evals.attribution [--replays DIR]``.

Every incident is asked about with its own campaign taken out of the knowledge. Of the intrusion sets nothing is left
but what their other campaigns show: their own profiles were written from all incidents, the one in question too.

What was seen comes from two places. *Record*: the traits that the record tells of the incident, so that indicators
count as far as two incidents of one hand share any. *Replay*: what the product itself sees in the specimen, whose
hosts, keys and names were invented, so that indicators cannot match. Each is asked with all sightings and with
techniques and habits alone. Names of the incident's own packages are taken out everywhere.

Named incidents whose hand has no other campaign, and those that nobody claims, should be answered with "unknown"; so
should the specimens of another hand, and real updates (controls), which are asked about with all that is known.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.app.ports import PortError
from lazaretto.bootstrap import App
from lazaretto.core.attribution import Attributor, Hypothesis, Scale
from lazaretto.core.intel import Campaign, Sighting, SightingKind
from lazaretto.core.knowledge import Knowledge
from lazaretto.core.traits import of_campaign
from lazaretto.infra.knowledge import scale, shipped
from lazaretto.settings import load
from lazaretto.surfaces.cli.attribute import replayed
from lazaretto.surfaces.cli.common import Progress

ROOT = Path(__file__).parent.parent
WEAK = frozenset({SightingKind.TECHNIQUE, SightingKind.HABIT})


class Asked(Struct, frozen=True):
    """One question: an incident, where its sightings come from, which of them count, and what came of it."""

    incident: str
    source: str
    indicators: bool
    truth: frozenset[str]
    findable: bool
    rank: int | None
    named: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """``right``, ``wrong`` or ``unknown``."""
        if not self.named:
            return "unknown"
        return "right" if set(self.named) <= self.truth else "wrong"


def main() -> int:
    """Ask, print the tables, and return 0 unless somebody was named who is not it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replays", type=Path, default=ROOT / "replays")
    options = parser.parse_args()
    knowledge, table = shipped(), scale()
    seen = specimens(options.replays)
    asked = [one for campaign in knowledge.campaigns for one in incident(campaign, knowledge, table, seen)]
    print(rows(asked))
    print(sums(asked))
    others = innocents(knowledge, table, seen)
    print(f"another hand, and controls: {others['unknown']} of {others.total()} unknown, {others['named']} named")
    wrong = sum(one.verdict == "wrong" for one in asked)
    return 1 if wrong or others["named"] else 0


def specimens(folder: Path) -> dict[str, tuple[str, tuple[Sighting, ...]]]:
    """Return name of a replay -> its incident, and what the product sees in it."""
    found = {}
    with tempfile.TemporaryDirectory() as state:
        environment = {**os.environ, "LAZARETTO_STATE_DIR": state}
        with App(load(environment, Path(state), Path(state), None)) as app:
            for replay in app.replays(folder):
                try:
                    found[replay.name] = (replay.incident, replayed(app, replay, Progress(quiet=True)))
                except PortError as error:
                    print(f"not asked: {replay.name}: {error}", file=sys.stderr)
    return found


def incident(
    campaign: Campaign, knowledge: Knowledge, table: Scale, seen: Mapping[str, tuple[str, tuple[Sighting, ...]]]
) -> Iterable[Asked]:
    """Yield every question about one incident, with its own campaign left out."""
    truth = frozenset(knowledge.behind(campaign))
    left = without_profiles(knowledge.without(campaign.id))
    findable = any(truth & set(left.behind(other)) for other in left.campaigns)
    attributor = Attributor(left, table)
    sources = {"record": recorded(campaign, knowledge)}
    for name, (of, sightings) in seen.items():
        if of == campaign.id and "--another-hand" not in name and "@" not in name:
            sources.setdefault("replay", sightings)  # of several releases of one incident the first
    for source, sightings in sources.items():
        for indicators in (True, False):
            shown = [one for one in sightings if one.kind is not SightingKind.PACKAGE]
            shown = shown if indicators else [one for one in shown if one.kind in WEAK]
            answer = attributor.attribute(shown)
            sets = [one for one in answer.hypotheses if one.sort == "intrusion-set"]
            rank = min((at for at, one in enumerate(sets, 1) if one.id in truth and one.weight > 0), default=None)
            named = tuple(one.id for one in sets if one.named)
            yield Asked(campaign.id, source, indicators, truth, findable, rank, named)


def without_profiles(knowledge: Knowledge) -> Knowledge:
    """Return the knowledge with intrusion sets that are known by their campaigns alone."""
    return Knowledge(
        tuple(replace(one, marks=(), techniques=()) for one in knowledge.sets),
        knowledge.campaigns,
        knowledge.indicators,
    )


def recorded(campaign: Campaign, knowledge: Knowledge) -> tuple[Sighting, ...]:
    """Return the traits that the record tells of an incident, as if they had been seen."""
    traits = of_campaign(campaign, knowledge.of_campaign(campaign.id))
    return tuple(Sighting(trait.kind, trait.value) for trait in traits)


def innocents(knowledge: Knowledge, table: Scale, seen: Mapping[str, tuple[str, tuple[Sighting, ...]]]) -> Counter[str]:
    """Count the answers about specimens of another hand, whose incident is left out, and about real updates."""
    counts: Counter[str] = Counter()
    for name, (of, sightings) in sorted(seen.items()):
        other = "--another-hand" in name
        if not other and "@" not in name:
            continue
        left = knowledge.without(of) if other else knowledge
        shown = [one for one in sightings if one.kind is not SightingKind.PACKAGE]  # some controls bear a bad version
        named = Attributor(left, table).attribute(shown).named
        counts["named" if named else "unknown"] += 1
        if named:
            print(f"named: {name}: {', '.join(map(_short, named))}")
    return counts


def rows(asked: Iterable[Asked]) -> str:
    """Return a row for each incident with a named hand."""
    lines = ["| incident | hand | record | record, no indicators | replay | replay, no indicators |", "|" + "---|" * 6]
    by: dict[str, dict[tuple[str, bool], Asked]] = {}
    for one in asked:
        if one.findable:
            by.setdefault(one.incident, {})[one.source, one.indicators] = one
    for incident_id, cells in by.items():
        truth = next(iter(cells.values())).truth
        row = [_cell(cells.get((source, some))) for source in ("record", "replay") for some in (True, False)]
        lines.append(f"| {incident_id} | {', '.join(sorted(truth))} | {' | '.join(row)} |")
    return "\n".join(lines)


def sums(asked: Iterable[Asked]) -> str:
    """Return what came of all: of those that could be found, and of those that should be unknown."""
    lines = [
        "",
        "| asked | could be found | first | in the first 3 | named right | named wrong | should be unknown | is |",
    ]
    lines.append("|" + "---|" * 8)
    kept = list(asked)
    for source in ("record", "replay"):
        for some in (True, False):
            these = [one for one in kept if one.source == source and one.indicators is some]
            could = [one for one in these if one.findable]
            rest = [one for one in these if not one.findable]
            words = Counter(one.verdict for one in could)
            first = sum(one.rank == 1 for one in could)
            third = sum(one.rank is not None and one.rank <= 3 for one in could)
            wrong = words["wrong"] + sum(bool(one.named) for one in rest)
            unknown = sum(not one.named for one in rest)
            label = f"{source}{'' if some else ', no indicators'}"
            figures = (len(could), first, third, words["right"], wrong, len(rest), unknown)
            lines.append(f"| {label} | {' | '.join(map(str, figures))} |")
    return "\n".join(lines)


def _cell(one: Asked | None) -> str:
    if one is None:
        return "no replay"
    place = f"{one.rank}." if one.rank else "not ranked"
    return f"{place} {one.verdict}"


def _short(one: Hypothesis) -> str:
    reasons = ", ".join(f"{reason.weight:+g} {reason.text}" for reason in one.supports[:4])
    return f"{one.id} {one.weight:+g} dB ({reasons})"


if __name__ == "__main__":
    sys.exit(main())
