"""``lazaretto respond``: open an incident, let it accumulate, show what to do in which order, close it."""

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import msgspec
from msgspec.structs import replace

from lazaretto import __version__, _plugins
from lazaretto.app.inventory.exposed import Answer, Asked, exposed
from lazaretto.app.rendering import RenderOptions
from lazaretto.app.report import EXIT_ALLOW, EXIT_INCOMPLETE, EXIT_NOTHING, EXIT_REFUSED
from lazaretto.app.respond.gather import Means, gather
from lazaretto.app.respond.good import known_good
from lazaretto.app.respond.incident import SCHEMA, Closed, Disk, Good, Incident, Note
from lazaretto.app.respond.plan import Known, respond
from lazaretto.app.respond.ports import Guidance
from lazaretto.app.respond.response import Response
from lazaretto.bootstrap import DATA, App
from lazaretto.core.exposure import Window
from lazaretto.core.host import HostReport
from lazaretto.core.inert import inert
from lazaretto.core.intel import Campaign
from lazaretto.core.knowledge import Knowledge
from lazaretto.core.playbook import classes
from lazaretto.infra.guidance import guidance
from lazaretto.infra.incidents import IncidentFiles
from lazaretto.infra.reach import LocalReach
from lazaretto.surfaces.cli.common import Progress, UsageError, open_app
from lazaretto.surfaces.cli.exposed import asked_of, window_of

MAX_SWEEP = 64 << 20
"""Largest report of a sweep that is added, in bytes."""

PRODUCT = f"lazaretto {__version__}"


class _Format(Protocol):
    def render(self, response: Response, options: RenderOptions) -> str: ...


def formats() -> tuple[str, ...]:
    """Return the names for ``--format``."""
    return _plugins.names("lazaretto.outputs._incident")


def run(options: argparse.Namespace) -> int:
    """Do what is asked; return the exit code: 1 somebody is exposed, 3 not all was read, 4 there is nothing."""
    progress = Progress(quiet=options.quiet)
    with open_app(options, progress) as app:
        desk = _Desk(app, options, progress)
        code = {"open": desk.open, "add": desk.add, "show": desk.show, "close": desk.close, "list": desk.list}[
            options.act
        ]()
        progress.done()
        return code


