"""Pieces of code, the functions and classes they define, and the names that are bound while they are read."""

from typing import TYPE_CHECKING

from lazaretto.core.facts import Moment
from lazaretto.languages.python.ir import Node
from lazaretto.languages.python.values import Value, join

if TYPE_CHECKING:
    from lazaretto.languages.python.lower import Lowerer, Slot


class Code:
    """A piece of source: a file, a cut of one, or text that a program would run.

    ``base`` shifts offsets to the whole file. ``fixed`` is the place of the call that runs decoded text, to which all
    its facts belong; ``via`` how that text was decoded; ``depth`` how many texts it is inside. ``lowerer`` lowers
    what was remembered without its body. ``broken``: the parser did not understand all of it.
    """

    def __init__(
        self,
        data: bytes,
        base: int = 0,
        fixed: tuple[int, int] | None = None,
        via: tuple[str, ...] = (),
        depth: int = 0,
        lowerer: "Lowerer | None" = None,
        *,
        broken: bool = False,
    ) -> None:
        self.data = data
        self.base = base
        self.fixed = fixed
        self.via = via
        self.depth = depth
        self.lowerer = lowerer
        self.broken = broken
        self.strings: dict[int, Value] = {}

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return offsets in the whole file."""
        return self.fixed or (start + self.base, end + self.base)


class Frame:
    """The names of one running function (or module, or class body)."""

    __slots__ = (
        "code",
        "function",
        "handles",
        "is_class",
        "log",
        "moment",
        "names",
        "outer",
        "owed",
        "parent",
        "returns",
        "yields",
    )

    def __init__(
        self, code: Code, moment: Moment, parent: "Frame | None" = None, function: "Function | None" = None
    ) -> None:
        self.code = code
        self.moment = moment
        self.parent = parent
        self.function = function
        self.names: dict[str, Value] = {}
        self.log: dict[str, Value | None] | None = None
        self.returns: list[Value] = []
        self.yields: list[Value] = []
        self.outer: frozenset[str] = frozenset()
        self.handles: list[int] = []
        self.is_class = False
        self.owed: dict[int, tuple[Code, list[Node]]] = {}

    @property
    def module(self) -> "Frame":
        """The outermost frame."""
        frame = self
        while frame.parent is not None:
            frame = frame.parent
        return frame

    def lookup(self, name: str) -> Value | None:
        """Return what a name is bound to, from the inside out, or None."""
        found = self.names.get(name)
        frame = self.parent
        while found is None and frame is not None:
            if not frame.is_class:
                found = frame.names.get(name)
            frame = frame.parent
        return found

    def bind(self, name: str, value: Value) -> None:
        """Bind a name here (or in the module, if it was declared global)."""
        if name in self.outer:
            module = self.module
            module.names[name] = value if name not in module.names else join(module.names[name], value)
            return
        if self.log is not None and name not in self.log:
            self.log[name] = self.names.get(name)
        self.names[name] = value


class Branches:
    """Runs alternatives one after the other from the same state, and joins what they bound."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._outer = frame.log
        self._ends: list[dict[str, Value]] = []

    def begin(self) -> None:
        """Start an alternative."""
        self._outer = self._frame.log
        self._frame.log = {}

    def end(self, *, leaves: bool) -> None:
        """End an alternative; ``leaves``: control does not come out of it, so nothing is taken over."""
        frame = self._frame
        changed, frame.log = frame.log or {}, self._outer
        last = {name: frame.names[name] for name in changed if name in frame.names}
        for name, old in changed.items():
            if old is None:
                frame.names.pop(name, None)
            else:
                frame.names[name] = old
        if not leaves:
            self._ends.append(last)

    def merge(self, *, exhaustive: bool) -> None:
        """Bind every name that an alternative bound to the join of what it may be."""
        frame = self._frame
        names = dict.fromkeys(name for end in self._ends for name in end)
        for name in names:
            old = frame.names.get(name)
            options = [end.get(name, old) for end in self._ends]
            if not exhaustive:
                options.insert(0, old)
            value: Value | None = None
            for option in options:
                if option is not None:
                    value = option if value is None else join(value, option)
            if value is not None:
                frame.bind(name, value)


