"""What the evaluator knows of a value: a constant, a symbol, a container, a text with holes, and where it came from."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final


class _Nothing:
    """The type of ``NOTHING``: no constant is known (``None`` is a constant of Python)."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False


NOTHING: Final = _Nothing()

HOLE = "{}"
"""How an unknown part of a text is written: ``https://host.invalid/{}``."""

MAX_SIZE = 1 << 20
"""Longest constant that is built, in characters, bytes or items."""

MAX_WALK = 20_000
"""How many parts of containers are looked at for one question."""

MAX_ALTERNATIVES = 4
"""How many values of one name are kept where branches meet."""

MAX_THINGS = 64
"""How many things of the outside world one value may be: whichever of many it is, one of them is what matters."""

NO_TAINT: Final[frozenset[int]] = frozenset()


class Value:
    """One value. Attributes not set keep the defaults of the class, which makes a fresh one cheap.

    ``const``: the constant, or ``NOTHING``. ``sym``: dotted name of a thing outside (``os.system``; ``()`` marks the
    result of a call: ``requests.Session()``). ``ref``: a function, class or object of this code. ``items``: a list,
    tuple or dict with parts that are not all constant. ``text``: a string with holes. ``taint``: handles of facts
    whose data are in it. ``via``: how it was decoded. ``alts``: what it may be instead. ``mark``: handle of a fact
    that this very value stands for (a file that was written, an open connection).
    """

    const: Any = NOTHING
    sym: str | None = None
    ref: Any = None
    items: "list[Value] | dict[Any, Value] | None" = None
    kind: str = ""
    text: str | None = None
    taint: frozenset[int] = NO_TAINT
    via: tuple[str, ...] = ()
    alts: "tuple[Value, ...]" = ()
    mark: frozenset[int] = NO_TAINT
    attrs: "dict[str, Value] | None" = None
    soft: int = -1


def constant(value: Any, via: tuple[str, ...] = (), taint: frozenset[int] = NO_TAINT) -> Value:
    """Return the value of a known constant."""
    result = Value()
    result.const = value
    if via:
        result.via = via
    if taint:
        result.taint = taint
    return result


def symbol(name: str, taint: frozenset[int] = NO_TAINT) -> Value:
    """Return the value of a thing outside this code."""
    result = Value()
    result.sym = name
    if taint:
        result.taint = taint
    return result


def unknown(taint: frozenset[int] = NO_TAINT) -> Value:
    """Return a fresh value of which only the origin is known."""
    result = Value()
    if taint:
        result.taint = taint
    return result


def container(kind: str, items: "list[Value] | dict[Any, Value]") -> Value:
    """Return a list, tuple, set or dict; it is a constant if all its parts are."""
    result = Value()
    result.kind = kind
    parts = items.values() if isinstance(items, dict) else items
    if all(part.const is not NOTHING and not part.taint and not part.via and not part.mark for part in parts):
        try:
            if isinstance(items, dict):
                result.const = {key: part.const for key, part in items.items()}
            else:
                result.const = _MAKERS[kind]([part.const for part in items])
        except TypeError:
            result.items = items
        else:
            return result
    result.items = items
    return result


_MAKERS: dict[str, Any] = {"list": list, "tuple": tuple, "set": set}


def known(value: Value) -> Any:
    """Return the constant, also of a container whose parts are all known; else ``NOTHING``."""
    if value.const is not NOTHING or value.items is None:
        return value.const
    return _known(value, [MAX_WALK], 8)


def _known(value: Value, budget: list[int], depth: int) -> Any:
    items = value.items
    if value.const is not NOTHING or items is None:
        return value.const
    budget[0] -= len(items)
    if not depth or budget[0] < 0:
        return NOTHING
    if isinstance(items, dict):
        pairs = {key: _known(part, budget, depth - 1) for key, part in items.items()}
        return NOTHING if any(part is NOTHING for part in pairs.values()) else pairs
    parts = [_known(part, budget, depth - 1) for part in items]
    if any(part is NOTHING for part in parts):
        return NOTHING
    try:
        return _MAKERS.get(value.kind, list)(parts)
    except TypeError:
        return NOTHING


ITEM = "[]"
"""Attribute under which a value that is gone through keeps what each of its items is like, if that is known."""


def item_of(value: Value) -> Value:
    """Return one of the items of a value of which it is not known what they are."""
    known_item = value.attrs.get(ITEM) if value.attrs is not None else None
    if known_item is not None:
        return known_item
    made = unknown(all_taint([value]))
    made.alts = tuple(things_in(value))
    return made


def things_in(value: Value) -> list[Value]:
    """Return the parts of a container that are things of the outside world which do something."""
    parts = (value.items.values() if isinstance(value.items, dict) else value.items) if value.items else ()
    found = {part.sym: part for part in parts if part.sym is not None}
    return [found[sym] for sym in _acting(found)][:MAX_THINGS]


def _acting(syms: Iterable[str]) -> list[str]:
    """Return those of the dotted names that are known to do something, or to lead to what does."""
    from lazaretto.languages.python.effects.table import leads_on

    return [sym for sym in syms if leads_on(sym)]


def most_telling(options: list[Value]) -> list[Value]:
    """Return those of too many alternatives that say most: things of the outside world and their names, then any."""
    from lazaretto.languages.python.effects.table import parts

    things = {option.sym: option for option in options if option.sym is not None}
    acting = _acting(things)
    names = [option for option in options if isinstance(option.const, str) and option.const in parts()]
    kept = [*(things[sym] for sym in acting), *names][:MAX_THINGS]
    left = (option for option in options if not any(option is one for one in kept))
    return [*kept, *islice(left, MAX_ALTERNATIVES)]


