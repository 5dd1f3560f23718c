"""``lazaretto hostcheck``: what a campaign leaves behind, looked for on this machine or on a mounted disk."""

import argparse
import os
import sys
from pathlib import Path

from lazaretto import __version__
from lazaretto.app.rendering import encodable
from lazaretto.app.report import EXIT_ALLOW, EXIT_INCOMPLETE, EXIT_NOTHING, EXIT_REFUSED
from lazaretto.core.host import HostReport
from lazaretto.core.inert import inert
from lazaretto.infra.host import sweep
from lazaretto.outputs._ascii import document
from lazaretto.outputs._paper import Paper, plural
from lazaretto.surfaces.cli.common import Progress, UsageError, open_app
from lazaretto.surfaces.cli.respond import campaign_of, knowledge, put

_SHOWN = 10


def run(options: argparse.Namespace) -> int:
    """Sweep, print, and return the exit code."""
    if not Path(options.root).is_dir():
        raise UsageError(f"there is no folder {options.root}")
    progress = Progress(quiet=options.quiet)
    with open_app(options, progress) as app:
        known = knowledge(app, options.intel)
        campaigns = [one.id for one in known.campaigns]
        named = options.campaign or (campaigns[0] if len(campaigns) == 1 else "")
        if not named:
            raise UsageError(f"name a --campaign: {', '.join(campaigns) or 'none is known'}")
        campaign = campaign_of(known, named)
        if campaign is None:
            raise UsageError(f"there is no campaign {named}: known are {', '.join(campaigns)}")
        indicators = known.of_campaign(campaign.id)
        product = f"lazaretto {__version__}"
        report = sweep(options.root, indicators, campaign.id, app.clock.now(), product, progress)
    progress.done()
    put(document(encodable(report)) if options.format == "json" else _text(report, options), options.output)
    return EXIT_ALLOW if options.exit_zero else _code(report)


def _code(report: HostReport) -> int:
    if any(not one.known for one in report.found):
        return EXIT_REFUSED
    if not report.indicators:
        return EXIT_NOTHING
    return EXIT_INCOMPLETE if report.unread else EXIT_ALLOW


def _text(report: HostReport, options: argparse.Namespace) -> str:
    terminal = sys.stdout.isatty() and not options.output
    colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    width = os.get_terminal_size().columns if terminal else 100
    return render(report, Paper(min(width, 140) or 80, colour=colour), verbose=options.verbose)


def render(report: HostReport, paper: Paper, *, verbose: bool) -> str:
    """Return the report as text: what was found, what was not looked at, and the sum."""
    for one in report.found:
        word = "known" if one.known else f"{one.use}, {one.confidence} confidence"
        paper.row(inert(one.where, 600), word, colour="dim" if one.known else "block" if one.use == "block" else "hold")
        paper.wrap(inert(f"{one.what}: {one.kind} {one.value}", 600), "  ")
        if one.context:
            paper.wrap(inert(one.context, 400), "  ", colour="dim")
    if report.found:
        paper.add()
    shown = report.unread if verbose else report.unread[:_SHOWN]
    for text in shown:
        paper.wrap(f"not looked at: {inert(text, 400)}", colour="hold")
    if len(shown) < len(report.unread):
        paper.wrap(f"and {len(report.unread) - len(shown)} more that were not looked at: --verbose", colour="hold")
    for text in (*report.notes, *(report.not_sought if verbose else ())):
        paper.wrap(f"note: {inert(text, 400)}", colour="dim")
    fits = sum(not one.known for one in report.found)
    looked = f"{plural(report.files, 'file')}, {plural(report.processes, 'process', 'processes')}, "
    looked += plural(report.connections, "connection")
    looked += f", {plural(report.hives, 'registry hive')}" if report.hives else ""
    what = (
        f"{plural(fits, 'thing')} that {'fits' if fits == 1 else 'fit'} {report.campaign}" if fits else "Nothing found"
    )
    sought = f"{plural(report.indicators, 'indicator')} of {report.campaign}"
    left = f", {len(report.not_sought)} of them not sought" if report.not_sought else ""
    unread = f" {plural(len(report.unread), 'thing')} could not be looked at." if report.unread else ""
    paper.wrap(inert(f"{what} in {report.root}: {sought}{left}; {looked} looked at.{unread}", 1000), hang="")
    return paper.text()
