"""``lazaretto graph``: who depends on what, how far a release or an account reaches, which few accounts reach most."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from lazaretto._plugins import names
from lazaretto.app.graph import picture
from lazaretto.app.graph.ask import Asking, Chokepoints, Dependents, choke, dependents, nodes_of
from lazaretto.app.graph.importing import MAX_LINE, lines, page
from lazaretto.app.graph.ports import Described, GraphError
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


def _dependents(options: argparse.Namespace, asking: Asking) -> Dependents:
    """Answer about releases, or about all that an account keeps."""
    blast = options.act == "blast"
    steps = 1 if not blast and options.direct else None
    if blast and options.maintainer is not None:
        rows = asking.store.kept_by(options.maintainer)
        if not rows:
            raise GraphError(f"nothing is known to be kept by {options.maintainer!r}")
        asked = [f"what {options.maintainer} keeps"]
    else:
        if options.target is None:
            raise UsageError("name a release (axios@1.14.1, pypi:NAME@VERSION, a purl), or a --maintainer")
        target = parse_target(options.target, None)
        if target.path is not None:
            raise UsageError(f"{options.target!r} is a file: name a release")
        if blast and target.version is None:
            raise UsageError(f"{options.target!r} names no version: the blast radius is that of one release")
        try:
            found = nodes_of(asking, target.ecosystem, target.name, target.version)
        except ValueError as error:
            raise UsageError(f"{options.target!r}: {error}") from error
        rows = frozenset(one.row for one in found)
        asked = [f"{target.name}@{one.version}" for one in found[:20]]
        if len(found) > len(asked):
            asked.append(f"{len(found) - len(asked)} more")
    return dependents(asking, rows, asked, steps=steps, most=options.limit, places=blast)


def _chokepoints(options: argparse.Namespace, asking: Asking) -> Chokepoints:
    held = options.of == "inventory" or (options.of is None and next(asking.inventory.pins(), None) is not None)
    return choke(asking, options.number, of_inventory=held)


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
        paper.row(inert(f"{one.name}@{one.version}", 200), plural(one.distance, "step"))
        if one.distance > 1:
            paper.wrap(inert(" > ".join(one.path), 1000), "  ", colour="dim")
    if len(answer.dependents) < answer.releases:
        paper.wrap(f"and {answer.releases - len(answer.dependents)} more: --limit, or --format json", colour="dim")
    for place in answer.places:
        paper.wrap(inert(f"reaches {place}", 1000), colour="hold")
    if len(answer.places) < answer.places_count:
        paper.wrap(f"and {answer.places_count - len(answer.places)} more places", colour="hold")
    asked = inert(", ".join(answer.asked), 600)
    told = f"{plural(answer.releases, 'release')} of {plural(answer.projects, 'project')} depend on {asked}"
    told += f", {answer.direct} of them directly" + _when(answer.at)
    if answer.places_count:
        told += f" {plural(answer.places_count, 'place')} of the inventory hold one of these."
    paper.wrap(told, hang="")


def _tell_chokepoints(answer: Chokepoints, paper: Paper) -> None:
    for one in answer.accounts:
        paper.row(inert(one.account, 200), f"reaches {one.reached}, adds {one.added}")
        paper.wrap(inert(f"through {', '.join(one.through)}", 1000), "  ", colour="dim")
    sample = f" (a sample of {answer.whole})" if answer.counted < answer.whole else ""
    accounts = plural(len(answer.accounts), "account")
    told = f"{accounts} together would reach {answer.together} of {answer.counted} {answer.of}{sample}"
    paper.wrap(told + _when(answer.at), hang="")


def _when(at: datetime | None) -> str:
    return "." if at is None else f", as of {at:%Y-%m-%d %H:%MZ}."