class Function:
    """A function of this code (``slot``), or a lambda (``expression``)."""

    def __init__(self, name: str, parameters: list[Node], code: Code, frame: Frame) -> None:
        self.name = name
        self.parameters = parameters
        self.code = code
        self.frame = frame
        self.slot: Slot | None = None
        self.expression: Node | None = None
        self.defaults: list[Value | None] = []
        self.owner: ClassInfo | None = None
        self.runs = 0
        self.loaded = False
        self.active = False
        self.effective = False
        self.last: Value | None = None
        self.answers: dict[object, Value] = {}
        self.static = False
        self.getter = False
        self.given: frozenset[int] = frozenset()
        """Where that comes from which somebody may hand over who was not followed."""


class ClassInfo:
    """A class of this code: its members, its bases, and one object that stands for all its instances."""

    def __init__(self, name: str, bases: list[Value]) -> None:
        self.name = name
        self.bases = bases
        self.members: dict[str, Value] = {}
        self.instance = Value()
        self.instance.ref = Instance(self)
        self.instance.attrs = {}

    def find(self, name: str) -> Value | None:
        """Return a member of the class or of its bases in this code."""
        found = self.members.get(name)
        if found is None and self.bases:
            found = next((one.members[name] for one in self._line() if name in one.members), None)
        return found

    def outside_base(self) -> str | None:
        """Return the dotted name of the first base that is not of this code."""
        base = self.outside()
        return None if base is None else base.sym

    def outside(self) -> Value | None:
        """Return the first base that is not of this code."""
        waiting, seen = self.bases[::-1], {self}
        while waiting:
            base = waiting.pop()
            if base.sym is not None:
                return base
            if isinstance(base.ref, ClassInfo) and base.ref not in seen:
                seen.add(base.ref)
                waiting += reversed(base.ref.bases)
        return None

    def _line(self) -> "list[ClassInfo]":
        """Return the class and its bases in this code, depth first, each once."""
        line: dict[ClassInfo, None] = {}
        waiting = [self]
        while waiting:
            one = waiting.pop()
            if one not in line:
                line[one] = None
                waiting += [base.ref for base in reversed(one.bases) if isinstance(base.ref, ClassInfo)]
        return list(line)


class Instance:
    """An object of a class of this code."""

    def __init__(self, info: ClassInfo) -> None:
        self.info = info


class Bound:
    """A function of this code together with its first argument."""

    def __init__(self, function: Function, receiver: Value) -> None:
        self.function = function
        self.receiver = receiver


class Method:
    """A method of a value that is not an object of this code, not yet called."""

    def __init__(self, receiver: Value, name: str) -> None:
        self.receiver = receiver
        self.name = name


class Partial:
    """A callable with some of its arguments (``functools.partial``)."""

    def __init__(self, callee: Value, args: list[Value], keywords: dict[str, Value]) -> None:
        self.callee = callee
        self.args = args
        self.keywords = keywords


class Later:
    """A big table of literals that nobody has used yet."""

    def __init__(self, node: Node, code: Code) -> None:
        self.node = node
        self.code = code


class Namespace:
    """The names of a running frame as a value (``globals()``, ``locals()``, ``vars()``)."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame


class Call:
    """One call of something outside: its dotted name, arguments, place and the frame it stands in."""

    __slots__ = ("args", "frame", "keywords", "place", "sym")

    def __init__(
        self, sym: str, args: list[Value], keywords: dict[str, Value], place: tuple[int, int], frame: Frame
    ) -> None:
        self.sym = sym
        self.args = args
        self.keywords = keywords
        self.place = place
        self.frame = frame

    def arg(self, index: int, *names: str) -> Value | None:
        """Return an argument by position or by one of its names."""
        for name in names:
            found = self.keywords.get(name)
            if found is not None:
                return found
        return self.args[index] if index < len(self.args) else None

    def data(self) -> list[Value]:
        """Return every argument."""
        return [*self.args, *self.keywords.values()]
