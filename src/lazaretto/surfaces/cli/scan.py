"""``lazaretto scan``: one release, or several, each against the one before it."""

import argparse
from datetime import datetime

from lazaretto.app.ports import PortError
from lazaretto.app.report import UpdateReport
from lazaretto.bootstrap import App
from lazaretto.surfaces.cli.common import Progress, Target, meant, named, open_app, parse_target, publish
from lazaretto.surfaces.cli.files import source
from lazaretto.surfaces.cli.sources import against


def run(options: argparse.Namespace) -> int:
    """Scan every target; return the exit code. One that cannot be checked does not keep the others from it."""
    targets = [parse_target(text, options.ecosystem) for text in options.target]
    progress = Progress(quiet=options.quiet)
    updates: list[UpdateReport] = []
    problems: list[str] = []
    with open_app(options, progress) as app:
        now = app.clock.now()
        for text, target in zip(options.target, targets, strict=True):
            try:
                updates.append(_scan(app, target, options, now))
            except PortError as error:
                problems.append(f"{text}: {error}")
        progress.done()
        return publish(options, app, updates, problems)


def _scan(app: App, target: Target, options: argparse.Namespace, now: datetime) -> UpdateReport:
    if target.path is not None:
        asker = against(app.asker(target.ecosystem), options)
        return asker.archives(None, source(target.path, target.ecosystem), now)
    name, _ = named(app, target.ecosystem, target.name, None)
    asker = against(app.asker(target.ecosystem), options)
    from lazaretto.app.analyse import Question  # after the readers have been started

    version = meant(app, target.ecosystem, asker, name, target.version, now)
    question = Question(name, version, every_artifact=options.all_artifacts)
    return asker.release(question, now)
