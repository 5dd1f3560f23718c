"""WebAssembly modules and components: imports, and what the strings in their data name.

Read are the sections as the core specification (5.5) writes them; of a component, the modules inside it.

## What it cannot see
The code of functions is not read: what is computed, and what is passed to an imported function, is not known. What the
host offers under a name of its own (``env.a``) says nothing about what it does: the JavaScript that loads the module
says that. Strings that are built at run time or encrypted are not seen.
"""

from collections.abc import Iterator

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.language import Claim, Units
from lazaretto.languages._native import Malformed, Program, TooMany, chunks, leb128

ID = "wasm"
VERSION = 2
DIALECTS = ("wasm",)
"""Every dialect that ``read`` takes."""

MAX_ITEMS = 100_000
"""Most imports of one module, and most sections."""

MAX_NESTED = 64
"""Most modules that are read inside one component."""

_MAGIC = b"\0asm"
_MODULE, _COMPONENT = b"\1\0\0\0", b"\1\0"
_CORE_MODULE, _IMPORTS, _NESTED = 1, 2, 4
_ACTS = (
    ("sock_connect", Kind.NET_CONNECT),
    ("sock_listen", Kind.NET_LISTEN),
    ("__syscall_connect", Kind.NET_CONNECT),
    ("__syscall_execve", Kind.PROCESS_SPAWN),
    ("emscripten_run_script", Kind.CODE_EVAL),
    ("emscripten_fetch", Kind.NET_CONNECT),
    ("emscripten_async_wget", Kind.NET_CONNECT),
    ("__wbg_eval_", Kind.CODE_EVAL),
    ("__wbg_fetch_", Kind.NET_CONNECT),
    ("__wbg_newwithstr_", Kind.NET_CONNECT),  # WebSocket
)
_INTERFACES = (
    ("wasi:http/outgoing-handler", Kind.NET_CONNECT),
    ("wasi:sockets/tcp", Kind.NET_CONNECT),
    ("wasi:sockets/ip-name-lookup", Kind.DNS_QUERY),
)


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read what the module ``binary`` hands over: it goes first, and says what the file is."""
    return Claim("wasm", 60) if data.startswith(_MAGIC) else None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return the facts of a file. Never raises: a structure that does not hold is a problem."""
    program = Program(ID)
    try:
        _tell(program, data, 0, len(data), [MAX_NESTED])
    except Malformed as error:
        program.problem(f"malformed WebAssembly: {error}", unread=isinstance(error, TooMany))
    return program.finish(data)


def _tell(program: Program, data: bytes, start: int, end: int, room: list[int]) -> None:
    """Note what the module or component between two offsets imports."""
    if data[start : start + 4] != _MAGIC:
        raise Malformed("no WebAssembly header")
    component = data[start + 6 : start + 8] == _COMPONENT
    if not component and data[start + 4 : start + 8] != _MODULE:
        raise Malformed(f"version {data[start + 4 : start + 8].hex()} is unknown")
    for kind, at, stop in _sections(data, start + 8, end):
        if not component:
            if kind == _IMPORTS:
                _imports(program, data, at, stop)
        elif kind in (_CORE_MODULE, _NESTED):
            room[0] -= 1
            if room[0] < 0:
                raise TooMany(f"more than {MAX_NESTED} modules in a component")
            _tell(program, data, at, stop, room)
        elif kind == 10:
            _interfaces(program, data, at, stop)


def _sections(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, first and last offset of every section."""
    count = 0
    while at < end:
        kind = data[at]
        size, at = leb128(data, at + 1)
        count += 1
        if count > MAX_ITEMS:
            raise TooMany(f"more than {MAX_ITEMS} sections")
        if at + size > end:
            raise Malformed(f"the section at offset {at} leads out of the file")
        yield kind, at, at + size
        at += size


def _name(data: bytes, at: int, end: int) -> tuple[str, int]:
    size, at = leb128(data, at)
    if at + size > end:
        raise Malformed(f"the name at offset {at} leads out of its section")
    return data[at : at + size].decode("utf-8", "replace"), at + size


def _imports(program: Program, data: bytes, at: int, end: int) -> None:
    """Note the modules that are imported from, and what imported functions can do."""
    count, at = leb128(data, at)
    modules: dict[str, int] = {}
    for _ in chunks(count, MAX_ITEMS, "imports"):
        module, after = _name(data, at, end)
        modules.setdefault(module, at + 1)
        name, kind_at = _name(data, after, end)
        for prefix, kind in _ACTS:
            if name.startswith(prefix):
                program.fact(kind, name, after, kind_at, via="symbol")
        at = _description(data, kind_at, end)
    program.libraries(modules.items())


def _description(data: bytes, at: int, end: int) -> int:
    """Return the offset behind what is said of an import: a function, table, memory, global or tag."""
    if at >= end:
        raise Malformed("an import without a type")
    kind = data[at]
    at += 1
    if kind == 0:  # a type of functions
        return leb128(data, at)[1]
    if kind == 4:  # a tag: an attribute and a type
        return leb128(data, at + 1)[1]
    if kind == 3:  # a global: a type of values, and whether it changes
        return _value_type(data, at, end) + 1
    if kind == 1:
        return _bounds(data, _value_type(data, at, end))
    if kind == 2:
        return _bounds(data, at)
    raise Malformed(f"an import of kind {kind}")


def _value_type(data: bytes, at: int, end: int) -> int:
    """Return the offset behind a type: one byte, or a reference with what it refers to."""
    if at >= end:
        raise Malformed("a type leads out of its section")
    return leb128(data, at + 1, 33)[1] if data[at] in (0x63, 0x64) else at + 1


def _bounds(data: bytes, at: int) -> int:
    """Return the offset behind the limits of a table or memory."""
    if at >= len(data):
        raise Malformed("limits lead out of the file")
    flags = data[at]
    at = leb128(data, at + 1, 64)[1]
    if flags & 1:
        at = leb128(data, at, 64)[1]
    return leb128(data, at)[1] if flags & 8 else at


def _interfaces(program: Program, data: bytes, at: int, end: int) -> None:
    """Note the interfaces that a component imports, by their names alone."""
    for name, kind in _INTERFACES:
        place = data.find(name.encode(), at, end)
        if place >= 0:
            program.fact(kind, name, place, place + len(name), via="symbol")
