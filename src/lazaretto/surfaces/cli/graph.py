"""``lazaretto graph``: who depends on what, how far a release or an account reaches, which few accounts reach most."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from lazaretto._plugins import names
from lazaretto.app.graph import picture
from lazaretto.app.graph.ask import Asking, Dependents, Source, dependents, releases_of
from lazaretto.app.graph.choke import REACHED, By, Chokepoints, choke
from lazaretto.app.graph.held import dependents_held, kept_here
from lazaretto.app.graph.importing import MAX_LINE, lines, page
from lazaretto.app.graph.ports import Described, GraphError, Listed
from lazaretto.app.inventory.ports import InventoryError
from lazaretto.app.ports import Ecosystem
from lazaretto.app.rendering import encodable
from lazaretto.app.report import EXIT_ALLOW, EXIT_INCOMPLETE, EXIT_NOTHING
from lazaretto.bootstrap import App
from lazaretto.core.inert import inert
from lazaretto.infra.disk import LocalDisk
from lazaretto.outputs._ascii import document
from lazaretto.outputs._paper import Paper, plural
from lazaretto.surfaces.cli.common import Progress, UsageError, open_app, parse_target

MAX_PAGE = 256 << 20
"""Largest index page that is imported, in bytes."""

_SHOWN_PROBLEMS = 20
_NAMED = 20


def run(options: argparse.Namespace) -> int:
    """Do what is asked; return the exit code: 0, 3 if something could not be read, 4 if nothing is known."""
    progress = Progress(quiet=options.quiet)
    with open_app(options, progress) as app:
        if options.act == "import":
            return _import(options, app, progress)
        store = app.stores.graph
        asking = Asking(store, app.stores.inventory, app.ecosystem, _at(options.at), progress)
        try:
            answer = _chokepoints(options, asking) if options.act == "chokepoints" else _dependents(options, asking)
        except GraphError as error:
            progress.done()
            sys.stderr.write(f"{inert(str(error), 400)}\n")
            return EXIT_NOTHING
    progress.done()
    sys.stdout.write(_shown(answer, options.format))
    return EXIT_ALLOW


def _import(options: argparse.Namespace, app: App, progress: Progress) -> int:
    problems: list[str] = []
    count = 0
    for path in options.path:
        count += app.stores.graph.put(_releases(path, options.ecosystem, app, problems, progress))
    progress.done()
    for problem in problems[:_SHOWN_PROBLEMS]:
        sys.stderr.write(f"not read: {inert(problem, 400)}\n")
    if len(problems) > _SHOWN_PROBLEMS:
        sys.stderr.write(f"and {len(problems) - _SHOWN_PROBLEMS} more\n")
    sys.stdout.write(f"{plural(count, 'release')} imported, {plural(len(problems), 'problem')}.\n")
    if problems:
        return EXIT_INCOMPLETE
    return EXIT_ALLOW if count else EXIT_NOTHING


def _releases(path: str, ecosystem: str, app: App, problems: list[str], progress: Progress) -> Iterator[Described]:
    """Yield the releases of a file: of an index page if it is one, else of its lines."""
    disk = LocalDisk()
    whole = os.path.abspath(path)
    try:
        if not path.endswith((".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")):
            yield from page(disk.read(whole, MAX_PAGE), app.ecosystem)
            return
        for number, one in enumerate(lines(disk.lines(whole, MAX_LINE), ecosystem, _house(app))):
            if number % 10_000 == 0:
                progress(f"{path}: {number}")
            if isinstance(one, Described):
                yield one
            else:
                problems.append(f"{path}: {one}")
    except (InventoryError, ValueError) as error:
        problems.append(f"{path}: {error}")


def _house(app: App) -> Callable[[str], Ecosystem]:
    """Return what knows an ecosystem by the name that a line gives it. It raises ValueError where there is none."""
    known = frozenset(names("lazaretto.ecosystems"))

    def house(named: str) -> Ecosystem:
        if named not in known:
            raise ValueError(f"no ecosystem {named[:40]!r}: there are {', '.join(sorted(known))}")
        return app.ecosystem(named)

    return house


class _About(Struct, frozen=True):
    """What is asked about: whom to ask, the rows there, and what is told of it."""

    of: Source
    rows: frozenset[int]
    asked: tuple[str, ...]
    notes: tuple[str, ...] = ()


def _dependents(options: argparse.Namespace, asking: Asking) -> Dependents:
    """Answer about releases, or about all that an account keeps."""
    blast = options.act == "blast"
    steps = 1 if not blast and options.direct else None
    about = _kept(options, asking) if blast and options.maintainer is not None else _named(options, asking)
    if about.of is Source.INVENTORY:
        answer = dependents_held(asking, about.rows, about.asked, steps=steps, most=options.limit)
    else:
        answer = dependents(asking, about.rows, about.asked, steps=steps, most=options.limit, places=blast)
    return replace(answer, notes=about.notes)


def _kept(options: argparse.Namespace, asking: Asking) -> _About:
    """Return what an account keeps, as far as imports tell; of the inventory, every version of these projects."""
    rows = asking.store.kept_by(options.maintainer)
    if not rows:
        raise GraphError(f"nothing that was imported (`lazaretto graph import`) is kept by {options.maintainer!r}")
    of = Source(options.of or Source.GRAPH)
    return _About(
        of, kept_here(asking, rows) if of is Source.INVENTORY else rows, (f"what {options.maintainer} keeps",)
    )


def _named(options: argparse.Namespace, asking: Asking) -> _About:
    """Return the releases that are named: of whom the user says, else of what was imported, else of the inventory."""
    if options.target is None:
        raise UsageError("name a release (axios@1.14.1, pypi:NAME@VERSION, a purl), or a --maintainer")
    target = parse_target(options.target, None)
    if target.path is not None:
        raise UsageError(f"{options.target!r} is a file: name a release")
    if options.act == "blast" and target.version is None:
        raise UsageError(f"{options.target!r} names no version: the blast radius is that of one release")
    unknown: list[str] = []
    known: dict[Source, tuple[Listed, ...]] = {}
    for of in [Source(options.of)] if options.of else Source:
        try:
            known[of] = releases_of(asking, of, target.ecosystem, target.name, target.version)
        except GraphError as error:
            unknown.append(str(error))
        except ValueError as error:
            raise UsageError(f"{options.target!r}: {error}") from error
    if not known:
        raise GraphError("; ".join(unknown))
    (of, found), *others = known.items()
    asked = [f"{target.name}@{one.version}" for one in found[:_NAMED]]
    if len(found) > len(asked):
        asked.append(f"{len(found) - len(asked)} more")
    notes = ("the inventory knows it as well: --of inventory tells who needs it there",) if others else ()
    return _About(of, frozenset(one.row for one in found), tuple(asked), notes)


def _chokepoints(options: argparse.Namespace, asking: Asking) -> Chokepoints:
    held = next(asking.inventory.pins(asking.at), None) is not None
    of = Source(options.of) if options.of else Source.INVENTORY if held else Source.GRAPH
    return choke(asking, options.number, of, By(options.by))


def _at(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--at {text!r}: write an instant, for instance 2026-03-31T00:21Z") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _shown(answer: Dependents | Chokepoints, form: str) -> str:
    if form == "json":
        return document(encodable(answer))
    if form in {"svg", "dot"}:
        drawn = picture.of_dependents(answer) if isinstance(answer, Dependents) else picture.of_chokepoints(answer)
        return picture.svg(drawn) if form == "svg" else picture.dot(drawn)
    terminal = sys.stdout.isatty()
    colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    width = os.get_terminal_size().columns if terminal else 100
    paper = Paper(min(width, 140) or 80, colour=colour)
    if isinstance(answer, Dependents):
        _tell_dependents(answer, paper)
    else:
        _tell_chokepoints(answer, paper)
    return paper.text()


def _tell_dependents(answer: Dependents, paper: Paper) -> None:
    for one in answer.dependents:
        figure = plural(one.distance, "step")
        if one.places is not None:
            figure += f", in {plural(one.places, 'place')}" + (
                f", asked for in {one.asked_for}" if one.asked_for else ""
            )
        paper.row(inert(f"{one.name}@{one.version}", 200), figure)
        if one.distance > 1:
            paper.wrap(inert(" > ".join(one.path), 1000), "  ", colour="dim")
    if len(answer.dependents) < answer.releases:
        paper.wrap(f"and {answer.releases - len(answer.dependents)} more: --limit, or --format json", colour="dim")
    held = answer.of is Source.INVENTORY
    for place in answer.places:
        paper.wrap(inert(f"{'held in' if held else 'reaches'} {place}", 1000), colour="hold")
    if len(answer.places) < answer.places_count:
        paper.wrap(f"and {answer.places_count - len(answer.places)} more places", colour="hold")
    for note in answer.notes:
        paper.wrap(f"note: {inert(note, 400)}", colour="dim")
    paper.wrap(_sum(answer), hang="")


def _sum(answer: Dependents) -> str:
    asked = inert(", ".join(answer.asked), 600)
    told = f"{plural(answer.releases, 'release')} of {plural(answer.projects, 'project')} depend on {asked}"
    told += f", {answer.direct} of them directly" + _when(answer.at)
    if answer.of is Source.INVENTORY:
        told += (
            f" {plural(answer.places_count, 'place')} of the inventory hold it, {answer.asked_for} ask for it by name."
        )
    elif answer.places_count:
        told += f" {plural(answer.places_count, 'place')} of the inventory hold one of these."
    return told


def _tell_chokepoints(answer: Chokepoints, paper: Paper) -> None:
    for one in answer.points:
        paper.row(inert(one.name, 200), f"reaches {one.reached}, adds {one.added}")
        if one.through:
            paper.wrap(inert(f"through {', '.join(one.through)}", 1000), "  ", colour="dim")
    sample = f" (a sample of {answer.whole})" if answer.counted < answer.whole else ""
    points = plural(len(answer.points), answer.by)
    told = f"{points} together would reach {answer.together} of {answer.counted} {REACHED[answer.of]}{sample}"
    paper.wrap(told + _when(answer.at), hang="")


def _when(at: datetime | None) -> str:
    return "." if at is None else f", as of {at:%Y-%m-%d %H:%MZ}."
