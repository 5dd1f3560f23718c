"""Build files of node-gyp (``binding.gyp``, ``.gyp``, ``.gypi``): the commands and the code that configuring runs.

A gyp file is one Python expression, which gyp evaluates; so is each text of its conditions. Read are command
expansions (``<!(…)``, ``>!(…)``, ``^!(…)``), actions, rules and post-build steps as a shell's commands, modules that
``pymod_do_main`` loads, files that are included, and compilers that are exchanged. What stands where only a literal
belongs (a call, an attribute) is told as evaluated code, and read as Python.

## What it cannot see
Which condition holds on a machine: every branch is read. Variables that gyp fills in (``<(name)``) stay as they are
written; what the compiler does with the sources, and what a Makefile of the sources' own does.
"""

import re
from collections.abc import Iterator

from lazaretto.core.facts import MAX_VALUE, Fact, Facts, Kind, Moment, Problem, Span, bounded
from lazaretto.core.inner import Inner
from lazaretto.core.language import Claim, Units
from lazaretto.languages._command_line import command_line
from lazaretto.languages._hidden import hidden_text
from lazaretto.languages._lines import Lines
from lazaretto.languages._literals import Group, Text, Value, read_literal
from lazaretto.languages._magic import is_text
from lazaretto.languages._names import ending
from lazaretto.languages._utf16 import as_utf8, in_published

ID = "gyp"
VERSION = 2
DIALECTS = ("gyp",)
"""Every dialect that ``read`` takes."""

MAX_BUILD_FILE = 1024 * 1024
"""Longest build file that is read, in bytes."""

MAX_STEPS = 500
"""Most commands and conditions told of one file."""

MAX_EXPANSIONS = 8
"""How many commands of one text may stand inside one another."""

_STEPS = frozenset({"action", "action!", "action+"})
_COMPILERS = "make_global_settings"


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read what gyp reads, by its ending."""
    return Claim("gyp", 70) if ending(path) in ("gyp", "gypi") and is_text(data) else None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return what configuring the build runs. Never raises: what gyp could not evaluate either is a problem."""
    text = as_utf8(data)
    hidden = hidden_text(text)
    if len(text) > MAX_BUILD_FILE:
        problem = Problem(1, f"a build file of {len(text)} bytes is longer than {MAX_BUILD_FILE}", unread=True)
        return Facts(ID, in_published(hidden, text, data), (), (problem,))
    reading = _Reading(text)
    return Facts(ID, in_published((*reading.facts, *hidden), text, data), (), tuple(reading.problems))


def inner(dialect: str, data: bytes, facts: Facts) -> Iterator[Inner]:
    """Yield each command, and the code that stands where a literal belongs: gyp evaluates the whole file with it."""
    text = as_utf8(data)
    whole: dict[Fact, str] = {}
    if any(len(fact.value or "") >= MAX_VALUE for fact in facts.facts):
        reading = _Reading(text)
        whole = dict(zip(in_published(reading.whole, text, data), reading.whole.values(), strict=True))
    for fact in facts.facts:
        value = whole.get(fact, fact.value or "").encode("utf-8", "replace")
        if fact.kind is Kind.PROCESS_SPAWN and value:
            yield Inner(value, "command", places=(fact.span,), step=ID)
            yield Inner(value, "shell", places=(fact.span,), step=ID, lenient=True)  # with the code that it carries
        elif fact.kind is Kind.CODE_EVAL and fact.via == "gyp":
            places = () if text is data else (fact.span,)
            yield Inner(bytes(text), "python", places=places, step=ID, lenient=True, masked=True)
        elif fact.kind is Kind.CODE_EVAL and value:
            yield Inner(value, "python", places=(fact.span,), step=ID, lenient=True)


