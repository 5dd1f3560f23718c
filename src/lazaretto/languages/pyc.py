"""Compiled Python (``.pyc``): modules that it imports, the names that it uses, and what its constants name.

The header and the marshalled code objects are read by a bounded reader of the format (CPython's ``Python/marshal.c``),
for Python 3.6 to 3.14. Nothing is loaded, and no instruction is followed but those that import.

## What it cannot see
Which function is called with which argument: a name and a constant may stand in one function and have nothing to do
with each other. Values that the code computes are not folded, so that a decoded address is not seen. Bytecode of newer
Pythons is not read (which is a problem); that of older ones is not either (which is none: no Python of today loads it).
What a protector such as PyArmor wraps stays wrapped.
"""

from collections.abc import Iterator

from lazaretto.core.facts import Fact, Facts, Kind, Moment, Problem, Span, bounded
from lazaretto.core.language import Claim, Units
from lazaretto.languages._marshal import Code, Reader, TooMuch, Unreadable
from lazaretto.languages._strings import Strings, text_facts

ID = "pyc"
VERSION = 2
DIALECTS = ("pyc",)
"""Every dialect that ``read`` takes."""

MAX_BYTES = 32 * 1024 * 1024
"""Longest file that is read, in bytes."""

MAX_PYC_IMPORTS = 5000
"""Most modules told of one file."""

_OLDEST, _NEWEST = 3379, 3699
_LONG_HEADER = 3390  # PEP 552, Python 3.7: 16 bytes instead of 12
# First magic number of a version -> its instructions IMPORT_NAME and EXTENDED_ARG (``Lib/opcode.py``).
_INSTRUCTIONS = ((3379, 108, 144), (3551, 75, 71), (3600, 73, 69))

_ACTS = (
    (Kind.PROCESS_SPAWN, "os", "system popen execv execve execvp execl execlp posix_spawn spawnv spawnl startfile"),
    (Kind.PROCESS_SPAWN, "subprocess", "run Popen call check_call check_output getoutput getstatusoutput"),
    (Kind.PROCESS_SPAWN, "pty", "spawn"),
    (Kind.PROCESS_SPAWN, "asyncio", "create_subprocess_shell create_subprocess_exec"),
    (Kind.NET_CONNECT, "urllib", "urlopen urlretrieve"),
    (Kind.NET_CONNECT, "requests", "get post put request Session"),
    (Kind.NET_CONNECT, "httpx", "get post put request Client AsyncClient"),
    (Kind.NET_CONNECT, "aiohttp", "ClientSession"),
    (Kind.NET_CONNECT, "http", "HTTPConnection HTTPSConnection"),
    (Kind.NET_CONNECT, "socket", "connect create_connection connect_ex"),
    (Kind.CODE_EVAL, "marshal", "loads load"),
    (Kind.CODE_EVAL, "pickle", "loads load"),
    (Kind.CODE_EVAL, "ctypes", "CDLL WinDLL windll cdll"),
    (Kind.FS_DELETE, "shutil", "rmtree"),
)
_BUILT_IN = ("eval", "exec", "compile", "execfile")
_DECODERS = ("b64decode", "b85decode", "a85decode", "unhexlify", "fromhex", "decompress")


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read what the module ``binary`` hands over: it goes first, and says what the file is."""
    return Claim("pyc", 60) if data[2:4] == b"\r\n" and path.lower().endswith((".pyc", ".pyo")) else None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return the facts of a file. Never raises: what is not understood is a problem."""
    number = int.from_bytes(data[:2], "little")
    if data[2:4] == b"\r\n" and (number < _OLDEST or number > 50_000):
        return Facts(ID)  # Python 2 counts from 50,000 on
    if data[2:4] != b"\r\n" or number > _NEWEST:
        return Facts(ID, problems=(Problem(1, f"bytecode with the magic number {number}: not read"),))
    if len(data) > MAX_BYTES:
        return Facts(
            ID, problems=(Problem(1, f"bytecode of {len(data)} bytes is longer than {MAX_BYTES}", unread=True),)
        )
    reader = Reader(data, 16 if number >= _LONG_HEADER else 12, number)
    problems: tuple[Problem, ...] = ()
    try:
        reader.value()
    except Unreadable as error:
        problems = (Problem(1, f"the marshalled code cannot be read: {error}", unread=isinstance(error, TooMuch)),)
    named = [_named(reader.codes, moment) for moment in (Moment.LOAD, Moment.CALL)]
    facts: dict[tuple[Kind, str | None], Fact] = {}
    imports = 0
    for fact in (*_facts(reader.codes, number), *(fact for found in named for fact in found.facts)):
        key = fact.kind, fact.value
        if key not in facts:
            imports += fact.kind is Kind.IMPORT
            if fact.kind is not Kind.IMPORT or imports <= MAX_PYC_IMPORTS:
                facts[key] = fact
        elif fact.moment is Moment.LOAD and facts[key].moment is not Moment.LOAD:
            facts[key] = fact
    if imports > MAX_PYC_IMPORTS:
        problems = (*problems, Problem(1, f"more than {MAX_PYC_IMPORTS} modules: not all are told", unread=True))
    more = tuple(problem for found in named for problem in found.problems)
    return Facts(ID, tuple(facts.values()), (), tuple(dict.fromkeys((*problems, *more))))


def _facts(codes: list[Code], number: int) -> Iterator[Fact]:
    """Yield what every code object says; names of the module are imported at one place and used at another."""
    imported = {name.partition(".")[0] for code in codes for name, _ in _imports(code, number)}
    for code in codes:
        moment, span = _moment(code), _span(code)
        for name, _ in _imports(code, number):
            yield Fact(Kind.IMPORT, bounded(name), span, moment, "bytecode")
        yield from _acts(code, imported, span, moment)


def _named(codes: list[Code], moment: Moment) -> Strings:
    """Return what the constants name of the code that runs at a moment."""
    mine = (code for code in codes if _moment(code) is moment)
    return text_facts(((constant, _span(code)) for code in mine for constant in code.constants), moment)


def _moment(code: Code) -> Moment:
    return Moment.LOAD if code.name == "<module>" else Moment.CALL


def _span(code: Code) -> Span:
    return Span(1, code.start, code.start, code.end)


def _acts(code: Code, imported: set[str], span: Span, moment: Moment) -> Iterator[Fact]:
    used = set(code.names)
    for kind, module, names in _ACTS:
        if module in imported:
            for name in names.split():
                if name in used and (module in used or module not in {"requests", "httpx", "pickle", "os"}):
                    yield Fact(kind, f"{module}.{name}", span, moment, "bytecode")
    for name in _BUILT_IN:
        if name in used and not (name == "compile" and "re" in used):
            yield Fact(Kind.CODE_EVAL, name, span, moment, "bytecode")
    for name in _DECODERS:
        if name in used:
            yield Fact(Kind.DECODE, name, span, moment, "bytecode")


def _imports(code: Code, number: int) -> Iterator[tuple[str, int]]:
    """Yield what the instructions of one code object import: each is two bytes, an argument may be extended."""
    wanted, extended = next((one, two) for first, one, two in reversed(_INSTRUCTIONS) if number >= first)
    argument = 0
    for at in range(0, len(code.instructions) - 1, 2):
        operation, value = code.instructions[at], code.instructions[at + 1]
        argument = argument << 8 | value
        if operation == extended:
            argument &= 0xFFFFFF
            continue
        if operation == wanted and argument < len(code.names):
            yield code.names[argument], at
        argument = 0
