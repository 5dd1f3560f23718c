"""JSON: one object per update under ``updates``; the schema is published in ``lazaretto/data/report.schema.json``."""

import msgspec

from lazaretto.app.rendering import Format, RenderOptions, encoded
from lazaretto.app.report import Report
from lazaretto.outputs._ascii import inert_json

FORMAT = Format(name="json", media_type="application/json")


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - one signature for all outputs
    """Return the report as JSON, keys in the order of the schema, two spaces of indent, newline at the end.

    Text from outside is escaped to ASCII, so that no terminal or log can be steered by it.
    """
    head = msgspec.json.encode({"verdict": report.verdict, "complete": report.complete})
    return inert_json(head[:-1] + b"," + encoded(report)[1:])
