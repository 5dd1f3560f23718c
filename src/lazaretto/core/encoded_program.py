"""Programs that a release decodes and executes: what stands inside them, and whether they act by themselves.

A program is charged as what it is, text that was encoded and runs. What its text says in plain words was hidden by no
further encoding, and is no second sign of the same place; what it does is.
"""

from collections.abc import Mapping
from functools import cached_property

from lazaretto.core.facts import DEFINES, Fact, Kind, Moment, Span
from lazaretto.core.question import hidden, steps_hide
from lazaretto.core.update import ArtifactView, Placed

_PASSIVE = frozenset(
    {
        Kind.IMPORT, Kind.ENV_READ, Kind.FS_READ, Kind.DECODE, Kind.OBFUSCATED, Kind.HIDDEN_TEXT,
        Kind.LITERAL_URL, Kind.LITERAL_DOMAIN, Kind.LITERAL_IP, Kind.LITERAL_PATH, Kind.LITERAL_EMAIL,
        Kind.LITERAL_HASH, Kind.LITERAL_COMMAND,
    }
)  # fmt: skip
"""What a module that only defines things does while it is loaded."""

Place = tuple[str, Span]


class EncodedPrograms:
    """The programs of one side of an update, by the place at which each is executed."""

    def __init__(self, view: ArtifactView) -> None:
        """Look for them in these files, when asked."""
        self._view = view

    def around(self, placed: Placed) -> tuple[Placed, ...]:
        """Return the programs in whose text a fact stands: the innermost last."""
        programs = self._programs.get((placed.path, placed.fact.span), ())
        return tuple(one for one in programs if one.fact is not placed.fact and _within(placed.fact.via, one.fact.via))

    def hidden_itself(self, placed: Placed) -> bool:
        """Whether a value had to be decoded beyond the text that it stands in."""
        if not hidden(placed.fact):
            return False
        around = self.around(placed)
        return not around or steps_hide(placed.fact.via.removeprefix(around[-1].fact.via))

    def only_defines(self, program: Placed) -> bool:
        """Whether a program is known in full, and does nothing as it runs but define what others may call.

        What it is known to do when its functions are called as the file is loaded counts as done by it.
        """
        place = (program.path, program.fact.span)
        if place not in self._defining or self._view.facts[program.path].problems:
            return False
        return program.fact.value is not None and not any(
            _acts(one.fact) and one.fact is not program.fact and _within(one.fact.via, program.fact.via)
            for one in self._inside[place]
        )

    @cached_property
    def _programs(self) -> Mapping[Place, tuple[Placed, ...]]:
        found: dict[Place, list[Placed]] = {}
        for one in self._view.placed:
            if one.fact.kind is Kind.CODE_EVAL and hidden(one.fact):
                found.setdefault((one.path, one.fact.span), []).append(one)
        return {place: tuple(sorted(ones, key=lambda one: len(one.fact.via))) for place, ones in found.items()}

    @cached_property
    def _defining(self) -> frozenset[Place]:
        """The places at which nothing else than such programs is executed."""
        styles = [one for one in self._view.placed if one.fact.kind is Kind.OBFUSCATED]
        other = {(one.path, one.fact.span) for one in styles if one.fact.value == "exec-chain"}
        return frozenset((one.path, one.fact.span) for one in styles if one.fact.value == DEFINES) - other

    @cached_property
    def _inside(self) -> Mapping[Place, list[Placed]]:
        found: dict[Place, list[Placed]] = {place: [] for place in self._defining}
        for one in self._view.placed:
            place = (one.path, one.fact.span)
            if place in found:
                found[place].append(one)
        return found


def _within(via: str, around: str) -> bool:
    return via == around or via.startswith(f"{around}>")


def _acts(fact: Fact) -> bool:
    return fact.moment is Moment.LOAD and fact.kind not in _PASSIVE
