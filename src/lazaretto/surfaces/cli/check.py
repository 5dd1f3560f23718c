"""``lazaretto check``: every pin of a project's lockfiles, or those that changed since a git revision."""

import argparse
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast

from lazaretto.app.check import check
from lazaretto.app.pins import Lockfile, LockfileFormat, gather
from lazaretto.bootstrap import lockfiles
from lazaretto.core.inert import inert
from lazaretto.infra.memory import give_back_early
from lazaretto.surfaces.cli.common import Progress, UsageError, open_app, publish

MAX_LOCKFILE = 256 << 20
"""Largest lockfile in bytes."""


def run(options: argparse.Namespace) -> int:
    """Check every lockfile; return the exit code. One that cannot be read does not keep the others from it."""
    give_back_early()
    formats = cast("tuple[LockfileFormat, ...]", tuple(lockfiles()))
    named = Path(options.path)
    found = _found(named, formats)
    progress = Progress(quiet=options.quiet)
    with open_app(options, progress) as app:
        gathered = gather([_lockfile(path, named, form, options.since) for path, form in found], app.ecosystem)
        for note in gathered.notes:
            _say(note, options)
        if not gathered.wanted and not gathered.problems:
            _say(_nothing(named, found, formats, options.since), options)
            return publish(options, app, [], [])
        checked = check(app, gathered.wanted, app.clock.now(), progress)
        progress.done()
        problems = [*gathered.problems, *checked.problems]
        return publish(options, app, list(checked.updates), problems, checked.places)


def _found(named: Path, formats: tuple[LockfileFormat, ...]) -> list[tuple[Path, LockfileFormat]]:
    """Return the lockfiles that are meant, each with its format.

    Raises:
        UsageError: there is no such file or folder, or the file is in no format that we know.
    """
    if named.is_dir():
        paths = sorted(path for path in named.iterdir() if path.is_file())
        return [(path, form) for path in paths if (form := _format(path.name, formats)) is not None]
    if not named.is_file():
        raise UsageError(f"there is no file or folder {named}")
    form = _format(named.name, formats)
    if form is None:
        raise UsageError(f"{named} is no lockfile by its name; known are {_known(formats)}")
    return [(named, form)]


def _format(name: str, formats: tuple[LockfileFormat, ...]) -> LockfileFormat | None:
    return next((form for form in formats if any(fnmatchcase(name, pattern) for pattern in form.MATCHES)), None)


def _known(formats: tuple[LockfileFormat, ...]) -> str:
    return ", ".join(pattern for form in formats for pattern in form.MATCHES)


def _nothing(
    named: Path, found: list[tuple[Path, LockfileFormat]], formats: tuple[LockfileFormat, ...], since: str | None
) -> str:
    if not found:
        return f"nothing to check: {named} holds none of {_known(formats)}"
    names = ", ".join(path.name for path, _ in found)
    return (
        f"nothing to check: no pin of {names} changed since {since}" if since else f"nothing to check: {names} is empty"
    )


def _lockfile(path: Path, named: Path, form: LockfileFormat, since: str | None) -> Lockfile:
    shown = path.name if named.is_dir() else named.as_posix()
    return Lockfile(shown, form, _reader(path.parent), _earlier(path.parent, since) if since is not None else None)


def _reader(folder: Path) -> Callable[[str], str]:
    def read(name: str) -> str:
        path = folder / name
        if path.stat().st_size > MAX_LOCKFILE:
            raise ValueError(f"larger than {MAX_LOCKFILE >> 20} MiB")
        return path.read_text("utf-8")

    return read


def _earlier(folder: Path, revision: str) -> Callable[[str], str | None]:
    from lazaretto.infra.git import file_at

    return lambda name: file_at(folder / name, revision)


def _say(text: str, options: argparse.Namespace) -> None:
    if not options.quiet:
        sys.stderr.write(f"lazaretto: {inert(text)}\n")
