"""``lazaretto inventory``: look at places, list them, count them."""

import argparse
import os
import sys
from contextlib import ExitStack, closing
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from lazaretto._plugins import discover, load
from lazaretto.app.inventory.add import Added, Look, Root, add
from lazaretto.app.inventory.formats import Formats
from lazaretto.app.inventory.ports import Claim, InventoryError, Known, PlaceModule, Readers
from lazaretto.app.inventory.reading import Normal, Outcome, read_place
from lazaretto.app.pins import LockfileFormat
from lazaretto.app.ports import Ecosystem
from lazaretto.app.rendering import encodable
from lazaretto.app.report import EXIT_ALLOW, EXIT_INCOMPLETE, EXIT_NOTHING
from lazaretto.bootstrap import App, lockfiles
from lazaretto.core.inert import inert
from lazaretto.infra import git_remote
from lazaretto.infra.disk import LocalDisk
from lazaretto.infra.place_readers import PlaceReaders, Read, processors
from lazaretto.outputs._ascii import document
from lazaretto.outputs._paper import Paper, plural, quiet
from lazaretto.surfaces.cli.common import Progress, UsageError, open_app

_SHOWN_UNREAD = 20


class _Listed(Struct, frozen=True):
    places: tuple[Known, ...]


def run(options: argparse.Namespace) -> int:
    """Do what is asked; return the exit code: 0, 3 if something could not be read, 4 if there is nothing."""
    progress = Progress(quiet=options.quiet)
    with open_app(options, progress) as app:
        if options.act == "add":
            return _add(options, app, progress)
        return _list(options, app) if options.act == "list" else _status(options, app)


def kinds() -> tuple[PlaceModule, ...]:
    """Return what reads each kind of place."""
    return cast("tuple[PlaceModule, ...]", discover("lazaretto.places", ("KIND", "OWNS", "READS", "claim", "read")))


def formats() -> Formats:
    """Return every lockfile format, ready to be asked about names."""
    modules = cast("tuple[ModuleType, ...]", tuple(lockfiles()))
    named = {module.__name__.rpartition(".")[2]: module for module in modules}
    return Formats(cast("dict[str, LockfileFormat]", named))


def _house(identifier: str) -> Ecosystem:
    return cast("Ecosystem", load(f"lazaretto.ecosystems.{identifier}", ("ECOSYSTEM",)).ECOSYSTEM)


def reader(now: datetime) -> Read:
    """Return what reads a place by the name of its kind: in this process, or in another that starts with this."""
    disk, known = LocalDisk(), {kind.KIND: kind for kind in kinds()}
    readers, normal = Readers(formats(), now), Normal(_house)

    def read(kind: str, claim: Claim) -> Outcome:
        return read_place(known[kind], claim, disk, readers, normal, lambda _: None)

    return read


def _add(options: argparse.Namespace, app: App, progress: Progress) -> int:
    here = [path for path in options.path if not git_remote.is_remote(path)]
    roots = [_root(Path(path), options.name, alone=len(options.path) == 1) for path in here]
    now = app.clock.now()
    with ExitStack() as stack:
        fetched, missed = _fetched([path for path in options.path if path not in here], stack, progress)
        elsewhere = stack.enter_context(closing(PlaceReaders(partial(reader, now), processors())))
        look = Look(
            disk=LocalDisk(),
            store=app.stores.inventory,
            kinds=kinds(),
            lockfiles=formats(),
            ecosystem=app.ecosystem,
            now=now,
            progress=progress,
            elsewhere=elsewhere,
        )
        added = add(look, [*roots, *fetched])
    progress.done()
    added = replace(added, unread=(*missed, *added.unread))
    sys.stdout.write(document(encodable(added)) if options.format == "json" else _told(added))
    if added.unread:
        return EXIT_INCOMPLETE
    return EXIT_ALLOW if added.read or added.unchanged else EXIT_NOTHING


def _fetched(addresses: list[str], stack: ExitStack, progress: Progress) -> tuple[list[Root], list[str]]:
    """Return the repositories that could be fetched, until the stack is closed, and why others could not."""
    roots: list[Root] = []
    missed: list[str] = []
    for number, address in enumerate(addresses):
        called = git_remote.shown(address)
        progress(called)
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="lazaretto-"))) / f"{number}.git"
        try:
            git_remote.fetch(address, folder)
        except InventoryError as error:
            missed.append(f"{called}: {error}")
        else:
            roots.append(Root(str(folder), called))
    return roots, missed


def _root(path: Path, name: str | None, *, alone: bool) -> Root:
    """Return what a path stands for. A name takes the place of the path, so that two machines are not one."""
    if not path.exists():
        raise UsageError(f"there is no file or folder {path}")
    whole = os.path.abspath(path)
    if name is not None and (not name or not name[0].isalnum() or "/" in name):
        raise UsageError("--name takes a word that begins with a letter or a digit, without a slash")
    shown = whole if name is None else name if alone else f"{name}{whole}"
    if path.is_file():
        return Root(whole, shown if name is None or not alone else f"{name}/{path.name}", file=True)
    return Root(whole.rstrip("/") or "/", shown.rstrip("/"))


def _told(added: Added) -> str:
    paper = _paper()
    for problem in added.unread[:_SHOWN_UNREAD]:
        paper.wrap(f"not read: {inert(problem, 400)}", colour="hold")
    if len(added.unread) > _SHOWN_UNREAD:
        paper.wrap(f"and {len(added.unread) - _SHOWN_UNREAD} more: `lazaretto inventory list`", colour="hold")
    words = f"{plural(added.read, 'place')} read, {added.unchanged} unchanged, {added.gone} gone"
    paper.wrap(f"{words}, {plural(len(added.unread), 'problem')}.", hang="")
    return paper.text()


def _list(options: argparse.Namespace, app: App) -> int:
    places = tuple(app.stores.inventory.places())
    if options.format == "json":
        sys.stdout.write(document(encodable(_Listed(places))))
    else:
        paper = _paper()
        for one in places:
            gone = ", gone" if one.gone else ""
            paper.add(quiet(inert(str(one.place), 4000)))  # whole, so that it can be copied
            entries = plural(one.entries, "entry", "entries")
            paper.wrap(f"{one.place.kind}, {entries}, seen {one.looked:%Y-%m-%d %H:%MZ}{gone}", "  ", colour="dim")
            for problem in one.unread:
                line = f"line {problem.line}: " if problem.line else ""
                paper.wrap(f"not read: {line}{inert(problem.why, 300)}", "  ", colour="hold")
        sys.stdout.write(paper.text() if places else "nothing is in the inventory: `lazaretto inventory add PATH`\n")
    return EXIT_ALLOW if places else EXIT_NOTHING


def _status(options: argparse.Namespace, app: App) -> int:
    counts = dict(app.stores.inventory.counts())
    if options.format == "json":
        sys.stdout.write(document(counts))
    else:
        sys.stdout.write("".join(f"{count:>12,}  {what}\n" for what, count in counts.items()))
    return EXIT_ALLOW if counts["places"] else EXIT_NOTHING


def _paper() -> Paper:
    terminal = sys.stdout.isatty()
    colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    width = os.get_terminal_size().columns if terminal else 100
    return Paper(min(width, 140) or 80, colour=colour)
