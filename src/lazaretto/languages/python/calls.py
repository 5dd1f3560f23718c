"""Calls: of functions of this code, of methods of known values, and of things outside by their dotted name."""

from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind, Moment
from lazaretto.languages._sensitive import is_key_name
from lazaretto.languages.python import ports
from lazaretto.languages.python.effects import objects, table
from lazaretto.languages.python.effects.reflection import decoded, told_of
from lazaretto.languages.python.lookup import attribute, get_by_name, subscript
from lazaretto.languages.python.methods import method
from lazaretto.languages.python.pure import FOLDS
from lazaretto.languages.python.scope import (
    Bound,
    Call,
    ClassInfo,
    Frame,
    Function,
    Instance,
    Method,
    Namespace,
    Partial,
)
from lazaretto.languages.python.values import (
    NO_TAINT,
    NOTHING,
    Value,
    all_taint,
    all_via,
    constant,
    container,
    join,
    known,
    symbol,
    unknown,
)

if TYPE_CHECKING:
    from lazaretto.languages.python.machine import Machine

Place = tuple[int, int]
Arguments = dict[str, Value]

MAX_CALLS = 8
"""How deep calls between functions of one file are followed."""

_STORES = (".write", ".append", ".extend", ".update", ".add", ".put", ".writelines")

FACTORY = "[factory]"
"""Attribute under which the field of a class keeps what makes its value."""

MAX_RUNS = 24
"""How often one function is followed again with other arguments."""

MAX_REST = 16
"""How many arguments stand for all that a function takes by ``*``."""

SMALL = 4000
"""A function of at most this many bytes is followed for its result even if its text names nothing of interest."""


def call(vm: "Machine", callee: Value, args: list[Value], keywords: Arguments, place: Place, frame: Frame) -> Value:
    """Return what ``callee(*args, **keywords)`` gives, noting what it does."""
    if callee.ref is not None:
        answer = _call_reference(vm, callee, args, keywords, place, frame)
        if answer is not None:
            return answer
    if callee.sym is not None:
        return call_symbol(vm, callee, args, keywords, place, frame)
    result: Value | None = None
    for option in callee.alts:
        if option.sym is not None or option.ref is not None:
            answer = call(vm, option, args, keywords, place, frame)
            result = answer if result is None else join(result, answer)
    if result is not None:
        return result
    vm.lost(frame)
    taint = all_taint([callee, *args, *keywords.values()])
    ports.called(vm, callee, [*args, *keywords.values()], taint, frame)
    return unknown(taint)


def _call_reference(
    vm: "Machine", callee: Value, args: list[Value], keywords: Arguments, place: Place, frame: Frame
) -> Value | None:
    """Call a thing of this code; None if it cannot be called."""
    match callee.ref:
        case Function() as function:
            return call_function(vm, function, args, keywords, frame)
        case Bound(function=function, receiver=receiver):
            return call_function(vm, function, [receiver, *args], keywords, frame)
        case ClassInfo() as info:
            return instantiate(vm, info, args, keywords, place, frame)
        case Partial(callee=inner, args=first, keywords=named):
            return call(vm, inner, [*first, *args], {**named, **keywords}, place, frame)
        case Method(receiver=receiver, name=name):
            return method_call(vm, receiver, name, args, keywords, place, frame)
        case Instance(info=info):
            found = info.find("__call__")
            if found is not None and isinstance(found.ref, Function):
                return call_function(vm, found.ref, [callee, *args], keywords, frame)
    return None


def method_call(
    vm: "Machine", receiver: Value, name: str, args: list[Value], keywords: Arguments, place: Place, frame: Frame
) -> Value:
    """Return what ``receiver.name(*args)`` gives."""
    if name in ("__getattribute__", "__getattr__") and len(args) == 1:
        return get_by_name(vm, receiver, args[0], place, frame)
    if receiver.sym is not None and receiver.ref is None and not receiver.attrs:
        dotted = f"{receiver.sym}.{name}" if len(receiver.sym) < 200 else receiver.sym
        callee = symbol(dotted, ports.member(vm, receiver, dotted, frame.moment))
        callee.attrs = receiver.attrs
        return call_symbol(vm, callee, args, keywords, place, frame, receiver)
    if (
        receiver.const is not NOTHING
        or receiver.items is not None
        or (receiver.text is not None and receiver.sym is None)
    ):
        answer = method(receiver, name, args, keywords)
        if answer is not None:
            return answer
    if isinstance(receiver.ref, Namespace) and "__name__" in (*keywords, *map(known, args[:1])):
        receiver.ref.frame.bind("__name__", unknown())  # it may pass for the main program from here on
    if isinstance(receiver.ref, Namespace) and name in ("get", "__getitem__", "pop") and args:
        return subscript(vm, receiver, args[0], place, frame)
    if receiver.alts:
        result: Value | None = None
        for option in receiver.alts:
            answer = method_call(vm, option, name, args, keywords, place, frame)
            result = answer if result is None else join(result, answer)
        return result or unknown()
    found = attribute(vm, receiver, name, place, frame)
    if found.ref is not None and not isinstance(found.ref, Method):
        return call(vm, found, args, keywords, place, frame)
    if found.sym is not None:
        return call_symbol(vm, found, args, keywords, place, frame, receiver)
    vm.lost(frame)
    return objects.unknown_method(vm, receiver, name, args, keywords, place, frame)


