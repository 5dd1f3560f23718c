"""Which language a text without a name is most likely written in. A guess: whoever reads it must bear to be wrong."""

import re
from functools import cache

from lazaretto.languages._magic import WINDOW, is_text

_PYTHON = rb"(?m)^[ \t]*(?:import \w+[ \t]*$|import \w+[,;. ]|from [\w.]+ import |def \w+\(|exec\()"
_JAVASCRIPT = (
    rb"require\s*\(|function\s*\w*\s*\(|=>|\b(?:const|let|var)\s+\w|\bfetch\(|\beval\(|\bmodule\.exports\b|\bwindow\."
)


def guess(data: bytes) -> str:
    """Return a dialect, or nothing: the content names it itself, or nobody can tell."""
    if not is_text(data) or data.startswith(b"#!"):
        return ""
    head = data[:WINDOW]
    if _pattern(_PYTHON).search(head):
        return "python"
    return "javascript" if _pattern(_JAVASCRIPT).search(head) else ""


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source)
