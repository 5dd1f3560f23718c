"""What each expression is worth, and what evaluating it does."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lazaretto.languages.python import comprehensions, folding, ports, strings
from lazaretto.languages.python.calls import call, method_call
from lazaretto.languages.python.comprehensions import MAX_ITEMS
from lazaretto.languages.python.effects import table
from lazaretto.languages.python.ir import Node
from lazaretto.languages.python.lookup import attribute, subscript
from lazaretto.languages.python.loops import truth
from lazaretto.languages.python.scope import Code, Frame, Function, Later
from lazaretto.languages.python.values import (
    NO_TAINT,
    Value,
    all_taint,
    constant,
    container,
    elements,
    holes,
    item_of,
    join,
    known,
    partial,
    symbol,
    unknown,
)

if TYPE_CHECKING:
    from lazaretto.languages.python.machine import Machine

BUILTINS = frozenset(
    "abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile "
    "complex delattr dict dir "
    "divmod enumerate eval exec execfile filter float format frozenset getattr globals hasattr hash hex id input int "
    "isinstance issubclass iter len list locals map max memoryview min next object oct open ord pow print "
    "property range "
    "raw_input reduce repr reversed round set setattr slice sorted staticmethod str sum super tuple type "
    "unichr unicode vars "
    "xrange zip __import__ __build_class__".split()
)


def _name(vm: "Machine", node: Node, frame: Frame) -> Value:
    name = node[3]
    found = frame.names.get(name) or frame.lookup(name)
    if found is not None:
        if type(found.ref) is Later:
            _settle(vm, found, frame)
        return found
    if name in BUILTINS:
        return symbol(f"builtins.{name}")
    if name in ("__builtins__", "__loader__", "__spec__"):
        return symbol("builtins" if name == "__builtins__" else name)
    if name in ("__file__", "__name__"):
        return symbol(name)
    return _of_some_module(vm, name, frame) if vm.imported else unknown()


def _of_some_module(vm: "Machine", name: str, frame: Frame) -> Value:
    """Return what a name is that nothing here binds, where all of some modules is imported: whichever has it."""
    things: Value | None = None
    taint = NO_TAINT
    for module in vm.imported:
        dotted = f"{module}{name}" if module.endswith(".") else f"{module}.{name}"
        if not module.startswith(".") and table.leads_on(dotted):
            things = symbol(dotted) if things is None else join(things, symbol(dotted))
        taint |= ports.imported(vm, module, name, frame.moment)
    return things or symbol(dotted, taint)


def _string(vm: "Machine", node: Node, frame: Frame) -> Value:
    start = node[1]
    code = frame.code
    found = code.strings.get(start)
    if found is None:
        found = code.strings[start] = constant(strings.string(code.data[start : node[2]]))
    return found


def _number(vm: "Machine", node: Node, frame: Frame) -> Value:
    value = strings.number(frame.code.data[node[1] : node[2]])
    return unknown() if value is None else constant(value)


def _constant(vm: "Machine", node: Node, frame: Frame) -> Value:
    return unknown() if node[3] == "..." else constant(node[3])


def _formatted(vm: "Machine", node: Node, frame: Frame) -> Value:
    token = frame.code.data[node[1] : node[2]]
    prefix = strings.prefix_of(token)
    values: list[Value] = []
    for part in node[3]:
        if part[0] == "chunk":
            values.append(constant(strings.body(frame.code.data[part[1] : part[2]], prefix)))
        else:
            values.append(vm.ev(part, frame))
    return folding.concatenated(values, "concat")


def _adjacent(vm: "Machine", node: Node, frame: Frame) -> Value:
    values = [vm.ev(part, frame) for part in node[3]]
    consts = [known(value) for value in values]
    if all(isinstance(const, bytes) for const in consts):
        return constant(b"".join(consts))
    if all(isinstance(const, str) for const in consts):
        return constant("".join(consts))
    return folding.concatenated(values, "")


def _chain(vm: "Machine", node: Node, frame: Frame) -> Value:
    value = vm.ev(node[3], frame)
    return trailers(vm, value, node, node[4], frame)


def trailers(vm: "Machine", value: Value, node: Node, items: list[Node], frame: Frame) -> Value:
    """Follow ``.name``, ``(...)`` and ``[...]`` behind a value."""
    at, count = 0, len(items)
    while at < count:
        item = items[at]
        head = item[0]
        if head == ".":
            if at + 1 < count and items[at + 1][0] == "(":
                following = items[at + 1]
                args, keywords = arguments(vm, following, frame)
                place = frame.code.place(node[1], following[1])
                value = method_call(vm, value, item[2], args, keywords, place, frame)
                at += 2
                continue
            value = attribute(vm, value, item[2], frame.code.place(node[1], item[1]), frame)
        elif head == "(":
            args, keywords = arguments(vm, item, frame)
            value = call(vm, value, args, keywords, frame.code.place(node[1], item[1]), frame)
        else:
            index = vm.ev(item[2], frame)
            value = subscript(vm, value, index, frame.code.place(node[1], item[1]), frame)
        at += 1
    return value


MAX_KEYWORDS = 4096
"""How many entries of ``**x`` are handed over by name."""


def arguments(vm: "Machine", item: Node, frame: Frame) -> tuple[list[Value], dict[str, Value]]:
    """Evaluate the arguments of a call; ``*x`` and ``**x`` are spread as far as they are known."""
    args: list[Value] = []
    if not item[2] and not item[3]:
        return args, {}
    for part in item[2]:
        if part[0] == "star":
            inner = vm.ev(part[3], frame)
            spread = elements(inner)
            args.extend(spread if spread is not None and len(spread) <= 64 else [unknown(all_taint([inner]))])
        else:
            args.append(vm.ev(part, frame))
    keywords: dict[str, Value] = {}
    for key, part in item[3]:
        value = vm.ev(part, frame)
        if key is not None:
            keywords[key] = value
        elif isinstance(value.items, dict) or isinstance(value.const, dict):
            pairs: dict[Any, Value] = (
                value.items if isinstance(value.items, dict) else {k: constant(v) for k, v in value.const.items()}
            )
            keywords.update((k, v) for k, v in list(pairs.items())[:MAX_KEYWORDS] if isinstance(k, str))
        else:
            keywords["**"] = unknown(all_taint([value]))
    return args, keywords


def _binary(vm: "Machine", node: Node, frame: Frame) -> Value:
    value = vm.ev(node[3], frame)
    rest = node[4]
    if len(rest) > 3 and all(op == "+" for op, _ in rest):
        return folding.summed([value, *(vm.ev(operand, frame) for _, operand in rest)])
    for op, operand in rest:
        value = folding.binary(op, value, vm.ev(operand, frame))
    return value


def _boolean(vm: "Machine", node: Node, frame: Frame) -> Value:
    result: Value | None = None
    for part in node[4]:
        value = vm.ev(part, frame)
        answer = truth(value) if result is None else None
        if answer is not None and answer is (node[3] == "and"):
            continue  # this operand is never the result
        result = value if result is None else join(result, value)
    return result if result is not None else value


def _comparison(vm: "Machine", node: Node, frame: Frame) -> Value:
    left = vm.ev(node[3], frame)
    operands = [vm.ev(part, frame) for _, part in node[4]]
    if len(operands) != 1:
        return unknown()
    return folding.compare(node[4][0][0], left, operands[0])


def _unary(vm: "Machine", node: Node, frame: Frame) -> Value:
    value = vm.ev(node[4], frame)
    for sign in reversed(node[3]):
        value = folding.unary(sign, value)
    return value


def _conditional(vm: "Machine", node: Node, frame: Frame) -> Value:
    answer = truth(vm.ev(node[3], frame))
    yes, no = vm.ev(node[4], frame), vm.ev(node[5], frame)
    if answer is not None:
        return yes if answer else no
    return join(yes, no)


def _sequence(vm: "Machine", node: Node, frame: Frame) -> Value:
    items: list[Value] = []
    for part in node[4]:
        if part[0] == "star":
            inner = vm.ev(part[3], frame)
            spread = elements(inner)
            items.extend(spread if spread is not None else [unknown(all_taint([inner]))])
        else:
            items.append(vm.ev(part, frame))
    return container(node[3], items)


def _dictionary(vm: "Machine", node: Node, frame: Frame) -> Value:
    pairs: dict[Any, Value] = {}
    for number, (key_node, value_node) in enumerate(node[3]):
        value = vm.ev(value_node, frame)
        if key_node is None:
            _spread(pairs, value, number)
            continue
        key = vm.ev(key_node, frame)
        const = key.const
        if isinstance(const, (str, int, bytes, float, tuple)) or const is None:
            try:
                pairs[const] = value
                continue
            except TypeError:
                pass
        pairs[("unknown key", number)] = value
    result = container("dict", pairs)
    result.kind = "dict"
    return result


def _spread(pairs: dict[Any, Value], value: Value, number: int) -> None:
    if isinstance(value.items, dict):
        pairs.update(value.items)
    elif isinstance(value.const, dict):
        pairs.update({key: constant(part) for key, part in value.const.items()})
    else:
        pairs[("unknown key", number)] = value


def _lambda(vm: "Machine", node: Node, frame: Frame) -> Value:
    function = Function("<lambda>", node[3], frame.code, frame)
    function.expression = node[4]
    function.defaults = [vm.ev(p[2], frame) if p[2] is not None else None for p in node[3]]
    vm.functions.append(function)
    value = Value()
    value.ref = function
    return value


def _walrus(vm: "Machine", node: Node, frame: Frame) -> Value:
    value = vm.ev(node[4], frame)
    frame.bind(node[3], value)
    return value


def _slice(vm: "Machine", node: Node, frame: Frame) -> Value:
    bounds = [constant(None) if part is None else vm.ev(part, frame) for part in node[3:6]]
    consts = [known(bound) for bound in bounds]
    if all(const is None or isinstance(const, int) for const in consts):
        return constant(slice(*consts))
    return unknown()


def _star(vm: "Machine", node: Node, frame: Frame) -> Value:
    return vm.ev(node[3], frame)


def _yield(vm: "Machine", node: Node, frame: Frame) -> Value:
    if node[3] is None:
        return unknown()
    value = vm.ev(node[3], frame)
    more = [value] if not node[4] else elements(value) or [item_of(value)]
    if len(frame.yields) + len(more) <= MAX_ITEMS:
        frame.yields += more
    return unknown()


def _opaque(vm: "Machine", node: Node, frame: Frame) -> Value:
    values = [vm.ev(part, frame) for part in node[3]]
    result = unknown(all_taint(values))
    if len(values) == 1:
        shown = holes(values[0])
        return partial(shown, values)
    return result


def _later(vm: "Machine", node: Node, frame: Frame) -> Value:
    value = Value()
    value.ref = Later(node, frame.code)
    _settle(vm, value, frame)
    return value


def _settle(vm: "Machine", value: Value, frame: Frame) -> None:
    """Read a big table of literals, now that somebody uses it."""
    from lazaretto.languages.python.program import lower_literal

    later: Later = value.ref
    data = later.code.data[later.node[1] : later.node[2]]
    lowered = lower_literal(data)
    vm.kept.append(lowered)
    result = vm.ev(lowered, Frame(Code(data), frame.moment))
    value.ref = None
    value.const, value.items, value.kind = result.const, result.items, result.kind


EXPRESSIONS: dict[str, Callable[["Machine", Node, Frame], Value]] = {
    "name": _name,
    "str": _string,
    "num": _number,
    "const": _constant,
    "fstr": _formatted,
    "cat": _adjacent,
    "chain": _chain,
    "bin": _binary,
    "bool": _boolean,
    "cmp": _comparison,
    "un": _unary,
    "if": _conditional,
    "seq": _sequence,
    "dict": _dictionary,
    "comp": comprehensions.evaluate,
    "lambda": _lambda,
    "walrus": _walrus,
    "slice": _slice,
    "star": _star,
    "yield": _yield,
    "opaque": _opaque,
    "later": _later,
}
