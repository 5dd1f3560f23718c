"""What a module gives to the other files of its package, and what it takes from them: its ports.

Only what the file alone knows is said here; ``core.crossing`` joins the ports of files that load one another.
"""

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from lazaretto.core.facts import Moment, Role
from lazaretto.languages.javascript.values import (
    DEEP,
    UNDEFINED,
    Arr,
    Func,
    Obj,
    Scope,
    Sym,
    Text,
    Value,
    options,
    taint_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter
    from lazaretto.languages.javascript.record import Recorder

MAX_EXPORTS = 20_000
"""Most exports of one file that are followed, and most functions that are handed to other files: of more it is told."""

MAX_TEXT_MAKER = 40
"""Longest function that is entered for its own sake: it can hardly do more than give a text."""

DEEPEST = 12
"""Members of members of what an export gives that are followed."""

_TAKEN = 16
"""Arguments that an exported function may be given, beyond those that it names."""

_EXPORTED = re.compile(
    rb"\bexport\s+(?:default\s+)?(?:async\s+)?(?:function\s*\*?|const|let|var|class)\s+([A-Za-z_$][\w$]*)"
    rb"|\bexport\s+(default)\s+([A-Za-z_$][\w$]*)\s*(?:;|\n|$)"
    rb"|\bexport\s*\{([^{}]{1,2000})\}(?!\s*from)"
)
_CONSTANT = re.compile(
    rb"\b(?:module\.exports|exports)(?:\.([A-Za-z_$][\w$]*))?\s*=\s*(?:'([^'\\\n]{1,400})'|\"([^\"\\\n]{1,400})\")"
    rb"|\bexport\s+(?:(default)|const\s+([A-Za-z_$][\w$]*)\s*=)\s*(?:'([^'\\\n]{1,400})'|\"([^\"\\\n]{1,400})\")"
)


def settle(interp: "Interpreter", unit: Any, scope: Scope) -> None:
    """Follow what the file exports, now that it has run: values as they are, functions with what they may be given."""
    exports = _assigned(interp)
    if b"export" in unit.data and b"export " in unit.data:
        exports |= _declared(interp, unit.data, scope)
    interp.own_modules = tuple(
        name.encode() for name, value in scope.vars.items() if isinstance(value, Sym) and value.path[:2] == "@."
    )
    exporter = _Exporter(interp)
    for name, value in islice(exports.items(), MAX_EXPORTS):
        for option in options(value):
            exporter.tell(name, option)
    handed = {(port, function.key): (function, given) for port, function, given in interp.handed}
    for (port, _), (function, given) in islice(handed.items(), MAX_EXPORTS):
        if _tells(interp, function):
            with interp.record.heard(port):
                _entered(interp, function, given)
    if max(exporter.count, len(exports), len(handed)) >= MAX_EXPORTS:
        interp.record.problem(0, f"more than {MAX_EXPORTS} exports, or functions that are handed to other files")


def _assigned(interp: "Interpreter") -> dict[str, Value]:
    found: dict[str, Value] = {}
    for holder, name, value in interp.exports:
        if holder == "module":
            if name == "exports":
                found[""] = value
                found |= dict(value.props) if isinstance(value, Obj) else {}
        else:
            found["*" if name is None else name] = value
    return found


def _declared(interp: "Interpreter", data: bytes, scope: Scope) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for match in _EXPORTED.finditer(data):
        name, default, inner, listed = match.groups()
        if listed is not None:
            for exported, local in _listed(listed):
                found[exported] = interp.lookup(local, scope)
        elif default is not None:
            found[""] = interp.lookup(inner.decode("ascii", "replace"), scope)
        elif name is not None:
            text = name.decode("ascii", "replace")
            found["" if b"default" in match.group().split(name)[0] else text] = interp.lookup(text, scope)
    return found


def _listed(text: bytes) -> list[tuple[str, str]]:
    pairs = []
    for part in text.decode("utf-8", "replace").split(","):
        words = part.split()
        if len(words) in (1, 3):
            exported = words[-1].strip("'\"")
            pairs.append(("" if exported == "default" else exported, words[0].strip("'\"")))
    return pairs


class _Exporter:
    """Tells what the exports of one file give and take, with all that can be reached through them.

    A member of what an export gives goes by its name alone, with a dot before it: a method of an object that a class
    or a function makes, a function in a table, what a call gives that gives a function (``make()``).
    """

    def __init__(self, interp: "Interpreter") -> None:
        self._interp = interp
        self._told: dict[tuple[str, int], Value] = {}

    @property
    def count(self) -> int:
        """How many things have been told of."""
        return len(self._told)

    def tell(self, name: str, value: Value, depth: int = 0, this: Value = UNDEFINED) -> None:
        """Tell of one export, or of a member of one."""
        key = (name, id(value))
        if key in self._told or len(self._told) >= MAX_EXPORTS:
            return
        self._told[key] = value  # kept, lest another value gets its address
        if isinstance(value, Func):
            if value.members is not None or "prototype" in value.props:
                self._class(name, value, depth)
            value = _called(self._interp, name, value, this)
            if depth < DEEPEST:
                for option in options(value):
                    if isinstance(option, (Func, Obj, Arr)):
                        self._members(name, option, depth + 1)
        elif depth < DEEPEST:
            self._members(name, value, depth + 1)
        self._given(name, value)

    def _given(self, name: str, value: Value) -> None:
        record = self._interp.record
        if isinstance(value, str):
            record.constant(name, str(value))
        taint = taint_of(value, DEEP)
        whole = isinstance(value, Sym) and any(not known for _, known, _ in record.passing(value.taint, Role.FROM))
        if whole and name in ("", "*"):
            name = "*"  # the module as a whole is another one
            for _number, _known, specifier in record.passing(taint, Role.FROM):
                record.flow(frozenset({record.port(Role.FROM, "*", specifier)}), record.port(Role.GIVES, name))
        if taint:
            record.flow(taint, record.port(Role.GIVES, name))
        if isinstance(value, Sym) and value.path[:2] == "@.":
            _call_through(self._interp, name, taint)

    def _members(self, name: str, value: Value, depth: int) -> None:
        """Tell of what can be reached through a value: members by their names, items by the name of the whole."""
        if isinstance(value, Func):
            self.tell(f"{name}()", value, depth)
        elif isinstance(value, Arr):
            for item in value.items:
                if isinstance(item, (Func, Obj)):
                    self.tell(name, item, depth)
        elif isinstance(value, Obj):
            named = "{}" if not name and value.klass is not None else ".{}"
            if name or value.klass is not None:
                for key, member in list(value.props.items()):
                    self.tell(named.format(key), member, depth, value)
                    if isinstance(member, Func) and value.klass is None:
                        self.tell(name, member, depth, value)  # which of a table is called may be worked out
            for key, getter in (value.getters or {}).items():
                self.tell(named.format(key) if name else key, self._interp.call(getter, [], value), depth)
            for key, member in value.klass.all_members() if value.klass is not None else ():
                self.tell(named.format(key), member, depth, value)

    def _class(self, name: str, function: Func, depth: int) -> None:
        """Tell of an object that a class makes: its constructor runs, then any of its methods."""
        made = Obj(klass=function)
        maker = (function.members or {}).get("constructor")
        if isinstance(maker, Func):
            _called(self._interp, name, maker, made)
        if depth < DEEPEST:
            self._members(name, made, depth + 1)
        for key, member in function.props.items():
            if key != "prototype":
                self.tell(f".{key}" if name else key, member, depth + 1)


def _called(interp: "Interpreter", name: str, function: Func, this: Value = UNDEFINED) -> Value:
    """Return what an exported function gives to who calls it, with arguments that may be anything."""
    if function.members is not None or not _tells(interp, function):
        return UNDEFINED
    port = interp.record.port(Role.TAKES, name)
    with interp.record.heard(port):
        value = _entered(interp, function, Sym(taint=frozenset({port})), this)
    for option in options(value):
        if type(option) is Text and option.via:
            option.taint |= interp.record.decoded(option, *function.key)
    return value


def _entered(interp: "Interpreter", function: Func, given: Value, this: Value = UNDEFINED) -> Value:
    """Enter a function with the same unknown value for each argument; what it throws ends it and nothing else."""
    from lazaretto.languages.javascript.interp import Thrown

    interp.entries.wanted.add(function.key)
    try:
        return interp.enter(function, [given] * _TAKEN, this)
    except Thrown:
        interp.uncertain = 0
        return UNDEFINED


def _tells(interp: "Interpreter", function: Func) -> bool:
    """Whether a function holds a word of interest, names a module of its own package, or is a mere text."""
    start, end = function.key
    if interp.source.has_seed(start, end) or end - start <= MAX_TEXT_MAKER:
        return True
    if not interp.own_modules:
        return False
    text = function.unit.data[function.code[1] : function.code[2]]
    return any(name in text for name in interp.own_modules)


def _call_through(interp: "Interpreter", name: str, taint: frozenset[int]) -> None:
    """Another file's export is exported again: who calls it calls that one."""
    record = interp.record
    for _number, known, specifier in record.passing(taint, Role.FROM):
        whole = "*" if name == "*" else known
        record.flow(frozenset({record.port(Role.TAKES, name)}), record.port(Role.TO, whole, specifier))


def passed_on(interp: "Interpreter", module: Sym, code: list[Any]) -> None:
    """Follow ``export … from``: names of another module are exported again."""
    record = interp.record
    text = interp.unit.data[code[1] : code[2]] if len(interp.unit.data) >= code[2] else b""
    braces = re.search(rb"\{([^{}]*)\}", text)
    named = re.search(rb"\*\s*as\s+([\w$]+)", text)
    for _number, _name, specifier in record.passing(module.taint, Role.FROM):
        pairs = [("*", "*")]
        if braces is not None:
            pairs = [(exported, "" if local == "default" else local) for exported, local in _listed(braces.group(1))]
        elif named is not None:
            pairs = [(named.group(1).decode("ascii", "replace"), "")]
        for exported, local in pairs:
            record.flow(frozenset({record.port(Role.FROM, local, specifier)}), record.port(Role.GIVES, exported))
            before, record.moment = record.moment, Moment.CALL  # to name it is not to call it
            taken, called = record.port(Role.TAKES, exported), record.port(Role.TO, local, specifier)
            record.flow(frozenset({taken}), called)
            record.moment = before


def handed_on(interp: "Interpreter", function: Sym, args: list[Value]) -> None:
    """Record what a call hands to another file: as arguments of its export, or of a callback that it gave."""
    record = interp.record
    if not function.taint:
        return
    for number, name, specifier in _meant(interp, function):
        port = record.port(Role.TO, name, specifier)
        given = Sym(taint=frozenset({number}))
        interp.handed += [(port, arg, given) for arg in args if isinstance(arg, Func)]
        for arg in args:
            if isinstance(arg, Sym) and arg is not function:
                for other, called, where in _meant(interp, arg):
                    if other != number:  # a function of another file may be called with what this one gives
                        record.calls(port, record.port(Role.TO, called, where))
                        record.flow(frozenset({number}), record.port(Role.TO, called, where))
        taint = interp.taints([arg for arg in args if arg is not UNDEFINED], DEEP)
        if taint:
            record.flow(taint, port)
    for _number, name, specifier in (
        () if function.path.startswith("@.") else record.passing(function.taint, Role.TAKES)
    ):
        record.calls_back(name)
        taint = interp.taints([arg for arg in args if arg is not UNDEFINED], DEEP)
        if taint:
            record.flow(taint, record.port(Role.GIVES, name, specifier))


def _meant(interp: "Interpreter", function: Sym) -> list[tuple[int, str, str]]:
    """Return the ports of other files that a call of this means: of a member by its name, else of the thing itself."""
    if not function.path.startswith("@."):
        return []
    ports = interp.record.passing(function.taint, Role.FROM)
    if function.path.endswith("()"):
        return [(number, f"{name}()", specifier) for number, name, specifier in ports]
    members = [port for port in ports if port[1].startswith(".") and function.path.endswith(port[1])]
    return members or [port for port in ports if not port[1].startswith(".")]


def constants(data: bytes, record: "Recorder") -> None:
    """Record the constant texts that a file exports which holds nothing else of interest."""
    if b"export" not in data:
        return
    for count, match in enumerate(_CONSTANT.finditer(data)):
        if count == MAX_EXPORTS:
            record.problem(match.start(), f"more than {MAX_EXPORTS} texts are exported")
            break
        common, one, two, _default, name, three, four = match.groups()
        text = next(part for part in (one, two, three, four) if part is not None)
        key = common if common is not None else name if name is not None else b""
        record.constant(key.decode("ascii", "replace"), text.decode("utf-8", "replace"))
