"""What an artifact's own manifest declares, in words that npm and PyPI share."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from lazaretto.core.facts import Problem, Span
from lazaretto.core.model import Dependency


class HookKind(StrEnum):
    """How code comes to run because a release is *installed* (not because it is used)."""

    SCRIPT = "script"  # npm lifecycle script of a consumer's install
    IMPLICIT = "implicit"  # binding.gyp with no script: npm runs node-gyp
    STARTUP = "startup"  # a .pth line that is executed, sitecustomize, usercustomize
    BUILD = "build"  # setup.py or a build backend of an sdist


class Hook(Struct, frozen=True):
    """One thing a client runs by itself. ``command`` is shell text (SCRIPT) or the executed line."""

    kind: HookKind
    name: str
    command: str
    path: str
    span: Span


class EntryRole(StrEnum):
    """Why a file is loaded."""

    INSTALL = "install"
    IMPORT = "import"
    COMMAND = "command"  # bin / console script: runs when the user types it


class Entry(Struct, frozen=True):
    """A file that a client or a consumer loads first."""

    path: str
    role: EntryRole


class Manifest(Struct, frozen=True, weakref=True):
    """The manifest of one artifact.

    ``fields`` is the flattened document (``scripts.postinstall`` -> canonical JSON text) with the
    span of each key, so that a finding can point at the line; ``problems`` make it incomplete. ``supposed`` are
    files among ``entries`` that a build carries only if whoever does it looks for them: nothing declared names them.
    """

    path: str
    name: str | None = None
    version: str | None = None
    dependencies: tuple[Dependency, ...] = ()
    hooks: tuple[Hook, ...] = ()
    entries: tuple[Entry, ...] = ()
    fields: Mapping[str, tuple[str, Span]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    supposed: frozenset[str] = frozenset()
