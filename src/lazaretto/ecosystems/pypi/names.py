"""Project names of Python packages: PEP 503's normal form."""

from functools import lru_cache

from lazaretto.core.names import ProjectName

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_SIGNS = frozenset("-_.")


def name(text: str) -> ProjectName:
    """Return the normal form: lower case, runs of ``-``, ``_`` and ``.`` as one ``-`` (PEP 503).

    Raises:
        ValueError: it cannot be the name of a project (core metadata, *Name*).
    """
    lowered = text.lower()
    if not lowered or len(text) > 512 or not (_LETTERS | _SIGNS).issuperset(lowered):
        raise ValueError(f"not a Python project name: {text[:80]!r}")
    if lowered[0] in _SIGNS or lowered[-1] in _SIGNS:
        raise ValueError(f"not a Python project name: {text[:80]!r}: it must start and end with a letter or digit")
    return ProjectName(normal(lowered))


@lru_cache(maxsize=1024)
def normal(text: str) -> str:
    """Return any text in the normal form, without asking whether it can be a name."""
    return "-".join(part for part in text.lower().replace("_", "-").replace(".", "-").split("-") if part)
