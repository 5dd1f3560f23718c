"""ELF programs and libraries: what they load, which functions they import, packed code, and what their strings name.

Read are the header, the program headers, the dynamic section and the dynamic symbols (System V ABI, chapters 4 and 5).

## What it cannot see
Machine code is not disassembled: what a function does, and with which argument, is not known. A statically linked
program (Go, Rust with musl) imports nothing, and its system calls are not seen; nor are functions found by name at run
time (``dlsym``). Strings that are built, encrypted or compressed are not read. Debug information is not looked at.
"""

from collections.abc import Iterator

from lazaretto.core.facts import Facts
from lazaretto.core.language import Claim, Units
from lazaretto.languages._native import MAX_LIBRARIES, Malformed, Program, TooMany, View

ID = "elf"
VERSION = 2
DIALECTS = ("elf",)
"""Every dialect that ``read`` takes."""

MAX_HEADERS = 4096
"""Most program and section headers of one file."""

_LOAD, _DYNAMIC = 1, 2
_NEEDED, _STRTAB = 1, 5
_DYNSYM = 11
_EXECUTE = 1


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read what the module ``binary`` hands over: it goes first, and says what the file is."""
    return Claim("elf", 60) if data.startswith(b"\x7fELF") else None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return the facts of a file. Never raises: a table that does not hold is a problem."""
    program = Program(ID)
    if data[:4] == b"\x7fELF" and data[4:5] in (b"\1", b"\2") and data[5:6] in (b"\1", b"\2"):
        try:
            _File(data).tell(program)
        except Malformed as error:
            program.malformed(ID, error)
    else:
        program.malformed(ID)
    return program.finish(data)


class _File:
    """One file of either class and byte order."""

    def __init__(self, data: bytes) -> None:
        self._wide = data[4] == 2
        self._view = View(data, "little" if data[5] == 1 else "big")
        self._size = len(data)
        word = 8 if self._wide else 4
        at = 24 + word
        self._programs = self._view.number(at, word)
        self._sections = self._view.number(at + word, word)
        counts = at + 2 * word + 4  # e_flags stands before e_ehsize
        self._half = [self._view.number(counts + 2 * index, 2) for index in range(6)]
        self._word = word
        self._loads = list(self._segments())

    def tell(self, program: Program) -> None:
        """Note everything that the headers say."""
        needed: list[int] = []
        address = 0
        for kind, _flags, offset, _start, size in self._loads:
            if kind == _DYNAMIC:
                for tag, value in self._dynamic(offset, size):
                    if tag == _NEEDED and len(needed) <= MAX_LIBRARIES:
                        needed.append(value)
                    elif tag == _STRTAB:
                        address = value
        texts = self._offset(address) if needed and address else 0
        if needed and texts:
            program.libraries((self._view.text(texts + name), texts + name) for name in needed)
        end = max((offset + size for kind, _f, offset, _a, size in self._loads if kind == _LOAD), default=0)
        for kind, flags, offset, _start, size in self._loads:
            if kind == _LOAD and flags & _EXECUTE:
                program.code("code", self._view.data, offset, offset + size)
        end = max(end, self._tell_sections(program))
        program.overlay(self._size, min(end, self._size))

    def _segments(self) -> Iterator[tuple[int, int, int, int, int]]:
        """Yield type, flags, offset, address and size in the file of every segment."""
        size, count = self._half[1], self._half[2]
        if count > MAX_HEADERS:
            raise TooMany(f"{count} program headers")
        number, word = self._view.number, self._word
        for index in range(count):
            at = self._programs + index * size
            flags = number(at + 4, 4) if self._wide else number(at + 24, 4)
            at_offset = at + (8 if self._wide else 4)
            offset, address = number(at_offset, word), number(at_offset + word, word)
            yield number(at, 4), flags, offset, address, number(at_offset + 3 * word, word)

    def _dynamic(self, offset: int, size: int) -> Iterator[tuple[int, int]]:
        for at in range(offset, min(offset + size, self._size), 2 * self._word):
            tag = self._view.number(at, self._word)
            if tag == 0:
                return
            yield tag, self._view.number(at + self._word, self._word)

    def _offset(self, address: int) -> int:
        """Return where in the file an address of memory is loaded from."""
        for kind, _flags, offset, start, size in self._loads:
            if kind == _LOAD and start <= address < start + size:
                return offset + address - start
        raise Malformed(f"the address {address:#x} is not loaded from the file")

    def _tell_sections(self, program: Program) -> int:
        """Note the functions that the dynamic symbols import; return where the last section ends."""
        size, count = self._half[3], self._half[4]
        if not self._sections or not count:
            return 0
        if count > MAX_HEADERS:
            raise TooMany(f"{count} section headers")
        word, number = self._word, self._view.number
        end = self._sections + size * count
        heads: list[tuple[int, int, int, int]] = []
        for index in range(count):
            at = self._sections + index * size
            offset, length = number(at + 8 + 2 * word, word), number(at + 8 + 3 * word, word)
            kind = number(at + 4, 4)
            heads.append((kind, offset, length, number(at + 8 + 4 * word, 4)))
            if kind != 8:  # SHT_NOBITS takes no room in the file
                end = max(end, offset + length)
        for kind, offset, length, link in heads:
            if kind == _DYNSYM and link < len(heads):
                self._imports(program, offset, length, heads[link][1])
        return end

    def _imports(self, program: Program, offset: int, length: int, texts: int) -> None:
        size = 24 if self._wide else 16
        section = 6 if self._wide else 14
        for index in program.symbols(min(length, self._size) // size):
            at = offset + index * size
            if self._view.number(at + section, 2) == 0 and (name := self._view.number(at, 4)):
                program.imported(self._view.text(texts + name, 64), texts + name)
