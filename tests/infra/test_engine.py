"""The engine: confined, it gives what the same work gives in this process, and survives every misdeed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast
from zipfile import ZIP_STORED

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.ports import ArchiveError, EngineError, Job
from lazaretto.core.archive import Limits
from lazaretto.core.facts import Facts
from lazaretto.core.language import LanguageModule
from lazaretto.core.model import Artifact, ArtifactKind
from lazaretto.core.names import Digest
from lazaretto.core.tree import Blob, Tree
from lazaretto.infra import _pool, _work
from lazaretto.infra._pool import Reader
from lazaretto.infra.confined import Bounds
from lazaretto.infra.engine import Engine, InlineEngine
from lazaretto.infra.facts_cache import FactsCache
from lazaretto.languages import javascript, python, text
from tests.core.packing import honest_tgz, honest_zip
from tests.infra.fakes import broken, counting, hoarding, hostile, odd, words
from tests.infra.reading import MISDEEDS, job, language, read_words

WORDS, COUNTING, HOSTILE = (cast("LanguageModule", module) for module in (words, counting, hostile))
HOARDING = cast("LanguageModule", hoarding)
BROKEN, ODD = cast("LanguageModule", broken), cast("LanguageModule", odd)


BOUNDS = Bounds(cpu=1, wall=3.0, read_memory=256 << 20)
TARBALL = Artifact("a.tgz", ArtifactKind.TARBALL, "")
WHEEL = Artifact("a.whl", ArtifactKind.WHEEL, "")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine of two readers, shared by the tests of this module."""
    with Engine([WORDS, COUNTING, HOSTILE], workers=2, bounds=BOUNDS) as shared:
        yield shared


def facts_of(engine: Engine | InlineEngine, jobs: list[Job]) -> dict[tuple[str, str], Facts]:
    """Return (path, dialect) -> facts; each job must be answered exactly once."""
    answers = list(engine.read(jobs))
    assert len(answers) == len(jobs)
    return {(answered.path, answered.dialect): facts for answered, facts in answers}


def noted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Return the process ids of the readers that are made from now on."""
    make, pids = engine._pool._make, set()

    def made(*, wait: bool = True) -> Reader:
        reader = make(wait=wait)
        pids.add(reader.pid)
        return reader

    monkeypatch.setattr(engine._pool, "_make", made)
    return pids


def problem(engine: Engine, dialect: str) -> str:
    """Return why reading a file in this dialect was stopped; another file must not suffer."""
    answers = facts_of(engine, [job(b"x", dialect), job(b"innocent", path="b")])
    assert answers["b", "words"].complete
    return " ".join(found.reason for found in answers["a", dialect].problems)


def test_unpacks_as_in_this_process(engine: Engine) -> None:
    """Trees from confined readers equal those unpacked here, oddities included."""
    large = {f"package/{n}": os.urandom(900_000) for n in range(4)}
    items = [
        (TARBALL, honest_tgz({"package/a": b"1", "stray": b"2", "package/../b": b"3"})),
        (TARBALL, honest_tgz(large | {f"package/small/{n}": b"%d" % n for n in range(700)})),
        (WHEEL, honest_zip({"a/b.py": b"x = 1"})),
        (TARBALL, honest_tgz({})),
    ]

    assert engine.unpack_many(items) == InlineEngine([WORDS]).unpack_many(items)


def test_common_files_are_held_once(engine: Engine) -> None:
    """Two trees of an update share the bytes of unchanged files."""
    trees = engine.unpack_many([(TARBALL, honest_tgz({"p/a": b"same", "p/b": b"%d" % n})) for n in range(2)])
    old, new = (tree for tree in trees if isinstance(tree, Tree))

    assert old.files["a"] is new.files["a"]


def test_broken_archives_are_told_one_by_one(engine: Engine) -> None:
    """One broken archive does not keep the others from being unpacked."""
    results = engine.unpack_many([(TARBALL, b"no archive"), (WHEEL, honest_zip({"a": b"1"}))])

    assert isinstance(results[0], ArchiveError)
    assert "a.tgz" in str(results[0])
    assert isinstance(results[1], Tree)
    with pytest.raises(ArchiveError, match="not a zip"):
        engine.unpack(WHEEL, b"")
    with pytest.raises(ArchiveError):
        InlineEngine([]).unpack(WHEEL, b"")


def test_an_archive_beyond_the_memory_of_a_reader() -> None:
    """Unpacking what does not fit the bound is an EngineError, and the engine goes on."""
    archive = honest_zip({"a": bytes(40 << 20)}, method=ZIP_STORED)
    with Engine([WORDS], workers=1, bounds=Bounds(unpack_memory=48 << 20)) as small:
        with pytest.raises(EngineError, match="memory"):
            small.unpack(WHEEL, archive)
        assert small.unpack(WHEEL, honest_zip({"a": b"1"})).files


_GROWN = """
from lazaretto.infra.engine import Engine
from lazaretto.languages import javascript
from tests.infra.reading import job
held = bytearray(600 << 20)
with Engine([javascript], workers=1) as engine:
    for _job, facts in engine.read([job(b"f(1);\\n" * 100_000, "javascript")]):
        print(facts.problems)
