"""Functions handed to something that runs them: threads, exit handlers, map, partial; and ``setup()``."""

from typing import TYPE_CHECKING

from lazaretto.core.facts import Moment
from lazaretto.languages.python import calls
from lazaretto.languages.python.effects import environment
from lazaretto.languages.python.scope import Bound, Call, ClassInfo, Function, Instance, Partial
from lazaretto.languages.python.values import (
    NOTHING,
    Value,
    all_taint,
    constant,
    container,
    elements,
    item_of,
    known,
    symbol,
    unknown,
)

if TYPE_CHECKING:
    from lazaretto.languages.python.effects.table import Handler
    from lazaretto.languages.python.machine import Machine

_ROOTS = frozenset(
    "threading multiprocessing concurrent asyncio atexit sched signal functools itertools contextlib weakref "
    "_thread thread gevent "
    "trio anyio twisted apscheduler schedule joblib tkinter sys re timeit".split()
)


def by_shape(sym: str) -> "Handler | None":
    """Return the handler for anything of a library that runs what it is given."""
    root, dot, _ = sym.partition(".")
    return started if dot and root in _ROOTS else None


def started(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """Run every function among the arguments, with the arguments meant for it."""
    target = call.keywords.get("target") or call.keywords.get("func") or call.keywords.get("function")
    passed = call.keywords.get("args")
    rest = elements(passed) if passed is not None else None
    values = [target] if target is not None else call.args
    for at, value in enumerate(values):
        own = isinstance(value.ref, (Function, Bound, Partial)) or _can_be_called(value)
        if own or (value.sym is not None and target is not None):
            following = rest if rest is not None else ([] if target is not None else list(call.args[at + 1 :]))
            if call.sym.endswith("Timer") and len(following) == 1 and elements(following[0]) is not None:
                following = elements(following[0]) or []
            extra = {k: v for k, v in call.keywords.items() if k != "args"}
            if target is not None:
                named = call.keywords.get("kwargs")
                given = named.items if named is not None and isinstance(named.items, dict) else {}
                extra = {str(k): v for k, v in given.items()}
            calls.call(vm, value, following, extra, call.place, call.frame)
            break
        if (
            at == 0
            and value.sym is not None
            and call.sym.endswith((".submit", ".run_in_executor", ".to_thread", ".register"))
        ):
            calls.call(vm, value, list(call.args[1:]), {}, call.place, call.frame)
            break
    vm.unknown_calls += 1
    return symbol(f"{call.sym}()" if len(call.sym) < 200 else call.sym, all_taint(call.data()))


def told(vm: "Machine", value: Value, first: list[Value], rest: Value, call: Call) -> None:
    """Run a function of this code that somebody else calls: with what is known, and what he tells in all the rest."""
    function = value.ref.function if isinstance(value.ref, Bound) else value.ref
    if isinstance(function, Function):
        bound = isinstance(value.ref, Bound)
        count = sum(not stars for _, stars, _ in function.parameters) - bound
        given = [*first, *(rest for _ in range(count - len(first)))][: max(count, 0)]
        calls.call(vm, value, given, {}, call.place, call.frame)


def _can_be_called(value: Value) -> bool:
    return isinstance(value.ref, Instance) and value.ref.info.find("__call__") is not None


def mapped(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``map(f, items)``, ``filter(f, items)``."""
    if len(call.args) < 2:
        return unknown(all_taint(call.args))
    function, columns = call.args[0], [elements(arg) for arg in call.args[1:]]
    if any(column is None for column in columns):
        taint = all_taint(call.args)
        answer = calls.call(
            vm, function, [unknown(all_taint([arg])) for arg in call.args[1:]], {}, call.place, call.frame
        )
        return unknown(taint | all_taint([answer]))
    out: list[Value] = []
    vm.repeating += 1
    for row in zip(*(column for column in columns if column is not None), strict=False):
        if vm.spare <= 0 or (len(out) > 64 and function.ref is None and function.sym is None):
            break
        vm.spare -= 1
        answer = (
            calls.call(vm, function, list(row), {}, call.place, call.frame) if function.const is NOTHING else row[0]
        )
        if not call.sym.endswith("filter"):
            out.append(answer)
        elif known(answer) is NOTHING or known(answer):
            out.append(row[0])
    vm.repeating -= 1
    return container("list", out)


def reduced(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``functools.reduce(f, items, start)``."""
    items = elements(call.args[1]) if len(call.args) > 1 else None
    if items is None:
        return unknown(all_taint(call.args))
    value = call.args[2] if len(call.args) > 2 else (items.pop(0) if items else unknown())
    vm.repeating += 1
    for item in items[:10_000]:
        if vm.spare <= 0:
            break
        value = calls.call(vm, call.args[0], [value, item], {}, call.place, call.frame)
    vm.repeating -= 1
    return value


def keyed(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``sorted(items, key=f)``: the key function runs."""
    from lazaretto.languages.python.pure import FOLDS

    key = call.keywords.get("key")
    if key is not None and key.ref is not None:
        calls.call(vm, key, [unknown(all_taint(call.args))], {}, call.place, call.frame)
        return unknown(all_taint(call.args))
    return FOLDS["builtins.list"](call)


def bound_early(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``functools.partial(f, ...)``."""
    if not call.args:
        return unknown()
    made = Value()
    made.ref = Partial(call.args[0], call.args[1:], call.keywords)
    return made


def field(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``dataclasses.field(default_factory=f)``: each new object calls it."""
    given = call.keywords.get("default_factory") or call.keywords.get("factory")
    made = call.keywords.get("default") or symbol(f"{call.sym}()")
    if given is not None:
        made.attrs = {calls.FACTORY: given}
    return made


def wrapped(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """Decorators that give the function back: ``functools.wraps(f)(g)``, ``lru_cache``."""
    if call.sym.endswith("()") or call.sym.endswith(("cache", "total_ordering", "singledispatch")):
        return call.args[0] if call.args else unknown()
    return symbol(f"{call.sym}()")


def whole(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """Functions that read all of what they are given: ``dict``, ``str``, ``json.dumps``, ``print``."""
    from lazaretto.languages.python.pure import FOLDS

    if call.sym == "builtins.dict" and call.args and environment.is_environment(call.args[0]) and not call.keywords:
        return environment.copied(vm, call, receiver)
    environment.used_whole(vm, call.args, call.place, call.frame)
    fold = FOLDS.get(call.sym)
    if fold is not None:
        return fold(call)
    made = unknown(all_taint(call.data()))
    for value in call.args[:1]:
        made.via = value.via
    return made


def set_up(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``setup(cmdclass=...)``: the commands run while the package is installed."""
    commands = call.keywords.get("cmdclass")
    parts = list(commands.items.values()) if commands is not None and isinstance(commands.items, dict) else []
    if commands is not None and not parts:
        parts = [value for value in call.frame.module.names.values() if _is_command(value)]
    for value in parts:
        if isinstance(value.ref, ClassInfo):
            for name in (
                "__init__",
                "initialize_options",
                "finalize_options",
                "run",
                "build_extension",
                "build_extensions",
            ):
                member = value.ref.find(name)
                if member is not None and isinstance(member.ref, Function):
                    before, call.frame.moment = call.frame.moment, Moment.LOAD
                    calls.call_function(vm, member.ref, [value.ref.instance], {}, call.frame)
                    call.frame.moment = before
    return unknown()


def _is_command(value: Value) -> bool:
    base = value.ref.outside_base() if isinstance(value.ref, ClassInfo) else None
    return base is not None and base.startswith(("setuptools.", "distutils.", "wheel."))


HANDLERS: "dict[str, Handler]" = {
    "builtins.map": mapped,
    "builtins.filter": mapped,
    "itertools.starmap": mapped,
    "functools.reduce": reduced,
    "builtins.reduce": reduced,
    "builtins.sorted": keyed,
    "functools.partial": bound_early,
    **dict.fromkeys(("dataclasses.field", "attr.ib", "attr.field", "attrs.field", "pydantic.Field"), field),
    "functools.wraps": wrapped,
    "functools.wraps()": wrapped,
    "functools.update_wrapper": lambda vm, call, receiver: call.args[0] if call.args else unknown(),
    "functools.lru_cache": wrapped,
    "functools.lru_cache()": wrapped,
    "functools.cache": wrapped,
    "contextlib.contextmanager": wrapped,
    "asyncio.run": lambda vm, call, receiver: call.args[0] if call.args else unknown(),
    "asyncio.get_event_loop().run_until_complete": lambda vm, call, receiver: call.args[0] if call.args else unknown(),
    "builtins.dict": whole,
    "builtins.str": whole,
    "builtins.repr": whole,
    "builtins.list": whole,
    "json.dumps": whole,
    "json.dump": whole,
    "pickle.dumps": whole,
    "pprint.pformat": whole,
    "urllib.parse.urlencode": whole,
    "builtins.iter": whole,
    "builtins.next": lambda vm, call, receiver: (
        (elements(call.args[0]) or [item_of(call.args[0])])[0] if call.args else unknown()
    ),
    "builtins.format": whole,
    "copy.copy": lambda vm, call, receiver: (
        environment.copied(vm, call, receiver)
        if call.args and environment.is_environment(call.args[0])
        else (call.args[0] if call.args else unknown())
    ),
    "copy.deepcopy": lambda vm, call, receiver: call.args[0] if call.args else constant(None),
    "setuptools.setup": set_up,
    "distutils.core.setup": set_up,
    "skbuild.setup": set_up,
}
