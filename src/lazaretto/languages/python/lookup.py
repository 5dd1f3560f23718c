"""Attributes, subscripts and the many other ways in which Python finds a thing by name."""

from functools import reduce
from typing import TYPE_CHECKING, Any

from lazaretto.core.facts import Kind
from lazaretto.languages.python import ports
from lazaretto.languages.python.decoding import is_decoded
from lazaretto.languages.python.effects import attributes, environment
from lazaretto.languages.python.effects.handed import handed
from lazaretto.languages.python.folding import PATHS, result, step
from lazaretto.languages.python.scope import Bound, ClassInfo, Frame, Function, Instance, Method, Namespace
from lazaretto.languages.python.values import (
    HOLE,
    NOTHING,
    Value,
    all_taint,
    constant,
    container,
    elements,
    join,
    known,
    partial,
    symbol,
    things_in,
    unknown,
)

if TYPE_CHECKING:
    from lazaretto.languages.python.machine import Machine

Place = tuple[int, int]


def attribute(vm: "Machine", value: Value, name: str, place: Place, frame: Frame) -> Value:
    """Return ``value.name``."""
    if value.attrs is not None and name in value.attrs:
        return value.attrs[name]
    ref = value.ref
    if ref is not None:
        base = ref.info.outside() if isinstance(ref, Instance) and ref.info.find(name) is None else None
        if base is not None and base.taint and not (base.sym or "").startswith("builtins."):
            dotted = f"{base.sym}().{name}"
            return symbol(dotted, value.taint | ports.member(vm, base, dotted, frame.moment))
        found = _of_reference(value, ref, name)
        if found is not None:
            return _got(vm, found, frame)
    if value.sym is not None:
        return _of_symbol(vm, value, name, place, frame)
    if value.alts:
        options = [attribute(vm, option, name, place, frame) for option in value.alts if _speaks(option)]
        if options:
            return _either(options, value)
    if name == "__class__" and isinstance(ref, Instance):
        made = Value()
        made.ref = ref.info
        return made
    if name in _GADGETS:
        return symbol("builtins" if name in ("__builtins__", "f_builtins") else f"object.{name}")
    made = unknown(value.taint | value.mark | handed(vm, name, place, frame))
    made.ref = Method(value, name)
    return made


def _got(vm: "Machine", found: Value, frame: Frame) -> Value:
    """Return what a member is worth: a property runs when it is asked for."""
    ref = found.ref
    if isinstance(ref, Bound) and ref.function.getter:
        from lazaretto.languages.python.calls import call_function

        return call_function(vm, ref.function, [ref.receiver], {}, frame)
    return found


_GADGETS = frozenset(
    ("__subclasses__", "__globals__", "__builtins__", "f_globals", "f_builtins", "__mro__", "__bases__")
)


def _speaks(value: Value) -> bool:
    return value.sym is not None or value.ref is not None or value.attrs is not None or value.const is not NOTHING


def _either(options: list[Value], source: Value) -> Value:
    if len(options) == 1:
        return options[0]
    made = Value()
    made.alts = tuple(options)
    made.taint = source.taint
    return made


def _of_reference(value: Value, ref: Any, name: str) -> Value | None:
    if isinstance(ref, Instance):
        found = ref.info.find(name)
        if found is None:
            base = ref.info.outside_base()
            return (
                symbol(f"{base}().{name}", value.taint)
                if base is not None and not base.startswith("builtins.")
                else None
            )
        if isinstance(found.ref, Function) and not found.ref.static:
            made = Value()
            made.ref = Bound(found.ref, value)
            return made
        return found
    if isinstance(ref, ClassInfo):
        return ref.find(name)
    if isinstance(ref, Function) and name == "__globals__":
        made = Value()
        made.ref = Namespace(ref.frame.module)
        return made
    if isinstance(ref, Function) and name in ("__code__", "__wrapped__", "__func__"):
        return value
    return None


def _of_symbol(vm: "Machine", value: Value, name: str, place: Place, frame: Frame) -> Value:
    sym = value.sym or ""
    if name in ("__dict__", "__func__", "__wrapped__"):
        return value
    if name == "__call__":
        return value
    if sym in PATHS and name in ("parent", "stem", "name", "suffix"):
        return _path_part(value, name)
    if sym == "__file__" and name == "parent":
        made = symbol("pathlib.Path()", value.taint)
        made.text = HOLE
        return made
    attributes.noticed(vm, f"{sym}.{name}", place, frame)
    special = attributes.VALUES.get(f"{sym}.{name}")
    if special is not None:
        return constant(special)
    dotted = f"{sym}.{name}" if len(sym) < 200 else sym
    return symbol(dotted, ports.member(vm, value, dotted, frame.moment))


def _path_part(value: Value, name: str) -> Value:
    text = value.text or ""
    if name == "parent":
        made = partial(text.rpartition("/")[0], [value])
        made.sym = "pathlib.Path()"
        return made
    last = text.rpartition("/")[2]
    return partial(last if name == "name" else "", [value])


