"""Values of the partial evaluator: what is known of a JavaScript value, how, and where it came from.

Plain Python values stand for primitives: ``str``, ``int``/``float``, ``bool``, ``None`` for null and
``UNDEFINED``. Everything else is one of the classes below. Nothing here can run anything.
"""

from collections.abc import Iterable
from typing import Any

from lazaretto.languages.javascript import effects

Value = Any

NO_TAINT: frozenset[int] = frozenset()
MAX_TEXT = 256 * 1024
MAX_CHOICES = 6
MAX_PARTS = 4096
MAX_WALK = 4096
"""How many items of an array, and how many containers within each other, are looked at for where a value came from."""
DEEP = 64
"""How many levels of arrays and objects are searched for what flows out with them."""
MAX_THINGS = 64
"""How many things of the outside world one value may be: whichever of many it is, one of them is what matters."""


class Undefined:
    """The one undefined value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = Undefined()


class Text(str):
    """A known string that was recovered by decoding (``via``) or that carries origins (``taint``)."""

    __slots__ = ("taint", "via")
    via: tuple[str, ...]
    taint: frozenset[int]

    @staticmethod
    def of(text: str, via: tuple[str, ...] = (), taint: frozenset[int] = NO_TAINT) -> str:
        """Return ``text`` as it is if there is nothing to remember about it."""
        if not via and not taint:
            return text if type(text) is str else str(text)
        made = Text(text)
        made.via = via
        made.taint = taint
        return made


class Sym:
    """A value that is not known, or a thing of the outside world.

    ``path`` names the thing (``@fs.readFile``, ``process.env``); ``text`` is a pattern of its text where
    ``*`` stands for what is not known; ``taint`` holds the facts it came from; ``sink`` is the fact
    that data written to it reaches (a request, a stream).
    """

    __slots__ = ("path", "sink", "taint", "text", "via")

    def __init__(
        self,
        path: str = "",
        text: str | None = None,
        taint: frozenset[int] = NO_TAINT,
        via: tuple[str, ...] = (),
        sink: int | None = None,
    ) -> None:
        self.path = path
        self.text = text
        self.taint = taint
        self.via = via
        self.sink = sink


UNKNOWN = Sym()


class Choice:
    """One of several values, because a branch was not known."""

    __slots__ = ("options",)

    def __init__(self, options: tuple[Value, ...]) -> None:
        self.options = options


class Arr:
    """An array whose items are values; ``open`` if there may be more items than are known."""

    __slots__ = ("items", "open", "props", "taint", "via")

    def __init__(self, items: list[Value], via: tuple[str, ...] = (), taint: frozenset[int] = NO_TAINT) -> None:
        self.items = items
        self.via = via
        self.taint = taint
        self.open = False
        self.props: dict[str, Value] | None = None


class Obj:
    """An object literal or instance; ``klass`` is the class it was made from; ``dump`` a fact of the environment."""

    __slots__ = ("dump", "getters", "klass", "props", "taint")

    def __init__(self, props: dict[str, Value] | None = None, klass: "Func | None" = None) -> None:
        self.props: dict[str, Value] = {} if props is None else props
        self.klass = klass
        self.taint: frozenset[int] = NO_TAINT
        self.dump: int | None = None
        self.getters: dict[str, Value] | None = None


class Buf:
    """Bytes (Buffer, Uint8Array)."""

    __slots__ = ("data", "taint", "via")

    def __init__(self, data: bytes, via: tuple[str, ...] = (), taint: frozenset[int] = NO_TAINT) -> None:
        self.data = data
        self.via = via
        self.taint = taint


class Regex:
    """A regular expression literal; ``last`` is lastIndex."""

    __slots__ = ("flags", "last", "source")

    def __init__(self, source: str, flags: str) -> None:
        self.source = source
        self.flags = flags
        self.last = 0


class Scope:
    """Names and what they hold; ``function`` marks the scope that ``var`` declares in."""

    __slots__ = ("function", "parent", "this", "vars")

    def __init__(self, parent: "Scope | None", *, function: bool = False, this: Value = UNDEFINED) -> None:
        self.vars: dict[str, Value] = {}
        self.parent = parent
        self.function = function
        self.this = this


class Func:
    """A function of the file (or a class, if ``members`` is set) with the scope it closes over."""

    __slots__ = ("base", "bound", "code", "key", "members", "name", "outer", "owner", "props", "scope", "unit")

    def __init__(self, unit: Any, base: int, code: list[Any], scope: Scope, name: str | None) -> None:
        self.unit = unit
        self.base = base
        self.code = code
        self.key = (base + code[1], base + code[2])
        """Where the function stands in the file."""
        self.scope = scope
        self.name = name
        self.props: dict[str, Value] = {}
        self.members: dict[str, Value] | None = None
        self.owner: Func | None = None
        self.outer: Sym | None = None
        """The class of another file that a class extends."""
        self.bound: list[Value] | None = None

    def all_members(self) -> "list[tuple[str, Value]]":
        """Return the methods of a class and of those above it, or what a prototype has; the nearest of each name."""
        found: dict[str, Value] = {}
        owner: Func | None = self
        seen: list[Func] = []
        while owner is not None and owner not in seen:
            seen.append(owner)
            prototype = owner.props.get("prototype")
            inherited = prototype.props if isinstance(prototype, Obj) else {}
            for name, member in (*(owner.members or {}).items(), *inherited.items()):
                if name != "constructor":
                    found.setdefault(name, member)
            owner = owner.owner
        return list(found.items())

    def scope_this(self, this: Value, *, arrow: bool) -> Value:
        """Return what ``this`` is inside a call: an arrow function has that of its place."""
        if not arrow:
            return this
        scope: Scope | None = self.scope
        while scope is not None and not scope.function:
            scope = scope.parent
        return scope.this if scope is not None else UNDEFINED


class Thunk:
    """A declaration of a long statement list that is evaluated when somebody needs it."""

    __slots__ = ("busy", "run")

    def __init__(self, run: Any) -> None:
        self.run = run
        self.busy = False


def choice(options: list[Value]) -> Value:
    """Return one value that stands for all of these."""
    if len(options) == 1:
        return options[0]
    flat: list[Value] = []
    for option in options:
        for part in option.options if type(option) is Choice else (option,):
            if len(flat) <= MAX_CHOICES:
                for known in flat:
                    if part is known or same(part, known):
                        break
                else:
                    flat.append(part)
            else:
                flat.append(part)
    if len(flat) == 1:
        return flat[0]
    if not flat:
        return UNDEFINED
    if len(flat) > MAX_CHOICES:
        rest = Sym(taint=frozenset().union(*(taint_of(part) for part in flat)))
        things = {part.path if type(part) is Sym else part: part for part in flat if _telling(part)}
        known = sorted(things, key=lambda name: name not in effects.effects())  # what is known to do something first
        return Choice((*(things[name] for name in known[:MAX_THINGS]), rest)) if things else rest
    return Choice(tuple(flat))


def is_thing(value: Value) -> bool:
    """Whether a value is, or may be, a thing of the outside world that does something."""
    if type(value) is Sym:
        return value.path[:1] == "@" or value.path.partition(".")[0] in _POWERS
    return type(value) is Choice and any(map(is_thing, value.options))


_POWERS = frozenset(
    "eval Function AsyncFunction require import importScripts fetch process XMLHttpRequest WebSocket WebAssembly Deno"
    " Bun".split()
)


def _telling(value: Value) -> bool:
    """Whether a value is such a thing, or the name of one."""
    return is_thing(value) or (isinstance(value, str) and value.removeprefix("node:") in effects.names())


def same(a: Value, b: Value) -> bool:
    """Whether two values are the same for sure, or nothing is known of either."""
    if a is b:
        return True
    kind = type(a)
    if kind is Sym:
        return type(b) is Sym and is_blank(a) and is_blank(b)
    if kind in _PRIMITIVES and type(b) in _PRIMITIVES:
        return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)
    return False


_PRIMITIVES = frozenset({str, int, float, bool, Text})


def is_blank(value: Sym) -> bool:
    """Whether nothing is known of a value, not even where it came from."""
    return not (value.path or value.taint or value.via) and value.text is None and value.sink is None


def options(value: Value) -> tuple[Value, ...]:
    """Return the alternatives of a value."""
    return value.options if isinstance(value, Choice) else (value,)


def is_known(value: Value) -> bool:
    """Whether nothing about a primitive, array or buffer is unknown (arrays: at the first level)."""
    kind = type(value)
    if kind is Arr:
        return not value.open and not any(isinstance(item, (Sym, Choice)) for item in value.items[:4096])
    return kind is not Sym and kind is not Choice


def taint_of(value: Value, depth: int = 1) -> frozenset[int]:
    """Return the facts that a value came from, looking ``depth`` levels into arrays and objects."""
    kind = type(value)
    if kind is Sym or kind is Text or kind is Buf:
        found: frozenset[int] = value.taint
        return found
    if kind is not Arr and kind is not Obj and kind is not Choice:
        return NO_TAINT
    found = NO_TAINT
    waiting, seen = [value], {id(value)}  # breadth first, each once: containers may hold themselves
    while waiting and depth > 0 and len(seen) < MAX_WALK:
        inner: list[Value] = []
        for holder in waiting:
            own, parts = _parts(holder)
            found |= own
            for part in parts:
                kind = type(part)
                if kind is Sym or kind is Text or kind is Buf:
                    if part.taint:
                        found |= part.taint
                elif (kind is Arr or kind is Obj or kind is Choice) and depth > 1 and id(part) not in seen:
                    seen.add(id(part))
                    inner.append(part)
        waiting, depth = inner, depth - 1
    return found


def _parts(holder: "Arr | Obj | Choice") -> tuple[frozenset[int], Iterable[Value]]:
    """Return what a container itself came from, and what it holds."""
    if isinstance(holder, Choice):
        return NO_TAINT, holder.options
    if isinstance(holder, Arr):
        return holder.taint, holder.items[:MAX_PARTS]
    return (holder.taint | {holder.dump} if holder.dump is not None else holder.taint), holder.props.values()


def item_of(value: Value) -> Sym:
    """Return one of the items of what is not known: of a file of the package it is a part."""
    path = value.path if isinstance(value, Sym) and value.path[:2] == "@." else ""
    return Sym(path=path and f"{path}.*", taint=taint_of(value), via=via_of(value))


def via_of(value: Value) -> tuple[str, ...]:
    """Return how a value was recovered."""
    if type(value) in _WITH_VIA:
        via: tuple[str, ...] = value.via
        return via
    return ()


_WITH_VIA = frozenset({Text, Sym, Buf, Arr})


def merged(*chains: tuple[str, ...]) -> tuple[str, ...]:
    """Return the steps of several chains, each once, in order."""
    if not any(chains):
        return ()
    return tuple(dict.fromkeys(step for chain in chains for step in chain))[:8]


def truth(value: Value) -> bool | None:
    """Return whether a value is truthy, or None if that is not known."""
    if isinstance(value, Sym):
        return True if value.path and value.path[0] == "@" else None
    if isinstance(value, Choice):
        answers = {truth(option) for option in value.options}
        return answers.pop() if len(answers) == 1 else None
    if value is UNDEFINED or value is None:
        return False
    if isinstance(value, (bool, int, float)):
        return bool(value) and value == value
    if isinstance(value, str):
        return bool(value)
    return True
