"""The port through which the doctor looks at a machine. No value of a secret ever comes through it."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from msgspec import Struct

from lazaretto.core.posture import Place, PrivateName


class Document(Struct, frozen=True):
    """A file of settings as it was read, with every secret in it replaced by ``***``: lines stay where they are."""

    path: str
    text: str

    def place(self, *words: str) -> Place:
        """Return the line on which the words stand, one after another, or the file alone."""
        at = 0
        for word in words:
            found = self.text.find(word, at)
            if found < 0:
                return Place(self.path)
            at = found
        return Place(self.path, self.text.count("\n", 0, at) + 1) if words else Place(self.path)


class Token(Struct, frozen=True):
    """That a secret lies somewhere: of what kind, and where; ``shared`` if others on this machine may read it."""

    kind: str
    place: Place
    shared: bool = False


class Machine(Protocol):
    """A user's home, a project folder, an environment, and the programs on the path."""

    def read(self, path: str) -> Document | None:
        """Return a file without its secrets; None if there is none, or if it cannot be read.

        ``path`` begins with ``~/`` for the home, ``/`` for the system, else it is relative to the project. What cannot
        be read is told by ``unread``.
        """
        ...

    def unreadable(self, path: str, why: str) -> None:
        """Note that a file was read but not understood."""
        ...

    def unread(self) -> Mapping[str, str]:
        """Return the files that could not be looked at, each with the reason."""
        ...

    def variable(self, name: str) -> str:
        """Return a variable of the environment without its secrets; empty if it is not set."""
        ...

    def program(self, name: str) -> bool:
        """Whether a program of this name is on the path."""
        ...

    def tokens(self) -> Iterator[Token]:
        """Yield every secret that lies where this knows to look."""
        ...


class Public(Protocol):
    """The public registry of an ecosystem, for those who allow that it is asked (``--online``)."""

    def has(self, name: PrivateName) -> bool:
        """Whether anybody has published under a name. Raises PortError."""
        ...
