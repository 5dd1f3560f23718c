"""What a command line is most likely about, told from its words alone, before anything is imported."""

from collections.abc import Iterable

ENDINGS = {".tgz": "npm", ".whl": "pypi", ".tar.gz": "pypi", ".zip": "pypi"}
"""Endings of local archives, and whose they are."""

DEFAULT = "npm"
"""Whose a name is that says nothing of it."""


def ecosystem(words: Iterable[str]) -> str:
    """Return the ecosystem whose releases these words most likely name. To be wrong costs time and nothing else."""
    for word in words:
        if word in ENDINGS.values():
            return word
        for ending, house in ENDINGS.items():
            if word.endswith(ending) or word.startswith((f"{house}:", f"pkg:{house}/")):
                return house
    return DEFAULT
