"""``lazaretto doctor``: how the installers of this machine and this project are set up, and what would be better."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lazaretto import __version__
from lazaretto.app.doctor.client import ClientModule, origin
from lazaretto.app.doctor.examine import examine, exit_code
from lazaretto.app.doctor.ours import Ourselves
from lazaretto.app.ports import PortError
from lazaretto.app.rendering import encodable
from lazaretto.bootstrap import App, examiners
from lazaretto.core.inert import inert
from lazaretto.core.names import ProjectName
from lazaretto.core.posture import Advice, Place, Posture
from lazaretto.core.ruling import FeedState
from lazaretto.infra.machine import LocalMachine
from lazaretto.outputs._paper import Paper, plural
from lazaretto.surfaces.cli.common import Progress, UsageError, open_app

if TYPE_CHECKING:
    from lazaretto.app.doctor.machine import Public

_COLOURS = {"high": "block", "medium": "hold", "low": "dim"}
_SHOWN_PLACES = 4


def run(options: argparse.Namespace) -> int:
    """Look once, print what was seen, and return the exit code."""
    folder = Path(options.path)
    if not folder.is_dir():
        raise UsageError(f"there is no folder {options.path}")
    with open_app(options, Progress(quiet=options.quiet)) as app:
        posture = examine(
            LocalMachine(os.environ, Path.home(), folder),
            cast("tuple[ClientModule, ...]", examiners()),
            _ourselves(app),
            app.clock.now(),
            f"lazaretto {__version__}",
            _public(app, folder) if options.online else None,
        )
    sys.stdout.write(_json(posture) if options.format == "json" else _text(posture, verbose=options.verbose))
    return 0 if options.exit_zero else exit_code(posture)


def _ourselves(app: App) -> Ourselves:
    """Return what is known of this installation."""
    firewall = app.firewall
    hosts = {firewall.host, "localhost", "127.0.0.1"} if firewall.loopback else {firewall.host}
    gates = {f"http://{host}:{firewall.port}" for host in hosts} | {origin(firewall.public_url)} - {""}
    wanted = [one.name for one in firewall.advisories]
    states = app.advisories.states() if wanted and app.advisories.path.exists() else {}
    ours = Ourselves(
        feeds=tuple(states.get(name, FeedState(name, None)) for name in wanted),
        feed_age=firewall.advisory_age,
        gates=tuple(sorted(gates)),
    )
    from msgspec.structs import replace

    from lazaretto.infra.engine import Engine

    try:
        engine = app.engine
        if not isinstance(engine, Engine):
            return replace(ours, unconfined="engine.workers is 0")
        confinement = engine.confinement()
    except PortError as error:
        return replace(ours, unconfined=str(error))
    return replace(ours, in_force=confinement.in_force, absent=confinement.absent)


def _public(app: App, folder: Path) -> "Public":
    from lazaretto.infra.public_names import PublicNames

    def normal(ecosystem: str, name: str) -> ProjectName:
        return app.ecosystem(ecosystem).name(name)

    return PublicNames(dict(os.environ), folder, app.settings.cache_dir, normal)


def _json(posture: Posture) -> str:
    from lazaretto.outputs._ascii import document

    return document(encodable(posture))


def _text(posture: Posture, *, verbose: bool) -> str:
    terminal = sys.stdout.isatty()
    colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    width = os.get_terminal_size().columns if terminal else 80
    return render(posture, Paper(min(width, 120) or 80, colour=colour), verbose=verbose)


def render(posture: Posture, paper: Paper, *, verbose: bool) -> str:
    """Return the posture as text: what to do, the worst first; then what could not be looked at, and the sum."""
    for advice in posture.advice:
        _advice(advice, paper)
    for unread in posture.unread:
        paper.wrap(f"not looked at: {inert(unread, 400)}", colour="hold")
    if posture.unread:
        paper.add()
    if verbose:
        for line in _standing(posture):
            paper.wrap(line, colour="dim")
        paper.add()
    looked = ", ".join(posture.subjects) or "no client"
    paper.wrap(f"{_sum(posture)}. Looked at: {looked}.{'' if verbose else ' What is well: --verbose.'}", hang="")
    return paper.text()


def _advice(advice: Advice, paper: Paper) -> None:
    head = f"{advice.severity.upper():6} {advice.subject}: {advice.id}"
    paper.add(paper.paint(head, _COLOURS[advice.severity]))
    paper.wrap(inert(advice.message, 600), "  ", "")
    shown = advice.places[:_SHOWN_PLACES]
    if shown:
        more = f" and {len(advice.places) - len(shown)} more" if len(advice.places) > len(shown) else ""
        paper.wrap(f"at {', '.join(_place(place) for place in shown)}{more}", "  ", colour="dim")
    paper.wrap(f"do: {inert(advice.remedy, 400)}", "  ", "    ", "bold")
    paper.add()


def _standing(posture: Posture) -> Iterator[str]:
    for one in posture.standing:
        places = f" ({', '.join(_place(place) for place in one.places[:_SHOWN_PLACES])})" if one.places else ""
        yield f"{one.subject}: {inert(one.message, 400)}{places}"


def _place(place: Place) -> str:
    return inert(str(place), 200)


def _sum(posture: Posture) -> str:
    if not posture.advice:
        return "Not everything could be looked at" if posture.unread else "Nothing to do"
    counts = [(word, sum(one.severity == word for one in posture.advice)) for word in _COLOURS]
    parts = [f"{count} {word}" for word, count in counts if count]
    return f"{plural(len(posture.advice), 'thing')} to do: {', '.join(parts)}"