def subscript(vm: "Machine", value: Value, index: Value, place: Place, frame: Frame) -> Value:
    """Return ``value[index]``."""
    key = known(index)
    if value.sym is not None:
        if value.sym in ("os.environ", "os.environb"):
            return environment.variable(vm, key, place, frame)
        if value.sym == "sys.modules" and isinstance(key, str):
            return symbol(key)
        if value.sym == "sys.argv" and key == 0:
            return symbol("__file__")
        if isinstance(key, str):
            return attribute(vm, value, key, place, frame) if key.isidentifier() else unknown(value.taint)
        if value.sym.startswith("object.__"):
            from lazaretto.languages.python.effects import reflection

            reflection.gadget(vm, value.sym, place, frame)
        return unknown(value.taint | value.mark)
    if isinstance(value.ref, ClassInfo) or (isinstance(value.ref, Namespace) and isinstance(key, str)):
        return _of_class(vm, value, index, frame) if isinstance(value.ref, ClassInfo) else named(value.ref.frame, key)
    if value.alts:
        options = [subscript(vm, option, index, place, frame) for option in value.alts if _speaks(option)]
        if options:
            return _either(options, value)
    made = _item(value, key, index)
    if value.items is None and value.const is NOTHING and value.ref is None:
        made.taint |= handed(vm, key, place, frame)
    return made


def _of_class(vm: "Machine", value: Value, index: Value, frame: Frame) -> Value:
    """Return what subscribing a class gives (PEP 560)."""
    from lazaretto.languages.python.calls import call_function

    found = value.ref.find("__class_getitem__")
    if found is None or not isinstance(found.ref, Function):
        return value
    return call_function(vm, found.ref, [value, index], {}, frame)


def _item(value: Value, key: Any, index: Value) -> Value:
    items = value.items
    if items is not None and key is not NOTHING:
        if isinstance(items, dict):
            found = items.get(key) if isinstance(key, (str, int, bytes, float)) or key is None else None
            return found or unknown(all_taint(items.values()))
        if isinstance(key, int) and -len(items) <= key < len(items):
            return items[key]
        if isinstance(key, slice):
            return container(value.kind or "list", items[key])
    const = value.const
    if (
        const is not NOTHING
        and key is not NOTHING
        and isinstance(const, (str, bytes, bytearray, list, tuple, dict, range))
    ):
        try:
            name = "reverse" if isinstance(key, slice) and key.step == -1 else ""
            return result(const[key], [value, index], name)
        except (LookupError, TypeError, ValueError):
            return unknown(value.taint)
    made = unknown(all_taint([value]))
    made.via = step(value.via, "reverse") if isinstance(key, slice) and key.step == -1 else value.via
    made.alts = tuple(things_in(value))
    return made


def named(frame: Frame, name: str) -> Value:
    """Return what a name means in a frame, also if it is a builtin."""
    from lazaretto.languages.python.expressions import BUILTINS

    found = frame.lookup(name)
    if found is not None:
        return found
    if name in BUILTINS:
        return symbol(f"builtins.{name}")
    if name == "__builtins__":
        return symbol("builtins")
    return unknown()


def get_by_name(vm: "Machine", target: Value, name: Value, place: Place, frame: Frame) -> Value:
    """Return ``getattr(target, name)``; an unknown name of a dangerous module is told."""
    const = known(name)
    if isinstance(const, bytes):
        const = const.decode("utf-8", "replace")
    if isinstance(target.ref, Namespace) and isinstance(const, str):
        return named(target.ref.frame, const)
    if isinstance(const, str):
        found = attribute(vm, target, const, place, frame)
        if found.ref is None and target.mark and (target.sym or "").endswith("()"):
            found.ref = Method(target, const)  # what it does, it does to this very thing: an open file, a connection
        if name.via and found.sym is not None and target.sym in _LOADED:
            if is_decoded(name.via):
                vm.emit(Kind.IMPORT, found.sym, place, frame, name.via)
            found = symbol(found.sym, found.taint)
            found.via = name.via
        return found
    if name.alts:
        texts = [option.const for option in name.alts if isinstance(option.const, str)]
        found_by_text = (attribute(vm, target, text, place, frame) for text in texts)
        return reduce(join, found_by_text, unknown(target.taint | name.taint))
    return unknown(target.taint | name.taint)


_LOADED = frozenset(("os", "subprocess", "builtins", "posix", "nt", "sys", "ctypes", "importlib", "socket"))


def import_named(vm: "Machine", name: Value, place: Place, frame: Frame, *, top: bool) -> Value:
    """Return the module that a computed import gives, and note the import."""
    const = known(name)
    text = const if isinstance(const, str) else None
    shown = text if text is not None else (name.text or "")
    vm.emit(Kind.IMPORT, shown, place, frame, name.via if text is not None else ())
    if name.alts:
        texts = [option.const for option in name.alts if isinstance(option.const, str)]
        modules = (symbol(module.partition(".")[0] if top else module) for module in texts)
        return reduce(join, modules, unknown(name.taint))
    if text is None:
        return unknown(name.taint)
    module = text.partition(".")[0] if top else text
    return symbol(module, ports.imported(vm, module, "", frame.moment))


def pairs_of(value: Value) -> list[Value]:
    """Return the parts of a value that is iterated over, [] if they are unknown."""
    return elements(value) or []