def elements(value: Value) -> "list[Value] | None":
    """Return the elements of a value that can be iterated over and is known well enough, or None."""
    items = value.items
    if items is not None:
        return [constant(key) for key in items] if isinstance(items, dict) else list(items)
    const = value.const
    if isinstance(const, (list, tuple, str, bytes, bytearray, range, dict)) and len(const) <= MAX_SIZE:
        return [constant(part, value.via, value.taint) for part in const]
    if isinstance(const, (set, frozenset)):
        return [constant(part, value.via, value.taint) for part in sorted(const, key=repr)]
    return None


def spill(value: Value) -> "list[Value] | dict[Any, Value]":
    """Make the parts of a constant container separate values, so that an unknown one can join them."""
    if value.items is None:
        const = value.const
        if isinstance(const, dict):
            value.kind = "dict"
            value.items = {key: constant(part) for key, part in const.items()}
        else:
            value.kind = "tuple" if isinstance(const, tuple) else "list"
            parts = const if isinstance(const, (list, tuple)) else ()
            value.items = [constant(part, value.via, value.taint) for part in parts]
        value.const = NOTHING
    return value.items


def all_taint(values: Iterable[Value]) -> frozenset[int]:
    """Return where the data in these values, and in their parts, came from."""
    found = NO_TAINT
    deep: list[Value] = []
    for value in values:
        if value.taint or value.mark:
            found |= value.taint | value.mark
        if value.items or value.alts or value.attrs:
            deep.append(value)
    return found | _deep_taint(deep) if deep else found


def _deep_taint(waiting: list[Value]) -> frozenset[int]:
    """Walk through parts breadth first: each once, for containers may hold themselves, and not without end."""
    found: set[int] = set()
    seen: set[int] = set()
    for value in waiting:
        if id(value) in seen:
            continue
        seen.add(id(value))
        found |= value.taint
        found |= value.mark
        if len(waiting) >= MAX_WALK:
            continue
        if value.items:
            waiting += _telling(value.items.values() if isinstance(value.items, dict) else value.items[:MAX_WALK])
        if value.attrs and value.ref is None:
            waiting += _telling(value.attrs.values())
        waiting += value.alts
    return frozenset(found)


def _telling(parts: Iterable[Value]) -> list[Value]:
    """Return those of which anything can be told: in a table of constants, that is looked up again and again, none."""
    return [part for part in parts if part.taint or part.mark or part.items or part.alts or part.attrs]


def all_via(values: Iterable[Value]) -> tuple[str, ...]:
    """Return the longest decode chain among the values and their direct parts."""
    best: tuple[str, ...] = ()
    for value in values:
        if len(value.via) > len(best):
            best = value.via
        if value.items:
            parts = value.items.values() if isinstance(value.items, dict) else value.items
            for part in parts:
                if len(part.via) > len(best):
                    best = part.via
    return best


def join(first: Value, second: Value) -> Value:
    """Return what a name is where two branches meet."""
    if first is second:
        return first
    one, two = first.const, second.const
    if one is not NOTHING and two is not NOTHING and type(one) is type(two) and one == two:
        return second
    if _empty(first):
        return second
    if _empty(second):
        return first
    options: list[Value] = []
    for option in (*variants(first), *variants(second)):
        if option not in options:
            options.append(option)
    result = Value()
    result.alts = tuple(options if len(options) <= MAX_ALTERNATIVES else most_telling(options))
    result.taint = first.taint | second.taint
    result.mark = first.mark | second.mark
    return result


def _empty(value: Value) -> bool:
    """A place holder (None, "", [], ...) or a value nothing is known of says nothing where branches meet."""
    if value.const is not NOTHING:
        return not value.const and value.const is not False
    return (
        value.sym is None
        and value.ref is None
        and value.items is None
        and value.text is None
        and not (value.taint or value.mark or value.alts or value.attrs)
    )


def variants(value: Value) -> Iterator[Value]:
    """Yield what the value may be: itself, or its alternatives."""
    if value.alts:
        yield from value.alts
    else:
        yield value


_SHOWN = {"sys.executable": "python", "__file__": "__file__", "os.devnull": "/dev/null", "sys.platform": HOLE}


def render(value: Value) -> str | None:
    """Return the text of a value, unknown parts written as ``{}``, or None if nothing is known."""
    const = value.const
    if const is not NOTHING:
        if isinstance(const, str):
            return const
        if isinstance(const, (bytes, bytearray)):
            return bytes(const[:MAX_SIZE]).decode("utf-8", "replace")
        if isinstance(const, (int, float)):
            return str(const) if not isinstance(const, int) or const.bit_length() < 4000 else None
        return None
    if value.text is not None:
        return value.text
    if value.sym is not None:
        return _SHOWN.get(value.sym)
    if value.alts:
        for option in value.alts:
            shown = render(option)
            if shown is not None:
                return shown
    return None


def holes(value: Value) -> str:
    """Return the text of a value for use inside a longer text."""
    shown = render(value)
    return HOLE if shown is None else shown


def partial(text: str, sources: Iterable[Value], via: tuple[str, ...] = ()) -> Value:
    """Return a string of which some parts are unknown."""
    result = Value()
    if text.strip("{}/ "):
        result.text = text[:MAX_SIZE]
    sources = tuple(sources)
    result.taint = all_taint(sources)
    result.via = via or all_via(sources)
    return result
