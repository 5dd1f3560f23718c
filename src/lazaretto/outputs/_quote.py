"""Text of others in the languages of rules and patterns: quoted so that nothing of it is taken for more than text."""

_YARA = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def stix_text(text: str) -> str:
    """Return a literal of a STIX pattern (STIX 2.1, 9.1: a backslash escapes quote and backslash)."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def suricata_content(text: str) -> str:
    """Return the value of a ``content`` keyword: whatever could end it stands as hexadecimal between bars."""
    found = []
    for byte in text.encode("utf-8", "replace"):
        sign = chr(byte)
        plain = byte < 127 and (sign.isalnum() or sign in "-._/ ~=?&%+@#*,")
        found.append(sign if plain else f"|{byte:02X}|")
    return '"' + "".join(found).replace("||", " ") + '"'


def suricata_message(text: str) -> str:
    """Return the value of a ``msg`` keyword; what means something there is left out, for nobody matches by it."""
    kept = "".join(sign if sign.isascii() and (sign.isalnum() or sign in " -._/@[]()=+,") else "?" for sign in text)
    return f'"{kept}"'


def yara_text(text: str) -> str:
    """Return a text string of YARA; what is not printable ASCII is written byte by byte."""
    found = []
    for byte in text.encode("utf-8", "replace"):
        sign = chr(byte)
        found.append(_YARA.get(sign) or (sign if 32 <= byte < 127 else f"\\x{byte:02x}"))
    return '"' + "".join(found) + '"'


def cell(text: str) -> str:
    """Return a cell of a table that no spreadsheet takes for a formula: an apostrophe stands before what could be one.

    What is not printable is spelled out, so that a row stays a row.
    """
    from lazaretto.core.inert import inert

    shown = inert(text)
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@", "'", "\t", "\r") else shown


def row(cells: "list[str] | tuple[str, ...]") -> str:
    """Return a row of CSV (RFC 4180)."""
    return ",".join(_field(cell(one)) for one in cells) + "\n"


def _field(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"') or text != text.strip() else text
