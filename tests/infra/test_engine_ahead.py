"""What an engine does before it is asked: archives begun ahead, readers with everything loaded, an early zygote."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from lazaretto.app.ports import EngineError
from lazaretto.core.language import LanguageModule
from lazaretto.core.model import Artifact, ArtifactKind
from lazaretto.infra import _zygote
from lazaretto.infra.confined import Bounds
from lazaretto.infra.engine import Engine, InlineEngine, engine_for
from lazaretto.infra.facts_cache import FactsCache
from lazaretto.languages import javascript, python, text
from tests.core.packing import honest_tgz
from tests.infra.reading import job
from tests.infra.test_engine import facts_of

LANGUAGES = [cast("LanguageModule", module) for module in (javascript, python, text)]
SHIPPED = list({id(module): module for module in _zygote.shipped().values()}.values())
OLD = (Artifact("old.tgz", ArtifactKind.TARBALL, ""), honest_tgz({"package/a.js": b"a()", "package/b": b"same"}))
NEW = (Artifact("new.tgz", ArtifactKind.TARBALL, ""), honest_tgz({"package/a.js": b"b()", "package/b": b"same"}))
BROKEN = (Artifact("broken.tgz", ArtifactKind.TARBALL, ""), b"no archive")


@pytest.fixture(autouse=True)
def no_early_zygote() -> Iterator[None]:
    """End what a test has started and nobody has taken."""
    yield
    while _zygote._early:
        _zygote._early.pop().close()


@pytest.mark.parametrize("turns", [0, 1, 5])
def test_begun_ahead_it_gives_the_same(turns: int) -> None:
    """However often it is listened to in between, what was begun ahead is what unpacking gives."""
    with Engine(LANGUAGES, workers=2) as engine:
        for items in ([NEW, OLD], [NEW, BROKEN, OLD]):
            engine.ahead(items)
            for _ in range(turns):
                engine.turn()
            found = engine.unpack_many(items)
            assert [str(one) for one in found] == [str(one) for one in InlineEngine(LANGUAGES).unpack_many(items)]


def test_other_archives_than_those_begun() -> None:
    """Who asks for something else gets that; the readers of what was begun are free again."""
    with Engine(LANGUAGES, workers=1) as engine:
        engine.ahead([OLD])
        assert engine.unpack_many([NEW]) == InlineEngine(LANGUAGES).unpack_many([NEW])
        assert engine.unpack_many([OLD]) == InlineEngine(LANGUAGES).unpack_many([OLD])
        engine.ahead([])
        assert engine.unpack_many([]) == []


def test_a_reader_that_dies_ahead() -> None:
    """At most one archive is refused for it, as ever; the others are unpacked."""
    with Engine(LANGUAGES, workers=1) as engine:
        engine.ahead([OLD])
        assert engine._ahead is not None
        os.kill(engine._ahead._readers[0].pid, 9)
        results = [engine.unpack_many([OLD])[0] for _ in range(3)]
        (honest,) = InlineEngine(LANGUAGES).unpack_many([OLD])
        assert [result for result in results if result != honest] == [r for r in results if isinstance(r, EngineError)]
        assert results.count(honest) >= 2


def test_a_reader_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error for the archive, however early it was asked for."""
    with Engine(LANGUAGES, workers=1) as engine:
        monkeypatch.setattr(engine._pool._zygote, "_answer", lambda: -12)
        engine.ahead([OLD])
        with pytest.raises(EngineError, match="no reader could be started"):
            _ = engine._ahead and engine._ahead._readers[0].pid


def test_who_reads_finds_it_loaded() -> None:
    """Readers that are there to unpack do not read where a language is expected: those that do have it already."""
    with Engine(LANGUAGES, workers=1, expect=["javascript"]) as engine:
        (raw,) = engine._pool.take(1)
        before = raw.pid
        engine._pool.give_back([raw])
        assert raw.raw
        ((_, facts),) = engine.read([job(b"require('child_process').exec('id')", "javascript")])
        (warm,) = engine._pool.take(1)
        engine._pool.give_back([warm])
        assert facts.facts
        assert not warm.raw
        assert warm.pid != before


@pytest.mark.parametrize("likely", [None, "npm", "pypi", "nobody's"])
def test_a_zygote_from_before_the_program(tmp_path: Path, likely: str | None) -> None:
    """It is taken once, by an engine with the same bounds, and gives the same facts, whatever was expected of it."""
    code = [job(b"require('child_process').exec('id')", "javascript"), job(b"import os", "python")]
    _zygote.start_early(likely)
    early = _zygote._early[0]
    assert _zygote.take_early(Bounds(cpu=1)) is None
    engine = engine_for(SHIPPED, 2, FactsCache(tmp_path), ["npm"])
    assert isinstance(engine, Engine)
    with engine:
        assert engine._pool._zygote is early
        assert _zygote.take_early(Bounds()) is None
        assert sorted(engine.read(code), key=repr) == sorted(InlineEngine(SHIPPED).read(code), key=repr)


def test_readers_for_one_artifact_each_find_everything_loaded() -> None:
    """However many dialects the languages have that come with the program."""
    with Engine(SHIPPED, workers=1, single_use=True) as engine:
        assert engine.confinement().complete
        assert facts_of(engine, [job(b"import os", "python")])["a", "python"].facts


def test_no_process_is_waited_for_and_none_is_left() -> None:
    """Closing does not wait for a zygote that is loading; it is gone all the same soon after."""
    engines = [Engine(LANGUAGES, workers=1, expect=["javascript", "python"]) for _ in range(2)]
    pids = [engine._pool._zygote.pid for engine in engines]
    for engine in engines:
        engine.close()
    while _zygote._ended:
        _zygote._reap()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
