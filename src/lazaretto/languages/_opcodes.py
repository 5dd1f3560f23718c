"""The stack machine of pickles, followed without running anything (CPython's ``Lib/pickletools.py``)."""

from typing import Any

from msgspec import Struct

from lazaretto.core.facts import MAX_VALUE, Fact, Kind, Moment, Problem, Span, bounded

MAX_OPCODES = 1_000_000
"""Most opcodes of one pickle that are followed."""

MAX_TOLD = 2000
"""Most names that are told of one pickle, and most calls."""

MAX_WORDS = 16 * 1024 * 1024
"""Characters of the command lines of one pickle that are joined from lists."""


class Name(Struct, frozen=True):
    """A name that the pickle imports: module and attribute."""

    module: str
    attribute: str


class _Mark:
    """Where a group of values begins on the stack."""


_MARK = _Mark()
_UNKNOWN = object()

# Opcode -> how its argument is written. A number: so many bytes; ``u1`` to ``u8``: a text behind a length of so many
# bytes; ``line`` and ``lines``: text up to the end of one or two lines.
_ARGUMENTS: dict[int, str | int] = {
    **dict.fromkeys(b".0123)]}(NQRabdelostu\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x97\x98", 0),
    **dict.fromkeys(b"Kh\x80q\x82", 1),
    **dict.fromkeys(b"M\x83", 2),
    **dict.fromkeys(b"Jjr\x84", 4),
    **dict.fromkeys(b"G\x95", 8),
    **dict.fromkeys(b"UC\x8c\x8a", "u1"),
    **dict.fromkeys(b"TBX\x8b", "u4"),
    **dict.fromkeys(b"\x8d\x8e\x96", "u8"),
    **dict.fromkeys(b"FILSVPgp", "line"),
    **dict.fromkeys(b"ci", "lines"),
}
_BINARY_TEXT = frozenset(b"UTCB\x8eX\x8c\x8d\x96")
_POPS = {ord("\x85"): 1, ord("\x86"): 2, ord("\x87"): 3}

_SPAWN = (
    "os.system os.popen os.execl os.execle os.execlp os.execv os.execve os.execvp os.execvpe os.posix_spawn os.spawnl "
    "os.spawnv os.startfile posix.system posix.popen posix.execv posix.execve posix.posix_spawn nt.system nt.popen "
    "subprocess.Popen subprocess.run subprocess.call subprocess.check_call subprocess.check_output "
    "subprocess.getoutput subprocess.getstatusoutput commands.getoutput popen2.popen2 pty.spawn webbrowser.open "
    "asyncio.create_subprocess_shell multiprocessing.util.spawnv_passfds distutils.spawn.spawn"
)
_EVAL = (
    "builtins.eval builtins.exec builtins.compile __builtin__.eval __builtin__.exec __builtin__.execfile "
    "__builtin__.compile builtins.execfile code.InteractiveInterpreter runpy.run_path runpy.run_module runpy._run_code "
    "timeit.timeit timeit.main cProfile.run profile.run pdb.run bdb.Bdb.run trace.Trace.run doctest.debug_script "
    "types.CodeType types.FunctionType marshal.loads pickle.loads _pickle.loads cPickle.loads dill.loads "
    "cloudpickle.loads numpy.testing._private.utils.runstring torch.jit.unsupported_tensor_ops.execWrapper "
    "idlelib.pyshell.ModifiedInterpreter.runcode lib2to3.pgen2.pgen.eval "
    "sympy.parsing.sympy_parser.eval_expr pandas.eval ctypes.CDLL ctypes.cdll.LoadLibrary"
)
_NET = (
    "socket.socket socket.create_connection urllib.request.urlopen urllib.request.urlretrieve urllib.urlopen "
    "urllib2.urlopen requests.get requests.post requests.request requests.api.get requests.api.post httpx.get "
    "httpx.post http.client.HTTPConnection http.client.HTTPSConnection smtplib.SMTP ftplib.FTP"
)
_DELETE = "os.remove os.unlink os.rmdir os.removedirs posix.remove posix.unlink posix.rmdir shutil.rmtree"
_ACTS = {
    name: kind
    for kind, names in (
        (Kind.PROCESS_SPAWN, _SPAWN), (Kind.CODE_EVAL, _EVAL), (Kind.NET_CONNECT, _NET), (Kind.FS_DELETE, _DELETE)
    )
    for name in names.split()
}  # fmt: skip


