"""The report of an incident as one HTML page that stands alone: no script, no resource from elsewhere, to print too."""

from collections.abc import Iterator
from html import escape

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
from lazaretto.outputs._page import CODE_STYLE, policy
from lazaretto.outputs._paper import plural

FORMAT = Format(name="html", media_type="text/html")

_STYLE = (
    """
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#57606a;--paper:#fff;--line:#d0d7de;--code:#f3f5f7;
--good:#116329;--warn:#7d4e00;--bad:#a40e26}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9aa4af;--paper:#0d1117;--line:#30363d;--code:#161b22;
--good:#56d364;--warn:#e3b341;--bad:#ff7b72}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1.5rem 1rem 3rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.2rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:1.25rem 0 .25rem}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:.75rem 0;font-size:.9rem}a{color:inherit}
"""
    + CODE_STYLE
    + """\
.word{display:inline-block;border-radius:.25rem;border:1px solid;padding:0 .4rem;font-weight:700;font-size:.8rem;
text-transform:uppercase;white-space:nowrap}
.high,.yes{color:var(--bad)}.medium,.likely{color:var(--warn)}.low,.unlikely,.unknown{color:var(--dim)}
.closed{color:var(--good)}.open{color:var(--bad)}
.trap{border:2px solid var(--bad);color:var(--bad);border-radius:.5rem;padding:.5rem 1rem;font-weight:700}
.dim{color:var(--dim);font-size:.9rem;margin:.15rem 0}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;min-width:44rem;font-size:.9rem}
th,td{border-bottom:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top}th{white-space:nowrap}
td.time{white-space:nowrap;font-variant-numeric:tabular-nums}
ol.steps{padding-left:1.5rem;margin:.25rem 0}ol.steps>li{margin:.5rem 0}ul{margin:.25rem 0;padding-left:1.25rem}
.done{text-decoration:line-through;color:var(--dim)}
details{margin:.25rem 0}summary{cursor:pointer}
@media print{:root{--ink:#000;--dim:#444;--paper:#fff;--line:#999;--code:#f3f3f3;--good:#000;--warn:#000;--bad:#000}
body{max-width:none;font-size:10pt}nav{display:none}h2,h3,summary{break-after:avoid}tr{break-inside:avoid}
details::details-content{content-visibility:visible;display:block}}
"""
)
_POLICY = policy(_STYLE)
_MAX_TEXT = 4_000
_SECTIONS = (
    ("steps", "What to do"),
    ("who", "Who took it"),
    ("credentials", "Credentials"),
    ("timeline", "Timeline"),
    ("repairs", "Repairs"),
    ("rules", "What to block"),
    ("hosts", "Sweeps"),
    ("tell", "Text to send"),
    ("unknown", "Still unknown"),
)


def render(response: Response, options: RenderOptions) -> str:
    """Return the whole answer as one page."""
    del options
    head = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>Incident {_text(response.name)}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
    ]
    parts = {
        "steps": list(_steps(response)),
        "who": list(_who(response)),
        "credentials": list(_credentials(response)),
        "timeline": list(_timeline(response)),
        "repairs": list(_repairs(response)),
        "rules": list(_rules(response)),
        "hosts": list(_hosts(response)),
        "tell": [_pre(response.notification)] if response.notification else [],
        "unknown": list(_list([_prose(text) for text in (*response.unknown, *response.told)])),
    }
    shown = [(name, words) for name, words in _SECTIONS if parts[name]]
    body = [*_top(response), "<nav>", *(f'<a href="#{name}">{words}</a>' for name, words in shown), "</nav>"]
    for name, words in shown:
        body += [f'<h2 id="{name}">{words}</h2>', *parts[name]]
    told = f"{response.product}, schema {response.schema}; playbooks: {', '.join(response.playbooks)}"
    return "\n".join([*head, *body, f'<p class="dim">{_text(told)}</p>', "</body>", "</html>"]) + "\n"


def _top(response: Response) -> Iterator[str]:
    yield f"<h1>{_word(response.state)} {_text(response.title)}</h1>"
    yield (
        f'<p class="dim">Incident {_code(response.name)}, opened {response.opened:%Y-%m-%d %H:%MZ} by '
        f"{_text(response.by)}; the inventory was last asked {response.looked:%Y-%m-%d %H:%MZ}</p>"
    )
    lines = [
        f"releases: {', '.join(map(_code, response.releases))}",
        f"campaign: {_text(response.campaign_name or response.campaign or 'not named')}",
        f"window: {window(response)}",
        *(_text(line) for line in response.summary),
        *(f"said by {_text(claim)}" for claim in response.claims),
    ]
    yield from _list(lines)
    if response.trap:
        yield f'<p class="trap">{TRAP}</p>'
    if response.closed is not None:
        yield f"<p>Closed {response.closed.at:%Y-%m-%d %H:%MZ}: {_text(response.closed.reason)}</p>"


