"""``lazaretto attribute``: whose handiwork a release is, with what supports it and what contradicts it."""

import argparse
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lazaretto.app.attribute import of_analysis, of_report
from lazaretto.app.ports import PortError, Registry
from lazaretto.app.rendering import encodable
from lazaretto.app.report import Report, UpdateReport
from lazaretto.bootstrap import App
from lazaretto.core.attribution import Attribution, Attributor, Hypothesis, Reason
from lazaretto.core.finding import Card
from lazaretto.core.inert import inert
from lazaretto.core.intel import Sighting
from lazaretto.infra.knowledge import scale
from lazaretto.infra.late import late
from lazaretto.outputs._ascii import document
from lazaretto.outputs._paper import Paper, plural
from lazaretto.surfaces.cli.common import Progress, Target, UsageError, named, open_app, parse_target
from lazaretto.surfaces.cli.files import source
from lazaretto.surfaces.cli.intel._common import known, paper
from lazaretto.surfaces.cli.intel._sheets import claimed

if TYPE_CHECKING:
    from lazaretto.app.analyse import Analysis, Question
    from lazaretto.app.replay import Replay

MAX_REPORT = 256 << 20
"""Largest report that is read from a file, in bytes."""

_VERDICT_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{8}")
_SHOWN = 3
_REASONS = 8


class Answer(msgspec.Struct, frozen=True):
    """What is printed: what was asked about, where the sightings come from, and the answer."""

    subject: str
    drawn_from: str
    named: tuple[str, ...]
    hypotheses: tuple[Hypothesis, ...]
    sightings: tuple[Sighting, ...]
    scale: str


def run(options: argparse.Namespace) -> int:
    """Answer and print; return the exit code: 0 whatever the answer, 3 if nothing could be read."""
    progress = Progress(quiet=options.quiet)
    with open_app(options, progress) as app:
        subject, drawn_from, sightings = _seen(app, options, progress)
        found = Attributor(known(app), scale()).attribute(sightings)
    progress.done()
    if options.format == "json":
        sys.stdout.write(document(encodable(_answer(subject, drawn_from, found))))
    else:
        sys.stdout.write(render(subject, drawn_from, found, paper(), verbose=options.verbose))
    return 0


def _answer(subject: str, drawn_from: str, found: Attribution) -> Answer:
    named_ids = tuple(one.id for one in found.named)
    return Answer(subject, drawn_from, named_ids, found.hypotheses, found.sightings, found.scale)


def _seen(app: App, options: argparse.Namespace, progress: Progress) -> tuple[str, str, tuple[Sighting, ...]]:
    text = options.target
    habits = scale().habits
    if text.endswith(".json"):
        reports = _reports(Path(text))
        return text, "a report", tuple(one for report in reports for one in of_report(report, habits))
    if _VERDICT_ID.fullmatch(text):
        report = _ruled(app, text)
        return report.purl, f"the firewall's reading {text}", of_report(report, habits)
    if (Path(text) / "replay.toml").is_file():
        (replay,) = app.replays(Path(text))
        return replay.name, "a replay: what was written anew from the record", replayed(app, replay, progress)
    target = parse_target(text, options.ecosystem)
    if target.path is not None:
        return text, "the archive", _archive(app, target, target.path)
    return _release(app, target, progress, written=options.journal)


def _reports(path: Path) -> tuple[UpdateReport, ...]:
    try:
        if path.stat().st_size > MAX_REPORT:
            raise UsageError(f"{path} is larger than {MAX_REPORT >> 20} MiB")
        return msgspec.json.decode(path.read_bytes(), type=Report).updates
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path} is no report of `lazaretto scan --format json`: {error}") from error


def _ruled(app: App, verdict: str) -> UpdateReport:
    """Return the report of the last reading of an artifact that the firewall has seen."""
    from lazaretto.app.review import find

    for identity in find(app.ledger, verdict):
        for decision in reversed(app.ledger.decisions(identity.ecosystem, identity.project)):
            if decision.report is not None and decision.verdict == verdict:
                body = app.served_blobs.get(decision.report)
                if body is not None:
                    return msgspec.json.decode(body, type=UpdateReport)
    raise UsageError(f"the firewall keeps no reading of {verdict}: name the release itself")


def _archive(app: App, target: Target, path: Path) -> tuple[Sighting, ...]:
    from lazaretto.app.analyse import Analyser

    app.expect(target.ecosystem)
    house = app.ecosystem(target.ecosystem)
    registry = late(lambda: app.registry(target.ecosystem))
    analyser = Analyser(house, registry, app.engine, app.rules, app.clock.now())
    analysis = analyser.archives(None, source(path, target.ecosystem))
    return of_analysis(analysis, house.purl, _cards(app), scale().habits, analyser.release)


