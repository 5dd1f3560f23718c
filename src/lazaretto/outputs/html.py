"""One HTML page that stands alone: no script, no resource from elsewhere, and a policy that forbids both.

The style is allowed by its own digest (CSP level 3), nothing else is. It is read on a screen, light or dark, and on
paper, where everything that is folded is open.
"""

from collections.abc import Iterator, Sequence
from html import escape

from lazaretto.app.rendering import Format, RenderOptions
from lazaretto.app.report import Report, ReportedEdge, ReportedFinding, ReportedPlace, UpdateReport
from lazaretto.core.inert import inert
from lazaretto.outputs._page import CODE_STYLE, policy
from lazaretto.outputs._paper import plural
from lazaretto.outputs._words import WHEN, decoded, pinned, place_of, tally

FORMAT = Format(name="html", media_type="text/html")

_STYLE = (
    """
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#57606a;--paper:#fff;--line:#d0d7de;--code:#f3f5f7;
--allow:#116329;--hold:#7d4e00;--block:#a40e26}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9aa4af;--paper:#0d1117;--line:#30363d;--code:#161b22;
--allow:#56d364;--hold:#e3b341;--block:#ff7b72}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1.5rem 1rem 3rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.1rem;margin:0}h3{font-size:1rem;margin:0}
"""
    + CODE_STYLE
    + """.word{display:inline-block;min-width:4.5rem;border-radius:.25rem;border:1px solid;padding:0 .4rem;
font-weight:700;text-align:center;text-transform:uppercase;font-size:.8rem}
.allow{color:var(--allow)}.hold{color:var(--hold)}.block{color:var(--block)}
.dim{color:var(--dim);font-size:.9rem;margin:.15rem 0}
article,details.all{border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem;margin:1rem 0}
article article{margin-left:0;border-style:dashed}
section,details{margin:.75rem 0}summary{cursor:pointer}ul{margin:.25rem 0;padding-left:1.25rem}
.figure{float:right;color:var(--dim);font-variant-numeric:tabular-nums}
@media print{:root{--ink:#000;--dim:#444;--paper:#fff;--line:#999;--code:#f3f3f3;--allow:#000;--hold:#000;--block:#000}
body{max-width:none;font-size:10pt}article{break-inside:auto}h2,h3,summary{break-after:avoid}
details::details-content{content-visibility:visible;display:block}}
"""
)
_POLICY = policy(_STYLE)
_MAX_TEXT = 2_000


def render(report: Report, options: RenderOptions) -> str:
    """Return the report as one page; ``options.verbose`` opens the allowed releases too."""
    places = pinned(report)
    refused = [update for update in report.updates if update.verdict != "allow"]
    allowed = [update for update in report.updates if update.verdict == "allow"]
    body = [
        f"<h1>{_word(report.verdict)} Lazaretto</h1>",
        f'<p class="dim">{_text(tally(report))} · {_text(report.product)}</p>',
        *_list([f"<strong>not checked</strong>: {_text(problem)}" for problem in report.problems]),
        *(f'<p class="dim">note: {_text(note)}</p>' for note in report.notes),
    ]
    for update in refused:
        body += _update(update, places.get(update.purl, ()))
    if allowed:
        opened = " open" if options.verbose or not refused else ""
        body.append(f'<details class="all"{opened}><summary>{plural(len(allowed), "allowed release")}</summary>')
        for update in allowed:
            body += _update(update, places.get(update.purl, ()))
        body.append("</details>")
    if any(part.findings for update in report.updates for part in update.tree()):
        body.append(f'<p class="dim">Weights: {_text(report.weights_status)}.</p>')
    head = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>Lazaretto: {report.verdict}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
    ]
    return "\n".join([*head, *body, "</body>", "</html>"]) + "\n"


def _update(update: UpdateReport, places: Sequence[ReportedPlace] = ()) -> Iterator[str]:
    against = f"was {_code(update.before)}" if update.before else "first contact"
    figure = f"{update.charge:g} dB" if update.complete else f"incomplete · {update.charge:g} dB"
    yield "<article>"
    yield f'<h2>{_word(update.verdict)} {_code(update.purl)} <span class="figure">{figure}</span></h2>'
    yield f'<p class="dim">{against}</p>'
    for place in places:
        yield f'<p class="dim">pinned at {_code(f"{place.path}:{place.line}")}</p>'
    for artifact in update.artifacts:
        counts = f"{artifact.added} added, {artifact.changed} changed, {artifact.removed} removed"
        yield f'<p class="dim">read {_code(artifact.filename)}: {plural(artifact.files, "file")}, {counts}</p>'
    if not update.findings and update.complete:
        yield f"<p>nothing found by {plural(len(update.records), 'check')}</p>"
    yield from _list([f"{update.verdict}: {_text(reason)}" for reason in update.reasons])
    yield from _list([f"would change it: {_text(way)}" for way in update.would_change])
    if update.waiver is not None:
        waiver = update.waiver
        told = f"{waiver.instead_of} is waived by {waiver.by} until {waiver.until}: {waiver.reason}"
        yield f"<p>{_text(told)}</p>"
    for finding in update.findings:
        yield from _finding(finding)
    problems = [
        f"incomplete: {_text(f'{record.check}: {one}')}" for record in update.records for one in record.problems
    ]
    yield from _list(problems)
    for name, lines in (("artifacts disagree", update.disagreements), ("not asked", update.not_asked)):
        if lines:
            yield f"<details><summary>{name}: {len(lines)}</summary>"
            yield from _list([_text(line) for line in lines])
            yield "</details>"
    for edge in update.edges:
        yield from _edge(edge)
    yield "</article>"


def _finding(finding: ReportedFinding) -> Iterator[str]:
    yield "<section>"
    figure = f'<span class="figure">+{finding.weight:g} dB</span>'
    yield f"<h3>{_text(finding.id)} ({_text(finding.variant)}) {figure}</h3>"
    yield f"<p>{_text(finding.message)}</p>"
    yield "<details open><summary>evidence</summary><ul>"
    for evidence in finding.evidence:
        when = WHEN.get(evidence.reach or "", "")
        yield f"<li>{_code(place_of(evidence))}" + (f" · {when}" if when else "")
        if evidence.text.strip():
            yield f"<pre><code>{_text(evidence.text.strip())}</code></pre>"
        value = decoded(evidence, _MAX_TEXT)
        if value:
            yield f"<p>decoded by {_code(evidence.via)}: {_code(value)}</p>"
        yield "</li>"
    yield f'</ul></details><p class="dim">why: {_text(finding.why)}</p>'
    yield "</section>"


def _edge(edge: ReportedEdge) -> Iterator[str]:
    what = f"new dependency {_code(edge.name)} {_code(edge.requirement)}"
    if edge.update is None:
        yield f"<p>{what}: {'read elsewhere in this answer' if edge.seen else _text(edge.why)}</p>"
        return
    yield f"<p>{what} brings:</p>"
    yield from _update(edge.update)


def _list(lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield "<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"


def _word(verdict: str) -> str:
    return f'<span class="word {verdict}">{verdict}</span>'


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _text(text: str) -> str:
    """Return text in which HTML finds no markup and a CI runner that prints the page no command."""
    return escape(inert(text, _MAX_TEXT)).replace("##", "#&#35;")