class Machine:
    """Follows one pickle, or several behind one another."""

    def __init__(self, data: bytes, start: int = 0) -> None:
        """Begin at ``start``: a pickle may stand behind a header."""
        self._data = data
        self._at = start
        self._start = start
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._underflow = False
        self._words = MAX_WORDS
        self._imported: list[Fact] = []
        self._called: list[Fact] = []
        self.facts: dict[tuple[Kind, str | None, str], Fact] = {}
        self.whole: dict[Fact, str] = {}  # values that are too long for a fact
        self.problems: list[Problem] = []

    def run(self) -> None:
        """Follow every opcode up to the end, to a bound, or to what is none."""
        for _ in range(MAX_OPCODES):
            if self._at >= len(self._data):
                if self._data[-1:] != b".":
                    self._problem("the pickle is cut off")
                return
            self._start = self._at
            code = self._data[self._at]
            self._at += 1
            if code not in _ARGUMENTS:
                self._problem(f"byte {self._start} is no opcode of a pickle")
                return
            argument = self._argument(_ARGUMENTS[code])
            if argument is None:
                self._problem(f"the argument of the opcode at byte {self._start} is cut off")
                return
            self._step(code, argument)
            if self._underflow:
                self._problem(f"the opcode at byte {self._start} takes from an empty stack: every reader stops there")
                return
            if code == 0x2E and not self._data[self._at :].strip(b"\0\r\n\t "):
                return
        self._problem(f"more than {MAX_OPCODES} opcodes: not all were followed", unread=True)

    def _problem(self, reason: str, *, unread: bool = False) -> None:
        problem = Problem(1, reason, unread)
        if problem not in self.problems:
            self.problems.append(problem)

    def _argument(self, shape: str | int) -> bytes | None:
        if isinstance(shape, int):
            return self._take(shape)
        if shape.startswith("u"):
            head = self._take(int(shape[1:]))
            return None if head is None else self._take(int.from_bytes(head, "little"))
        found = b""
        for _ in range(2 if shape == "lines" else 1):
            end = self._data.find(b"\n", self._at)
            if end < 0:
                return None
            found += self._data[self._at : end + 1]
            self._at = end + 1
        return found

    def _take(self, size: int) -> bytes | None:
        found = self._data[self._at : self._at + size]
        if len(found) < size:
            return None
        self._at += size
        return found

    def _step(self, code: int, argument: bytes) -> None:
        if self._value(code, argument) or self._memory(code, argument):
            return
        sign = chr(code)
        if sign in "ci\x93\x82\x83\x84":
            self._names(sign, argument)
        elif sign in "R\x81":
            arguments, called = self._pop(), self._pop()
            self._call(called, arguments if isinstance(arguments, tuple) else (_UNKNOWN,))
        elif sign == "\x92":
            _, arguments, called = self._pop(), self._pop(), self._pop()
            self._call(called, arguments if isinstance(arguments, tuple) else (_UNKNOWN,))
        elif sign == "o":
            items = self._group()
            self._call(items[0] if items else _UNKNOWN, items[1:])
        elif sign in "bs":
            self._pop()
            if sign == "s":
                self._pop()
        elif sign in "aute\x90":
            items = (self._pop(),) if sign == "a" else self._group()
            if sign in "ae":
                self._append(items)
        elif sign == ".":
            self._stack, self._memo = [], {}

    def _names(self, sign: str, argument: bytes) -> None:
        """Import a name, and for ``INST`` call it."""
        if sign in "ci":
            module, _, name = argument.decode("utf-8", "replace").rstrip("\n").partition("\n")
            items = self._group() if sign == "i" else ()
            self._push(self._import(module, name))
            if sign == "i":
                self._call(self._pop(), items)
        elif sign == "\x93":
            attribute, module = self._pop(), self._pop()
            known = isinstance(module, str) and isinstance(attribute, str)
            self._push(self._import(module, attribute) if known else self._unknown_import())
        else:
            self.fact(Kind.IMPORT, "copyreg", "extension")
            self._push(_UNKNOWN)

    def _value(self, code: int, argument: bytes) -> bool:
        """Push what an opcode says literally; return whether it is one that does."""
        sign = chr(code)
        if code in _BINARY_TEXT:
            self._push(argument.decode("utf-8", "replace"))
        elif sign in "SV":
            self._push(argument.decode("utf-8", "replace").strip().strip("'\""))
        elif sign in "NIKMJLFG\x88\x89\x8a\x8bPQ\x97":
            if sign == "Q":
                self._pop()
            self._push(None)
        elif sign in ")]}\x8f":
            self._push(() if sign == ")" else [] if sign == "]" else _UNKNOWN)
        elif sign == "(":
            self._push(_MARK)
        elif code in _POPS:
            last = [self._pop() for _ in range(_POPS[code])]
            self._push(tuple(reversed(last)))
        elif sign in "tld\x91":
            items = self._group()
            self._push(items if sign == "t" else list(items) if sign == "l" else _UNKNOWN)
        else:
            return sign in "\x80\x95\x98"
        return True

    def _append(self, items: tuple[Any, ...]) -> None:
        known = self._stack[-1] if self._stack else None
        if isinstance(known, list):
            known.extend(items)

    def _memory(self, code: int, argument: bytes) -> bool:
        sign = chr(code)
        if sign in "pqr\x94":
            index = len(self._memo) if sign == "\x94" else _index(argument, text=sign == "p")
            if self._stack and len(self._memo) < MAX_OPCODES:
                self._memo[index] = self._stack[-1]
        elif sign in "ghj":
            self._push(self._memo.get(_index(argument, text=sign == "g"), _UNKNOWN))
        elif sign in "012":
            if sign == "1":
                self._group()
            elif sign == "0":
                self._pop()
            else:
                self._push(self._stack[-1] if self._stack else _UNKNOWN)
        else:
            return False
        return True

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        if not self._stack:
            self._underflow = True
            return _UNKNOWN
        value = self._stack.pop()
        return _UNKNOWN if value is _MARK else value

    def _group(self) -> tuple[Any, ...]:
        """Take everything down to the last mark."""
        at = len(self._stack) - 1
        while at >= 0 and self._stack[at] is not _MARK:
            at -= 1
        items = tuple(self._stack[at + 1 :])
        del self._stack[max(at, 0) :]
        return items

    def _import(self, module: str, name: str) -> Name:
        module = "subprocess" if module == "commands" else module  # protocols 0 to 2 write Python 2's names
        self.fact(Kind.IMPORT, module, f"name:{name[:80]}" if name.isprintable() and ">" not in name else "name")
        return Name(module, name)

    def _unknown_import(self) -> object:
        self.fact(Kind.CODE_EVAL, None, "computed-name")
        return _UNKNOWN

    def _call(self, called: Any, arguments: tuple[Any, ...]) -> None:
        self._push(_UNKNOWN)
        if not isinstance(called, Name):
            return
        dotted = f"{called.module}.{called.attribute}"
        if dotted in {"builtins.getattr", "__builtin__.getattr"}:
            self._stack[-1] = _attribute(arguments)
        elif dotted in {"builtins.__import__", "__builtin__.__import__", "importlib.import_module"}:
            module = arguments[0] if arguments and isinstance(arguments[0], str) else None
            self.fact(Kind.IMPORT, module or "", "pickle")
            self._stack[-1] = Name(module, "") if module else _UNKNOWN
            return
        kind = _ACTS.get(dotted)
        if kind is not None:
            self.fact(kind, self._command(arguments), "pickle")

    def fact(self, kind: Kind, value: str | None, via: str) -> None:
        """Note a fact at the opcode; each value is told once."""
        if (kind, value, via) in self.facts:
            return
        room = self._imported if kind is Kind.IMPORT else self._called
        if len(room) >= MAX_TOLD:
            what = "names" if kind is Kind.IMPORT else "calls"
            self._problem(f"more than {MAX_TOLD} {what} in a pickle: not all are told", unread=True)
            return
        told = None if value is None else bounded(value)
        fact = Fact(kind, told, Span(1, self._start, self._start, self._at), Moment.LOAD, via)
        self.facts[kind, value, via] = fact
        room.append(fact)
        if value is not None and len(value) > MAX_VALUE:
            self.whole[fact] = value

    def _command(self, arguments: tuple[Any, ...]) -> str | None:
        """Return the first argument as a command or a text, if it is known."""
        first = arguments[0] if arguments else None
        if not isinstance(first, tuple | list):
            return first if isinstance(first, str) else None
        self._words -= len(first)  # the same list may be handed over again and again
        words = [word for word in first if isinstance(word, str)] if self._words > 0 else []
        self._words -= sum(map(len, words))
        if self._words < 0:
            self._problem(f"more than {MAX_WORDS} characters of command lines: not all are told", unread=True)
            return None
        return " ".join(words) or None


def _index(argument: bytes, *, text: bool) -> int:
    if not text:
        return int.from_bytes(argument, "little")
    digits = argument.strip()
    return int(digits) if digits.isdigit() and len(digits) < 10 else -1


def _attribute(arguments: tuple[Any, ...]) -> Any:
    """Return what ``getattr`` gives for a name that is known: a longer name."""
    if len(arguments) >= 2 and isinstance(arguments[0], Name) and isinstance(arguments[1], str):
        base = arguments[0]
        module = f"{base.module}.{base.attribute}" if base.attribute else base.module
        return Name(module, arguments[1])
    return _UNKNOWN
