"""``entry_points.txt``: commands, and objects that other programs load by themselves (entry points specification)."""

from collections.abc import Iterator

from msgspec import Struct

from lazaretto.core.facts import Problem
from lazaretto.core.manifest import EntryRole

_COMMANDS = ("console_scripts", "gui_scripts")
_MAX = 10_000


class EntryPoint(Struct, frozen=True):
    """One entry point: its group, its name, and the module it loads."""

    group: str
    name: str
    module: str

    @property
    def role(self) -> EntryRole:
        """Whether a user types it, or a program that looks for its group loads it."""
        return EntryRole.COMMAND if self.group in _COMMANDS else EntryRole.IMPORT


def read(data: bytes, problems: list[Problem]) -> Iterator[EntryPoint]:
    """Yield the entry points of a file; a line that is none becomes a problem."""
    group = ""
    for number, raw in enumerate(data.decode("utf-8", "replace").splitlines()[:_MAX], 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            group = line[1:-1].strip()
            continue
        name, equals, value = line.partition("=")
        module = value.partition("[")[0].partition(":")[0].strip()
        if not equals or not group or not module:
            problems.append(Problem(number, f"entry_points.txt: not an entry point: {line[:80]!r}"))
            continue
        yield EntryPoint(group, name.strip(), module)
