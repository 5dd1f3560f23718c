"""Other people's code replaced while it runs, and code that will be started again by itself."""

from typing import TYPE_CHECKING, Any

from lazaretto.core.facts import Kind, Moment
from lazaretto.languages._sensitive import persist_path
from lazaretto.languages.python import calls
from lazaretto.languages.python.lookup import Place
from lazaretto.languages.python.scope import Bound, Call, ClassInfo, Frame, Function, Instance, Partial
from lazaretto.languages.python.values import Value, elements, holes, known, render, unknown

if TYPE_CHECKING:
    from lazaretto.languages.python.effects.table import Handler
    from lazaretto.languages.python.machine import Machine

_IMPORT_SYSTEM = frozenset(("sys.meta_path", "sys.path_hooks", "sys.modules", "sys.path_importer_cache"))


def attribute_set(vm: "Machine", owner: Value, name: str, value: Value, place: Place, frame: Frame) -> None:
    """``module.name = value``: a hook if it replaces the function of another package or of Python itself."""
    sym = owner.sym or ""
    target = f"{sym}.{name}"
    if target in _IMPORT_SYSTEM or sym == "builtins":
        _replaced(vm, value, vm.emit(Kind.MODULE_HOOK, target, place, frame), place, frame)
    elif not sym.startswith((".", "__", "object.", "io.file")) and not sym.endswith(")") and _is_code(value):
        _replaced(vm, value, vm.emit(Kind.MODULE_HOOK, target, place, frame), place, frame)


def _replaced(vm: "Machine", value: Value, handle: int, place: Place, frame: Frame) -> None:
    """Follow what stands in the place of another's function: what is handed to it was meant for that one."""
    if isinstance(value.ref, Function):
        through = [unknown(frozenset((handle,))) for _ in value.ref.parameters]
        before, frame.moment = frame.moment, Moment.CALL
        calls.call(vm, value, through, {}, place, frame)
        frame.moment = before


def _is_code(value: Value) -> bool:
    return isinstance(value.ref, (Function, ClassInfo, Bound, Partial))


def item_set(vm: "Machine", sym: str, key: Any, value: Value, place: Place, frame: Frame) -> None:
    """``sys.modules[name] = value`` and items of a module's namespace."""
    shown = key if isinstance(key, str) else None
    if sym in _IMPORT_SYSTEM:
        vm.emit(Kind.MODULE_HOOK, f"{sym}[{shown}]" if shown else sym, place, frame)
    elif sym == "builtins":
        vm.emit(Kind.MODULE_HOOK, f"builtins.{shown}" if shown else sym, place, frame)


def set_by_name(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``setattr(thing, name, value)``."""
    from lazaretto.languages.python.assign import set_attribute

    if len(call.args) == 3:
        name = known(call.args[1])
        if isinstance(name, str):
            set_attribute(vm, call.args[0], name, call.args[2], call.place, call.frame)
        elif call.args[0].sym in ("builtins", "sys"):
            vm.emit(Kind.MODULE_HOOK, call.args[0].sym, call.place, call.frame)
    return unknown()


def import_hook(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``sys.meta_path.insert(0, finder)``, ``sys.modules.update(...)``."""
    vm.emit(Kind.MODULE_HOOK, call.sym.rpartition(".")[0], call.place, call.frame)
    for value in (*call.args, *(item for arg in call.args for item in elements(arg) or ())):
        _put_in_place(vm, value, call)
    return unknown()


_ASKED = "find_spec find_module load_module create_module exec_module".split()
"""What Python calls of a finder or loader, at the next import whatever it is of (importlib.abc)."""


def _put_in_place(vm: "Machine", value: Value, call: Call) -> None:
    """Run what Python will call of a finder: nobody else has to."""
    if isinstance(value.ref, (Function, Bound, Partial)):
        calls.call(vm, value, [unknown()], {}, call.place, call.frame)
        return
    info = value.ref.info if isinstance(value.ref, Instance) else value.ref
    if isinstance(info, ClassInfo):
        for name in _ASKED:
            member = info.find(name)
            if member is not None and isinstance(member.ref, Function):
                calls.call_function(vm, member.ref, [info.instance, unknown(), unknown()], {}, call.frame)


def registry(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``winreg.SetValueEx(key, name, ...)``, ``CreateKey(root, path)``: start-up keys of Windows."""
    text = " ".join(holes(arg) for arg in call.args)
    opened = receiver if receiver is not None else (call.args[0] if call.args else None)
    if persist_path(text) or (opened is not None and opened.text is not None and persist_path(opened.text)):
        vm.emit(Kind.PERSIST, text.replace("{}", "").strip(), call.place, call.frame)
    made = unknown()
    path = render(call.args[1]) if len(call.args) > 1 else None
    made.text = path
    return made


def traced(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``sys.settrace(f)``: a function that is told of whatever runs, with all its variables."""
    for value in call.args[:1]:
        if isinstance(value.ref, Function):
            handle = vm.emit(Kind.MODULE_HOOK, call.sym, call.place, call.frame)
            _replaced(vm, value, handle, call.place, call.frame)
    return unknown()


def cron(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """Libraries that write crontabs."""
    vm.emit(Kind.PERSIST, "crontab", call.place, call.frame)
    return unknown()


HANDLERS: "dict[str, Handler]" = {
    "builtins.setattr": set_by_name,
    "crontab.CronTab": cron,
    **dict.fromkeys(("sys.settrace", "sys.setprofile", "threading.settrace", "threading.setprofile"), traced),
    **{
        f"{name}.{verb}": import_hook
        for name in ("sys.meta_path", "sys.path_hooks")
        for verb in ("insert", "append", "extend")
    },
    **{f"sys.modules.{verb}": import_hook for verb in ("update", "setdefault", "__setitem__")},
    **{
        f"{name}.{verb}": registry
        for name in ("winreg", "_winreg")
        for verb in ("SetValueEx", "SetValue", "CreateKey", "CreateKeyEx", "OpenKey", "OpenKeyEx")
    },
}
