"""What the readers of effects share: arguments, callbacks, and what a path or an address means."""

from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind
from lazaretto.languages.javascript import sensitive
from lazaretto.languages.javascript.outside import as_dump
from lazaretto.languages.javascript.values import (
    DEEP,
    MAX_PARTS,
    UNDEFINED,
    UNKNOWN,
    Arr,
    Func,
    Obj,
    Sym,
    Value,
    choice,
    taint_of,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

Place = tuple[int, int]
CLIENT = "client:"
"""How the path of a client begins, all of whose methods send what they are given."""

GITHUB = "https://api.github.com"


def feed(interp: "Interpreter", sink: int, args: list[Value], at: Place) -> None:
    """Record that data flows into an open request or stream."""
    interp.record.flow(interp.taints([as_dump(interp, arg, at) for arg in args], DEEP), sink)


def arg_at(args: list[Value], position: int) -> Value:
    """Return an argument, or undefined."""
    return args[position] if 0 <= position < len(args) else UNDEFINED


def result_of(function: Sym, numbers: list[int], via: tuple[str, ...] = ()) -> Sym:
    """Return the result of an effect: what comes out of it came from its facts, what goes in reaches the last."""
    sink = numbers[-1] if numbers else None
    return Sym(path=f"{function.path}()"[:160], taint=frozenset(numbers), via=via, sink=sink)


def enter_callbacks(interp: "Interpreter", args: list[Value], given: list[Value]) -> Value:
    """Enter the callbacks among the arguments (also in option objects); return what they returned."""
    results = []
    for arg in args:
        if isinstance(arg, Func):
            results.append(interp.enter(arg, given))
        elif isinstance(arg, Obj):
            for item in list(arg.props.values()):
                if isinstance(item, Func):
                    interp.enter(item, given)
    return choice(results) if results else UNDEFINED


def deep_dump(interp: "Interpreter", value: Value, at: Place, depth: int = 3) -> Value:
    """Return ``value`` with the whole environment inside it, if there is one, recorded as dumped."""
    if depth and isinstance(value, (Obj, Arr)):
        items = list(value.props.values()) if isinstance(value, Obj) else value.items
        for item in items[:MAX_PARTS]:
            dumped = as_dump(interp, item, at)
            found = dumped if dumped is not item else deep_dump(interp, item, at, depth - 1)
            if found is not item:
                return Sym(taint=taint_of(value, DEEP) | taint_of(found), via=via_of(value))
    return value


def named(interp: "Interpreter", text: str, at: Place, *, reading: bool) -> set[int]:
    """Record what a path or an address means: a credential, a wallet store, persistence, a second runtime."""
    found = set()
    if sensitive.is_secret_path(text):
        found.add(interp.record.emit(Kind.SECRET_READ, text, *at))
    if sensitive.is_wallet(text):
        found.add(interp.record.emit(Kind.WALLET_TOUCH, text, *at))
    if not reading and (sensitive.is_persistent_path(text) or sensitive.is_agent_path(text)):
        found.add(interp.record.emit(Kind.PERSIST, text, *at))
    runtime = sensitive.runtime(text)
    if runtime:
        interp.record.emit(Kind.RUNTIME_FETCH, runtime, *at)
    return found


def path_of(value: Value) -> Value:
    """Return the path of a path or of a file URL."""
    return value.props.get("href", UNKNOWN) if isinstance(value, Obj) else value


def client(interp: "Interpreter", function: Sym, args: list[Value], _p: int, _this: Value, at: Place) -> Value:
    """A client of one service, which any method tells what it is given; who the user is, is no news to it."""
    given = arg_at(args, 0)
    host = given.props.get("baseUrl", GITHUB) if isinstance(given, Obj) else GITHUB
    number = interp.record.emit_value(Kind.NET_CONNECT, host, *at)[-1]
    return Sym(path=f"{CLIENT}{function.path}()", taint=frozenset({number}), sink=number)
