"""Which lockfile format claims a name: asked of every file of a disk, so it is prepared once."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import translate
from typing import NamedTuple

from lazaretto.app.pins import LockfileFormat

_WILD = frozenset("*?[")


class Format(NamedTuple):
    """A lockfile format: its module's name, and the client that writes such files, empty if that is not known.

    A module says ``CLIENT`` where it is not the first word of its own name, and ``SBOM = True`` where a file lists
    what is in use and no client reads it.
    """

    name: str
    client: str
    module: LockfileFormat

    @property
    def manifest(self) -> bool:
        """Whether it says what is asked for, not what is fixed."""
        return bool(getattr(self.module, "MANIFEST", False))

    @property
    def sbom(self) -> bool:
        """Whether it is an SBOM."""
        return bool(getattr(self.module, "SBOM", False))


class Formats:
    """Every lockfile format, the first that claims a name winning, as everywhere."""

    def __init__(self, modules: Mapping[str, LockfileFormat]) -> None:
        self._exact: dict[str, Format] = {}
        self._wild: list[tuple[re.Pattern[str], Format]] = []
        self._patterns: list[str] = []
        for name, module in modules.items():
            form = Format(name, getattr(module, "CLIENT", name.partition("_")[0]), module)
            self._patterns += module.MATCHES
            for pattern in module.MATCHES:
                if _WILD.isdisjoint(pattern):
                    self._exact.setdefault(pattern, form)
                else:
                    self._wild.append((re.compile(translate(pattern)), form))

    @property
    def patterns(self) -> Sequence[str]:
        """The names that are looked for, as shell patterns."""
        return tuple(self._patterns)

    def of(self, name: str) -> Format | None:
        """Return the format that claims a file of this name."""
        exact = self._exact.get(name)
        if exact is not None:
            return exact
        return next((form for pattern, form in self._wild if pattern.match(name)), None)

    def locked(self, names: Sequence[str]) -> frozenset[str]:
        """Return the ecosystems of which one of these files is a lockfile."""
        found = (self.of(name) for name in names)
        return frozenset(one.module.ECOSYSTEM for one in found if one is not None and not one.manifest and not one.sbom)
