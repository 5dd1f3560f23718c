"""Confinement: what is in force is told truthfully, and a machine without a layer says so."""

import os
from collections.abc import Callable, Iterator
from typing import cast

import pytest

from lazaretto.core.language import LanguageModule
from lazaretto.infra import _landlock, _seccomp
from lazaretto.infra.confined import Bounds, Cage, Confinement, readable_paths
from lazaretto.infra.engine import Engine
from tests.infra.fakes import words


def in_child(work: Callable[[], bytes]) -> bytes:
    """Return what ``work`` returns in a forked process, which then ends."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.write(writing, work())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return answer


@pytest.fixture
def engine() -> Iterator[Engine]:
    """An engine of one reader."""
    with Engine([cast("LanguageModule", words)], workers=1) as made:
        yield made


def test_every_layer_is_in_force_here(engine: Engine) -> None:
    """On Linux with Landlock and seccomp, all four layers hold; the report names each."""
    confinement = engine.confinement()

    assert list(confinement.in_force) == ["limits", "privileges", "landlock", "seccomp"]
    assert confinement.complete
    assert engine.confinement() is confinement


def test_absent_layers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without Landlock, a machine whose system calls are not known: told, the rest still holds."""

    def refuse(_: object) -> str:
        raise OSError(38, "Landlock: Function not implemented")

    monkeypatch.setattr(_landlock, "prepare", refuse)
    monkeypatch.setattr(_seccomp, "_MACHINES", {})
    parent = os.getpid()

    def work() -> bytes:
        found = Cage(Bounds(), ()).enter(parent)
        return "|".join([*found.in_force, *found.absent, *found.absent.values()]).encode()

    told = in_child(work).decode()

    assert told.startswith("limits|privileges|landlock|seccomp|")
    assert "Function not implemented" in told
    assert "are not known" in told


def test_an_orphan_does_not_start() -> None:
    """A reader whose parent died before it could be told ends at once."""

    def work() -> bytes:
        Cage(Bounds(), ()).enter(1 << 30)
        return b"went on"

    assert in_child(work) == b""


def test_an_incomplete_confinement_says_so() -> None:
    """One absent layer is enough."""
    assert Confinement({"limits": "x"}, {}).complete
    assert not Confinement({"limits": "x"}, {"landlock": "why"}).complete


def test_nothing_of_the_user_is_readable() -> None:
    """Neither the home folder, nor the folder one works in, nor configuration, is among what a reader may open."""
    paths = readable_paths()

    assert paths
    for private in (os.path.expanduser("~"), "/etc", "/", "/tmp", "/proc", "/var", "/home", "/root"):
        assert private not in paths


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_is_well_formed(machine: str) -> None:
    """Every jump of the filter lands inside it, every path ends in an answer, and no call is in two lists."""
    known = _seccomp._MACHINES[machine]
    steps = list(_seccomp._program(known, 1234))

    assert steps[-1][0] == _seccomp._RETURN
    for at, (operation, if_true, if_false, _) in enumerate(steps):
        if operation in {_seccomp._EQUAL, _seccomp._AT_LEAST, _seccomp._ANY_BIT}:
            assert at + 1 + max(if_true, if_false) < len(steps)
    special = [*known.open_flags, known.tgkill, known.prlimit]
    assert len({*known.allowed, *known.killed, *special}) == len(known.allowed) + len(known.killed) + len(special)
    assert len(steps) < 4096


def evaluate(machine: str, number: int, arguments: tuple[int, ...] = (), audit: int | None = None) -> int:
    """Return what the filter answers to a system call."""
    known = _seccomp._MACHINES[machine]
    data = {0: number, 4: known.audit if audit is None else audit} | {16 + 8 * i: v for i, v in enumerate(arguments)}
    steps = list(_seccomp._program(known, 1234))
    at = held = 0
    while True:
        operation, if_true, if_false, operand = steps[at]
        at += 1
        if operation == _seccomp._RETURN:
            return operand
        if operation == _seccomp._LOAD:
            held = data.get(operand, 0)
            continue
        tests = {_seccomp._EQUAL: held == operand, _seccomp._AT_LEAST: held >= operand}
        at += if_true if tests.get(operation, bool(held & operand)) else if_false


def test_what_the_filter_answers() -> None:
    """Reading is allowed, writing an open file is not, other machines' numbers kill, unknown calls fail."""
    allow, kill = _seccomp._ALLOW, _seccomp._KILL

    assert evaluate("x86_64", 0) == allow
    assert evaluate("x86_64", 257, (0, 0, os.O_RDONLY | os.O_CLOEXEC)) == allow
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC, os.O_TMPFILE):
        assert evaluate("x86_64", 257, (0, 0, flags)) == _seccomp._ERRNO | 13
        assert evaluate("x86_64", 2, (0, flags)) == _seccomp._ERRNO | 13
    assert evaluate("x86_64", 59) == kill
    assert evaluate("x86_64", 0, audit=0x40000003) == kill
    assert evaluate("x86_64", 0x40000000) == kill
    assert evaluate("x86_64", 234, (1234,)) == allow
    assert evaluate("x86_64", 234, (1,)) == _seccomp._ERRNO | 1
    assert evaluate("x86_64", 302, (1,)) == _seccomp._ERRNO | 1
    assert evaluate("x86_64", 435) == _seccomp._ERRNO | 38
    assert evaluate("x86_64", 9999) == _seccomp._ERRNO | 1
    assert evaluate("aarch64", 221) == kill
    assert evaluate("aarch64", 63) == allow
