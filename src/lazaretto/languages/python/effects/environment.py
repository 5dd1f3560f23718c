"""Environment variables: one by name, or all of them as a value."""

from typing import TYPE_CHECKING, Any

from lazaretto.core.facts import Kind
from lazaretto.languages._sensitive import MACHINE, secret_env, wallet_text
from lazaretto.languages.python.scope import Call, Frame
from lazaretto.languages.python.values import MAX_WALK, NOTHING, Value, known, symbol, unknown, variants

if TYPE_CHECKING:
    from lazaretto.languages.python.machine import Machine

Place = tuple[int, int]

_FOLDERS = {"HOME": "~", "USERPROFILE": "~", "APPDATA": "%APPDATA%", "LOCALAPPDATA": "%LOCALAPPDATA%", "HOMEPATH": "~"}


def variable(vm: "Machine", name: Any, place: Place, frame: Frame, via: tuple[str, ...] = ()) -> Value:
    """Return the value of an environment variable, noting that it is read."""
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else name if isinstance(name, str) else None
    handle = vm.emit(Kind.ENV_READ, text, place, frame, via)
    made = unknown(frozenset((handle,)))
    if text is None:
        return made
    if secret_env(text) or wallet_text(text):
        made.taint |= {vm.emit(Kind.SECRET_READ, text, place, frame, via)}
    if text.upper() in _FOLDERS:
        made.text = _FOLDERS[text.upper()]
        made.taint = frozenset()
    return made


def read(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``os.getenv(name)``, ``os.environ.get(name)``."""
    name = call.arg(0, "key", "varname")
    const = known(name) if name is not None else NOTHING
    made = variable(vm, const, call.place, call.frame, name.via if name is not None else ())
    default = call.arg(1, "default")
    if default is not None and made.text is None and default.const is not NOTHING:
        shown = default.const
        made.text = shown if isinstance(shown, str) and "/" in shown else None
    return made


def machine(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``socket.gethostname()``, ``getpass.getuser()``: whose machine this is, told where it is sent away."""
    what = MACHINE + call.sym.rpartition(".")[2]
    return unknown(frozenset((vm.emit(Kind.ENV_READ, what, call.place, call.frame, soft=True),)))


def dump(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """The whole environment becomes a value: ``os.environ.items()``, ``dict(os.environ)``, ..."""
    return unknown(frozenset((vm.emit(Kind.ENV_DUMP, None, call.place, call.frame),)))


def memory(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``gc.get_objects()``: whatever the program holds at the moment, told where it is sent away."""
    return unknown(frozenset((vm.emit(Kind.SECRET_READ, "memory:objects", call.place, call.frame, soft=True),)))


def copied(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """A copy of the environment: harmless as the environment of a child, a dump anywhere else."""
    handle = vm.emit(Kind.ENV_DUMP, None, call.place, call.frame)
    return symbol("os.environ.copy()", frozenset((handle,)))


def is_environment(value: Value) -> bool:
    """Whether a value is the environment itself."""
    return value.sym in ("os.environ", "os.environb", "os.environ.copy()")


def used_whole(vm: "Machine", values: list[Value], place: Place, frame: Frame) -> None:
    """Note a dump where the environment itself is handed to something that reads it all."""
    for value in _with_parts(values):
        if value.sym == "os.environ.copy()":
            for handle in value.taint:
                vm.record.entries[handle].gone = False
        elif is_environment(value):
            value.taint |= {vm.emit(Kind.ENV_DUMP, None, place, frame)}


def _with_parts(values: list[Value]) -> list[Value]:
    found: list[Value] = []
    for value in values:
        found.append(value)
        if value.items is not None:
            found.extend(value.items.values() if isinstance(value.items, dict) else value.items[:MAX_WALK])
    return found


def excused(vm: "Machine", env: Value) -> None:
    """A copy of the environment becomes the environment of a child: that alone is no dump."""
    for option in _with_parts(list(variants(env))):
        if option.sym == "os.environ.copy()":
            for handle in option.taint:
                entry = vm.record.entries[handle]
                entry.gone = entry.gone or entry.kind is Kind.ENV_DUMP
