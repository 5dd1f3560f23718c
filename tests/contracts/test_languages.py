"""What is asked of every language module, present and future. Nothing here names one."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto._plugins import discover
from lazaretto.core.facts import MAX_VALUE, Facts, Problem
from lazaretto.core.inner import Inner
from lazaretto.core.language import Claim, LanguageModule, NoUnits, Units
from lazaretto.core.names import Digest
from tests.contracts import corpus

REQUIRED = ("ID", "VERSION", "DIALECTS", "claim", "read")
MODULES = discover("lazaretto.languages", REQUIRED)
DEEP_SECONDS = 5.0
PROBE = Path(__file__).with_name("purity_probe.py")


class Memo:
    """A memo that forgets nothing: the other extreme of ``NoUnits``."""

    def __init__(self) -> None:
        """Start empty."""
        self._known: dict[tuple[str, Digest], bytes] = {}

    def get(self, dialect: str, digests: Iterable[Digest]) -> Mapping[Digest, bytes]:
        """Return what was put."""
        return {digest: self._known[dialect, digest] for digest in digests if (dialect, digest) in self._known}

    def put(self, dialect: str, digest: Digest, unit: bytes) -> None:
        """Keep it."""
        self._known[dialect, digest] = unit


def short_name(module: ModuleType) -> str:
    """Return the last part of a module's name."""
    return module.__name__.rpartition(".")[2]


