"""Mach-O programs and libraries (macOS), single and universal: libraries, imported functions, packed code, strings.

Read are the load commands and the symbol table (Apple's ``mach-o/loader.h`` and ``nlist.h``) of every architecture.

## What it cannot see
Machine code is not disassembled. What is found by name at run time (``dlsym``, Objective-C selectors, Swift's tables)
is not seen. Signatures and entitlements are not read; strings that are built or encrypted are not either.
"""

from collections.abc import Iterator

from lazaretto.core.facts import Facts
from lazaretto.core.language import Claim, Units
from lazaretto.languages._magic import is_universal
from lazaretto.languages._native import Malformed, Program, TooMany, View

ID = "macho"
VERSION = 2
DIALECTS = ("macho",)
"""Every dialect that ``read`` takes."""

MAX_ARCHITECTURES = 16
"""Most programs in one universal file."""

MAX_COMMANDS = 10_000
"""Most load commands of one program."""

_FAT = {b"\xca\xfe\xba\xbe": 4, b"\xca\xfe\xba\xbf": 8}
_MAGIC = {
    b"\xce\xfa\xed\xfe": (False, "little"),
    b"\xcf\xfa\xed\xfe": (True, "little"),
    b"\xfe\xed\xfa\xce": (False, "big"),
    b"\xfe\xed\xfa\xcf": (True, "big"),
}
_SEGMENT, _SEGMENT_64, _SYMTAB = 0x1, 0x19, 0x2
_DYLIB = frozenset({0xC, 0x80000018, 0x8000001F, 0x20, 0x80000023})  # load, weak, re-exported, lazy, upward
_EXECUTE = 4


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read what the module ``binary`` hands over: it goes first, and says what the file is."""
    fat = data[:4] in _FAT and (data[3:4] == b"\xbf" or is_universal(data))
    return Claim("macho", 60) if data[:4] in _MAGIC or fat else None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return the facts of a file. Never raises: tables that do not hold are told, as those of a broken picture."""
    program = Program(ID)
    try:
        slices = list(_slices(data))
        for offset, size in slices:
            _tell(program, data[offset : offset + size], offset)
        program.overlay(len(data), max((offset + size for offset, size in slices), default=0))
    except Malformed as error:
        program.malformed(ID, error)
    return program.finish(data)


def _slices(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield offset and size of each program in the file."""
    word = _FAT.get(data[:4])
    if word is None:
        yield 0, len(data)
        return
    view = View(data, "big")
    count = view.number(4, 4)
    if count > MAX_ARCHITECTURES:
        raise TooMany(f"{count} architectures")
    for index in range(count):
        at = 8 + index * (8 + 2 * word + (4 if word == 4 else 8)) + 8
        offset, size = view.number(at, word), view.number(at + word, word)
        if offset < 8 or offset + size > len(data):
            raise Malformed(f"architecture {index} stands out of the file")
        yield offset, size


def _tell(program: Program, data: bytes, base: int) -> None:
    """Note what one program says; ``base`` is where it begins in the file."""
    kind = _MAGIC.get(data[:4])
    if kind is None:
        raise Malformed("no Mach-O header")
    wide, order = kind
    view = View(data, order)
    at = 32 if wide else 28
    count = view.number(16, 4)
    if count > MAX_COMMANDS:
        raise TooMany(f"{count} load commands")
    libraries: list[tuple[str, int]] = []
    for _ in range(count):
        command, size = view.number(at, 4), view.number(at + 4, 4)
        if size < 8:
            raise Malformed(f"a load command of {size} bytes")
        if command in _DYLIB:
            name = at + view.number(at + 8, 4)
            libraries.append((view.text(name), base + name))
        elif command in (_SEGMENT, _SEGMENT_64):
            _segment(program, view, at, base, wide=command == _SEGMENT_64)
        elif command == _SYMTAB:
            _symbols(program, view, at, base, wide=wide)
        at += size
    program.libraries(libraries)


def _segment(program: Program, view: View, at: int, base: int, *, wide: bool) -> None:
    word = 8 if wide else 4
    offset = view.number(at + 24 + 2 * word, word)
    size = view.number(at + 24 + 3 * word, word)
    protection = view.number(at + 28 + 4 * word, 4)
    if protection & _EXECUTE and size:
        program.code(view.text(at + 8, 16), view.data, offset, offset + size, base)


def _symbols(program: Program, view: View, at: int, base: int, *, wide: bool) -> None:
    """Note the functions that the symbol table names and does not define."""
    table, count, texts = (view.number(at + 8 + 4 * index, 4) for index in range(3))
    step = 16 if wide else 12
    for index in program.symbols(min(count, len(view.data) // step)):
        entry = table + step * index
        kind = view.number(entry + 4, 1)
        # An external symbol of no section, and not one of a debugger: it comes from a library.
        if kind & 0x01 and not kind & 0xEE and (name := view.number(entry, 4)):
            text = view.text(texts + name, 64)
            plain = text.removeprefix("_OBJC_CLASS_$").removeprefix("_").partition("$")[0]
            program.imported(plain, base + texts + name)
