"""``lazaretto exposed``: who has a release, since when, through what, and whether it ran."""

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from lazaretto import __version__
from lazaretto._plugins import names
from lazaretto.app.inventory.advised import advised
from lazaretto.app.inventory.exposed import Answer, Asked, exposed
from lazaretto.app.inventory.point_in_time import Pages, page_of, resolved, without_page
from lazaretto.app.inventory.report import report
from lazaretto.app.rendering import encodable
from lazaretto.app.report import EXIT_ALLOW, EXIT_INCOMPLETE, EXIT_NOTHING, EXIT_REFUSED
from lazaretto.bootstrap import App
from lazaretto.core.advisory import Advisory, FeedError
from lazaretto.core.exposure import Exposure, Window
from lazaretto.core.inert import inert
from lazaretto.core.model import Project
from lazaretto.core.names import ProjectName
from lazaretto.outputs._ascii import document
from lazaretto.outputs._paper import Paper, plural
from lazaretto.surfaces.cli.common import Progress, UsageError, named, open_app, parse_target

if TYPE_CHECKING:
    from lazaretto.surfaces.cli.pointed_at import Pointed

MAX_PAGE = 256 << 20
"""Largest index page or feed that is read from a file, in bytes."""

_SHOWN_UNREAD = 10


def run(options: argparse.Namespace) -> int:
    """Answer, print it, and return the exit code."""
    window = window_of(options.window) if options.window else None
    if not (options.target or options.advisory or options.campaign or options.indicators):
        raise UsageError(
            "name a release (axios@1.14.1, pypi:NAME@VERSION, a purl), an --advisory, a --campaign or --indicators"
        )
    if options.packument and window is None:
        raise UsageError("--packument answers what ranges resolved to in a --window: name one, FROM/TO")
    with open_app(options, Progress(quiet=options.quiet)) as app:
        asked = [asked_of(app, text) for text in options.target]
        told = advised(app.stores.inventory, _advisories(app, options), names("lazaretto.ecosystems"), app.ecosystem)
        pointed = list(_pointed_at(app, options))
        asked = list(dict.fromkeys((*asked, *told.asked, *(one for found in pointed for one in found.asked))))
        answer = exposed(app.stores.inventory, asked, window)
        pages = dict(_page(app, Path(path)) for path in options.packument)
        if window is not None:
            answer = _with_ranges(app, answer, pages, window)
        answer = replace(
            answer, notes=(*told.notes, *(note for found in pointed for note in found.notes), *answer.notes)
        )
    sys.stdout.write(
        document(encodable(report(answer, f"lazaretto {__version__}")))
        if options.format == "json"
        else _text(answer, options.verbose)
    )
    return EXIT_ALLOW if options.exit_zero else _code(answer)


def _pointed_at(app: App, options: argparse.Namespace) -> "Iterator[Pointed]":
    """Yield what campaigns and documents of indicators point at. Raises UsageError."""
    if options.campaign or options.indicators:
        from lazaretto.surfaces.cli.pointed_at import by_campaign, by_document

        yield from (by_campaign(app, name) for name in options.campaign)
        yield from (by_document(app, path) for path in options.indicators)


def _code(answer: Answer) -> int:
    if answer.exposures:
        return EXIT_REFUSED
    if not answer.places:
        return EXIT_NOTHING
    return EXIT_INCOMPLETE if answer.unread else EXIT_ALLOW


def asked_of(app: App, text: str) -> Asked:
    """Return the one release that a text names. Raises UsageError."""
    target = parse_target(text, None)
    if target.version is None or target.path is not None:
        raise UsageError(f"{text!r} names no version: exposure is a matter of exactly one, for instance axios@1.14.1")
    name, version = named(app, target.ecosystem, target.name, target.version)
    if version is None:
        raise UsageError(f"{text!r} names no version")
    return Asked(target.ecosystem, name, version)


def window_of(text: str) -> Window:
    """Return the time that a text names. Raises UsageError."""
    start, slash, end = text.partition("/")
    try:
        found = Window(_instant(start), _instant(end))
    except ValueError:
        raise UsageError(
            f"--window {text!r}: write FROM/TO, for instance 2026-03-31T00:21Z/2026-03-31T03:20Z"
        ) from None
    if not slash or found.end < found.start:
        raise UsageError(f"--window {text!r}: its end is before its beginning")
    return found


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _advisories(app: App, options: argparse.Namespace) -> list[Advisory]:
    """Return the records that are asked for, from the file or from those that lie here."""
    if not options.advisory:
        return []
    held: list[Advisory] = []
    if options.feed:
        from lazaretto.feeds.osv import parse

        try:
            held = list(parse(_bytes(Path(options.feed))))
        except FeedError as error:
            raise UsageError(f"{options.feed}: {error}") from error
    found: list[Advisory] = []
    for identifier in options.advisory:
        if options.feed:
            these = [one for one in held if identifier in {one.id, *one.aliases}]
        else:
            these = list(app.advisories.called(identifier)) if app.advisories.path.exists() else []
        if not these:
            where = options.feed or "the advisories that lie here; name a file with --feed"
            raise UsageError(f"there is no advisory {identifier} in {where}")
        found += these
    return found