"""


def test_a_program_that_holds_much_can_read() -> None:
    """What a program held before it had readers is nothing that they use: it takes no room from them."""
    done = subprocess.run([sys.executable, "-c", _GROWN], capture_output=True, text=True, check=True, cwd=Path.cwd())

    assert done.stdout.strip() == "()"


def test_limits_are_passed_on() -> None:
    """The limits given to the engine are those of the reader."""
    with Engine([WORDS], workers=1, limits=Limits(members=1)) as strict, pytest.raises(ArchiveError, match="members"):
        strict.unpack(WHEEL, honest_zip({"a": b"1", "b": b"2"}))


@given(files=st.lists(st.tuples(st.sampled_from(["words", "verses"]), st.binary(max_size=300)), max_size=30))
def test_reads_as_in_this_process(engine: Engine, files: list[tuple[str, bytes]]) -> None:
    """The same facts, whatever the number of readers, the order, and how often a file occurs."""
    jobs = [job(data, dialect, str(number)) for number, (dialect, data) in enumerate(files)]

    assert facts_of(engine, jobs) == facts_of(InlineEngine([WORDS]), jobs[::-1])


def test_many_files_of_all_sizes(engine: Engine) -> None:
    """Large and small files together, more than any buffer between the processes holds."""
    jobs = [job(b"%d\n" % n * (1 + n % 97) * (2000 if n % 50 == 0 else 1), path=str(n)) for n in range(600)]

    assert facts_of(engine, jobs) == facts_of(InlineEngine([WORDS]), jobs)


def test_unknown_dialect_is_a_problem(engine: Engine) -> None:
    """A dialect that nothing reads is not silence."""
    for reader in (engine, InlineEngine([WORDS])):
        assert not facts_of(reader, [job(b"x", "klingon")])["a", "klingon"].complete


STOPPED = [
    ("socket", "system call"),
    ("unix-socket", "system call"),
    ("exec", "system call"),
    ("trace", "system call"),
    ("write", "PermissionError"),
    ("delete", "PermissionError"),
    ("read", "PermissionError"),
    ("fork", "PermissionError"),
    ("kill", "PermissionError"),
    ("thread", "RuntimeError"),
    ("recurse", "RecursionError"),
    ("memory", "memory"),
    ("crash", "crashed"),
    ("abort", "abort"),
    ("leave", "without an answer"),
]
ENDLESS = [("spin", "processor time"), ("sleep", "too long")]


@pytest.mark.parametrize(("misdeed", "reason"), STOPPED)
def test_misdeeds_are_stopped(engine: Engine, misdeed: str, reason: str) -> None:
    """Each thing that hostile code would try ends as a problem of that file alone, in the words of a person."""
    assert reason in problem(engine, misdeed)


@pytest.mark.parametrize("dialect", hoarding.DIALECTS)
def test_a_file_that_finds_no_room_left_is_read_by_a_new_reader(dialect: str) -> None:
    """What was read before is no fault of a file; one that no reader has room for is given up, and no other."""
    files = {"one": b"1", "two": b"2", "large": b"too large", "three": b"3"}
    with Engine([HOARDING], workers=1, bounds=BOUNDS) as confined:
        answers = facts_of(confined, [job(data, dialect, path) for path, data in files.items()])
    assert [path for path in files if not answers[path, dialect].complete] == ["large"]
    assert [answers[path, dialect].language for path in ("one", "two", "three")] == ["1", "2", "3"]


@pytest.mark.slow
@pytest.mark.parametrize(("misdeed", "reason"), ENDLESS)
def test_files_that_take_for_ever_are_stopped(misdeed: str, reason: str) -> None:
    """A reader that computes or sleeps for ever is ended; the parent does not hang."""
    with Engine([WORDS, HOSTILE], workers=1, bounds=Bounds(cpu=1, wall=1.5 if misdeed == "sleep" else 20.0)) as brief:
        assert reason in problem(brief, misdeed)


@pytest.mark.slow
def test_a_reader_that_waits_for_a_processor_is_given_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a file is not given up while its reader is at work: what it may use, the kernel counts."""
    monkeypatch.setattr("lazaretto.infra._pool.MAX_STARVED", 10**6)
    # Time enough for the reader to be made, or it would be late before it is at work.
    with Engine([WORDS, HOSTILE], workers=1, bounds=Bounds(cpu=1, wall=1.0)) as brief:
        assert "processor time" in problem(brief, "spin")