def call_symbol(
    vm: "Machine",
    callee: Value,
    args: list[Value],
    keywords: Arguments,
    place: Place,
    frame: Frame,
    receiver: Value | None = None,
) -> Value:
    """Return what calling a thing outside gives, by its dotted name."""
    sym = table.canonical(callee.sym or "")
    made = Call(sym, args, keywords, place, frame)
    handler = table.handler(sym)
    fold = FOLDS.get(sym) if handler is None else None
    if fold is not None:
        return fold(made)
    handler = handler or table.handler_by_shape(sym)
    if handler is not None:
        answer = handler(vm, made, receiver)
        if callee.via and answer.sym is None:
            answer.via = answer.via or callee.via
        return answer
    answered = decoded(vm, made)
    if answered is not None:
        return answered
    vm.lost(frame)
    for value in args:
        if value.via:
            told_of(vm, value, place, frame)
    taint = all_taint(args) | all_taint(keywords.values())
    ports.called(vm, callee, [*args, *keywords.values()], taint, frame)
    taint |= callee.taint
    result = symbol(f"{sym}()" if len(sym) < 200 else sym, taint)
    if receiver is not None and taint and (receiver.sym or "").endswith("()") and sym.endswith(_STORES):
        receiver.taint |= taint  # an open thing of the outside keeps what it is given
    if receiver is not None and receiver.mark:
        result.taint |= receiver.mark
        for handle in sorted(receiver.mark):
            vm.record.flow(sorted(all_taint(made.data())), handle)
            if args:
                vm.payloads.setdefault(handle, []).append(args[0])
    return result


def instantiate(
    vm: "Machine", info: ClassInfo, args: list[Value], keywords: Arguments, place: Place, frame: Frame
) -> Value:
    """Make an object: its constructor runs, and at load time whatever Python may call by itself.

    ``__call__`` is none of that: an object is called where it is called, or where it is handed to who calls it.
    """
    base = info.outside_base()
    if info.find("__init__") is None:
        _fields(vm, info, keywords, place, frame)
    for name in ("__new__", "__init__", "__post_init__"):
        found = info.find(name)
        if found is not None and isinstance(found.ref, Function):
            call_function(vm, found.ref, [info.instance, *(args if name != "__post_init__" else [])], keywords, frame)
    if frame.moment is Moment.LOAD:
        for name, member in list(info.members.items()):
            if (
                name.startswith("__")
                and name != "__call__"
                and isinstance(member.ref, Function)
                and not member.ref.runs
            ):
                call_function(vm, member.ref, [info.instance], {}, frame)
    if base in ("threading.Thread", "multiprocessing.Process", "threading.Timer", "multiprocessing.context.Process"):
        found = info.find("run")
        if found is not None and isinstance(found.ref, Function):
            call_function(vm, found.ref, [info.instance], {}, frame)
    for handle in sorted(info.instance.mark):
        vm.record.flow(sorted(all_taint(args)), handle)
    return info.instance


def _fields(vm: "Machine", info: ClassInfo, keywords: Arguments, place: Place, frame: Frame) -> None:
    """Give a new object its fields, where no constructor does: what is handed over by name, and what is made for it."""
    made = {key: value for key, value in keywords.items() if key.isidentifier()}
    for name, member in list(info.members.items()):
        factory = member.attrs.get(FACTORY) if member.attrs is not None and name not in made else None
        if factory is not None:
            made[name] = call(vm, factory, [], {}, place, frame)
    info.instance.attrs = {**(info.instance.attrs or {}), **made}


def call_function(vm: "Machine", function: Function, args: list[Value], keywords: Arguments, frame: Frame) -> Value:
    """Return what a function of this code gives for these arguments."""
    data = all_taint(args) | all_taint(keywords.values())
    ports.called_here(vm, function, frame)
    if function.active or vm.calls >= MAX_CALLS:
        vm.lost(frame)
        for called in (function, *(value.ref for value in args if isinstance(value.ref, Function))):
            called.given |= data
        return unknown(data)
    loads = frame.moment is Moment.LOAD
    first = not function.runs or (loads and not function.loaded)
    if not first and not _worth(vm, function, args, keywords):
        vm.unknown_calls += 1  # it was followed before: only what is handed over may be strange
        vm.strangers += loads and any(v.const is NOTHING and v.ref is None for v in (*args, *keywords.values()))
        return _last_answer(function, data, plain=not args and not keywords)
    key = _key(args, keywords, loads=loads)
    if key is not None and key in function.answers:
        return function.answers[key]
    big = function.slot is not None and function.slot.end - function.slot.start > SMALL
    if not loads and big and not vm.interesting(function):
        vm.lost(frame)
        return unknown(data)
    answer = execute(vm, function, args, keywords, frame.moment, repeated=not first)
    if key is not None and len(function.answers) < 64 and not isinstance(answer.const, (list, dict, set, bytearray)):
        function.answers[key] = answer
    return answer


