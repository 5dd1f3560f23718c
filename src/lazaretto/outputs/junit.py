"""JUnit XML: one test case for each release; a refusal is a failure, what could not be checked an error.

There is no standard. The elements are those that Ant wrote first and that every CI server reads: ``testsuites``,
``testsuite``, ``testcase``, ``failure``, ``error``, ``system-out``. No times: the same report gives the same bytes.
"""

from collections.abc import Iterator, Sequence

from lazaretto.app.rendering import Format, RenderOptions
from lazaretto.app.report import Report, ReportedPlace, UpdateReport
from lazaretto.core.inert import inert
from lazaretto.outputs._words import WHEN, decoded, pinned, place_of, tally

FORMAT = Format(name="junit", media_type="application/xml")

_INCOMPLETE = "incomplete"
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - one signature for all outputs
    """Return one suite. What is refused for cause is a failure, what is only incomplete an error."""
    places = pinned(report)
    kinds = [_kind(update) for update in report.updates]
    failures = kinds.count("failure")
    errors = kinds.count("error") + len(report.problems)
    counts = f'tests="{len(kinds) + len(report.problems)}" failures="{failures}" errors="{errors}"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="lazaretto" {counts}>']
    lines.append(f'  <testsuite name={_attribute(report.product)} {counts} skipped="0">')
    for update, kind in zip(report.updates, kinds, strict=True):
        lines += _case(update, kind, places.get(update.purl, ()))
    for problem in report.problems:
        lines.append('    <testcase classname="lazaretto" name="not checked">')
        lines += _outcome("error", _INCOMPLETE, problem, [problem])
        lines.append("    </testcase>")
    told = [tally(report), *(f"note: {note}" for note in report.notes)]
    lines.append(f"    <system-out>{_lines(told)}</system-out>")
    return "\n".join([*lines, "  </testsuite>", "</testsuites>"]) + "\n"


def _kind(update: UpdateReport) -> str:
    """Return which element tells the verdict; none for a permission."""
    if update.verdict == "allow":
        return ""
    caused = any(part.verdict == "block" or (part.verdict == "hold" and part.for_cause) for part in update.tree())
    return "failure" if caused else "error"


def _case(update: UpdateReport, kind: str, places: Sequence[ReportedPlace]) -> Iterator[str]:
    where = f" file={_attribute(places[0].path)} line={_attribute(str(places[0].line))}" if places else ""
    head = (
        f"    <testcase classname={_attribute(f'lazaretto.{update.ecosystem}')} name={_attribute(update.purl)}{where}"
    )
    if not kind and update.waiver is None:
        yield f"{head}/>"
        return
    yield f"{head}>"
    if kind:
        first = update.reasons[0] if update.reasons else update.verdict
        yield from _outcome(kind, update.verdict, first, list(_told(update, places)))
    if update.waiver is not None:
        waiver = update.waiver
        told = f"{waiver.instead_of} is waived by {waiver.by} until {waiver.until}: {waiver.reason}"
        yield f"      <system-out>{_lines([told])}</system-out>"
    yield "    </testcase>"


def _outcome(kind: str, word: str, message: str, lines: Sequence[str]) -> Iterator[str]:
    yield f"      <{kind} type={_attribute(word)} message={_attribute(message)}>{_lines(lines)}</{kind}>"


def _told(update: UpdateReport, places: Sequence[ReportedPlace]) -> Iterator[str]:
    """Yield the refusal as lines, each of which begins with a word of ours."""
    yield f"{update.verdict}: {update.purl} (was {update.before})" if update.before else f"{update.verdict}: first"
    yield from (f"pinned at {place.path}:{place.line}" for place in places)
    yield from (f"reason: {reason}" for reason in update.reasons)
    for part in update.tree():
        for finding in part.findings:
            if finding.weight > 0:
                name = f"{finding.id} ({finding.variant})"
                yield f"finding in {part.purl}: {name} +{finding.weight:g} dB: {finding.message}"
                for evidence in finding.evidence:
                    when = WHEN.get(evidence.reach or "", "")
                    yield f"  at {place_of(evidence)}" + (f", {when}" if when else "") + f": {evidence.text}"
                    value = decoded(evidence, 400)
                    if value:
                        yield f"  decoded by {evidence.via}: {value}"
        for record in part.records:
            yield from (f"incomplete in {part.purl}: {record.check}: {one}" for one in record.problems)
    yield from (f"would change it: {way}" for way in update.would_change)


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(_text(line) for line in lines)


def _attribute(text: str) -> str:
    return f'"{_text(text)}"'


def _text(text: str) -> str:
    """Return text that XML 1.0 may hold; ``inert`` spells every character that it may not.

    A CI runner that prints the file finds commands to itself anywhere in a line.
    """
    return inert(text).translate(_ESCAPES).replace("##", "#&#35;")
