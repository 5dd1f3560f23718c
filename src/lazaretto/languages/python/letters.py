"""Text whose only characters written by number are letters that no code needs: ``"caf" + chr(0xE9) + "()"``.

Everything else of it stands in plain literals, in the order in which it runs: nothing is hidden.
"""

import re

from lazaretto.languages.python import strings

MAX_SPELT = 4096
"""Longest call that is looked at, in bytes."""

_BLANK = rb"(?:\s|#[^\n]*\n)*"
_NUMBER = rb"chr\(\s*(0[xX][0-9a-fA-F]{1,6}|0|[1-9][0-9]{0,6})\s*\)"
_LITERAL = rb"""('[^'\\\n]*(?:\\.[^'\\\n]*)*'|"[^"\\\n]*(?:\\.[^"\\\n]*)*")"""
_PIECE = rb"%b(?:%b|%b)%b([+,)])" % (_BLANK, _NUMBER, _LITERAL, _BLANK)


def only_letters(call: bytes, value: object) -> bool:
    """Whether the first argument of this call is, to the last character, such a text with this value."""
    text, at = "", call.find(b"(") + 1
    if not at or len(call) > MAX_SPELT:
        return False
    piece = re.compile(_PIECE)
    while match := piece.match(call, at):
        letter = chr(min(int(match[1], 0), 0x10FFFF)) if match[1] else ""
        if letter and _spells_ascii(letter):
            return False
        text += letter or str(strings.string(match[2] or b"''"))
        if match[3] != b"+":
            return text == value
        at = match.end()
    return False


def _spells_ascii(letter: str) -> bool:
    """Whether Python takes a letter for one of ASCII (it compares names in their form NFKC)."""
    import unicodedata

    return any(one.isascii() for one in unicodedata.normalize("NFKC", letter))
