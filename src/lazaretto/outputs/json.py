"""JSON: one object per update under ``updates``; the schema is published in ``lazaretto/data/report.schema.json``."""

import msgspec

from lazaretto.app.rendering import Format, RenderOptions, encodable
from lazaretto.app.report import Report

FORMAT = Format(name="json", media_type="application/json")


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - one signature for all outputs
    """Return the report as JSON, keys in the order of the schema, two spaces of indent, newline at the end.

    Text from outside is escaped to ASCII, so that no terminal or log can be steered by it.
    """
    body = {"verdict": report.verdict, "complete": report.complete, **msgspec.to_builtins(encodable(report))}
    text = msgspec.json.format(msgspec.json.encode(body), indent=2).decode()
    text = text.replace("##", "#\\u0023")  # a CI runner finds commands to itself anywhere in a line
    if text.isascii() and "\x7f" not in text:
        return text + "\n"
    return "".join(c if " " <= c <= "~" or c == "\n" else _escape(c) for c in text) + "\n"


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
