"""Helpers of the JavaScript tests: read a text, and look at its facts."""

from collections.abc import Iterable, Mapping

from lazaretto.core.facts import Fact, Facts, Kind, Moment
from lazaretto.core.language import NoUnits, Units
from lazaretto.core.names import Digest
from lazaretto.languages import javascript


def read(text: str | bytes, dialect: str = "javascript", units: Units | None = None) -> Facts:
    """Return the facts of a text."""
    data = text.encode() if isinstance(text, str) else text
    return javascript.read(dialect, data, units if units is not None else NoUnits())


def values(facts: Facts, kind: Kind) -> list[str | None]:
    """Return the values of all facts of a kind, in file order."""
    return [fact.value for fact in facts.facts if fact.kind is kind]


def only(facts: Facts, kind: Kind) -> Fact:
    """Return the one fact of a kind."""
    found = [fact for fact in facts.facts if fact.kind is kind]
    assert len(found) == 1, found
    return found[0]


def moments(facts: Facts, kind: Kind) -> set[Moment]:
    """Return when the facts of a kind run."""
    return {fact.moment for fact in facts.facts if fact.kind is kind}


def flows(facts: Facts, how: str = "data") -> set[tuple[Kind, Kind]]:
    """Return the kinds that flows of one sort join."""
    return {(facts.facts[flow.source].kind, facts.facts[flow.sink].kind) for flow in facts.flows if flow.how == how}


class Memo:
    """A memo of cuts that counts what it is asked and told."""

    def __init__(self) -> None:
        self.units: dict[tuple[str, Digest], bytes] = {}
        self.hits = 0

    def get(self, dialect: str, digests: Iterable[Digest]) -> Mapping[Digest, bytes]:
        found = {digest: self.units[dialect, digest] for digest in digests if (dialect, digest) in self.units}
        self.hits += len(found)
        return found

    def put(self, dialect: str, digest: Digest, unit: bytes) -> None:
        self.units[dialect, digest] = unit
