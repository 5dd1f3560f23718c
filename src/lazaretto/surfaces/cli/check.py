"""``lazaretto check``: every pin of a project's lockfiles, or those that changed since a git revision."""

import argparse
import sys
from pathlib import Path
from typing import cast

from lazaretto.app.check import check
from lazaretto.app.pins import Gathered, LockfileFormat, gather, together
from lazaretto.bootstrap import App, lockfiles
from lazaretto.core.inert import inert
from lazaretto.infra.memory import give_back_early
from lazaretto.surfaces.cli.common import Progress, open_app, publish
from lazaretto.surfaces.cli.lockfiles import Found, found, known_names, lockfile

MAX_AGE = 300.0
"""Seconds for which an index page is taken as it was: what npm's own registry says of its pages, PyPI says more."""


def run(options: argparse.Namespace) -> int:
    """Check every lockfile; return the exit code. One that cannot be read does not keep the others from it."""
    give_back_early()
    formats = cast("tuple[LockfileFormat, ...]", tuple(lockfiles()))
    named = Path(options.path)
    files = found(named, formats, recursive=options.recursive, staged=options.staged)
    progress = Progress(quiet=options.quiet)
    with open_app(options, progress, max_age=0.0 if options.refresh else MAX_AGE) as app:
        meant = [lockfile(path, named, form, options.since, staged=options.staged) for path, form in files]
        gathered = _resolved(gather(meant, app.ecosystem), app, progress)
        for note in gathered.notes:
            _say(note, options)
        if len(gathered.tallies) > 1:
            for tally in gathered.tallies:
                _say(str(tally), options)
        if not gathered.wanted and not gathered.problems:
            _say(_nothing(named, files, formats, options), options)
            return publish(options, app, [], [])
        checked = check(app, gathered.wanted, app.clock.now(), progress)
        progress.done()
        problems = [*gathered.problems, *checked.problems]
        return publish(options, app, list(checked.updates), problems, checked.places)


def _resolved(gathered: Gathered, app: App, progress: Progress) -> Gathered:
    """Return what was gathered, with the releases that open ranges resolve to now."""
    if not gathered.opened:
        return gathered
    from msgspec.structs import replace

    from lazaretto.app.open_pins import resolve

    resolved = resolve(app, gathered.opened, app.clock.now(), progress)
    return replace(
        gathered,
        wanted=together(app.ecosystem, gathered.wanted, resolved.wanted),
        problems=(*gathered.problems, *resolved.problems),
        notes=(
            *gathered.notes,
            "what no lockfile pins is checked as it would be resolved now; a lockfile would fix it",
        ),
    )


def _nothing(named: Path, files: Found, formats: tuple[LockfileFormat, ...], options: argparse.Namespace) -> str:
    if not files:
        return f"nothing to check: {named} holds none of {known_names(formats)}"
    names = ", ".join(dict.fromkeys(path.name for path, _ in files))
    if options.staged:
        return f"nothing to check: no pin of {names} is changed by what is staged"
    if options.since:
        return f"nothing to check: no pin of {names} changed since {options.since}"
    return f"nothing to check: {names} is empty"


def _say(text: str, options: argparse.Namespace) -> None:
    if not options.quiet:
        sys.stderr.write(f"lazaretto: {inert(text)}\n")
