"""Code made from data: ``exec``, ``eval``, loaders, unmarshalling; and decoded values on their way to them."""

from typing import TYPE_CHECKING

from lazaretto.core.facts import DEFINES, Kind, Moment
from lazaretto.languages._codecs import binary_kind, is_text
from lazaretto.languages.python import decoding
from lazaretto.languages.python.folding import step
from lazaretto.languages.python.letters import only_letters
from lazaretto.languages.python.lookup import get_by_name, import_named, subscript
from lazaretto.languages.python.scope import Call, Frame, Method, Namespace, Partial
from lazaretto.languages.python.values import (
    HOLE,
    NOTHING,
    Value,
    all_taint,
    constant,
    elements,
    known,
    render,
    symbol,
    unknown,
    variants,
)

if TYPE_CHECKING:
    from lazaretto.languages.python.effects.table import Handler
    from lazaretto.languages.python.machine import Machine

Place = tuple[int, int]

MAX_NESTED = 4
"""How many texts inside texts are read as code."""

LONG = 1000
"""An encoded text of at least this many characters that becomes code is an obfuscation of its own."""


def evaluate(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``exec(code)``, ``eval(code)``."""
    if not call.args:
        return unknown()
    answer: Value | None = None
    for code in variants(call.args[0]):
        if "chr" in code.via and _spelt_out(call, code):
            code = constant(known(code), ("concat",), all_taint([code]))  # noqa: PLW2901
        text = render(code)
        handle = vm.sink(Kind.CODE_EVAL, text if text is None or text.strip("{}") else None, call, [code], code.via)
        told_of(vm, code, call.place, call.frame, handle)
        loads_file(vm, call, [code])
        unknowns, made = (vm.strangers, len(vm.record.problems)), len(vm.functions)
        answer = nested(vm, code, call.place, call.frame, code.via, own=_in_own_names(call))
        understood = known(code) is not NOTHING and unknowns == (vm.strangers, len(vm.record.problems))
        _styles(vm, call, code, defines=understood and len(vm.functions) > made)
    vm.unknown_calls += 1
    if call.sym == "builtins.eval" and answer is not None:
        return answer
    return unknown(all_taint(call.args))


def loads_file(vm: "Machine", call: Call, data: list[Value], path: str | None = None) -> None:
    """Note that what runs stands in a file: code that was read from it, or the path itself, is loaded like a module."""
    paths = [] if path is None else [path]
    paths += [text for text in map(vm.record.path_read, sorted(all_taint(data))) if text is not None]
    for text in paths:
        if text == "__file__" or (
            path is None and not text.endswith((".py", ".pyw", ".pkl", ".pickle", ".yml", ".yaml"))
        ):
            found = vm.emit(Kind.DECODE, None, call.place, call.frame, ("file",))
            vm.record.flow([found], vm.emit(Kind.CODE_EVAL, None, call.place, call.frame))
        name = text.rpartition("}/")[2].rpartition("__file__/")[2].removeprefix("./")
        if name and "{}" not in name and not name.startswith(("/", "~")) and "." in name:
            vm.emit(Kind.IMPORT, f"./{name}", call.place, call.frame)


def told_by_file(vm: "Machine", call: Call, data: list[Value]) -> None:
    """Note that a whole command line stands in a file beside, none of code or settings: it was hidden there."""
    paths = [text for text in map(vm.record.path_read, sorted(all_taint(data))) if text is not None]
    if any(text.startswith(("{}/", "__file__")) and not text.endswith(_READABLE) for text in paths):
        found = vm.emit(Kind.DECODE, None, call.place, call.frame, ("file",))
        vm.record.flow([found], vm.emit(Kind.CODE_EVAL, None, call.place, call.frame))


_READABLE = tuple(f".{name}" for name in "py sh bash bat cmd ps1 json toml yml yaml cfg ini conf".split())
"""Endings of files in which commands are expected."""


def _in_own_names(call: Call) -> bool:
    """Whether what is evaluated sees the names of this module, ``__name__`` among them."""
    given = call.arg(1, "globals")
    return call.sym in ("builtins.exec", "builtins.eval") and (given is None or isinstance(given.ref, Namespace))


def _spelt_out(call: Call, code: Value) -> bool:
    """Whether all that runs stands in literals of the call itself, but for letters that are not ASCII."""
    if call.frame.code.via:
        return False
    base = call.frame.code.base
    return only_letters(call.frame.code.data[call.place[0] - base : call.place[1] - base], known(code))


def _styles(vm: "Machine", call: Call, code: Value, *, defines: bool) -> None:
    """Note in which style code is made; ``defines``: its text is known, makes functions, and calls nothing unknown."""
    if "marshal" in code.via:
        vm.emit(Kind.OBFUSCATED, "lambda-marshal", call.place, call.frame, code.via)
    if decoding.is_decoded(code.via) or decoding.is_decoded(call.frame.code.via):
        vm.emit(Kind.OBFUSCATED, DEFINES if defines else "exec-chain", call.place, call.frame, code.via)
    if "chr" in code.via:
        vm.emit(Kind.OBFUSCATED, "char-codes", call.place, call.frame, code.via)
    const = known(code)
    if isinstance(const, (str, bytes)) and len(const) * 4 // 3 >= LONG and decoding.is_decoded(code.via):
        vm.emit(Kind.OBFUSCATED, "long-encoded", call.place, call.frame, code.via)


def nested(
    vm: "Machine",
    value: Value,
    place: Place,
    frame: Frame,
    via: tuple[str, ...],
    *,
    main: bool = False,
    own: bool = False,
    sure: bool = True,
) -> Value | None:
    """Read the text of a value as code that runs here.

    ``main``: in a program of its own; ``own``: with the names of this module; ``sure``: the text is what will run, not
    a part of it.

    Returns what the text is worth if it is an expression.
    """
    from lazaretto.languages.python.program import run_text

    const = known(value)
    if isinstance(const, (bytes, bytearray)):
        const = bytes(const).decode("utf-8", "replace")
    if not isinstance(const, str) and value.text is not None:
        const = value.text.replace(HOLE, "None")  # code with holes: what is there is still code
    if not isinstance(const, str) or not const.strip():
        return None
    if frame.code.depth >= MAX_NESTED:
        vm.record.problem(place[0], f"code inside code, deeper than {MAX_NESTED} levels", unread=True)
        return None
    return run_text(vm, const, place, frame, via, main=main, own=own, whole=sure and known(value) is not NOTHING)


def compiled(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``compile(code, ...)``: nothing runs yet; the result is the code."""
    return call.args[0] if call.args else unknown()


def loaded(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """A loader runs code from a path: ``runpy.run_path``, ``SourceFileLoader``, ``spec_from_file_location``."""
    at = (
        1
        if call.sym.endswith(("load_source", "FileLoader", "from_file_location", "load_dynamic", "load_compiled"))
        else 0
    )
    path = call.arg(at, "path_name", "path", "location", "pathname")
    shown = render(path) if path is not None else None
    handle = vm.sink(Kind.CODE_EVAL, shown, call)
    if shown is not None:
        loads_file(vm, call, [], shown)
        for written, source in vm.written.items():
            if written == shown:
                vm.record.flow([source], handle)
    return unknown(all_taint(call.args))


def path_added(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``sys.path.insert(0, folder)``: what was written there is imported, also what lies in an archive (zipimport)."""
    shown = render(call.args[-1]) if call.args else None
    if shown is not None and "." in shown.rpartition("/")[2].strip("."):
        loads_file(vm, call, [], shown)
    found = [source for path, source in vm.written.items() if shown and path.startswith(f"{shown.rstrip('/')}/")]
    if found:
        found += sorted(all_taint([value for source in found for value in vm.payloads.get(source, [])]))
        vm.record.flow(found, vm.emit(Kind.CODE_EVAL, None, call.place, call.frame))
    return unknown()


def function_made(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``types.FunctionType(code, ...)``, ``types.CodeType(...)``: a function out of data."""
    data = call.args[:1] if call.sym == "types.FunctionType" else call.args
    via = data[0].via if data else ()
    vm.sink(Kind.CODE_EVAL, None, call, data, via)
    if "marshal" in via or call.sym == "types.CodeType":
        vm.emit(Kind.OBFUSCATED, "lambda-marshal", call.place, call.frame, via)
    return unknown(all_taint(data))


def unmarshalled(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``marshal.loads``: the result is code that no reader sees."""
    made = unknown(all_taint(call.args))
    made.via = step(call.args[0].via if call.args else (), "marshal")
    handle = vm.emit(Kind.DECODE, None, call.place, call.frame, made.via, soft=True)
    made.taint |= {handle}
    if call.args and isinstance(known(call.args[0]), bytes):
        vm.sink(Kind.CODE_EVAL, None, call, [made], made.via)
        vm.emit(Kind.OBFUSCATED, "lambda-marshal", call.place, call.frame, made.via)
        vm.record.problem(call.place[0], "marshalled code is not read")
    return made


def imported(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``__import__(name)``, ``importlib.import_module(name)``."""
    name = call.arg(0, "name")
    if name is None:
        return unknown()
    top = call.sym == "builtins.__import__" and "fromlist" not in call.keywords and len(call.args) < 4
    return import_named(vm, name, call.place, call.frame, top=top)


def got(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``getattr(thing, name)``."""
    if len(call.args) < 2:
        return unknown()
    made = get_by_name(vm, call.args[0], call.args[1], call.place, call.frame)
    if len(call.args) > 2 and made.sym is None and isinstance(made.ref, Method) and call.args[2].const is NOTHING:
        return call.args[2] if call.args[2].ref is not None else made
    return made


def namespace(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``globals()``, ``locals()``, ``vars()``; ``vars(module)`` is the module."""
    if call.args and call.sym == "builtins.vars":
        return call.args[0]
    made = Value()
    made.ref = Namespace(call.frame.module if call.sym == "builtins.globals" else call.frame)
    return made


def getter(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``operator.attrgetter(name)`` and its kin, called at once or later."""
    made = Value()
    made.ref = Partial(symbol(f"{call.sym}.apply"), call.args, call.keywords)
    return made


def applied(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """Apply a getter of ``operator`` to its object, the last argument."""
    if len(call.args) < 2:
        return unknown()
    target, name = call.args[-1], call.args[0]
    if "itemgetter" in call.sym or "getitem" in call.sym:
        pair = (call.args[0], call.args[1]) if "getitem" in call.sym else (target, name)
        return subscript(vm, pair[0], pair[1], call.place, call.frame)
    if "methodcaller" in call.sym:
        from lazaretto.languages.python.calls import call as run

        method = get_by_name(vm, target, name, call.place, call.frame)
        return run(vm, method, call.args[1:-1], call.keywords, call.place, call.frame)
    for part in str(known(name)).split("."):
        target = get_by_name(vm, target, constant(part, name.via), call.place, call.frame)
    return target


def decoded(vm: "Machine", call: Call) -> Value | None:
    """Return what a decoder of the standard library gives, noting the decoded value."""
    if call.sym == "codecs.decode" and call.args:
        name = known(call.arg(1, "encoding") or constant("utf-8"))
        const = known(call.args[0])
        made = (
            decoding.codec(call.args[0], const, "decode", name) if const is not NOTHING else unknown(call.args[0].taint)
        )
    else:
        found = decoding.decode(call.sym, call.args)
        if found is None:
            return None
        if not found.via:
            return found  # nothing was decoded
        made = found
    _note(vm, made, call)
    return made


def _note(vm: "Machine", made: Value, call: Call) -> None:
    """Note a decoded value; what it was decoded from is an intermediate step and no longer told."""
    const = known(made)
    before = {v.soft for v in call.args if v.soft >= 0}
    for handle in before:
        vm.record.entries[handle].gone = True
    text = _shown(const)
    kind = binary_kind(const) if isinstance(const, bytes) else None
    soft = text is None and (kind is None or kind in ("zip", "gzip"))
    handle = vm.emit(Kind.DECODE, text or kind, call.place, call.frame, made.via, soft=soft)
    made.soft = handle
    made.taint = (made.taint - before) | {handle}
    if text is not None:
        told(vm, text, made.via, call.place, call.frame)


def _shown(const: object) -> str | None:
    if isinstance(const, (bytes, bytearray)):
        try:
            const = bytes(const).decode("utf-8")
        except UnicodeDecodeError:
            return None
    return const if isinstance(const, str) and is_text(const) else None


def told_of(vm: "Machine", value: Value, place: Place, frame: Frame, sink: int = -1) -> None:
    """Note a decoded constant that no decoder of the library made (character codes, xor, reversal)."""
    if value.soft >= 0 or not value.via or not decoding.is_decoded(value.via):
        return
    text = _shown(value.const)
    if text is None or len(text) < 6:
        return
    value.soft = vm.emit(Kind.DECODE, text, place, frame, value.via)
    value.taint |= {value.soft}
    told(vm, text, value.via, place, frame)
    if sink >= 0:
        vm.record.flow([value.soft], sink)


def told(vm: "Machine", text: str, via: tuple[str, ...], place: Place, frame: Frame) -> None:
    """Note the addresses inside a decoded text."""
    from lazaretto.languages.python.literals import in_text

    for kind, value in in_text(text):
        vm.emit(kind, value, place, frame, via)


def gadget(vm: "Machine", sym: str, place: Place, frame: Frame) -> None:
    """``().__class__.__bases__[0].__subclasses__()[n]``: a way to names that nobody imported."""
    if sym.startswith("object.__subclasses__"):
        vm.emit(Kind.CODE_EVAL, None, place, frame)


def is_load(frame: Frame) -> bool:
    """Whether a frame runs when the file is loaded."""
    return frame.moment is Moment.LOAD


def parts_of(value: Value) -> list[Value]:
    """Return the known parts of a value."""
    return elements(value) or []


HANDLERS: "dict[str, Handler]" = {
    "builtins.exec": evaluate,
    "builtins.eval": evaluate,
    "builtins.compile": compiled,
    "code.interact": loaded,
    "code.InteractiveInterpreter().runsource": evaluate,
    "code.InteractiveInterpreter().runcode": evaluate,
    "timeit.timeit": evaluate,
    "cProfile.run": evaluate,
    "profile.run": evaluate,
    "pdb.run": evaluate,
    "trace.Trace().run": evaluate,
    "builtins.__import__": imported,
    "importlib.import_module": imported,
    "builtins.getattr": got,
    "inspect.getattr_static": got,
    "builtins.object.__getattribute__": got,
    "builtins.globals": namespace,
    "builtins.locals": namespace,
    "builtins.vars": namespace,
    "operator.attrgetter": getter,
    "operator.itemgetter": getter,
    "operator.methodcaller": getter,
    "operator.attrgetter.apply": applied,
    "operator.itemgetter.apply": applied,
    "operator.methodcaller.apply": applied,
    "operator.getitem": applied,
    "types.FunctionType": function_made,
    "types.LambdaType": function_made,
    "types.CodeType": function_made,
    "marshal.loads": unmarshalled,
    "marshal.load": unmarshalled,
    "sys.path.insert": path_added,
    "sys.path.append": path_added,
    "runpy.run_path": loaded,
    "runpy.run_module": loaded,
    "imp.load_source": loaded,
    "imp.load_module": loaded,
    "imp.load_dynamic": loaded,
    "imp.load_compiled": loaded,
    "importlib.machinery.SourceFileLoader": loaded,
    "importlib.machinery.SourcelessFileLoader": loaded,
    "importlib.machinery.ExtensionFileLoader": loaded,
    "importlib.util.spec_from_file_location": loaded,
}