def _page(app: App, path: Path) -> tuple[tuple[str, ProjectName], Project]:
    try:
        return page_of(_bytes(path), app.ecosystem)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_PAGE:
            raise UsageError(f"{path} is larger than {MAX_PAGE >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _with_ranges(app: App, answer: Answer, pages: Pages, window: Window) -> Answer:
    """Return the answer with the places that fix no version."""
    found = resolved(app.stores.inventory, pages, answer.asked, window, app.ecosystem)
    lacking = without_page(app.stores.inventory, pages, answer.asked)
    notes = tuple(
        f"places fix no version of {one}: what their ranges resolved to, only its index page (--packument) tells"
        for one in lacking
    )
    return replace(answer, exposures=(*answer.exposures, *found), notes=(*answer.notes, *notes))


def _text(answer: Answer, verbose: bool) -> str:  # noqa: FBT001 - an option of the command
    terminal = sys.stdout.isatty()
    colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    width = os.get_terminal_size().columns if terminal else 100
    return render(answer, Paper(min(width, 140) or 80, colour=colour), verbose=verbose)


def render(answer: Answer, paper: Paper, *, verbose: bool) -> str:
    """Return the answer as text: each place, then what was outside the time, what was not read, and the sum."""
    for one in answer.exposures:
        _exposure(one, paper, verbose=verbose)
    if answer.outside:
        paper.wrap(f"{plural(len(answer.outside), 'place')} outside the time that is asked about:", colour="dim")
        for one in answer.outside:
            paper.wrap(f"{_place(one)} {_times(one)}", "  ", colour="dim")
        paper.add()
    for note in answer.notes:
        paper.wrap(f"note: {inert(note, 600)}", colour="dim")
    shown = answer.unread if verbose else answer.unread[:_SHOWN_UNREAD]
    for problem in shown:
        paper.wrap(f"not read: {inert(problem, 400)}", colour="hold")
    if len(shown) < len(answer.unread):
        paper.wrap(f"and {len(answer.unread) - len(shown)} more that were not read: --verbose", colour="hold")
    if answer.near and verbose:
        paper.wrap(f"other versions held: {inert(', '.join(answer.near), 2000)}", colour="dim")
    paper.wrap(_sum(answer), hang="")
    return paper.text()


def _exposure(one: Exposure, paper: Paper, *, verbose: bool) -> None:
    release = f"{one.entry.name}@{one.entry.version}"
    figure = f"confidence {one.confidence}, ran: {one.ran}"
    paper.row(_place(one), figure, colour="block" if one.confidence == "high" else "hold")
    client = f" by {one.place.client}" if one.place.client else ""
    paper.wrap(f"{inert(release, 200)} {one.entry.proof}{client}, {_times(one)}", "  ")
    if one.path:
        direct = "asked for directly" if len(one.path) == 1 else f"through {' > '.join(one.path)}"
        paper.wrap(inert(direct, 1000), "  ")
    if one.entry.note:
        paper.wrap(inert(one.entry.note, 400), "  ", colour="dim")
    if one.brought:
        paper.wrap(f"brought {inert(', '.join(one.brought[:12]), 600)}", "  ", colour="dim")
    for reason in one.reasons if verbose else one.reasons[1:]:
        paper.wrap(f"{'+' if reason.supports else '-'} {inert(reason.text, 400)}", "  ", "    ")
    paper.add()


def _place(one: Exposure) -> str:
    line = f":{one.entry.line}" if one.entry.line else ""
    return inert(f"{one.place}{line}", 600)


def _times(one: Exposure) -> str:
    first = "since an unknown time" if one.entry.first is None else f"since {one.entry.first:%Y-%m-%d %H:%M:%SZ}"
    if one.entry.first is not None and one.entry.first == one.entry.last:
        return f"at {one.entry.first:%Y-%m-%d %H:%M:%SZ}"
    return first + (", still there" if one.entry.last is None else f" until {one.entry.last:%Y-%m-%d %H:%M:%SZ}")


def _sum(answer: Answer) -> str:
    asked = ", ".join(f"{one.name}@{one.version}" for one in answer.asked) or "nothing"
    releases = inert(asked, 600)
    if not answer.places:
        return "Nothing is in the inventory: `lazaretto inventory add PATH`."
    where = f"of {plural(answer.places, 'place')} looked at"
    unread = f" {plural(len(answer.unread), 'thing')} could not be read." if answer.unread else ""
    if not answer.exposures:
        return f"Nothing found of {releases} in any {where}.{unread}"
    sure = ", ".join(_counted(answer))
    return f"{len({one.place for one in answer.exposures})} {where} expose {releases}: {sure}.{unread}"


def _counted(answer: Answer) -> Iterator[str]:
    for word in ("high", "medium", "low"):
        count = len({one.place for one in answer.exposures if one.confidence == word})
        if count:
            yield f"{count} with {word} confidence"
    ran = len({one.place for one in answer.exposures if one.ran in {"yes", "likely"}})
    yield f"in {ran} it ran or probably did"
