"""STIX patterns (STIX 2.1, part 9), as far as they compare: each alternative as the comparisons that it joins.

``[domain-name:value = 'a.example' OR url:value IN ('x', 'y')]`` has three alternatives. What depends on order, time or
repetition, is negated, or matches by expression cannot be told as a value, and is refused with its reason.
"""

import re
from collections.abc import Iterator

MAX_PATTERN = 20_000
MAX_ALTERNATIVES = 1000
_MAX_DEPTH = 50

Comparison = tuple[str, str]
"""The path of an object's property (``file:hashes.'SHA-256'`` without quotes), and the value that it must have."""

_QUOTED = r"'(?:[^'\\]|\\.)*'"
_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<path>[a-z0-9][\w-]*:(?:[\w-]+|{_QUOTED})(?:\.(?:[\w-]+|{_QUOTED})|\[(?:\*|\d+)\])*)
    | (?P<time>t{_QUOTED})
    | (?P<text>{_QUOTED})
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<sign>!=|<=|>=|[=<>()\[\],])
    | (?P<word>[A-Za-z]+)
    )""",
    re.VERBOSE | re.DOTALL,
)


class PatternError(ValueError):
    """A pattern that cannot be read, or that says more than values."""


def alternatives(pattern: str) -> list[tuple[Comparison, ...]]:
    """Return what a pattern compares, one entry for each alternative. Raises PatternError."""
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"the pattern is longer than {MAX_PATTERN} characters")
    reader = _Reader(list(_tokens(pattern)))
    found = reader.observations(0)
    if reader.kind:
        raise PatternError(f"the pattern says more than values: {reader.value[:40]!r}")
    return found


def quoted(text: str) -> str:
    """Return a text as a literal of a pattern."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _tokens(pattern: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(pattern.rstrip()):
        found = _TOKEN.match(pattern, at)
        if found is None or found.lastgroup is None:
            raise PatternError(f"the pattern cannot be read at character {at + 1}")
        yield found.lastgroup, found.group(found.lastgroup)
        at = found.end()


class _Reader:
    """Recursive descent over the tokens; ``kind`` and ``value`` are those of the next one, empty at the end."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = [*tokens, ("", "")]
        self._at = 0

    @property
    def kind(self) -> str:
        return self._tokens[self._at][0]

    @property
    def value(self) -> str:
        return self._tokens[self._at][1]

    def _next(self) -> tuple[str, str]:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _take(self, sign: str) -> bool:
        if self.value.upper() == sign and self.kind in ("sign", "word"):
            self._at += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise PatternError(f"the pattern lacks {sign!r} before {self.value[:40]!r}")

    def observations(self, depth: int) -> list[tuple[Comparison, ...]]:
        """Read what may be observed: one of these, each in brackets."""
        found = self._observation(depth)
        while self._take("OR"):
            found = _bounded([*found, *self._observation(depth)])
        return found

    def _observation(self, depth: int) -> list[tuple[Comparison, ...]]:
        if depth > _MAX_DEPTH:
            raise PatternError("the pattern is nested too deeply")
        if self._take("("):
            found = self.observations(depth + 1)
            self._expect(")")
            return found
        self._expect("[")
        found = self._either(depth + 1)
        self._expect("]")
        return found

    def _either(self, depth: int) -> list[tuple[Comparison, ...]]:
        found = self._both(depth)
        while self._take("OR"):
            found = _bounded([*found, *self._both(depth)])
        return found

    def _both(self, depth: int) -> list[tuple[Comparison, ...]]:
        found = self._one(depth)
        while self._take("AND"):
            second = self._one(depth)
            if len(found) * len(second) > MAX_ALTERNATIVES:
                raise PatternError(f"the pattern has more than {MAX_ALTERNATIVES} alternatives")
            found = [(*one, *other) for one in found for other in second]
        return found

    def _one(self, depth: int) -> list[tuple[Comparison, ...]]:
        if depth > _MAX_DEPTH:
            raise PatternError("the pattern is nested too deeply")
        if self._take("("):
            found = self._either(depth + 1)
            self._expect(")")
            return found
        kind, path = self._next()
        if kind != "path":
            raise PatternError(f"the pattern has {path[:40]!r} where it must name a property")
        path = re.sub(r"'((?:[^'\\]|\\.)*)'", lambda part: _unquoted(part.group(0)), path)
        if self._take("="):
            return [((path, self._literal()),)]
        if self._take("IN"):
            self._expect("(")
            found = [((path, self._literal()),)]
            while self._take(","):
                found = _bounded([*found, ((path, self._literal()),)])
            self._expect(")")
            return found
        raise PatternError(f"the pattern compares with {self.value[:40]!r}, which tells no value")

    def _literal(self) -> str:
        kind, value = self._next()
        if kind == "text":
            return _unquoted(value)
        if kind in ("number", "word") and value.upper() not in ("AND", "OR"):
            return value
        raise PatternError(f"the pattern has {value[:40]!r} where it must have a text or a number")


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)


def _bounded(found: list[tuple[Comparison, ...]]) -> list[tuple[Comparison, ...]]:
    if len(found) > MAX_ALTERNATIVES:
        raise PatternError(f"the pattern has more than {MAX_ALTERNATIVES} alternatives")
    return found
