"""PE programs and libraries (Windows): imports, also delayed ones, packed sections, overlays, and what strings name.

Read are the headers, the section table and the import tables (Microsoft's PE format). Strings are searched in ASCII
and in UTF-16.

## What it cannot see
Machine code is not disassembled. Functions that are found at run time (``GetProcAddress`` with a built name) are not
seen, nor is what a .NET assembly does beside its strings: its metadata are not read. Resources are only searched for
strings. Signatures are not verified.
"""

from collections.abc import Iterator

from msgspec import Struct

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.language import Claim, Units
from lazaretto.languages._native import MAX_LIBRARIES, MAX_SYMBOLS, Malformed, Program, TooMany, View

ID = "pe"
VERSION = 3
DIALECTS = ("pe",)
"""Every dialect that ``read`` takes."""

MAX_SECTIONS = 96
"""Most sections of one image, as Windows loads them."""

_IMPORT, _CERTIFICATE, _DELAYED, _CLR = 1, 4, 13, 14
_EXECUTE = 0x20000000


class _Section(Struct, frozen=True):
    name: str
    address: int
    size: int
    offset: int
    raw: int
    flags: int


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read what the module ``binary`` hands over: it goes first, and says what the file is."""
    return Claim("pe", 60) if data.startswith(b"MZ") and b"\0" in data[:64] else None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return the facts of a file. Never raises: tables that do not hold are told, as those of a broken picture."""
    program = Program(ID)
    at = int.from_bytes(data[60:64], "little")
    if data[:2] == b"MZ" and data[at : at + 4] == b"PE\0\0":
        try:
            _Image(data, at).tell(program)
        except Malformed as error:
            program.malformed(ID, error)
    elif data[:2] != b"MZ":
        program.malformed(ID)
    return program.finish(data, wide=True)


class _Image:
    """One image, of either width."""

    def __init__(self, data: bytes, at: int) -> None:
        self._view = View(data)
        self._size = len(data)
        count, optional = self._view.number(at + 6, 2), self._view.number(at + 20, 2)
        self._wide = self._view.number(at + 24, 2) == 0x20B
        directories = at + 24 + (112 if self._wide else 96)
        known = min(self._view.number(directories - 4, 4), 16)
        self._directories = [
            (self._view.number(directories + 8 * index, 4), self._view.number(directories + 8 * index + 4, 4))
            for index in range(known)
        ]
        if count > MAX_SECTIONS:
            raise TooMany(f"{count} sections")
        table = at + 24 + optional
        self._sections = [self._section(table + 40 * index) for index in range(count)]

    def tell(self, program: Program) -> None:
        """Note everything that the headers say."""
        end = 0
        for section in self._sections:
            end = max(end, section.offset + section.raw)
            if section.flags & _EXECUTE:
                program.code(section.name, self._view.data, section.offset, section.offset + section.raw)
        certificate, size = self._directory(_CERTIFICATE)  # the only directory whose address is an offset in the file
        if certificate >= end and size:
            end = certificate + size
        program.overlay(self._size, min(end, self._size))
        if self._directory(_CLR)[0]:
            program.fact(Kind.BINARY, "dotnet", 0, 2)
        self._budget = MAX_SYMBOLS
        libraries: list[tuple[str, int]] = []
        for directory, step, name, thunks in ((_IMPORT, 20, 12, (0, 16)), (_DELAYED, 32, 4, (16,))):
            address, _ = self._directory(directory)
            if address:
                libraries += self._imports(program, self._offset(address), step, name, thunks)
        program.libraries(libraries)

    def _section(self, at: int) -> _Section:
        number = self._view.number
        name = self._view.data[at : at + 8].rstrip(b"\0").decode("latin-1")
        return _Section(
            name, number(at + 12, 4), number(at + 8, 4), number(at + 20, 4), number(at + 16, 4), number(at + 36, 4)
        )

    def _directory(self, index: int) -> tuple[int, int]:
        return self._directories[index] if index < len(self._directories) else (0, 0)

    def _offset(self, address: int) -> int:
        """Return where in the file an address relative to the image is loaded from."""
        for section in self._sections:
            if section.address <= address < section.address + max(section.size, section.raw):
                return section.offset + address - section.address
        if address < 4096:
            return address  # the headers are loaded as they stand
        raise Malformed(f"the address {address:#x} is not loaded from the file")

    def _imports(
        self, program: Program, at: int, step: int, name: int, thunks: tuple[int, ...]
    ) -> Iterator[tuple[str, int]]:
        """Yield the libraries of an import table, and note the functions that are imported from each."""
        for index in range(MAX_LIBRARIES + 1):
            entry = at + step * index
            address = self._view.number(entry + name, 4)
            if not address:
                return
            place = self._offset(address)
            yield self._view.text(place, 260), place
            table = next((found for thunk in thunks if (found := self._view.number(entry + thunk, 4))), 0)
            if table:
                self._functions(program, self._offset(table))

    def _functions(self, program: Program, at: int) -> None:
        width = 8 if self._wide else 4
        by_number = 1 << (8 * width - 1)
        while self._budget:
            self._budget -= 1
            entry = self._view.number(at, width)
            at += width
            if not entry:
                return
            if not entry & by_number:
                place = self._offset(entry & 0x7FFFFFFF) + 2  # a hint stands before the name
                program.imported(self._view.text(place, 64), place)
        program.problem(f"more than {MAX_SYMBOLS} imported functions: not all were looked at", unread=True)
