"""JSON: one object per update under ``updates``; the schema is published in ``lazaretto/data/report.schema.json``."""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from lazaretto.app.rendering import Format, RenderOptions, encoded
from lazaretto.app.report import Report
from lazaretto.outputs._ascii import inert_json

FORMAT = Format(name="json", media_type="application/json")

_EMPTY = '\n  "updates": []'
"""No text of a report can hold it: a line feed in a JSON string is escaped."""


def render(report: Report, options: RenderOptions) -> str:
    """Return the report as JSON, keys in the order of the schema, two spaces of indent, newline at the end.

    Text from outside is escaped to ASCII, so that no terminal or log can be steered by it.
    """
    return "".join(pieces(report, options))


def pieces(report: Report, options: RenderOptions) -> Iterator[str]:  # noqa: ARG001 - as ``render``
    """Yield the same text, one update after the other: that of a thousand has some 25 megabytes."""
    head = msgspec.json.encode({"verdict": report.verdict, "complete": report.complete})
    around = inert_json(head[:-1] + b"," + encoded(replace(report, updates=()))[1:])
    if not report.updates:
        yield around
        return
    before, _, after = around.partition(_EMPTY)
    yield before + _EMPTY[:-1]
    for number, update in enumerate(report.updates):
        text = inert_json(encoded(update)).rstrip("\n").replace("\n", "\n    ")
        yield f"{',' if number else ''}\n    {text}"
    yield f"\n  ]{after}"
