"""Which files of a container image are kept: those that some kind of place, or some lockfile format, reads."""

import re
from collections.abc import Iterable
from fnmatch import translate

from lazaretto.app.inventory.formats import Formats
from lazaretto.app.inventory.ports import PlaceModule

MAX_KEPT_FILE = 64 << 20
"""Largest file of an image that is kept, in bytes."""

_WILD = frozenset("*?[")


class WantedFiles:
    """``app.inventory.ports.Wanted``, made once of all that kinds of places say in ``READS``."""

    def __init__(self, kinds: Iterable[PlaceModule], lockfiles: Formats) -> None:
        patterns = {pattern for kind in kinds for pattern in kind.READS}
        self._lockfiles = lockfiles
        self._names = frozenset(one for one in patterns if _WILD.isdisjoint(one) and "/" not in one)
        self._wild = _any(one for one in patterns - self._names if "/" not in one)
        self._paths = _any(one for one in patterns if "/" in one)

    def __call__(self, path: str, size: int) -> bool:
        """Whether a file is read by anybody."""
        if size > MAX_KEPT_FILE:
            return False
        name = path.rpartition("/")[2]
        if name in self._names or self._lockfiles.of(name) is not None:
            return True
        return self._wild.match(name) is not None or self._paths.match(f"/{path}") is not None


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, sorted(patterns))) or r"(?!)")
