"""Hives are looked into by a process that can do nothing else, and that is believed as little as they are."""

import socket
from collections.abc import Iterator

import pytest
from msgspec import msgpack

from lazaretto.app.ports import EngineError
from lazaretto.core.hive import find
from lazaretto.core.hive.find import Answer, Hit, Wanted
from lazaretto.infra import _wire as wire
from lazaretto.infra._reader import NO_MEMORY, _search
from lazaretto.infra.confined import Bounds
from lazaretto.infra.hives import HiveReaders, _believed
from tests.hives import Value, hive, key

WANTED = (Wanted(0, ("A", "B")), Wanted(1, ("A", "C")))


@pytest.fixture
def readers() -> Iterator[HiveReaders]:
    """Readers."""
    with HiveReaders() as made:
        yield made


def test_each_hive_has_a_reader_of_its_own(readers: HiveReaders) -> None:
    """One after the other, one of them larger than a socket holds at once, one that is none."""
    answer = readers.look(hive(key("A", Value("B", "x"))), (), WANTED)
    assert [(hit.number, hit.key, hit.value) for hit in answer.hits] == [(0, "A", "B")]
    large = hive(key("A", key("C"), Value("L", b"x" * (4 << 20), 3)))
    assert [hit.number for hit in readers.look(large, (b"", b"no log"), WANTED).hits] == [1]
    assert readers.look(b"", (), WANTED) == Answer(gaps=("is too short to be a hive",))


@pytest.mark.parametrize(("error", "reason"), [(ZeroDivisionError, "ZeroDivisionError"), (MemoryError, NO_MEMORY)])
def test_a_reader_that_fails_says_so(error: type[Exception], reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a hive does to it: a fault of ours, or no memory left."""

    def fail(*_: object) -> Answer:
        raise error

    monkeypatch.setattr(find, "look", fail)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        _search(theirs, wire.Search(msgpack.encode(WANTED), (4,)), b"regf")
        channel = wire.Channel(ours)
        ((message, _),) = channel.receive()
    assert isinstance(message, wire.Failed)
    assert reason in message.reason


def test_a_hive_that_takes_too_long_is_left() -> None:
    """Its reader is ended, and the next hive has another."""
    large = hive(key("A", Value("B", b"." * (1 << 20), 3)))
    much = tuple(Wanted(number, ("A",), f"not there {number}") for number in range(900))  # ten seconds and more
    with HiveReaders(Bounds(cpu=0, wall=0.2)) as readers:
        with pytest.raises(EngineError, match=r"took too long|processor time"):
            readers.look(large, (), much)
        assert readers.look(hive(key("A", Value("B", "x"))), (), WANTED).hits


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense",
        msgpack.encode(Answer((Hit(2, "A", None, 0),))),
        msgpack.encode(Answer((Hit(0, "A", None, 1 << 62),))),
        msgpack.encode(Answer(gaps=("x",) * 1000)),
        msgpack.encode(Answer((Hit(0, "A", None, 0),) * 2000)),
    ],
)
def test_an_answer_that_cannot_be_one_is_refused(answer: bytes) -> None:
    """Another number than was asked for, a time that is none, more than there can be."""
    with pytest.raises(EngineError, match="nonsense"):
        _believed(answer, WANTED)
