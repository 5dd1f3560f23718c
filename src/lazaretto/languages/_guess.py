"""Which language a text without a name is most likely written in. A guess: whoever reads it must bear to be wrong."""

import re
from functools import cache

from lazaretto.languages._magic import WINDOW, is_text

_PYTHON = rb"(?m)^[ \t]*(?:import \w+[ \t]*$|import \w+[,;. ]|from [\w.]+ import |def \w+\(|exec\()"
_JAVASCRIPT = (
    rb"require\s*\(|function\s*\w*\s*\(|=>|\b(?:const|let|var)\s+(?:[\w$]+\s*=|[{\[])|\bfetch\(|\beval\(|\bmodule\.exports\b"
    rb"|\bwindow\.\w"
)
_FAR_PYTHON = rb"(?m)^[ \t]{0,99}(?:import \w+[ \t]{0,99}$|import \w+[,;]|from [\w.]+ import \w|def \w+\(|exec\()"
_FAR_JAVASCRIPT = rb"\brequire\s{0,9}\(|\bfetch\(|\beval\(|\bmodule\.exports\b|\bchild_process\b"
_WORDS = (b"import ", b"def ", b"exec(", b"require", b"fetch(", b"eval(", b"module.exports", b"child_process")


def guess(data: bytes) -> str:
    """Return a dialect, or nothing: the content names it itself, or nobody can tell.

    Far from the beginning only what is hardly found in prose tells: there the comments and the values may end that
    somebody put in front.
    """
    if not is_text(data) or data.startswith(b"#!"):
        return ""
    head = data[:WINDOW]
    if _pattern(_PYTHON).search(head):
        return "python"
    if _pattern(_JAVASCRIPT).search(head):
        return "javascript"
    if len(data) <= WINDOW or not any(word in data for word in _WORDS):
        return ""
    if _pattern(_FAR_PYTHON).search(data):
        return "python"
    return "javascript" if _pattern(_FAR_JAVASCRIPT).search(data) else ""


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source)
