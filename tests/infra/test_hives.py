"""Hives are looked into by a process that can do nothing else, and that is believed as little as they are."""

from collections.abc import Callable, Iterator

import pytest
from msgspec import msgpack

from lazaretto.app.ports import EngineError
from lazaretto.core.hive import find
from lazaretto.core.hive.find import Answer, Hit, Wanted
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


def broken(*_: object) -> Answer:
    """Stand for a fault of our own."""
    raise ZeroDivisionError


def greedy(*_: object) -> Answer:
    """Stand for a hive that fills the memory."""
    raise MemoryError


def endless(*_: object) -> Answer:
    """Stand for a hive that takes for ever."""
    while True:
        pass


@pytest.mark.parametrize(
    ("look", "reason"),
    [(broken, "ZeroDivisionError"), (greedy, "out of memory"), (endless, "took too long|processor time")],
)
def test_a_reader_that_fails_is_told(look: Callable[..., Answer], reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault, no memory left, no end: the hive was not looked into, and the next one is."""
    with monkeypatch.context() as patched:
        patched.setattr(find, "look", look)
        with HiveReaders(Bounds(cpu=1, wall=1.0)) as readers, pytest.raises(EngineError, match=reason):
            readers.look(hive(key("A")), (), WANTED)


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