def probe(dotted: str, seed: str, *folders: str) -> "subprocess.CompletedProcess[str]":
    """Run the probe on one module in a Python of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environment = {**inherited, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([*folders, *sys.path])}
    command = [sys.executable, str(PROBE), dotted]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def check(facts: Facts, data: bytes) -> None:
    """Assert what must hold of the facts of any bytes."""
    assert isinstance(facts, Facts)
    for fact in facts.facts:
        assert fact.value is None or len(fact.value) <= MAX_VALUE
        assert 0 <= fact.span.start <= fact.span.end <= len(data)
        assert fact.span.line >= 1
        assert fact.span.column >= 0
        assert fact.via
    for flow in facts.flows:
        assert 0 <= flow.source < len(facts.facts)
        assert 0 <= flow.sink < len(facts.facts)
        assert flow.how in {"data", "scope"}
    for problem in facts.problems:
        assert problem.line >= 0
        assert problem.reason
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(facts), type=Facts) == facts


@pytest.fixture(params=MODULES, ids=short_name)
def module(request: pytest.FixtureRequest) -> ModuleType:
    """Return each language module in turn."""
    return cast("ModuleType", request.param)


def test_id_is_the_name_of_the_file(module: ModuleType) -> None:
    """A language is found where its name says, and its version can be part of a cache key."""
    assert short_name(module) == module.ID
    assert type(module.VERSION) is int
    assert module.VERSION >= 1
    assert module.DIALECTS


def test_says_what_it_cannot_see(module: ModuleType) -> None:
    """The page of a language says where its sight ends: silence there proves nothing."""
    assert "## What it cannot see\n" in (module.__doc__ or "")


@given(data=st.one_of(st.sampled_from(corpus.SAMPLES), st.binary(max_size=300)))
@pytest.mark.parametrize("language", [module for module in MODULES if hasattr(module, "inner")], ids=short_name)
def test_parts_are_taken_out_of_anything(language: ModuleType, data: bytes) -> None:
    """Any bytes give parts with a reader and places in the file, or problems; the same ones each time."""
    known = {dialect for module in MODULES for dialect in module.DIALECTS}
    for dialect in language.DIALECTS:
        facts = language.read(dialect, data, NoUnits())
        parts = list(language.inner(dialect, data, facts))
        assert parts == list(language.inner(dialect, data, facts))
        for part in parts:
            if isinstance(part, Inner):
                assert part.dialect in {"", *known}
                assert part.places or len(part.data) <= len(data)
                assert all(0 <= place.start <= place.end <= len(data) for place in part.places)
            else:
                assert type(part) is Problem


def test_each_dialect_has_one_reader() -> None:
    """A claim leads to one module only."""
    every = [dialect for module in MODULES for dialect in module.DIALECTS]

    assert len(every) == len(set(every))


@given(
    name=st.one_of(st.sampled_from(corpus.NAMES), st.text()),
    data=st.one_of(st.sampled_from(corpus.SAMPLES), st.binary()),
)
@pytest.mark.parametrize("language", MODULES, ids=short_name)
def test_claim_is_total(language: LanguageModule, name: str, data: bytes) -> None:
    """Whatever a file is called and whatever it holds, a claim is None or well formed."""
    claim = language.claim(name, data)

    if claim is not None:
        assert type(claim) is Claim
        assert claim.dialect in language.DIALECTS
        assert 0 <= claim.rank <= 100


@given(
    data=st.one_of(
        st.binary(max_size=600),
        st.lists(st.sampled_from(corpus.SAMPLES), max_size=4).map(b"\n".join),
        st.tuples(st.sampled_from(corpus.SAMPLES), st.binary(max_size=8), st.integers(0, 200)).map(
            lambda parts: parts[0][: parts[2]] + parts[1] + parts[0][parts[2] :]
        ),
    )
)
@pytest.mark.parametrize("language", MODULES, ids=short_name)
def test_read_never_raises(language: LanguageModule, data: bytes) -> None:
    """Any bytes give facts that are well formed, and the same ones each time."""
    for dialect in language.DIALECTS:
        facts = language.read(dialect, data, NoUnits())
        check(facts, data)
        assert language.read(dialect, data, NoUnits()) == facts


def test_corpus_has_something_for_everyone(module: ModuleType) -> None:
    """Each language claims something of the corpus: one that never does is not tested by it."""
    assert any(module.claim(name, data) for name in corpus.NAMES for data in (b"", *corpus.SAMPLES))


def test_every_sample_in_every_dialect(module: ModuleType) -> None:
    """Each language reads what belongs to another without harm."""
    language = cast("LanguageModule", module)
    for dialect in language.DIALECTS:
        for data in corpus.SAMPLES:
            check(language.read(dialect, data, NoUnits()), data)


def test_units_are_transparent(module: ModuleType) -> None:
    """A memo of parts makes reading faster and changes nothing, cold or warm, even for a file that grew."""
    language = cast("LanguageModule", module)
    for dialect in language.DIALECTS:
        memo: Units = Memo()
        for data in (*corpus.SAMPLES, b"\n".join(corpus.SAMPLES) * 40):
            expected = language.read(dialect, data, NoUnits())
            assert language.read(dialect, data, memo) == expected, "cold"
            assert language.read(dialect, data, memo) == expected, "warm"


@pytest.mark.slow
@pytest.mark.parametrize("data", corpus.DEEP, ids=lambda data: data[:8].decode())
def test_depth_and_length_are_bounded(module: ModuleType, data: bytes) -> None:
    """Nesting and length cost bounded time, and what was cut short is said."""
    language = cast("LanguageModule", module)
    for dialect in language.DIALECTS:
        start = time.process_time()
        check(language.read(dialect, data, NoUnits()), data)
        assert time.process_time() - start < DEEP_SECONDS, f"{dialect}: seconds of processor time"


@pytest.mark.slow
@pytest.mark.parametrize("dotted", [module.__name__ for module in MODULES])
def test_reading_touches_nothing(dotted: str) -> None:
    """Under an audit hook: reading opens no file, starts nothing, connects nowhere, and imports only its parsers.

    Two runs with different hash seeds give the same bytes.
    """
    runs = [probe(dotted, seed) for seed in ("1", "2")]

    assert not runs[0].stderr
    assert [run.returncode for run in runs] == [0, 0]
    assert runs[0].stdout == runs[1].stdout


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("open(__file__).close()", "open"),
        ("__import__('socket').create_server(('127.0.0.1', 0)).close()", "socket."),
        ("__import__('subprocess').run(['true'])", "subprocess."),
        ("__import__('pytest')", "imported"),
        ("exec('1')", "exec"),
    ],
)
def test_probe_sees_what_is_touched(tmp_path: Path, line: str, told: str) -> None:
    """The test above can fail: a module that touches anything at all is caught."""
    (tmp_path / "impure.py").write_text(
        "from lazaretto.core.facts import Facts\n"
        "from lazaretto.core.language import Claim\n"
        "DIALECTS = ('x',)\n"
        "def claim(path, data): return Claim('x', 1)\n"
        f"def read(dialect, data, units):\n    {line}\n    return Facts('impure')\n"
    )

    run = probe("impure", "1", str(tmp_path))

    assert run.returncode == 1
    assert told in run.stderr


def test_corpus_is_inert() -> None:
    """Nothing in the corpus can reach a real host."""
    text = b"\n".join(corpus.SAMPLES)

    assert text.count(b"https://") == text.count(b".invalid")
