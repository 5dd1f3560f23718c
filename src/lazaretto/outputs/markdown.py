"""Markdown for a comment on a pull request: the sum, each refused release, its evidence folded away.

Text from outside stands in code spans only: nothing in them is markup in any renderer, and a hosting service makes
neither links nor mentions of people out of them (a scope such as ``@someone`` is the name of an account there).
"""

from collections.abc import Iterator, Sequence

from lazaretto.app.rendering import Format, RenderOptions
from lazaretto.app.report import Report, ReportedFinding, UpdateReport
from lazaretto.core.inert import inert
from lazaretto.outputs._paper import plural, quiet
from lazaretto.outputs._words import WHEN, decoded, pinned, place_of, tally

FORMAT = Format(name="markdown", media_type="text/markdown")

MAX_COMMENT = 60_000
"""Longest comment in characters; GitHub takes 65 536."""

_SHOWN_PLACES = 3
_SHOWN_EVIDENCE = 6
_SHOWN_ALLOWED = 40
_SHOWN_PROBLEMS = 20
_MAX_CODE = 240
_SIGNS = {"allow": "✅", "hold": "✋", "block": "⛔"}


def render(report: Report, options: RenderOptions) -> str:
    """Return the report as GitHub-flavoured Markdown, short enough to be one comment.

    What does not fit is counted, never left out in silence; the sum and what was not checked come first.
    """
    head = [f"### {_SIGNS[report.verdict]} Lazaretto: {report.verdict}", "", tally(report) + ".", ""]
    head += _unchecked(report.problems)
    head += [f"Note: {_code(note)}" for note in report.notes]
    places = pinned(report)
    refused = [update for update in report.updates if update.verdict != "allow"]
    blocks = []
    for update in refused:
        where = [_code(f"{place.path}:{place.line}") for place in places.get(update.purl, ())]
        more = f" and {len(where) - _SHOWN_PLACES} more" if len(where) > _SHOWN_PLACES else ""
        lines = list(_update(update, verbose=options.verbose))
        if where:
            lines[1:1] = ["", f"Pinned at {', '.join(where[:_SHOWN_PLACES])}{more}."]
        blocks.append("\n".join([*lines, ""]))
    tail = list(_allowed([update for update in report.updates if update.verdict == "allow"]))
    return _fitting(["\n".join([*head, ""]), *blocks], "\n".join(tail)).strip("\n") + "\n"


def _fitting(blocks: Sequence[str], tail: str) -> str:
    """Return the blocks that fit into one comment, and how many do not."""
    room = MAX_COMMENT - len(tail) - 200
    taken: list[str] = []
    for block in blocks:
        room -= len(block) + 1
        if room < 0 and taken:
            break
        taken.append(block)
    left = len(blocks) - len(taken)
    if left:
        taken.append(f"**{plural(left, 'more refused release')} not shown here: run** `lazaretto check`\n")
    return "\n".join([*taken, tail])


def _unchecked(problems: Sequence[str]) -> Iterator[str]:
    for problem in problems[:_SHOWN_PROBLEMS]:
        yield f"- **not checked**: {_code(problem)}"
    if len(problems) > _SHOWN_PROBLEMS:
        yield f"- **not checked**: {len(problems) - _SHOWN_PROBLEMS} more"
    if problems:
        yield ""


def _update(update: UpdateReport, *, verbose: bool) -> Iterator[str]:
    against = f" (was {_code(update.before)})" if update.before else " (first contact)"
    figure = f"{update.charge:g} dB" if update.complete else f"incomplete, {update.charge:g} dB"
    yield f"#### {_SIGNS[update.verdict]} {update.verdict}: {_code(update.purl)}{against}, {figure}"
    yield ""
    yield from (f"- {_code(reason)}" for reason in update.reasons)
    yield from (f"- would change it: {_code(way)}" for way in update.would_change)
    yield ""
    for part in update.tree():
        brought = "" if part is update else f"In the new dependency {_code(part.purl)}"
        told = [finding for finding in part.findings if finding.weight > 0 or verbose]
        problems = [f"{record.check}: {one}" for record in part.records for one in record.problems]
        if brought and (told or problems):
            yield from (f"{brought}, {part.verdict}:", "")
        for finding in told:
            yield from _finding(finding)
        if problems:
            yield from _details(
                f"incomplete: {plural(len(problems), 'problem')}", [f"- {_code(one)}" for one in problems]
            )


def _finding(finding: ReportedFinding) -> Iterator[str]:
    lines = [_code(finding.message), ""]
    for evidence in finding.evidence[:_SHOWN_EVIDENCE]:
        when = WHEN.get(evidence.reach or "", "")
        lines.append(f"- {_code(place_of(evidence))}" + (f" · {when}" if when else ""))
        if evidence.text.strip():
            lines.append(f"  - {_code(evidence.text)}")
        value = decoded(evidence, _MAX_CODE)
        if value:
            lines.append(f"  - decoded by {_code(evidence.via)}: {_code(value)}")
    more = len(finding.evidence) - _SHOWN_EVIDENCE
    if more > 0:
        lines.append(f"- … {plural(more, 'more place')}")
    yield from _details(f"{finding.id} ({finding.variant}) +{finding.weight:g} dB", lines)


def _details(summary: str, lines: Sequence[str]) -> Iterator[str]:
    """Yield lines that a reader unfolds. The empty lines end the HTML, so that Markdown is read again between them."""
    yield from (f"<details><summary>{summary}</summary>", "", *lines, "", "</details>", "")


def _allowed(updates: Sequence[UpdateReport]) -> Iterator[str]:
    if not updates:
        return
    names = [_code(f"{update.name} {update.version}") for update in updates[:_SHOWN_ALLOWED]]
    more = f", and {len(updates) - len(names)} more" if len(updates) > len(names) else ""
    yield from _details(f"allow: {plural(len(updates), 'release')}", [", ".join(names) + more])


def _code(text: str) -> str:
    """Return text as a code span (CommonMark, 6.1), its fence longer than any run of backticks inside.

    A renderer that knows no code spans must find no link either; a CI runner that prints the comment, no command.
    """
    body = quiet(inert(text, _MAX_CODE)).replace("](", "]\\u{28}").strip()
    if not body:
        return "(empty)"
    longest = run = 0
    for character in body:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    fence = "`" * (longest + 1)
    pad = " " if body[0] == "`" or body[-1] == "`" else ""
    return f"{fence}{pad}{body}{pad}{fence}"
