"""JSON: one object per update under ``updates``; the schema is published in ``lazaretto/data/report.schema.json``."""

import msgspec

from lazaretto.app.rendering import Format, RenderOptions, encodable
from lazaretto.app.report import Report
from lazaretto.outputs._ascii import document

FORMAT = Format(name="json", media_type="application/json")


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - one signature for all outputs
    """Return the report as JSON, keys in the order of the schema, two spaces of indent, newline at the end.

    Text from outside is escaped to ASCII, so that no terminal or log can be steered by it.
    """
    body = {"verdict": report.verdict, "complete": report.complete, **msgspec.to_builtins(encodable(report))}
    return document(body)
