"""The text of an ``.npmrc``, as npm reads it (its package ``ini``)."""

import re
from collections.abc import Iterable


def parse_ini(text: str) -> Iterable[tuple[str, str]]:
    """Yield the settings of an ``.npmrc``: ``key = value`` lines; a key alone is ``true``; sections are left out."""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("["):
            return  # npm knows no sections: what follows one is not a setting
        if not line or line[0] in ";#":
            continue
        key, equals, value = line.partition("=")
        key, value = _unquoted(key.strip()), _unquoted(value.strip())
        yield key.removesuffix("[]"), value if equals else "true"


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    cut = re.search(r"(?<!\\)[;#]", text)
    text = text[: cut.start()].strip() if cut else text
    return re.sub(r"\\([;#\\])", r"\1", text)
