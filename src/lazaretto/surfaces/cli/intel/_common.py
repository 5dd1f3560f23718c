"""What the words of ``lazaretto intel`` share: what is known, paper, and names that are nearly right."""

import os
import sys
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from lazaretto import __version__
from lazaretto.app.rendering import encodable
from lazaretto.bootstrap import App
from lazaretto.core.knowledge import Knowledge
from lazaretto.infra.knowledge import shipped
from lazaretto.outputs._ascii import document
from lazaretto.outputs._paper import Paper
from lazaretto.surfaces.cli.common import UsageError

_Part = TypeVar("_Part")


def known(app: App) -> Knowledge:
    """Return everything that is known here: what ships, and beside it what was imported."""
    if not app.stores.informed:
        return shipped()
    taken = app.book.collection((), __version__, app.clock.now())
    return shipped().joined(Knowledge(taken.actors, taken.campaigns, taken.indicators))


def paper() -> Paper:
    """Return paper of the terminal's width, in colours if it has them."""
    terminal = sys.stdout.isatty()
    colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    width = os.get_terminal_size().columns if terminal else 100
    return Paper(min(width, 140) or 80, colour=colour)


def show(form: str, whole: msgspec.Struct, parts: Iterable[_Part], draw: Callable[[_Part, Paper], None]) -> None:
    """Print an answer: all of it as JSON, or part by part for a person."""
    if form == "json":
        sys.stdout.write(document(encodable(whole)))
        return
    sheet = paper()
    for part in parts:
        draw(part, sheet)
    sys.stdout.write(sheet.text())


def unknown(what: str, name: str, names: Iterable[str]) -> UsageError:
    """Return the error for a name that nothing has, with near ones."""
    import difflib

    near = difflib.get_close_matches(name.casefold(), sorted(names), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`lazaretto intel search TEXT` looks everywhere"
    return UsageError(f"there is no {what} {name!r}; {hint}")