@pytest.mark.slow
def test_being_at_work_is_no_excuse_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which a reader gets nothing done at all does not keep a check from its end."""
    monkeypatch.setattr("lazaretto.infra._pool.MAX_STARVED", 1)
    with Engine([WORDS, HOSTILE], workers=1, bounds=Bounds(cpu=20, wall=0.5)) as brief:
        assert "too long" in problem(brief, "spin")


def test_every_misdeed_is_tested() -> None:
    """The table of misdeeds and the tests name the same ones."""
    assert {misdeed for misdeed, _ in (*STOPPED, *ENDLESS)} == set(MISDEEDS)


def test_the_inline_engine_tells_the_same_of_a_failing_language() -> None:
    """A language that breaks its contract is a problem in both engines, in the same words."""
    with Engine([BROKEN, ODD], workers=1) as confined:
        jobs = [job(b"x", "broken"), job(b"x", "odd")]
        assert facts_of(confined, jobs) == facts_of(InlineEngine([BROKEN, ODD]), jobs)
        assert "ZeroDivisionError" in str(facts_of(confined, jobs)["a", "broken"].problems)


def test_known_facts_are_not_read_again(tmp_path: Path) -> None:
    """What the cache knows under digest, dialect and version is not read; another version is."""
    cache = FactsCache(tmp_path)
    jobs = [job(b"a\nb"), job(b"a\nb", path="copy"), job(b"c", "verses")]
    first = facts_of(InlineEngine([WORDS], cache=cache), jobs)
    lying = language("words", lambda *_: Facts("read again"), "words", "verses")
    newer = language("words", lambda *_: Facts("read again"), "words", "verses", version=2)

    assert facts_of(InlineEngine([lying], cache=cache), jobs) == first
    assert {facts.language for facts in facts_of(InlineEngine([newer], cache=cache), jobs).values()} == {"read again"}


def test_stopped_readings_are_not_remembered(tmp_path: Path) -> None:
    """A file whose reading was stopped is read again the next time."""
    cache = FactsCache(tmp_path)
    with Engine([HOSTILE], workers=1, cache=cache) as confined:
        assert not facts_of(confined, [job(b"x", "leave")])["a", "leave"].complete
    calm = language("hostile", lambda *_: Facts("calm"), *MISDEEDS)

    assert facts_of(InlineEngine([calm], cache=cache), [job(b"x", "leave")])["a", "leave"].complete


def test_a_false_digest_is_not_remembered(engine: Engine) -> None:
    """Facts are never remembered under a digest that the bytes do not have."""
    lying = Job("a", "words", Blob(Digest("sha256:" + "0" * 64), b"x"))

    for reader in (engine, InlineEngine([WORDS])):
        assert "digest" in str(facts_of(reader, [lying])["a", "words"].problems)


def test_cuts_are_shared_within_a_run_and_between_runs(tmp_path: Path) -> None:
    """A cut that one file had is known to the next that is read, in either engine, and to the next run."""

    def known(engine: Engine | InlineEngine, data: bytes) -> str | None:
        return facts_of(engine, [job(data, "counting")])["a", "counting"].facts[0].value

    for name, make in (("confined", Engine), ("inline", InlineEngine)):
        cache = FactsCache(tmp_path / name)
        first = make([COUNTING], cache=cache)
        both = facts_of(first, [job(b"a\nb\n" + b"long" * 9, "counting"), job(b"a\nb", "counting", "b")])
        assert sorted(facts.facts[0].value or "" for facts in both.values()) == ["0", "2"]
        first.close()
        second = make([COUNTING], cache=FactsCache(tmp_path / name))
        assert known(second, b"b\na\nnew") == "2"
        second.close()


def test_a_consumer_may_stop_early(engine: Engine) -> None:
    """A reading that is not read to its end leaves the engine usable."""
    for _ in engine.read([job(b"%d" % n * 30_000, path=str(n)) for n in range(40)]):
        break

    assert facts_of(engine, [job(b"x")])["a", "words"].complete


def test_threads_may_share_an_engine(engine: Engine) -> None:
    """Several threads take turns with the readers."""
    results: list[dict[tuple[str, str], Facts]] = []
    jobs = [job(b"%d" % n, path=str(n)) for n in range(20)]
    threads = [threading.Thread(target=lambda: results.append(facts_of(engine, jobs))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [facts_of(InlineEngine([WORDS]), jobs)] * 5


def test_a_program_with_threads_gets_its_readers_too() -> None:
    """A program that has threads already is not forked: the readers come from a new interpreter."""
    done = threading.Event()
    waiting = threading.Thread(target=done.wait)
    waiting.start()
    try:
        with Engine([text], workers=1) as spawned:
            assert facts_of(spawned, [job(b"hello", "text")])["a", "text"].complete
            assert spawned.confinement().complete
        with pytest.raises(EngineError, match="before"):
            Engine([language("local", read_words, "local")])
    finally:
        done.set()
        waiting.join()


@pytest.mark.parametrize(("single_use", "made"), [(True, 5), (False, 1)])
def test_single_use_readers_serve_one_artifact(single_use: bool, made: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each artifact has a reader of its own, three archives and two readings take five; else one does all."""
    archive = honest_tgz({"package/a": b"x"})
    with Engine([WORDS], workers=1, bounds=BOUNDS, single_use=single_use) as own:
        pids = noted(own, monkeypatch)
        trees = own.unpack_many([(TARBALL, archive)] * 3)
        for text_ in (b"x", b"y"):
            assert facts_of(own, [job(text_, "words"), job(text_ * 2, "words", path="b")])
        assert all(isinstance(tree, Tree) for tree in trees)
        assert len(pids) == made


