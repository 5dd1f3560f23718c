"""JSON that steers nothing: two spaces of indent, everything beyond ASCII escaped, a line feed at the end."""

import codecs

import msgspec

_ESCAPED = "lazaretto.outputs._ascii"


def document(value: object) -> str:
    """Return a value as JSON in which no terminal, log or CI runner finds anything to act on."""
    return inert_json(msgspec.json.encode(value))


def inert_json(encoded: bytes) -> str:
    """Return JSON, in UTF-8, as such a document: it may have many megabytes, and few letters that must be escaped."""
    data = msgspec.json.format(encoded, indent=2)
    data = data.replace(b"##", b"#\\u0023")  # a CI runner finds commands to itself anywhere in a line
    data = data.replace(b"\x7f", b"\\u007f")  # JSON leaves this one control character as it is
    if not data.isascii():
        data = data.decode().encode("ascii", _ESCAPED)
    return data.decode("ascii") + "\n"


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end].encode("utf-16-be")
    return "".join(f"\\u{found[at : at + 2].hex()}" for at in range(0, len(found), 2)), error.end


codecs.register_error(_ESCAPED, _escape)