def _steps(response: Response) -> Iterator[str]:
    number = 1
    for _, words, tasks in by_phase(response):
        yield f'<h3>{words}</h3><ol class="steps" start="{number}">'
        for task in tasks:
            yield from _task(task)
        yield "</ol>"
        number += len(tasks)


def _task(task: Task) -> Iterator[str]:
    yield f'<li><strong class="{"done" if task.done else "todo"}">{_text(task.title)}</strong> {_code(task.id)}'
    if task.done:
        yield f'<p class="dim">done: {_text(task.done)}</p>'
    if task.why:
        yield f'<p class="dim">why: {_prose(task.why)}</p>'
    yield from _list([_prose(text) for text in task.how])
    if task.commands:
        yield _pre("\n".join(task.commands))
    yield "</li>"


def _who(response: Response) -> Iterator[str]:
    if not response.exposures:
        yield "<p>Nobody, as far as was looked.</p>"
        return
    yield '<div class="wide"><table><thead><tr><th>place<th>release<th>when<th>confidence<th>ran<th>how</thead><tbody>'
    for group in by_place(response):
        one = group[0]
        told = dict.fromkeys(reason for each in group for reason in each.reasons)
        reasons = [f"{'+' if reason.supports else '-'} {_text(reason.text)}" for reason in told]
        yield (
            f"<tr><td>{_code(where(group))}<td>{' '.join(map(_code, releases(group)))}<td>{times(one)}"
            f"<td>{_word(one.confidence)}<td>{_word(one.ran)}<td>{'; '.join(map(_text, ways(group)))}"
            f"<details><summary>reasons</summary>{''.join(_list(reasons))}</details>"
        )
    yield "</tbody></table></div>"
    if response.outside:
        count = plural(len(response.outside), "place")
        yield f"<details><summary>{count} outside the time that is asked about</summary>"
        yield from _list([_code(text) for text in response.outside])
        yield "</details>"


def _credentials(response: Response) -> Iterator[str]:
    yield '<p class="dim">Names and places alone: no value was kept. In the order of their rotation.</p>'
    if not response.credentials:
        yield "<p>None were found where this knows to look.</p>"
    for one in response.credentials:
        names = f": {', '.join(map(_code, one.names))}" if one.names else ""
        count = plural(len(one.where), "place")
        yield f"<details><summary><strong>{_text(one.kind)}</strong>{names} · {count}</summary>"
        yield from _list([_code(text) for text in one.where])
        yield "</details>"


def _timeline(response: Response) -> Iterator[str]:
    yield '<div class="wide"><table><thead><tr><th>when (UTC)<th>what</thead><tbody>'
    for event in response.timeline:
        yield f'<tr><td class="time">{when(event)}<td>{_text(event.what)}'
    yield "</tbody></table></div>"


def _repairs(response: Response) -> Iterator[str]:
    yield from _list([f"by hand: {_code(one.place)}: {_text(one.by_hand)}" for one in response.repairs if one.by_hand])
    for one in response.repairs:
        if one.patch:
            then = f", then {_code(one.command)}" if one.command else ""
            yield f"<details open><summary>{_code(one.place)}{then}</summary>{_pre(one.patch)}</details>"


def _rules(response: Response) -> Iterator[str]:
    for rule in response.rules:
        yield f"<h3>{_text(rule.title)}</h3>{_pre(chr(10).join(rule.lines))}"


def _hosts(response: Response) -> Iterator[str]:
    for host in response.hosts:
        yield f"<h3>{_code(host.root)}</h3>"
        yield f'<p class="dim">{host.looked:%Y-%m-%d %H:%MZ}, {host.indicators} indicators, {host.files} files</p>'
        lines = []
        for one in host.found:
            word = "known, not to be blocked" if one.known else f"{one.use}, {one.confidence} confidence"
            lines.append(f"{_code(one.where)}: {_text(one.what)} ({one.kind} {_code(one.value)}; {word})")
        yield from _list(lines or ["nothing found"])
        yield from _list([f"not read: {_text(text)}" for text in host.unread])


def _list(lines: list[str]) -> Iterator[str]:
    if lines:
        yield "<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"


def _word(word: str) -> str:
    return f'<span class="word {word}">{word}</span>'


def _pre(text: str) -> str:
    lines = (escape(plain(line)).replace("##", "#&#35;") for line in text.rstrip("\n").split("\n"))
    return f"<pre><code>{chr(10).join(lines)}</code></pre>"


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _prose(text: str) -> str:
    """Return a sentence in which what stands between backticks is set as code."""
    parts = text.split("`")
    return "".join(_code(part) if number % 2 else _text(part) for number, part in enumerate(parts))


def _text(text: str) -> str:
    """Return text in which HTML finds no markup and a CI runner that prints the page no command."""
    return escape(inert(text, _MAX_TEXT)).replace("##", "#&#35;")
