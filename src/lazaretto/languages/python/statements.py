"""What each statement does to the names of a frame, and how control goes on."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lazaretto.core.facts import Moment
from lazaretto.languages.python import loops, ports
from lazaretto.languages.python.assign import assign, augment, delete
from lazaretto.languages.python.calls import call
from lazaretto.languages.python.effects import table
from lazaretto.languages.python.effects.reflection import told_of
from lazaretto.languages.python.ir import Node
from lazaretto.languages.python.loops import UNROLL, dead, truth
from lazaretto.languages.python.lower import Slot
from lazaretto.languages.python.scope import Branches, ClassInfo, Frame, Function, Instance, Later
from lazaretto.languages.python.values import (
    NOTHING,
    Value,
    constant,
    container,
    elements,
    join,
    symbol,
    unknown,
)

if TYPE_CHECKING:
    from lazaretto.languages.python.machine import Machine


def _expression(vm: "Machine", node: Node, frame: Frame) -> str:
    vm.ev(node[3], frame)
    return ""


def _assign(vm: "Machine", node: Node, frame: Frame) -> str:
    if node[4] is None:
        return ""
    if node[4][0] == "later" and all(target[0] == "name" for target in node[3]):
        value = Value()
        value.ref = Later(node[4], frame.code)
    else:
        value = vm.ev(node[4], frame)
        if value.via:
            told_of(vm, value, frame.code.place(node[4][1], node[4][2]), frame)
    for target in node[3]:
        assign(vm, target, value, frame)
    return ""


def _augmented(vm: "Machine", node: Node, frame: Frame) -> str:
    augment(vm, node, frame)
    return ""


def _delete(vm: "Machine", node: Node, frame: Frame) -> str:
    for target in node[3]:
        delete(vm, target, frame)
    return ""


def _return(vm: "Machine", node: Node, frame: Frame) -> str:
    if node[3] is not None:
        value = vm.ev(node[3], frame)
        if len(frame.returns) < UNROLL:
            frame.returns.append(value)
        else:
            frame.returns[-1] = join(frame.returns[-1], value)
    return "return"


def _raise(vm: "Machine", node: Node, frame: Frame) -> str:
    for part in node[3]:
        vm.ev(part, frame)
    return "raise"


def _break(vm: "Machine", node: Node, frame: Frame) -> str:
    return "break"


def _continue(vm: "Machine", node: Node, frame: Frame) -> str:
    return "continue"


def _is_main_guard(test: Node) -> bool:
    if test[0] != "cmp" or len(test[4]) != 1 or test[4][0][0] != "==":
        return False
    sides = (test[3], test[4][0][1])
    return any(side[0] == "name" and side[3] == "__name__" for side in sides)


def _as_one_of(vm: "Machine", test: Node, block: list[Node], frame: Frame) -> str:
    """Run a block once, or for each text that its test says a name may be."""
    name, texts = loops.narrowed(vm, test, frame)
    for text in texts[:-1]:
        frame.bind(name, text)
        vm.run(block, frame)
    if texts:
        frame.bind(name, texts[-1])
    return vm.run(block, frame)


def _if(vm: "Machine", node: Node, frame: Frame) -> str:
    branches = Branches(frame)
    signals: list[str] = []
    decided = False
    for test, block in node[3]:
        if decided:
            vm.ev(test, frame)
            dead(vm, block, frame)
            continue
        if _is_main_guard(test) and frame.lookup("__name__") is None:
            _guarded(vm, block, frame)
            continue
        answer = truth(vm.ev(test, frame))
        if answer is False:
            dead(vm, block, frame)
            continue
        decided = answer is True
        vm.undecided += answer is None
        branches.begin()
        signals.append(_as_one_of(vm, test, block, frame) if answer is None else vm.run(block, frame))
        branches.end(leaves=bool(signals[-1]))
    if decided:
        dead(vm, node[4], frame)
    else:
        branches.begin()
        signals.append(vm.run(node[4], frame))
        branches.end(leaves=bool(signals[-1]))
    branches.merge(exhaustive=True)
    return signals[0] if signals and all(signals) else ""


def _guarded(vm: "Machine", block: list[Node], frame: Frame) -> None:
    """``if __name__ == "__main__"``: not run by an import."""
    before, frame.moment = frame.moment, vm.main_moment if frame.parent is None else frame.moment
    handles, frame.handles = frame.handles, []
    if block and frame.moment is Moment.CALL:
        vm.call_ranges.append((frame.code.place(*block[0][1:3])[0], frame.code.place(*block[-1][1:3])[1]))
    vm.run(block, frame)
    vm.scope_flows(frame)
    frame.handles = handles
    frame.moment = before


def _try(vm: "Machine", node: Node, frame: Frame) -> str:
    branches = Branches(frame)
    branches.begin()
    signals = [vm.run(node[3], frame) or vm.run(node[5], frame)]
    branches.end(leaves=bool(signals[0]))
    for heads, name, block in node[4]:
        for head in heads:
            vm.ev(head, frame)
        branches.begin()
        if name:
            frame.bind(name, unknown())
        signals.append(vm.run(block, frame))
        branches.end(leaves=bool(signals[-1]))
    branches.merge(exhaustive=True)
    last = vm.run(node[6], frame)
    return last or (signals[0] if all(signals) else "")


def _with(vm: "Machine", node: Node, frame: Frame) -> str:
    for expression, target in node[3]:
        value = vm.ev(expression, frame)
        if isinstance(value.ref, Instance):
            place = frame.code.place(expression[1], expression[2])
            info = value.ref.info
            receiver = value
            for name in ("__enter__", "__aenter__", "__exit__", "__aexit__"):
                method = info.find(name)
                if method is not None:
                    entered = call(vm, method, [receiver], {}, place, frame)
                    known = entered.ref is not None or entered.taint or entered.const is not NOTHING
                    value = entered if "enter" in name and known else value
        elif value.taint and value.sym is not None:  # an object of another file's, perhaps: it gives what it enters
            dotted = f"{value.sym}.__enter__"
            value.taint |= ports.member(vm, value, dotted, frame.moment)
        if target is not None:
            assign(vm, target, value, frame)
    return vm.run(node[4], frame)


def _function(vm: "Machine", node: Node, frame: Frame) -> str:
    function = Function(node[3], node[4], frame.code, frame)
    function.slot = node[6] if isinstance(node[6], Slot) else _remembered(node[6], frame)
    function.defaults = [vm.ev(p[2], frame) if p[2] is not None else None for p in node[4]]
    vm.functions.append(function)
    value = Value()
    value.ref = function
    for decorator in reversed(node[5]):
        wrapper = vm.ev(decorator, frame)
        if wrapper.sym in ("builtins.staticmethod", "builtins.classmethod"):
            function.static = wrapper.sym == "builtins.staticmethod"
            continue
        if wrapper.sym == "builtins.property":
            function.getter = True
            continue
        if wrapper.sym is None and wrapper.ref is None:
            continue
        result = call(vm, wrapper, [value], {}, frame.code.place(decorator[1], decorator[2]), frame)
        if result.ref is not None:
            value = result
    frame.bind(node[3], value)
    return ""


def _remembered(parts: list[Any], frame: Frame) -> Slot:
    slot = Slot(*parts)
    slot.lowerer = frame.code.lowerer
    return slot


def _class(vm: "Machine", node: Node, frame: Frame) -> str:
    bases = [vm.ev(base, frame) for base in node[4]]
    keywords = {key: vm.ev(value, frame) for key, value in node[5] if key is not None}
    info = ClassInfo(node[3], bases)
    vm.classes.append(info)
    inner = Frame(frame.code, frame.moment, frame)
    inner.is_class = True
    inner.handles = frame.handles
    vm.run(node[7], inner)
    info.members = inner.names
    for member in inner.names.values():
        if isinstance(member.ref, Function) and member.ref.owner is None:
            member.ref.owner = info
    value = Value()
    value.ref = info
    place = frame.code.place(node[1], node[2])
    for base in bases:
        hook = base.ref.find("__init_subclass__") if isinstance(base.ref, ClassInfo) else None
        if hook is not None:
            call(vm, hook, [value], {}, place, frame)
    meta = keywords.get("metaclass")
    if meta is not None and isinstance(meta.ref, ClassInfo):
        call(vm, meta, [constant(node[3]), unknown(), unknown()], {}, place, frame)
    for decorator in reversed(node[6]):
        wrapper = vm.ev(decorator, frame)
        if wrapper.ref is not None or wrapper.sym is not None:
            call(vm, wrapper, [value], {}, frame.code.place(decorator[1], decorator[2]), frame)
    frame.bind(node[3], value)
    return ""


def _import(vm: "Machine", node: Node, frame: Frame) -> str:
    for dotted, alias in node[3]:
        name = dotted if alias else dotted.partition(".")[0]
        frame.bind(alias or name, symbol(name, ports.imported(vm, name, "", frame.moment)))
    return ""


def _from(vm: "Machine", node: Node, frame: Frame) -> str:
    module = node[3]
    for name, alias in node[4]:
        if name == "*":
            vm.imported[module] = None
            vm.chooser.imported.add(name)
            vm.chooser.names.mentioned.update(table.members(module))
            ports.everything(vm, module, frame.moment)
            continue
        dotted = f"{module}{name}" if module.endswith(".") else f"{module}.{name}"
        frame.bind(alias or name, symbol(dotted, ports.imported(vm, module, name, frame.moment)))
    return ""


def _global(vm: "Machine", node: Node, frame: Frame) -> str:
    frame.outer |= frozenset(node[3])
    return ""


def _match(vm: "Machine", node: Node, frame: Frame) -> str:
    subjects = [vm.ev(part, frame) for part in node[3]]
    subject = subjects[0] if len(subjects) == 1 else container("tuple", subjects)
    branches = Branches(frame)
    for names, tests, block in node[4]:
        branches.begin()
        for name in names:
            if frame.lookup(name) is None:
                frame.bind(name, subject)
        for test in tests:
            vm.ev(test, frame)
        branches.end(leaves=bool(vm.run(block, frame)))
    branches.merge(exhaustive=False)
    return ""


def _exec2(vm: "Machine", node: Node, frame: Frame) -> str:
    value = vm.ev(node[3], frame)
    args = elements(value) if value.items is not None or isinstance(value.const, tuple) else [value]
    call(vm, symbol("builtins.exec"), (args or [value])[:1], {}, frame.code.place(node[1], node[2]), frame)
    return ""


def _print2(vm: "Machine", node: Node, frame: Frame) -> str:
    for part in node[3]:
        vm.ev(part, frame)
    return ""


def _piece(vm: "Machine", node: Node, frame: Frame) -> str:
    """What follows belongs to the next piece of the file."""
    frame.code = node[3]
    return ""


STATEMENTS: dict[str, Callable[["Machine", Node, Frame], str]] = {
    "expr": _expression,
    "assign": _assign,
    "aug": _augmented,
    "del": _delete,
    "return": _return,
    "raise": _raise,
    "break": _break,
    "continue": _continue,
    "if": _if,
    "for": loops.run_for,
    "while": loops.run_while,
    "try": _try,
    "with": _with,
    "def": _function,
    "class": _class,
    "import": _import,
    "from": _from,
    "global": _global,
    "match": _match,
    "piece": _piece,
    "exec2": _exec2,
    "print2": _print2,
}