class _Desk:
    """Whoever answers, at their table: the incidents, the playbooks, what is known."""

    def __init__(self, app: App, options: argparse.Namespace, progress: Progress) -> None:
        self._app, self._options, self._progress = app, options, progress
        self._files = IncidentFiles(app.settings.state_dir / "incidents")
        self._now = app.clock.now()

    def open(self) -> int:
        """Open an incident with what the inventory says now."""
        options = self._options
        incident = Incident(
            schema=SCHEMA,
            product=PRODUCT,
            name=options.name,
            title=options.title or f"a tampered release was taken: {', '.join(options.release) or options.campaign}",
            opened=self._now,
            by=_user(options.by),
            looked=self._now,
            places=0,
            releases=(),
        )
        self._files.path(options.name)
        incident = self._gathered(self._told(incident))
        self._files.write(incident, new=True)
        return self._print(incident)

    def add(self) -> int:
        """Add what is named, and ask the inventory and the disks again."""
        incident = self._open_one()
        incident = self._told(incident)
        if not self._options.no_look:
            incident = self._gathered(incident)
        self._files.write(incident, new=False)
        return self._print(incident)

    def show(self) -> int:
        """Print it, or write it into a file."""
        return self._print(self._files.read(self._options.name))

    def close(self) -> int:
        """Close it, and say which steps were still open."""
        incident = self._open_one()
        response = self._response(incident)
        left = tuple(task.id for task in response.tasks if not task.done)
        closed = Closed(self._now, _user(self._options.by), self._options.reason, left)
        self._files.write(replace(incident, closed=closed), new=False)
        sys.stdout.write(
            f"{inert(incident.name)} is closed; {len(left)} of {len(response.tasks)} steps were not marked done\n"
        )
        for step in left:
            sys.stdout.write(f"  open: {inert(step)}\n")
        return EXIT_ALLOW

    def list(self) -> int:
        """Print a line for each incident."""
        names = self._files.names()
        for name in names:
            one = self._files.read(name)
            state = "closed" if one.closed else "open"
            places = len({seen.exposure.place for seen in one.exposures})
            sys.stdout.write(
                f"{inert(name)}  {state}  {one.opened:%Y-%m-%d}  {places} places  {inert(one.title, 100)}\n"
            )
        if not names:
            sys.stdout.write("there is no incident yet: `lazaretto respond open NAME --release axios@1.14.1`\n")
        return EXIT_ALLOW if names else EXIT_NOTHING

    def _open_one(self) -> Incident:
        incident = self._files.read(self._options.name)
        if incident.closed is not None:
            raise UsageError(
                f"{incident.name} was closed {incident.closed.at:%Y-%m-%d}: open another for what comes now"
            )
        return incident

    def _told(self, incident: Incident) -> Incident:
        """Return the incident with everything that the arguments say."""
        options, now = self._options, self._now
        releases = {*incident.releases, *(asked_of(self._app, text) for text in options.release)}
        campaign = incident.campaign
        found = self._campaign(options.campaign) if options.campaign else None
        if found is not None:
            campaign = found.id
            if not releases:
                releases |= {asked_of(self._app, purl) for purl in found.packages if "@" in purl.partition("/")[2][1:]}
        elif options.campaign:
            raise UsageError(f"there is no campaign {options.campaign} in what is known: name a file with --intel")
        if not releases:
            raise UsageError("name what was taken: --release axios@1.14.1, or a --campaign whose packages are known")
        named = {_good(self._app, text) for text in options.good}
        told = known_good(self._knowledge().of_campaign(campaign), releases, self._app.ecosystem) if campaign else ()
        good = {(one.ecosystem, one.name, one.bad): one for one in (*told, *incident.good, *named)}
        notes = [Note(now, _user(options.by), text) for text in options.note]
        steps = {task.id for task in self._response(incident).tasks} if options.done else set()
        for step in options.done:
            if step not in steps:
                raise UsageError(f"{incident.name} has no step {step}: see `lazaretto respond show {incident.name}`")
            notes.append(Note(now, _user(options.by), "done", step))
        disks = {one.name: one for one in (*incident.disks, *map(_disk, options.disk))}
        hosts = {one.root: one for one in (*incident.hosts, *(_sweep(Path(path)) for path in options.host_report))}
        return replace(
            incident,
            releases=tuple(sorted(releases)),
            window=window_of(options.window) if options.window else incident.window,
            campaign=campaign,
            payloads=tuple(dict.fromkeys((*incident.payloads, *map(self._payload, options.payload)))),
            good=tuple(good[key] for key in sorted(good)),
            disks=tuple(disks[name] for name in sorted(disks)),
            hosts=tuple(hosts[root] for root in sorted(hosts)),
            notes=(*incident.notes, *notes),
        )

    def _gathered(self, incident: Incident) -> Incident:
        def answer(releases: Sequence[Asked], window: Window | None) -> Answer:
            return exposed(self._app.stores.inventory, releases, window)

        reach = LocalReach({one.name: one.path for one in incident.disks})
        return gather(incident, Means(answer, reach, self._guidance(), self._now, PRODUCT, self._progress))

    def _print(self, incident: Incident) -> int:
        response = self._response(incident)
        out = getattr(self._options, "output", None)
        text = cast("_Format", import_module(f"lazaretto.outputs._incident.{self._options.format}")).render(
            response, _rendering(self._options, file=bool(out))
        )
        put(text, out)
        if incident.exposures:
            return EXIT_REFUSED
        if not incident.places:
            return EXIT_NOTHING
        return EXIT_INCOMPLETE if incident.unread else EXIT_ALLOW

    def _response(self, incident: Incident) -> Response:
        campaign = self._campaign(incident.campaign) if incident.campaign else None
        indicators = tuple(self._knowledge().of_campaign(campaign.id)) if campaign else ()
        return respond(incident, self._guidance(), Known(campaign, indicators), PRODUCT)

    def _campaign(self, name: str) -> Campaign | None:
        return campaign_of(self._knowledge(), name)

    def _payload(self, text: str) -> str:
        every = {one.casefold() for book in self._guidance().playbooks for one in book.payloads}
        strange = [one for one in classes(text) if one.casefold() not in every]
        if strange or not classes(text):
            raise UsageError(f"--payload {text!r}: known are {', '.join(sorted(every))}")
        return text

    def _knowledge(self) -> Knowledge:
        return knowledge(self._app, self._options.intel)

    def _guidance(self) -> Guidance:
        return guidance(DATA, Path(self._options.playbooks) if self._options.playbooks else None)


def put(text: str, out: str | None) -> None:
    """Write a text into a file, or on standard output. Raises UsageError."""
    if not out:
        sys.stdout.write(text)
        return
    try:
        Path(out).write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error


def knowledge(app: App, intel: str | None) -> Knowledge:
    """Return what is known of campaigns: from a file, if one is named, or what ships and what was imported."""
    if intel:
        from lazaretto.infra.intel_file import intel as read

        return read(Path(intel))
    from lazaretto.surfaces.cli.intel._common import known

    return known(app)


def campaign_of(known: Knowledge, name: str) -> Campaign | None:
    """Return a campaign by its id, its name, or a word of its id, if only one has it."""
    every = list(known.campaigns)
    exact = [one for one in every if name in {one.id, one.name}]
    word = name.casefold()
    found = exact or [one for one in every if word in one.id.casefold().split("-")]
    if len(found) > 1:
        raise UsageError(f"campaign {name!r} may be {', '.join(one.id for one in found)}: name one of them")
    return found[0] if found else None


def _good(app: App, text: str) -> Good:
    one = asked_of(app, text)
    return Good(one.ecosystem, one.name, one.version)


def _disk(text: str) -> Disk:
    name, equals, path = text.partition("=")
    if not equals or not name or not Path(path).is_dir():
        raise UsageError(f"--disk {text!r}: write NAME=PATH, the name as in the inventory, the path a folder")
    return Disk(name, os.path.abspath(path))


def _sweep(path: Path) -> HostReport:
    try:
        if path.stat().st_size > MAX_SWEEP:
            raise UsageError(f"{path}: larger than {MAX_SWEEP} bytes")
        return msgspec.json.decode(path.read_bytes(), type=HostReport)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: no report of `lazaretto hostcheck --format json`: {error}") from error


def _user(named: str | None) -> str:
    if named:
        return named
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "somebody"


def _rendering(options: argparse.Namespace, *, file: bool) -> RenderOptions:
    terminal = sys.stdout.isatty() and not file
    colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    width = os.get_terminal_size().columns if terminal else 100
    return RenderOptions(colour=colour, width=min(width, 140) or 80, verbose=options.verbose)
