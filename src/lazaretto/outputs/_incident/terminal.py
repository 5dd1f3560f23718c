"""For the person who answers, at a shell: what is known, what to do next, in its order, and what is not known."""

from lazaretto.app.rendering import Format, RenderOptions
from lazaretto.app.respond.response import Response, Task
from lazaretto.core.inert import inert
from lazaretto.outputs._incident._words import (
    TRAP,
    by_phase,
    by_place,
    plain,
    releases,
    times,
    ways,
    when,
    where,
    window,
)
from lazaretto.outputs._paper import Paper, plural

FORMAT = Format(name="terminal", media_type="text/plain")

_SHOWN = 20
"""Entries of a list without ``--verbose``."""


def render(response: Response, options: RenderOptions) -> str:
    """Return the answer as text."""
    paper = Paper(options.width, colour=options.colour)
    paper.wrap(inert(f"{response.name}: {response.title} ({response.state})", 400), colour="bold")
    paper.wrap(inert(f"releases {', '.join(response.releases)}", 2000), "  ")
    paper.wrap(
        inert(f"campaign {response.campaign_name or response.campaign or 'not named'}, window {window(response)}"), "  "
    )
    for line in response.summary:
        paper.wrap(inert(line, 400), "  ")
    if response.trap:
        paper.wrap(TRAP, "", colour="block")
    shown = len(response.timeline) if options.verbose else _SHOWN
    _head(paper, "Timeline (UTC)")
    for event in response.timeline[:shown]:
        paper.wrap(f"{when(event)} {inert(event.what, 500)}", "  ", "    ")
    _more(paper, len(response.timeline) - shown)
    _exposures(response, paper, verbose=options.verbose)
    _head(paper, "Credentials within reach, in the order of their rotation")
    for one in response.credentials:
        names = f": {', '.join(one.names)}" if one.names else ""
        paper.wrap(inert(f"{one.kind}{names}, {plural(len(one.where), 'place')}", 600), "  ", "    ")
        for text in one.where if options.verbose else ():
            paper.wrap(inert(text, 400), "    ", colour="dim")
    _head(paper, "What to do, in this order")
    for _, words, tasks in by_phase(response):
        paper.wrap(words, "  ", colour="bold")
        for task in tasks:
            _task(task, paper, verbose=options.verbose)
    for rule in response.rules if options.verbose else ():
        _head(paper, inert(rule.title, 200))
        for line in rule.lines:
            paper.add(f"    {plain(line)}")
    _head(paper, "Still unknown")
    for text in response.unknown:
        paper.wrap(f"- {inert(text, 1200)}", "  ")
    if not options.verbose:
        paper.add()
        paper.wrap("Everything: --verbose, or --format markdown, html, json, patch.", colour="dim")
    return paper.text()


def _head(paper: Paper, text: str) -> None:
    paper.add()
    paper.add(paper.paint(text, "bold"))


def _more(paper: Paper, count: int) -> None:
    if count > 0:
        paper.wrap(f"and {count} more: --verbose", "  ", colour="dim")


def _exposures(response: Response, paper: Paper, *, verbose: bool) -> None:
    groups = by_place(response)
    _head(paper, f"Who took it ({len(groups)})")
    shown = len(groups) if verbose else _SHOWN
    for group in groups[:shown]:
        one = group[0]
        paper.row(inert(where(group), 600), f"{one.confidence}, ran: {one.ran}", "  ")
        paper.wrap(inert(f"{', '.join(releases(group))}, {times(one)}", 600), "    ")
        paper.wrap(inert("; ".join(ways(group)), 600), "    ", colour="dim")
        for reason in dict.fromkeys(reason for each in group for reason in each.reasons) if verbose else ():
            paper.wrap(f"{'+' if reason.supports else '-'} {inert(reason.text, 400)}", "    ", colour="dim")
    _more(paper, len(groups) - shown)
    if response.outside:
        paper.wrap(f"{plural(len(response.outside), 'place')} had it outside the time that is asked about", "  ")


def _task(task: Task, paper: Paper, *, verbose: bool) -> None:
    mark = "[x]" if task.done else "[ ]"
    paper.wrap(f"{mark} {inert(task.title, 400)} ({inert(task.id, 100)})", "    ", "    ")
    if task.done:
        paper.wrap(inert(task.done, 200), "        ", colour="dim")
    elif verbose:
        for text in (task.why, *task.how):
            paper.wrap(inert(text, 800), "        ", colour="dim")
        for command in task.commands:
            paper.add(f"        $ {plain(command)}")
