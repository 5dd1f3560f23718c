"""The report of an incident as Markdown, for a ticket or a repository.

What comes from outside stands in code spans; of a sentence, plain words stay plain, and every word in which a renderer
or a hosting service could find something (a link, a mention, markup) becomes a code span of its own.
"""

import re
from collections.abc import Iterator

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
from lazaretto.outputs._paper import quiet

FORMAT = Format(name="markdown", media_type="text/markdown")

_MAX_CODE = 1_000


def render(response: Response, options: RenderOptions) -> str:
    """Return the whole answer."""
    del options
    lines = [
        f"# Incident {_code(response.name)}: {_code(response.title)}",
        "",
        f"State: **{response.state}**. Opened {response.opened:%Y-%m-%d %H:%MZ} by {_code(response.by)}.",
        "",
        f"The inventory was last asked {response.looked:%Y-%m-%d %H:%MZ}.",
        "",
        f"- releases: {', '.join(map(_code, response.releases))}",
        f"- campaign: {_code(response.campaign_name or response.campaign) if response.campaign else 'not named'}",
        f"- window: {window(response)}",
        *(f"- {_prose(line)}" for line in response.summary),
        *(f"- said by {_prose(claim)}" for claim in response.claims),
        "",
    ]
    if response.trap:
        lines += [f"> **{TRAP}**", ""]
    lines += _tasks(response)
    lines += _exposures(response)
    lines += _credentials(response)
    lines += ["## Timeline (UTC)", "", "| when | what |", "|---|---|"]
    lines += [f"| {when(event)} | {_prose(event.what)} |" for event in response.timeline]
    lines += ["", *_repairs(response), *_rules(response), *_hosts(response)]
    if response.notification:
        lines += ["## Text for those who are concerned", "", *_block(response.notification), ""]
    lines += ["## Still unknown", "", *(f"- {_prose(text)}" for text in response.unknown), ""]
    lines += [f"- note: {_prose(text)}" for text in response.told]
    lines += [f"_{response.product}, schema {response.schema}; playbooks: {', '.join(response.playbooks)}_"]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines).rstrip("\n")) + "\n"


def _tasks(response: Response) -> Iterator[str]:
    yield from ("## What to do, in this order", "")
    for _, words, tasks in by_phase(response):
        yield from (f"### {words}", "")
        for task in tasks:
            yield from _task(task)
        yield ""


def _task(task: Task) -> Iterator[str]:
    done = f" — done: {_prose(task.done)}" if task.done else ""
    yield f"- [{'x' if task.done else ' '}] **{_prose(task.title)}** ({_code(task.id)}){done}"
    if task.why:
        yield f"  - why: {_prose(task.why)}"
    for text in task.how:
        yield f"  - {_prose(text)}"
    if task.commands:
        yield ""
        yield from (f"  {line}" for line in _block("\n".join(task.commands), "sh"))
        yield ""


def _exposures(response: Response) -> Iterator[str]:
    yield from ("## Who took it", "")
    if not response.exposures:
        yield "Nobody, as far as was looked."
    else:
        yield from ("| place | release | when | confidence | ran | how |", "|---|---|---|---|---|---|")
    for group in by_place(response):
        one = group[0]
        taken = " ".join(map(_cell, releases(group)))
        how = "; ".join(map(_prose, ways(group)))
        yield f"| {_cell(where(group))} | {taken} | {times(one)} | {one.confidence} | {one.ran} | {how} |"
    if response.outside:
        yield from ("", f"Outside the time that is asked about: {', '.join(map(_code, response.outside))}.")
    yield ""


def _credentials(response: Response) -> Iterator[str]:
    yield from ("## Credentials within reach", "")
    yield from ("Names and places alone: no value was kept. In the order of their rotation.", "")
    for one in response.credentials:
        names = f": {', '.join(map(_code, one.names))}" if one.names else ""
        yield f"- **{_prose(one.kind)}**{names}"
        yield from (f"  - {_code(text)}" for text in one.where)
    if not response.credentials:
        yield "None were found where this knows to look."
    yield ""


def _repairs(response: Response) -> Iterator[str]:
    if not response.repairs:
        return
    yield from ("## Repairs", "")
    for one in response.repairs:
        if one.by_hand:
            yield f"- by hand: {_code(one.place)}: {_prose(one.by_hand)}"
    for one in response.repairs:
        if one.patch:
            yield from (
                f"{_code(one.place)}, then {_code(one.command) if one.command else 'make its lockfile anew'}:",
                "",
            )
            yield from (*_block(one.patch, "diff"), "")
    yield ""


def _rules(response: Response) -> Iterator[str]:
    yield from ("## What to block", "")
    for rule in response.rules:
        yield from (f"{rule.title}:", "", *_block("\n".join(rule.lines)), "")


def _hosts(response: Response) -> Iterator[str]:
    for host in response.hosts:
        yield from (
            f"## Sweep of {_code(host.root)}",
            "",
            f"{host.looked:%Y-%m-%d %H:%MZ}, {host.indicators} indicators.",
            "",
        )
        for one in host.found:
            word = "known, not to be blocked" if one.known else f"{one.use}, {one.confidence} confidence"
            yield f"- {_code(one.where)}: {_code(one.what)} — {one.kind} {_code(one.value)} ({word})"
        yield from (f"- not read: {_code(text)}" for text in host.unread)
        if not host.found:
            yield "- nothing found"
        yield ""


def _block(text: str, language: str = "") -> Iterator[str]:
    """Yield a fenced block whose fence is longer than any run of backticks in it."""
    lines = [plain(line) for line in text.split("\n")]
    fence = "`" * max(3, _run("\n".join(lines)) + 1)
    yield f"{fence}{language}"
    yield from lines[: -1 if lines and not lines[-1] else None]
    yield fence


def _run(text: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest


def _code(text: str) -> str:
    """Return text as a code span (CommonMark, 6.1) in which no renderer finds a link or a command."""
    body = quiet(inert(text, _MAX_CODE)).replace("](", "]\\u{28}").strip()
    if not body:
        return "(empty)"
    fence = "`" * (_run(body) + 1)
    pad = " " if body[0] == "`" or body[-1] == "`" else ""
    return f"{fence}{pad}{body}{pad}{fence}"


_WORD = re.compile(r"""["'(]{0,2}[^\W_][^\W_'-]*(?:[-'][^\W_]+)*["')]{0,2}[,.;:!?]?["')]?""")
_NUMBER = re.compile(r"\d+[.)]")


def _prose(text: str) -> str:
    """Return a sentence for a line or a cell: what its author set as code, and every unusual word, as a code span."""
    parts = []
    for number, part in enumerate(inert(text, _MAX_CODE).replace("|", "\\u{7c}").split("`")):
        if number % 2:
            parts.append(_code(part))
        else:
            parts += map(_word, part.split())
    return " ".join(parts) or "(empty)"


def _word(word: str) -> str:
    if _WORD.fullmatch(word) and not _NUMBER.fullmatch(word):
        return word
    body = word.rstrip(",;:.)")  # what ends a sentence is none of the word
    return f"{_code(body)}{word[len(body) :]}" if body else _code(word)


def _cell(text: str) -> str:
    """Return a code span that stays in one cell: a bar ends a cell even within code."""
    return _code(text.replace("|", "\\u{7c}"))
