"""``lazaretto replay``: documented incidents, put back on a registry at their minute, and asked about."""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from lazaretto.app.analyse import Analyser, Analysis, Question
from lazaretto.app.ports import Registry
from lazaretto.app.replay import Answer, FoundIn, Replay
from lazaretto.app.replay import run as run_replays
from lazaretto.app.report import EXIT_ALLOW, EXIT_NOTHING, EXIT_REFUSED
from lazaretto.bootstrap import App
from lazaretto.core.finding import Finding
from lazaretto.core.inert import inert
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.policy import Policy
from lazaretto.core.weight import Weight
from lazaretto.settings import parse_duration
from lazaretto.surfaces.cli.common import Progress, UsageError, open_app, render_updates


def run(options: argparse.Namespace) -> int:
    """Ask every replay twice, without and with a cooldown; return 0 only if every expectation holds."""
    try:
        cooldown = parse_duration(options.cooldown)
    except ValueError as error:
        raise UsageError(f"--cooldown: {error}") from error
    progress = Progress(quiet=options.quiet)
    held = counted = 0
    with open_app(options, progress) as app:
        replays = [replay for path in options.path for replay in app.replays(Path(path))]
        for number, replay in enumerate(replays, 1):
            progress.stage(f"[{number}/{len(replays)}] {replay.name}: ")
            counted += 1
            held += _one(app, replay, cooldown, verbose=options.verbose, progress=progress)
    if not counted:
        sys.stdout.write("no replay was found\n")
        return EXIT_NOTHING
    sys.stdout.write(f"{counted} replay{'s' * (counted != 1)}: {held} as expected, {counted - held} not\n")
    return EXIT_ALLOW if held == counted else EXIT_REFUSED


def _one(app: App, replay: Replay, cooldown: timedelta, *, verbose: bool, progress: Progress) -> bool:
    question = _Question(app, progress)
    build = app.replay_builder().build
    start = time.perf_counter()
    result = next(run_replays([replay], question.ask, build))
    seconds = time.perf_counter() - start
    aged = _Question(app, progress, cooldown)
    beside = next(run_replays([replay], aged.ask, build))
    progress.done()
    sys.stdout.write(f"{inert(result.summary)}  [{seconds:.2f} s; with a cooldown: {beside.outcome}]\n")
    if verbose and question.analysis is not None:
        sys.stdout.write(render_updates(app, question.analysis, replay.now) + "\n")
    sys.stdout.flush()
    return result.held


class _Question:
    """Puts a replay's question to the real use case: no advisory, no indicator, no journal."""

    def __init__(self, app: App, progress: Progress, cooldown: timedelta | None = None) -> None:
        self._app = app
        self._progress = progress
        self._policy: Policy = replace(app.settings.policy, cooldown=cooldown, early_release=False, waivers=())
        self.analysis: Analysis | None = None

    def ask(self, ecosystem: str, project: ProjectName, version: Version, now: datetime, registry: Registry) -> Answer:
        """Return the verdict and every finding, of new dependencies too."""
        rules = replace(self._app.rules, policy=self._policy)
        analyser = Analyser(
            self._app.ecosystem(ecosystem), registry, self._app.engine, rules, now, progress=self._progress
        )
        self.analysis = analyser.release(Question(project, version))
        findings = tuple(_findings(self.analysis, rules.table.row))
        return Answer(self.analysis.outcome.word, self.analysis.complete, findings)


def _findings(analysis: Analysis, row: Callable[[Finding], Weight]) -> list[FoundIn]:
    """Return what was charged, heaviest first, dependencies last."""
    purl = analysis.verdict.subject.purl
    found = [FoundIn(purl, finding) for record in analysis.records.values() for finding in record.findings]
    found.sort(key=lambda one: -row(one.finding).weight)
    for followed in analysis.edges:
        if followed.analysis is not None:
            found += _findings(followed.analysis, row)
    return found
