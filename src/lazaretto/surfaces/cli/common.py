"""What the commands share: settings, progress on a terminal, printing."""

import argparse
import os
import re
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from lazaretto import __version__
from lazaretto.app.likely import DEFAULT, ENDINGS
from lazaretto.app.rendering import RenderOptions
from lazaretto.app.report import SCHEMA, Report, ReportedPlace, UpdateReport, exit_code
from lazaretto.bootstrap import App, output
from lazaretto.core.inert import inert
from lazaretto.core.names import ProjectName, Version
from lazaretto.settings import load

if TYPE_CHECKING:
    from lazaretto.app.analyse import Analysis
    from lazaretto.app.ask import Asker


class UsageError(Exception):
    """The arguments cannot be understood. The message says what was wrong and what would be right."""


class Progress:
    """One line on standard error that is overwritten; silent unless standard error is a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._on = not quiet and sys.stderr.isatty()
        self._prefix = ""

    def stage(self, prefix: str) -> None:
        """Put ``prefix`` before everything that is told from now on."""
        self._prefix = prefix

    def __call__(self, text: str) -> None:
        """Show what is being done."""
        if self._on:
            shown = inert(f"{self._prefix}{text}", 78)
            sys.stderr.write(f"\r\x1b[2K{shown}")
            sys.stderr.flush()

    def done(self) -> None:
        """Remove the line."""
        if self._on:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


def open_app(options: argparse.Namespace, progress: Progress, *, max_age: float = 0.0) -> App:
    """Return the application for these options. Raises SettingsError.

    ``max_age``: seconds for which an index page may be taken as it was.
    """
    explicit = Path(options.config) if options.config else None
    settings = load(os.environ, Path.cwd(), Path.home(), explicit)
    return App(settings, progress, max_age=max_age)


def publish(
    options: argparse.Namespace,
    app: App,
    updates: list[UpdateReport],
    problems: list[str],
    places: tuple[ReportedPlace, ...] = (),
) -> int:
    """Print the report and return the exit code."""
    report = Report(
        schema=SCHEMA,
        product=f"lazaretto {__version__}",
        updates=tuple(updates),
        weights_status=app.rules.table.status,
        problems=tuple(problems),
        places=places,
        notes=app.notes,
    )
    terminal = sys.stdout.isatty()
    colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    width = os.get_terminal_size().columns if terminal else 80
    rendering = RenderOptions(colour=colour, width=min(width, 120) or 80, verbose=options.verbose)
    module = output(options.format)
    pieces: Iterable[str] | None = getattr(module, "pieces", lambda *_: None)(report, rendering)
    for text in (module.render(report, rendering),) if pieces is None else pieces:
        sys.stdout.write(text)
    return 0 if options.exit_zero else exit_code(report)


def render_updates(app: App, analysis: "Analysis", now: datetime) -> str:
    """Return the report of an analysis that is not written down, for a person."""
    from lazaretto.app.reporting import report_update

    versions = {"rules": app.rules_version, "policy": app.settings.policy.version}
    update = report_update(analysis, app.rules, versions, now)
    report = Report(SCHEMA, f"lazaretto {__version__}", (update,), app.rules.table.status)
    return output("terminal").render(report, RenderOptions())


_RANGES = ("<", ">", "=", "!", "~", "[")
"""How a range, or what is installed with it, begins behind a name (PEP 508)."""

_PINNED = re.compile(r"==\s*([^=*,\s]+)")


class Target(Struct, frozen=True):
    """What a user named: a release (``version`` None: the newest; it may be a range, or a tag), or a file."""

    ecosystem: str
    name: str = ""
    version: str | None = None
    path: Path | None = None


def parse_target(text: str, ecosystem: str | None) -> Target:
    """Return what a target names: a purl, ``ecosystem:name@version``, ``name@version``, or a local archive.

    Raises:
        UsageError: it is none of these.
    """
    path = Path(text)
    ending = next((ending for ending in ENDINGS if text.endswith(ending)), None)
    if ending is not None and (path.is_file() or "/" in text or os.sep in text):
        if not path.is_file():
            raise UsageError(f"there is no file {text}")
        return Target(ecosystem or ENDINGS[ending], path=path)
    if text.startswith((".", "/")) and path.is_dir():
        raise UsageError(f"{text} is a folder; `lazaretto check {text}` reads what its lockfiles pin")
    if text.startswith("pkg:"):
        return _from_purl(text)
    prefix, colon, rest = text.partition(":")
    if colon and prefix in ("npm", "pypi"):
        return _from_name(rest, prefix)
    return _from_name(text, ecosystem or DEFAULT)


def _from_name(text: str, ecosystem: str) -> Target:
    at = text.rfind("@")
    if at > 0:
        return Target(ecosystem, text[:at], text[at + 1 :] or None)
    name = text[: min((found for sign in _RANGES if (found := text.find(sign)) >= 0), default=len(text))]
    if not name:
        raise UsageError(f"{text!r} names no package; write NAME@VERSION, pypi:NAME@VERSION, a purl or a file")
    wanted = text[len(name) :]
    if wanted.startswith("["):
        wanted = wanted.partition("]")[2]
    pinned = _PINNED.fullmatch(wanted.strip())
    return Target(ecosystem, name.rstrip(), pinned[1] if pinned else wanted.strip() or None)


def _from_purl(text: str) -> Target:
    from packageurl import PackageURL

    try:
        purl = PackageURL.from_string(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a package URL: {error}") from error
    name = f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name
    return Target(purl.type, name, purl.version)


def meant(app: App, ecosystem: str, asker: "Asker", name: ProjectName, wanted: str | None, now: datetime) -> Version:
    """Return the version that is meant: an exact one, or what a client would take now for a range, a tag or nothing.

    Raises:
        NotFound: the project has nothing that would be taken.
        RegistryError: the index could not be got.
    """
    if wanted is None or wanted == "latest":
        return asker.newest(name, now)
    try:
        return app.ecosystem(ecosystem).version(wanted)
    except ValueError:
        return asker.meant(name, wanted, now)


def named(app: App, ecosystem: str, name: str, version: str | None) -> tuple[ProjectName, Version | None]:
    """Return the normal forms. Raises UsageError if the text cannot be a name or a version."""
    house = app.ecosystem(ecosystem)
    try:
        return house.name(name), house.version(version) if version is not None else None
    except ValueError as error:
        raise UsageError(f"{ecosystem}: {error}") from error
