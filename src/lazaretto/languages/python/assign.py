"""Binding values to targets: names, parts of containers, attributes of things here and outside."""

from typing import TYPE_CHECKING, Any

from lazaretto.languages.python import folding
from lazaretto.languages.python.effects import hooks
from lazaretto.languages.python.ir import Node
from lazaretto.languages.python.methods import method
from lazaretto.languages.python.scope import Frame, Namespace
from lazaretto.languages.python.values import (
    NOTHING,
    Value,
    all_taint,
    constant,
    container,
    elements,
    join,
    known,
    spill,
    unknown,
)

if TYPE_CHECKING:
    from lazaretto.languages.python.machine import Machine


def assign(vm: "Machine", target: Node, value: Value, frame: Frame) -> None:
    """Bind a value to an assignment target."""
    head = target[0]
    if head == "name":
        frame.bind(target[3], value)
    elif head == "seq":
        _unpack(vm, target[4], value, frame)
    elif head == "chain":
        _place_in(vm, target, value, frame)
    elif head == "star":
        assign(vm, target[3], value, frame)


def _unpack(vm: "Machine", targets: list[Node], value: Value, frame: Frame) -> None:
    parts = elements(value)
    stars = [at for at, target in enumerate(targets) if target[0] == "star"]
    if parts is None or (not stars and len(parts) != len(targets)) or len(parts) < len(targets) - 1:
        taint = all_taint([value])
        for target in targets:
            part = unknown(taint)
            part.via = value.via
            assign(vm, target, part, frame)
        return
    if stars:
        at = stars[0]
        after = len(targets) - at - 1
        middle = container("list", parts[at : len(parts) - after])
        parts = [*parts[:at], middle, *parts[len(parts) - after :]]
    for target, part in zip(targets, parts, strict=False):
        assign(vm, target, part, frame)


def _place_in(vm: "Machine", target: Node, value: Value, frame: Frame) -> None:
    from lazaretto.languages.python.expressions import trailers

    owner = trailers(vm, vm.ev(target[3], frame), target, target[4][:-1], frame)
    last = target[4][-1]
    place = frame.code.place(target[1], target[2])
    if last[0] == ".":
        set_attribute(vm, owner, last[2], value, place, frame)
    elif last[0] == "[":
        index = vm.ev(last[2], frame)
        key = known(index)
        if owner.sym is not None:
            hooks.item_set(vm, owner.sym, key, value, place, frame)
        elif isinstance(owner.ref, Namespace) and isinstance(key, str):
            owner.ref.frame.bind(key, value)
        else:
            _set_item(owner, key, value)


def _set_item(owner: Value, key: Any, value: Value) -> None:
    const: Any = owner.const
    plain = known(value)
    settable: Any = const
    if (
        isinstance(settable, (dict, list, bytearray))
        and key is not NOTHING
        and plain is not NOTHING
        and not value.taint
    ):
        try:
            settable.__setitem__(key, plain)
        except (TypeError, ValueError, LookupError):
            owner.const = NOTHING
        if value.via and len(value.via) > len(owner.via):
            owner.via = value.via
        return
    if isinstance(const, (dict, list)):
        spill(owner)
    items = owner.items
    if isinstance(items, dict):
        items[key if isinstance(key, (str, int, bytes)) else ("unknown key", len(items))] = value
    elif isinstance(items, list) and isinstance(key, int) and -len(items) <= key < len(items):
        items[key] = value
    else:
        owner.taint |= all_taint([value])
        if isinstance(const, bytearray):
            owner.const = NOTHING


def delete(vm: "Machine", target: Node, frame: Frame) -> None:
    """``del owner[key]``: where it is not known what goes, what depends on what is left is undecided."""
    from lazaretto.languages.python.expressions import trailers

    if target[0] == "seq":
        for part in target[4]:
            delete(vm, part, frame)
    if target[0] != "chain":
        return
    owner = trailers(vm, vm.ev(target[3], frame), target, target[4][:-1], frame)
    last = target[4][-1]
    if last[0] == "[" and not _taken_out(owner.const if owner.items is None else owner.items, vm.ev(last[2], frame)):
        vm.undecided += 1


def _taken_out(parts: Any, index: Value) -> bool:
    """Take a part out of a container; return whether it was known which."""
    key = known(index)
    if key is NOTHING or not isinstance(parts, (dict, list, bytearray)):
        return False
    try:
        del parts[key]
    except (TypeError, LookupError):
        return False
    return True


def set_attribute(vm: "Machine", owner: Value, name: str, value: Value, place: tuple[int, int], frame: Frame) -> None:
    """``owner.name = value``: on an object of this code, or on a thing outside (which may be a hook)."""
    if owner.sym is not None:
        hooks.attribute_set(vm, owner, name, value, place, frame)
    if owner.sym is None or owner.sym.endswith(")"):
        if owner.attrs is None:
            owner.attrs = {}
        old = owner.attrs.get(name)
        keep = old is not None and old.const is NOTHING and (old.sym is not None or bool(old.taint))
        owner.attrs[name] = join(old, value) if old is not None and keep else value


def augment(vm: "Machine", node: Node, frame: Frame) -> None:
    """``target op= value``."""
    target, op, value = node[3], node[4], vm.ev(node[5], frame)
    old = vm.ev(target, frame)
    grows = isinstance(old.const, (list, bytearray)) or (old.items is not None and old.kind == "list")
    if op == "+" and grows and method(old, "extend", [value], {}) is not None:
        return
    if op == "|" and (isinstance(old.const, dict) or isinstance(old.items, dict)):
        method(old, "update", [value], {})
        return
    made = folding.binary(op, old, value)
    if target[0] == "name" and isinstance(made.const, str) and made.via and made.via[-1] == "concat" and not old.via:
        made = constant(made.const, value.via or made.via, made.taint)
    assign(vm, target, made, frame)
