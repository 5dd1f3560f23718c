"""How long a page is waited for whose newest releases are being read: as long as its client bears, and the patience.

A client gives up on an answer after a time of its own. One that asks again after a 503 can be had to wait for the whole
patience in pieces; without that, what is hidden only because nobody has read it yet looks as if it did not exist, and
whoever pinned just that release is told so. What the clients do was tried with each (``tests/clients``): pip, uv and
poetry ask again, pdm does not, and those of npm bear one long answer.
"""

from collections.abc import Mapping

from msgspec import Struct

from lazaretto.core.names import ProjectName

AGAIN_SECONDS = 60.0
"""For how long a page is not waited for again whose readings take longer than that."""


class Bears(Struct, frozen=True):
    """What a client bears: how often it asks in all where it is answered 503, and for how long one answer may take."""

    tries: int
    seconds: float


NPM, PYPI = Bears(1, 60.0), Bears(1, 10.0)
"""What any client bears (npm waits for 5 minutes, pip and pdm for 15 s)."""

KNOWN: Mapping[str, Bears] = {"pip": Bears(3, 10.0), "uv": Bears(2, 20.0), "poetry": Bears(2, 10.0)}
"""What these bear, with fewer tries than they make unless they are told otherwise (6, 4 and 5): whoever has told them
to make some fewer is left with a page all the same."""


class Piece(Struct, frozen=True):
    """How long one request waits at most: until ``end``; ``last``: it is answered then, come what may."""

    end: float
    last: bool


class Waiting:
    """Remembers since when each page is waited for. Times are those of a monotonic clock."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._since: dict[tuple[str, ProjectName, Bears], float] = {}
        self._not_again: dict[tuple[str, ProjectName, Bears], float] = {}

    def piece(self, ecosystem: str, name: ProjectName, bears: Bears, now: float) -> Piece:
        """Return how long a request waits."""
        key, whole = (ecosystem, name, bears), min(self._patience, bears.tries * bears.seconds)
        if self._not_again.get(key, 0.0) > now:
            return Piece(now, last=True)
        if bears.tries == 1:
            return Piece(now + whole, last=True)
        since = self._since.get(key, now)
        if now - since > whole + AGAIN_SECONDS:
            since = now  # whoever waited then went away
        if key not in self._since:
            _forget(self._since, now - whole - AGAIN_SECONDS)
        self._since[key] = since
        end = since + whole
        return Piece(max(now, min(now + bears.seconds, end)), last=end <= now + bears.seconds)

    def over(self, ecosystem: str, name: ProjectName, bears: Bears, now: float) -> None:
        """Note that a page was answered without what it was waited for."""
        key = (ecosystem, name, bears)
        self._since.pop(key, None)
        _forget(self._not_again, now)
        self._not_again.setdefault(key, now + AGAIN_SECONDS)  # from when it was waited for, whoever asks meanwhile

    def done(self, ecosystem: str, name: ProjectName, bears: Bears) -> None:
        """Note that nothing is waited for any more."""
        self._since.pop((ecosystem, name, bears), None)


def _forget(times: dict[tuple[str, ProjectName, Bears], float], until: float) -> None:
    for one in [one for one, at in times.items() if at <= until]:
        del times[one]


def bears(user_agent: str) -> Bears:
    """Return what a client of a Python index bears, by its name."""
    return KNOWN.get(user_agent.partition("/")[0].strip().lower(), PYPI)
