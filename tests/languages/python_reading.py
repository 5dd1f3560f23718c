"""Short ways to read a piece of Python in a test, and a memo of cuts."""

from collections.abc import Iterable, Mapping

from lazaretto.core.facts import Fact, Facts, Kind, Moment
from lazaretto.core.language import NoUnits
from lazaretto.core.names import Digest
from lazaretto.languages import python


def read(source: str, dialect: str = "python") -> Facts:
    """Return the facts of a source text, which must have been read without a problem."""
    facts = read_any(source, dialect)
    assert facts.problems == ()
    return facts


def read_any(source: str | bytes, dialect: str = "python") -> Facts:
    """Return the facts of a source, problems or not."""
    data = source.encode() if isinstance(source, str) else source
    return python.read(dialect, data, NoUnits())


def values(facts: Facts, kind: Kind, moment: Moment | None = None) -> list[str | None]:
    """Return the values of one kind of fact, in the order of the file."""
    return [fact.value for fact in facts.facts if fact.kind is kind and moment in (None, fact.moment)]


def only(facts: Facts, kind: Kind) -> Fact:
    """Return the only fact of its kind."""
    (found,) = [fact for fact in facts.facts if fact.kind is kind]
    return found


def flows(facts: Facts, how: str = "data") -> set[tuple[Kind, Kind]]:
    """Return the pairs of kinds between which data flow."""
    return {(facts.facts[flow.source].kind, facts.facts[flow.sink].kind) for flow in facts.flows if flow.how == how}


class Memory:
    """A memo of cuts that counts how many were written."""

    def __init__(self) -> None:
        self.units: dict[Digest, bytes] = {}
        self.written = 0

    def get(self, dialect: str, digests: Iterable[Digest]) -> Mapping[Digest, bytes]:
        """Return what is known."""
        return {digest: self.units[digest] for digest in digests if digest in self.units}

    def put(self, dialect: str, digest: Digest, unit: bytes) -> None:
        """Remember a cut."""
        self.units[digest] = unit
        self.written += 1
