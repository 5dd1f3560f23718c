"""Code that a loader of data runs: pickles, and documents of YAML with tags that name what is called."""

from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind
from lazaretto.languages.python.effects import files, reflection
from lazaretto.languages.python.scope import Call
from lazaretto.languages.python.values import NOTHING, Value, all_taint, constant, known, symbol, unknown

if TYPE_CHECKING:
    from lazaretto.languages.python.effects.table import Handler
    from lazaretto.languages.python.machine import Machine


def unpickled(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``pickle.loads``: a pickle is a program."""
    vm.sink(Kind.CODE_EVAL, None, call, None, call.args[0].via if call.args else ())
    reflection.loads_file(vm, call, call.data())
    const = known(call.args[0]) if call.args else NOTHING
    if isinstance(const, (bytes, bytearray)):
        _follow_pickle(vm, bytes(const), call)
    return unknown(all_taint(call.args))


def read_array(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``numpy.load(path, allow_pickle=True)``: an array of objects is a pickle, which runs like a module."""
    made = files.read_argument(vm, call, receiver)
    allowed = call.arg(2, "allow_pickle")
    if allowed is not None and known(allowed) is not False:
        path = files.path_text(call.arg(0, "file"))
        if path is not None:
            reflection.loads_file(vm, call, [], path)
    return made


_UNSAFE_LOADERS = ("Loader", "UnsafeLoader", "CLoader")


def read_yaml(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``yaml.load(text, Loader=yaml.UnsafeLoader)``: a tag of the text names what is called."""
    loader = call.arg(1, "Loader")
    named = (loader.sym or "").rpartition(".")[2] if loader is not None else ""
    if call.sym.endswith("unsafe_load") or named in _UNSAFE_LOADERS:
        return unpickled(vm, call, receiver)
    return unknown(all_taint(call.args))


def _follow_pickle(vm: "Machine", data: bytes, call: Call) -> None:
    """Note what a pickle that stands in the code would do."""
    from lazaretto.languages._opcodes import Machine as Pickle
    from lazaretto.languages.python.calls import call_symbol

    pickle = Pickle(data)
    pickle.run()
    for fact in pickle.facts.values():
        value = pickle.whole.get(fact, fact.value)
        if fact.kind is Kind.PROCESS_SPAWN and value:
            call_symbol(vm, symbol("os.system"), [constant(value, ("pickle",))], {}, call.place, call.frame)
        elif fact.kind is Kind.CODE_EVAL and value:
            call_symbol(vm, symbol("builtins.exec"), [constant(value, ("pickle",))], {}, call.place, call.frame)
        else:
            vm.emit(fact.kind, fact.value, call.place, call.frame, ("pickle",))
    for problem in pickle.problems:
        vm.record.problem(call.place[0], problem.reason, unread=problem.unread)


HANDLERS: "dict[str, Handler]" = {
    "numpy.load": read_array,
    "pickle.loads": unpickled,
    "pickle.load": unpickled,
    "pickle.Unpickler().load": unpickled,
    "yaml.load": read_yaml,
    "yaml.load_all": read_yaml,
    "yaml.unsafe_load": read_yaml,
    "yaml.unsafe_load_all": read_yaml,
    "dill.loads": unpickled,
    "dill.load": unpickled,
    "cloudpickle.loads": unpickled,
    "cloudpickle.load": unpickled,
    "jsonpickle.decode": unpickled,
    "shelve.open": unpickled,
}
