"""JSON that steers nothing: two spaces of indent, everything beyond ASCII escaped, a line feed at the end."""

import re

import msgspec

_OTHER = re.compile(r"[^ -~\n]")


def document(value: object) -> str:
    """Return a value as JSON in which no terminal, log or CI runner finds anything to act on."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    text = text.replace("##", "#\\u0023")  # a CI runner finds commands to itself anywhere in a line
    return _OTHER.sub(_escape, text) + "\n"  # a report may have many megabytes, and few such letters


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