@pytest.mark.parametrize(("kept", "made"), [(-(1 << 40), 2), (1 << 40, 1)])
def test_a_reader_that_has_grown_is_not_kept(kept: int, made: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a reader holds of earlier files is not taken from what later ones may use."""
    monkeypatch.setattr(_pool, "MAX_KEPT", kept)
    with Engine([WORDS], workers=1, bounds=BOUNDS) as own:
        pids = set()
        for text_ in (b"x", b"y"):
            assert facts_of(own, [job(text_, "words")])
            (reader,) = own._pool.take(1)
            pids.add(reader.pid)
            own._pool.give_back([reader])
        assert len(pids) >= made


@pytest.mark.parametrize(("kept", "large", "made"), [(-(1 << 40), 1, 3), (-(1 << 40), 1 << 20, 1), (1 << 40, 1, 1)])
def test_a_reader_that_a_large_file_has_filled_goes_no_further(
    kept: int, large: int, made: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next file is read by a new one, so that it finds the room that it may have."""
    monkeypatch.setattr(_pool, "MAX_KEPT", kept)
    for name, value in (("_LARGE", large), ("_AHEAD", 1), ("_MESSAGE", 1), ("_LEAST", 1)):
        monkeypatch.setattr(_work, name, value)
    with Engine([WORDS], workers=1, bounds=BOUNDS) as own:
        pids = noted(own, monkeypatch)
        jobs = [job(text_, "words", path=str(number)) for number, text_ in enumerate((b"one", b"two", b"three"))]
        assert [facts.problems for facts in facts_of(own, jobs).values()] == [()] * 3
        assert len(pids) == made


def test_a_closed_engine_says_so() -> None:
    """After closing, nothing is read and nothing hangs; closing twice is harmless."""
    closed = Engine([WORDS], workers=1)
    closed.close()
    closed.close()

    with pytest.raises(EngineError, match="closed"):
        closed.unpack(WHEEL, honest_zip({}))
    InlineEngine([]).close()


def test_lost_zygote_is_an_error_not_a_hang() -> None:
    """If the parent of the readers is killed, the next request fails clearly."""
    lost = Engine([WORDS], workers=1)
    os.kill(lost._pool._zygote.pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="parent process"):
        lost.unpack(WHEEL, honest_zip({}))
    lost.close()


def test_two_languages_of_one_dialect_are_refused() -> None:
    """It would be left to chance which of them reads; and one without any dialect reads nothing."""
    with pytest.raises(ValueError, match="both have"):
        InlineEngine([WORDS, language("other", read_words, "words")])
    with pytest.raises(ValueError, match="no dialect"):
        InlineEngine([language("none", read_words)])


ORPHAN = """
import os, sys, time
from lazaretto.infra.engine import Engine
from lazaretto.languages import javascript, python, text
engine = Engine([text], workers=2)
readers = engine._pool.take(2)
print(engine._pool._zygote.pid, *(reader.pid for reader in readers), flush=True)
os.kill(os.getpid(), 9)
"""


def test_no_reader_outlives_its_program() -> None:
    """When the program is killed, the zygote and every reader end."""
    done = subprocess.run([sys.executable, "-c", ORPHAN], env=_environment(), stdout=subprocess.PIPE, check=False)
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) == 3
    until = time.monotonic() + 5
    while any(map(_alive, pids)) and time.monotonic() < until:
        time.sleep(0.01)

    assert not any(map(_alive, pids))


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_every_reader_would_load_is_loaded_once() -> None:
    """Readers for one artifact each give the same as ours, forked from this process or beside its threads."""
    modules = [cast("LanguageModule", module) for module in (javascript, python)]
    jobs = [job(b"import('fs'); eval(x)", "javascript"), job(b"import os\nexec(x)", "python", path="b")]
    expected = facts_of(InlineEngine(modules), jobs)

    with Engine(modules, workers=1, single_use=True) as forked:
        found = [facts_of(forked, jobs), facts_of(forked, jobs)]
    with ThreadPoolExecutor(1) as thread:
        thread.submit(int).result()  # now there is a thread, and nothing may be forked
        with Engine(modules, workers=1, single_use=True) as spawned:
            found.append(facts_of(spawned, jobs))

    assert found == [expected] * 3