def replayed(app: App, replay: "Replay", progress: Progress) -> tuple[Sighting, ...]:
    """Return what is seen in a documented incident that is put back on a registry. Raises PortError."""
    from lazaretto.app.analyse import Question

    world = app.replay_builder().build(replay)
    return _asked(app, replay.ecosystem, world.registry, Question(world.project, world.version), replay.now, progress)


def _asked(
    app: App, ecosystem: str, registry: Registry, question: "Question", now: datetime, progress: Progress
) -> tuple[Sighting, ...]:
    from lazaretto.app.analyse import Analyser

    house = app.ecosystem(ecosystem)

    def ask(one: "Question") -> "Analysis":
        return Analyser(house, registry, app.engine, app.rules, now, progress=progress).release(one)

    return of_analysis(ask(question), house.purl, _cards(app), scale().habits, ask)


def _cards(app: App) -> dict[str, Card]:
    return {one.CARD.id: one.CARD for one in app.detectors}


def _release(app: App, target: Target, progress: Progress, *, written: bool) -> tuple[str, str, tuple[Sighting, ...]]:
    """Return what is seen in the artifacts, or, if they are gone, in the report that was written down about them."""
    from lazaretto.app.analyse import Question

    name, version = named(app, target.ecosystem, target.name, target.version)
    if version is None:
        raise UsageError(f"{target.name} names no version: who made it is a question about one release")
    purl = app.ecosystem(target.ecosystem).purl(name, version)
    gone: PortError | None = None
    if not written:
        try:
            registry = app.registry(target.ecosystem)
            found = _asked(app, target.ecosystem, registry, Question(name, version), app.clock.now(), progress)
        except PortError as error:  # what was bad is soon taken away: that is when one asks
            gone = error
        else:
            return purl, "its artifacts", found
    report = app.stores.journal.latest(purl)
    if report is None:
        raise gone or UsageError(f"no verdict on {purl} was written down here")
    told = msgspec.json.decode(report, type=UpdateReport)
    return purl, f"the verdict of {told.decided_at}", of_report(told, scale().habits)


def render(subject: str, drawn_from: str, found: Attribution, sheet: Paper, *, verbose: bool) -> str:
    """Return the answer for a person: who, or unknown; then each hypothesis with its reasons."""
    who = ", ".join(f"{one.name} ({one.sort})" for one in found.named)
    sheet.row(inert(subject, 400), "named" if who else "unknown", colour="bold")
    sheet.wrap(f"drawn from {drawn_from}, {plural(len(found.sightings), 'sighting')}", colour="dim")
    if not who:
        sheet.wrap("Nobody is named: nothing that was seen is a hand's own. What comes nearest is no answer.", hang="")
    shown = found.hypotheses if verbose else tuple(one for one in found.hypotheses if one.weight > 0)[:_SHOWN]
    for one in shown:
        sheet.add()
        _hypothesis(one, sheet, verbose=verbose)
    if verbose:
        sheet.add()
        sheet.wrap("seen:")
        for sighting in found.sightings:
            sheet.wrap(inert(f"{sighting.kind.value} {sighting.value}{_place(sighting)}", 600), "  ", colour="dim")
    sheet.add()
    sheet.wrap(f"Weights are decibans of table {found.scale}, which were judged and not measured.", colour="dim")
    return sheet.text()


def _hypothesis(one: Hypothesis, sheet: Paper, *, verbose: bool) -> None:
    colour = "block" if one.named else "dim"
    sheet.row(inert(f"{one.sort} {one.name} ({one.id})", 300), f"{one.weight:+g} dB", colour=colour)
    for reason in one.supports if verbose else one.supports[:_REASONS]:
        sheet.wrap(f"+ {reason.weight:g} {_told(reason)}", "  ", "    ")
    for reason in one.contradicts:
        sheet.wrap(f"- {-reason.weight:g} {inert(reason.text, 400)}", "  ", "    ")
    if one.shared:
        common = sorted(f"{reason.text} ({plural(reason.hands, 'hand')})" for reason in one.shared)
        sheet.wrap(f"shared, weighs nothing: {inert(', '.join(common if verbose else common[:6]), 900)}", "  ")
    if one.missing:
        sheet.wrap(f"known of it and not seen: {inert(', '.join(one.missing), 900)}", "  ", colour="dim")
    for claim in one.claims if verbose else one.claims[:_REASONS]:
        sheet.wrap(inert(claimed(claim), 900), "  ", "    ", colour="dim")


def _told(reason: Reason) -> str:
    return inert(f"{reason.text}{_place(reason.sighting)} (known from {', '.join(reason.campaigns)})", 600)


def _place(sighting: Sighting) -> str:
    line = f":{sighting.line}" if sighting.line else ""
    return f" at {sighting.path}{line}" if sighting.path else ""