class _Reading:
    """The reading of one file."""

    def __init__(self, text: bytes) -> None:
        # One character for each byte, so that every offset is one of the file.
        source = text.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
        self._shift = 3 if text.startswith(b"\xef\xbb\xbf") else 0
        self._lines = Lines(text)
        self.facts: list[Fact] = []
        self.whole: dict[Fact, str] = {}  # values that are too long for a fact
        self.problems: list[Problem] = []
        found = read_literal(source)
        if found.defect is not None:
            at, reason = found.defect
            self.problems.append(Problem(self._place(at, at).line, f"not a build file: {reason}"))
        elif found.value is None and source.strip():
            self.problems.append(Problem(1, "not a build file: no literal"))
        for written in found.texts:
            self._expansions(written)
        if found.foreign:
            self._evaluated(source, found.foreign)
        self._walk(found.value, "")
        if len(self.facts) > MAX_STEPS:
            self.problems.append(Problem(1, f"more than {MAX_STEPS} steps: not all are told", unread=True))
            del self.facts[MAX_STEPS:]

    def _place(self, start: int, end: int) -> Span:
        return self._lines.span(start + self._shift, end + self._shift)

    def _add(self, kind: Kind, value: str, place: Span, via: str) -> None:
        if kind is Kind.PROCESS_SPAWN:  # a variable of gyp reads like a redirection of a shell
            value = re.sub(r"[<>^]@?\((\w+)%?\)", r"$\1", value)
        fact = Fact(kind, bounded(value), place, Moment.LOAD, via)
        if len(self.facts) <= MAX_STEPS and fact not in self.facts:
            self.facts.append(fact)
            if len(value) > MAX_VALUE:
                self.whole[fact] = value

    def _evaluated(self, source: str, foreign: tuple[tuple[int, str], ...]) -> None:
        """Tell the first line on which something but a literal stands: gyp evaluates the whole file."""
        at = foreign[0][0]
        start = source.rfind("\n", 0, at) + 1
        end = source.find("\n", at)
        line = source[start : end if end >= 0 else len(source)]
        self._add(Kind.CODE_EVAL, _told(line.strip()), self._place(at, at + len(foreign[0][1])), "gyp")

    def _expansions(self, written: Text) -> None:
        """Tell the commands that gyp expands in a text, each where its text stands."""
        value, place = _told(written.value), self._place(written.start, written.end)
        for found in _commands(value):
            if found is None:
                reason = f"more than {MAX_EXPANSIONS} commands inside one another: not all are told"
                self.problems.append(Problem(place.line, reason, unread=True))
            if found is None or len(self.facts) > MAX_STEPS:
                return
            command, module = found
            if not module:
                self._add(Kind.PROCESS_SPAWN, command, place, "gyp>expansion")
            elif name := command.split(" ", 1)[0]:
                self._add(Kind.IMPORT, f"./{name.replace('.', '/')}.py", place, "gyp>pymod")

    def _walk(self, value: Value | None, key: str) -> None:
        """Tell steps, includes, compilers and conditions, in the order of the file."""
        if not isinstance(value, Group):
            return
        if key in _STEPS or key == _COMPILERS:
            self._step(value, key)
        if key.rstrip("!?+=") == "includes":
            for item in value.items:
                if isinstance(item, Text):
                    self._add(
                        Kind.IMPORT, _relative(_told(item.value)), self._place(item.start, item.end), "gyp>include"
                    )
        if key.rstrip("!?+=%/") in ("conditions", "target_conditions"):
            self._conditions(value.items)
        for name, item in value.pairs():
            self._walk(item, name)
        for item in value.items if value.bracket != "{" else ():
            self._walk(item, key if key == _COMPILERS else "")

    def _step(self, group: Group, key: str) -> None:
        """Tell the words of a list as one command; of a compiler, what is set."""
        texts = [item for item in group.items if isinstance(item, Text)]
        if not texts:
            return
        words = [_told(text.value) for text in (texts[1:] if key == _COMPILERS else texts)]
        place = self._place(texts[0].start, texts[-1].end)
        command = command_line(words)
        if command:
            self._add(Kind.PROCESS_SPAWN, command, place, "gyp>compiler" if key == _COMPILERS else "gyp>action")

    def _conditions(self, items: tuple[Value, ...]) -> None:
        """Tell a condition that is more than a comparison: gyp evaluates it as Python."""
        for item in items:
            test = item.items[0] if isinstance(item, Group) and item.items else item
            if isinstance(test, Text) and _acts(test.value):
                self._add(Kind.CODE_EVAL, _told(test.value), self._place(test.start, test.end), "gyp>condition")


def _commands(value: str) -> Iterator[tuple[str, bool] | None]:
    """Yield the commands of a text, and whether each is a module; None where they are nested too deeply.

    ``<!(…)``, ``<!@(…)``, ``<!(pymod_do_main …)``.
    """
    openings = [match.end() for match in re.finditer(r"[<>^]![@|]?\(", value)]
    closings = _closings(value) if openings else {}
    around: list[int] = []
    for opening in openings:
        end = closings.get(opening - 1, len(value))
        while around and around[-1] <= opening:
            around.pop()
        around.append(end)
        if len(around) > MAX_EXPANSIONS:
            yield None
            return
        command = value[opening:end].strip()
        module = command.startswith("pymod_do_main(")
        yield (command.removeprefix("pymod_do_main(").rstrip(")").strip() if module else command), module


def _closings(value: str) -> dict[int, int]:
    """Return where each bracket of a text is closed."""
    found: dict[int, int] = {}
    waiting: list[int] = []
    for match in re.finditer(r"[()]", value):
        if match[0] == "(":
            waiting.append(match.start())
        elif waiting:
            found[waiting.pop()] = match.start()
    return found


def _acts(test: str) -> bool:
    """Whether a condition calls or reaches into something: ``OS=="win" and v8 > 3`` does not."""
    bare = "".join(piece for number, piece in enumerate(test.replace('"', "'").split("'")) if number % 2 == 0)
    return "__" in bare or any(
        bare[at - 1 : at].isidentifier() and _word(bare, at) not in ("and", "or", "not", "in", "v", "is")
        for at, sign in enumerate(bare)
        if sign == "("
    )


def _word(text: str, end: int) -> str:
    start = end
    while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    return text[start:end]


def _relative(path: str) -> str:
    return path if path.startswith(("/", "../", "./", "<", ">", "^")) else f"./{path}"


def _told(value: str) -> str:
    """Return a text of the file in its own encoding again."""
    return value.encode("latin-1", "replace").decode("utf-8", "replace")
