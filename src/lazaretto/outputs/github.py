"""GitHub annotations: one workflow command for each refused release, at the lockfile line that asks for it.

A runner shows ten errors and ten warnings of a step, so that a release with many findings is one annotation. What is
escaped, and how, is told by GitHub's documentation of *Workflow commands* and by its toolkit (``command.ts``): in a
message per cent, carriage return and line feed; in a property colon and comma, too.
"""

from collections.abc import Iterator

from lazaretto.app.rendering import Format, RenderOptions
from lazaretto.app.report import Report, ReportedPlace, UpdateReport
from lazaretto.core.inert import inert
from lazaretto.outputs._paper import quiet
from lazaretto.outputs._words import decoded, pinned, place_of, tally

FORMAT = Format(name="github", media_type="text/x-workflow-commands")

_LEVELS = {"allow": "notice", "hold": "warning", "block": "error"}
_MAX_LINE = 300
_SHOWN = 8


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - one signature for all outputs
    """Return one command for each refused release, for each thing that could not be checked, and for the sum."""
    places = pinned(report)
    lines = [
        _command(_LEVELS[update.verdict], f"{update.verdict}: {inert(update.purl, 120)}", _message(update), place)
        for update in report.updates
        if update.verdict != "allow"
        for place in places.get(update.purl, (None,))
    ]
    lines += [_command("warning", "not checked", inert(problem, _MAX_LINE)) for problem in report.problems]
    texts = [tally(report), *(f"note: {inert(note, _MAX_LINE)}" for note in report.notes)]
    lines.append(_command("notice", f"lazaretto: {report.verdict}", "\n".join(texts)))
    return "\n".join(lines) + "\n"


def _message(update: UpdateReport) -> str:
    lines = [inert(reason, _MAX_LINE) for reason in update.reasons]
    told = [line for part in update.tree() for line in _part(part)]
    lines += told[:_SHOWN]
    if len(told) > _SHOWN:
        lines.append(f"… {len(told) - _SHOWN} more: run lazaretto check")
    return "\n".join(lines)


def _part(part: UpdateReport) -> Iterator[str]:
    for finding in part.findings:
        if finding.weight > 0:
            yield f"{inert(part.purl, 120)}: {inert(finding.message, _MAX_LINE)} (+{finding.weight:g} dB)"
            for evidence in finding.evidence[:1]:
                value = decoded(evidence, _MAX_LINE)
                yield f"  at {place_of(evidence)}: {value or inert(evidence.text, _MAX_LINE)}"
    for record in part.records:
        yield from (f"incomplete: {inert(record.check)}: {inert(one, _MAX_LINE)}" for one in record.problems)


def _command(level: str, title: str, message: str, place: ReportedPlace | None = None) -> str:
    properties = {"title": title}
    if place is not None:
        properties = {"file": inert(place.path), **({"line": str(place.line)} if place.line > 0 else {}), **properties}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {told}::{_data(message)}"


def _data(text: str) -> str:
    return quiet(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