def _worth(vm: "Machine", function: Function, args: list[Value], keywords: Arguments) -> bool:
    """Whether following a function once more can tell anything new."""
    values = [*args, *keywords.values()]
    if values and all(value.const is not NOTHING for value in values):
        return vm.spare > 0 and (function.runs < MAX_RUNS or vm.repeating > 0)
    if not vm.eager or not function.effective or function.runs >= MAX_RUNS:
        return False
    real = vm.record.real
    return any(v.const is not NOTHING or real(v.taint) or v.mark or v.items or v.text for v in values)


def _last_answer(function: Function, data: frozenset[int], *, plain: bool) -> Value:
    """Return what is remembered of earlier runs: the answer itself if nothing was passed, else where it came from."""
    last = function.last
    if last is None or plain:
        return last or unknown(data)
    made = unknown(data | all_taint([last]))
    made.via = last.via
    return made


def _key(args: list[Value], keywords: Arguments, *, loads: bool) -> object | None:
    """Return what tells calls apart that need no second reading; None if the arguments carry data of their own."""
    parts: list[object] = [loads]
    for value in (*args, *keywords.values()):
        if value.taint or value.mark or value.items is not None or value.alts:
            return None
        if value.const is not NOTHING:
            if not isinstance(value.const, (str, bytes, int, float, type(None))):
                return None
            parts.append((type(value.const).__name__, value.const, value.via))
        elif isinstance(value.ref, Function):
            parts.append(value.ref)
        elif value.ref is not None:
            return None
        else:
            parts.append((value.sym, value.text))
    return (tuple(parts), tuple(keywords))


def execute(
    vm: "Machine", function: Function, args: list[Value], keywords: Arguments, moment: Moment, *, repeated: bool = False
) -> Value:
    """Run the body of a function once with these arguments."""
    frame = Frame(function.code, moment, function.frame, function)
    function.runs += 1
    if moment is Moment.LOAD and not function.loaded:
        function.loaded = True
    _bind(function, args, keywords, frame)
    function.active = True
    told = len(vm.record.entries)
    vm.calls += 1
    vm.repeating += repeated
    if function.expression is not None:
        frame.returns.append(vm.ev(function.expression, frame))
    elif function.slot is not None:
        vm.run(function.slot.body(), frame)
        vm.settle(frame)
    vm.repeating -= repeated
    vm.calls -= 1
    function.active = False
    function.effective = function.effective or len(vm.record.entries) > told
    vm.scope_flows(frame)
    function.last = _answer(function, frame)
    return function.last


def _answer(function: Function, frame: Frame) -> Value:
    if frame.yields:
        return container("list", frame.yields)
    result: Value | None = None
    for value in frame.returns:
        result = value if result is None else join(result, value)
    return result if result is not None else constant(None) if function.slot is not None else unknown()


def _bind(function: Function, args: list[Value], keywords: Arguments, frame: Frame) -> None:
    left = list(args)
    spare = dict(keywords)
    for (name, stars, _), default in zip(function.parameters, function.defaults, strict=False):
        if stars == 1:
            frame.names[name] = container("tuple", left)
            left = []
        elif stars == 2:
            made = container("dict", spare)
            made.kind = "dict"
            frame.names[name] = made
        elif left:
            frame.names[name] = left.pop(0)
        elif name in spare:
            frame.names[name] = spare.pop(name)
        elif default is not None:
            frame.names[name] = default
        else:
            frame.names[name] = unknown(all_taint([keywords["**"]]) if "**" in keywords else frozenset())


def asked(vm: "Machine", frame: Frame) -> None:
    """Run a module's ``__getattr__`` (PEP 562): an import of a name from a plain module asks it for ``__path__``."""
    given = frame.names.get("__getattr__")
    if given is not None and isinstance(given.ref, Function):
        survey(vm, given.ref, Moment.LOAD)


def survey(vm: "Machine", function: Function, moment: Moment = Moment.CALL) -> None:
    """Read a function that nobody called: its parameters are unknown, its defaults are not believed."""
    args: list[Value] = []
    vm.surveyed[id(function)] = function
    given = function.given | (ports.given(vm, function) if function.parameters else NO_TAINT)
    for name, stars, _ in function.parameters:
        if not args and function.owner is not None and not function.static and not stars:
            args.append(function.owner.instance)
        elif stars:
            args += [unknown(given)] * (MAX_REST if stars == 1 else 0)
            break
        else:
            args.append(unknown(given | _handed(vm, function, name, moment)))
    execute(vm, function, args, {}, moment)


def _handed(vm: "Machine", function: Function, name: str, moment: Moment) -> frozenset[int]:
    """Return what stands for the key of a wallet that a parameter takes, by its name; it is told where it goes on."""
    if function.slot is None or not is_key_name(name):
        return NO_TAINT
    place = function.code.place(function.slot.start, function.slot.end)
    return frozenset((vm.record.add(Kind.KEY_GIVEN, name, place, moment, soft=True),))


def chain_of(values: list[Value]) -> tuple[str, ...]:
    """Return the decode chain that a fact about these values tells."""
    return all_via(values)
