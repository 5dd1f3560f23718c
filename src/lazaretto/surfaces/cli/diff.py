"""``lazaretto diff``: one release or archive against another that the user names."""

import argparse

from lazaretto.app.ports import PortError
from lazaretto.app.report import UpdateReport
from lazaretto.bootstrap import App
from lazaretto.surfaces.cli.common import Progress, UsageError, meant, named, open_app, parse_target, publish
from lazaretto.surfaces.cli.files import source
from lazaretto.surfaces.cli.sources import against

_FILES, _RELEASES = 2, 4


def run(options: argparse.Namespace) -> int:
    """Compare; return the exit code."""
    words = options.what
    if len(words) not in (_FILES, _RELEASES):
        raise UsageError("diff takes ECOSYSTEM NAME BEFORE AFTER, or two local archives")
    progress = Progress(quiet=options.quiet)
    with open_app(options, progress) as app:
        updates: list[UpdateReport] = []
        problems: list[str] = []
        try:
            updates.append(_files(app, words, options) if len(words) == _FILES else _releases(app, words, options))
        except PortError as error:
            problems.append(f"{words[-1] if len(words) == _FILES else ' '.join(words)}: {error}")
        progress.done()
        return publish(options, app, updates, problems)


def _files(app: App, words: list[str], options: argparse.Namespace) -> UpdateReport:
    before, after = (parse_target(word if "/" in word else f"./{word}", options.ecosystem) for word in words)
    if before.path is None or after.path is None or before.ecosystem != after.ecosystem:
        raise UsageError("both must be archives of one ecosystem: .tgz (npm), .whl, .tar.gz or .zip (PyPI)")
    app.expect(after.ecosystem)
    old, new = source(before.path, after.ecosystem), source(after.path, after.ecosystem)
    asker = against(app.asker(after.ecosystem, soon=(new, old)), options)
    return asker.archives(old, new, app.clock.now())


def _releases(app: App, words: list[str], options: argparse.Namespace) -> UpdateReport:
    ecosystem, name, before, after = words
    project, _ = named(app, ecosystem, name, None)
    now = app.clock.now()
    asker = against(app.asker(ecosystem), options)
    old, new = (meant(app, ecosystem, asker, project, version, now) for version in (before, after))
    from lazaretto.app.analyse import Question  # after the readers have been started

    return asker.release(Question(project, new, before=old, every_artifact=options.all_artifacts), now)
