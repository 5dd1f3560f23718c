"""The week as one page: Markdown for a terminal or a review, HTML that needs nothing else."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from evals.week.run import Note, Outcome
from evals.week.story import INTRODUCTION, TAMPERED

WORDS = {
    "published": "appeared",
    "allowed": "allowed",
    "held": "held",
    "blocked": "blocked",
    "got": "bot got",
    "screen": "npm said",
    "build": "build",
    "advisory": "advisory",
    "person": "person",
    "alarm": "alarm",
    "outage": "outage",
    "failed": "failed",
}
"""How each kind of note is named."""

TITLE = "A week behind the firewall"
_STYLE = Path(__file__).with_name("page.css")


class Row(Struct, frozen=True):
    """A line of the closing table."""

    release: str
    appeared: str
    decided: str
    got: str
    why: str
    kind: str


def summary(outcome: Outcome) -> list[tuple[str, str]]:
    """Return the figures at the top."""
    published = [note for note in outcome.notes if note.kind == "published"]
    tampered = sum(tuple(note.subject.split(" ")) in TAMPERED or "other bytes" in note.text for note in published)
    return [
        (str(len(published)), "releases appeared"),
        (str(tampered), "of them tampered"),
        (str(outcome.tampered), "tampered ones that reached the bot"),
        (str(outcome.runs), "runs of npm update"),
        (str(outcome.builds), "builds with npm ci"),
        (str(outcome.counts["handed out"]), "artifacts handed out"),
    ]


def table(outcome: Outcome) -> list[Row]:
    """Return what became of each release, in the order of their appearance."""
    rows = []
    for note in (one for one in outcome.notes if one.kind == "published"):
        later = [one for one in outcome.notes if one.subject == note.subject and one.at >= note.at]
        again = next((one.at for one in later if one.kind == "published" and one.at > note.at), None)
        later = [one for one in later if again is None or one.at < again]
        decided = [one for one in later if one.kind in ("allowed", "held", "blocked")]
        got = next((one for one in later if one.kind == "got"), None)
        last = decided[-1]
        told = " → ".join(f"{one.kind} {_when(one.at)}" for one in decided)
        gone = got is not None and last.kind != "allowed"
        after = f"{_when(got.at)} ({_hours(got.at, note.at)})" if got is not None else "never"
        rows.append(
            Row(
                note.subject, _when(note.at), told, f"{after}, then taken back" if gone else after, last.text, last.kind
            )
        )
    return rows


def markdown(outcome: Outcome) -> str:
    """Return the page in Markdown."""
    lines = [f"# {TITLE}", "", *INTRODUCTION, ""]
    lines += [f"- **{figure}** {what}" for figure, what in summary(outcome)]
    for day, notes in _days(outcome.notes):
        lines += ["", f"## {day}", "", "| | | what | why |", "|---|---|---|---|"]
        lines += [
            f"| {note.at:%H:%M} | **{WORDS[note.kind]}** | {_cell(note.subject)} | {_cell(_why(note))} |"
            for note in notes
        ]
    lines += [
        "",
        "## What became of each release",
        "",
        "| release | appeared | decided | the bot got it | last reason |",
    ]
    lines += ["|---|---|---|---|---|"]
    lines += [
        f"| {_cell(row.release)} | {row.appeared} | {row.decided} | {row.got} | {_cell(row.why)} |"
        for row in table(outcome)
    ]
    lines += ["", "## The chain of acts", "", *(f"1. {_cell(act)}" for act in outcome.acts)]
    return "\n".join([*lines, "", f"It verifies; its last seal is `{outcome.sealed}`.", ""])


def html(outcome: Outcome) -> str:
    """Return the page in HTML, with its style."""
    figures = "".join(
        f"<li><b>{escape(figure)}</b><span>{escape(what)}</span></li>" for figure, what in summary(outcome)
    )
    days = "".join(_day(day, notes) for day, notes in _days(outcome.notes))
    rows = "".join(
        f'<tr class="{row.kind}"><td><b>{escape(row.release)}</b></td><td>{row.appeared}</td>'
        f"<td>{escape(row.decided)}</td><td>{escape(row.got)}</td><td>{escape(row.why)}</td></tr>"
        for row in table(outcome)
    )
    acts = "".join(f"<li>{escape(act)}</li>" for act in outcome.acts)
    intro = "".join(f"<p>{escape(line)}</p>" for line in INTRODUCTION if line)
    heads = "".join(f"<th>{one}</th>" for one in ("release", "appeared", "decided", "the bot got it", "last reason"))
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{TITLE}</title><style>{_STYLE.read_text()}</style>
<main><h1>{TITLE}</h1>{intro}<ul class="figures">{figures}</ul>
{days}
<section><h2>What became of each release</h2><table class="closing"><tr>{heads}</tr>{rows}</table></section>
<section><h2>The chain of acts</h2><ol>{acts}</ol>
<p>It verifies; its last seal is <code>{escape(outcome.sealed)}</code>.</p></section></main></html>
"""


def _day(day: str, notes: Iterable[Note]) -> str:
    rows = "".join(
        f'<tr class="{note.kind}"><td><time>{note.at:%H:%M}</time></td><td><em>{WORDS[note.kind]}</em></td>'
        f"<td>{escape(note.subject)}</td><td>{escape(_why(note))}</td></tr>"
        for note in notes
    )
    return f"<section><h2>{escape(day)}</h2><table>{rows}</table></section>"


def _days(notes: Sequence[Note]) -> Iterable[tuple[str, list[Note]]]:
    for day, found in groupby(notes, key=lambda note: note.at.date()):
        yield f"{day:%A, %-d %B}", list(found)


def _why(note: Note) -> str:
    return f"{note.text} [{note.verdict}]" if note.verdict else note.text


def _when(at: datetime) -> str:
    return f"{at:%a %H:%M}"


def _hours(later: datetime, earlier: datetime) -> str:
    hours = (later - earlier).total_seconds() / 3600
    return f"after {hours:.0f} h"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
