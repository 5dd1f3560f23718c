"""Readers for one archive: whoever unpacks it reads its files too, and nobody meets the bytes of two."""

from collections.abc import Iterator, Sequence
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lazaretto.app.opened import Homes, Opened, Part
from lazaretto.app.ports import Job
from lazaretto.core.facts import Span
from lazaretto.core.language import LanguageModule
from lazaretto.core.manifest import Hook, HookKind, Manifest
from lazaretto.core.model import Artifact, ArtifactKind
from lazaretto.core.tree import Tree
from lazaretto.infra import _wire as wire
from lazaretto.infra.confined import Bounds
from lazaretto.infra.engine import Engine, InlineEngine
from tests.core.packing import honest_tgz
from tests.infra.fakes import hostile, words
from tests.infra.reading import job

LANGUAGES = [cast("LanguageModule", words), cast("LanguageModule", hostile)]
BOUNDS = Bounds(cpu=1, wall=3.0, read_memory=256 << 20)
FILES = 3
ARCHIVES = [
    (
        Artifact(f"{one}.tgz", ArtifactKind.TARBALL, ""),
        honest_tgz({f"package/{path}": b"%d %d" % (one, path) for path in range(FILES)} | {"package/a": b"in all"}),
    )
    for one in range(4)
]
BYTES = {data: one for one, (_, data) in enumerate(ARCHIVES)}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine for strangers' archives."""
    with Engine(LANGUAGES, workers=2, bounds=BOUNDS, single_use=True) as made:
        yield made


Met = dict[wire.Channel, set[int]]


@pytest.fixture
def met(monkeypatch: pytest.MonkeyPatch) -> Met:
    """Reader -> the archives of which it was sent bytes, as they are or unpacked."""
    found: Met = {}
    send = wire.Channel.send

    def noted(self: wire.Channel, message: wire.ToReader, body: Sequence[bytes] = ()) -> None:
        own = found.setdefault(self, set())
        own.update(BYTES[piece] if piece in BYTES else int(piece.split()[0]) for piece in body if piece != b"in all")
        send(self, message, body)

    monkeypatch.setattr(wire.Channel, "send", noted)
    return found


def unpacked(engine: Engine, *which: int) -> list[Tree]:
    """Return the trees of archives."""
    return [tree for tree in engine.unpack_many([ARCHIVES[one] for one in which]) if isinstance(tree, Tree)]


def read(engine: Engine, trees: Sequence[Tree], paths: Sequence[str]) -> None:
    """Read files of several archives at once: each has the facts that it would have read in this process."""
    jobs = [Job(path, "words", tree.files[path]) for tree in trees for path in paths]
    homes = {blob.digest: tree for tree in trees for blob in tree.files.values()}
    facts = sorted(engine.read(jobs, homes.get), key=repr)
    assert facts == sorted(InlineEngine(LANGUAGES).read(jobs), key=repr)


def test_who_unpacks_reads(engine: Engine, met: Met) -> None:
    """One process for each side of an update, however often one reads on."""
    trees = unpacked(engine, 0, 1)
    for path in "012":
        read(engine, trees, [path])
    engine.rest()

    assert sorted(map(sorted, met.values())) == [[0], [1]]


def test_what_nobody_answers_for(engine: Engine, met: Met) -> None:
    """Bytes of no archive, or of one that is gone, are read by processes that met nothing before, and then end."""
    (tree,) = unpacked(engine, 2)
    list(engine.read([job(b"2 2", "words")]))
    blob = tree.files["0"]
    del tree
    list(engine.read([Job("0", "words", blob)], lambda _: None))
    (again,) = unpacked(engine, 2)
    read(engine, [again], ["1"])
    engine.rest()

    assert [len(one) for one in met.values()] == [1] * 4


def test_a_reader_that_fails_is_not_gone_on_with(engine: Engine, met: Met) -> None:
    """Another takes its place, for the same archive."""
    (tree,) = unpacked(engine, 3)
    ((_, facts),) = engine.read([Job("0", "crash", tree.files["0"])], lambda _: tree)
    assert "crashed" in facts.problems[0].reason
    read(engine, [tree], ["0", "1"])
    engine.rest()

    assert set(map(frozenset, met.values())) == {frozenset({3})}
    assert len(met) >= 2


def test_resting_ends_every_reader_that_waits(engine: Engine) -> None:
    """None is left, and resting twice is harmless."""
    unpacked(engine, 0, 1)
    assert sum(one is not None for one in waiting(engine)) == 2
    engine.rest()
    engine.rest()
    assert waiting(engine) == [None, None]
    InlineEngine(LANGUAGES).rest()


def waiting(engine: Engine) -> list[object]:
    """Return what stands in each free place."""
    found = engine._pool._at_hand(wait=False)
    for one in found:
        engine._pool._free.put(one)
    return list(found)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["unpack", "read", "drop", "rest"]),
        st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True),
        st.sampled_from([["0"], ["1", "2"], ["0", "a"]]),
    ),
    min_size=3,
    max_size=8,
)


@given(STEPS)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_nobody_meets_the_bytes_of_two_archives(
    engine: Engine, met: Met, steps: list[tuple[str, list[int], list[str]]]
) -> None:
    """Whatever is unpacked, read, let go and come back to, in whatever order."""
    held: dict[int, Tree] = {}
    for step, which, paths in steps:
        if step == "unpack":
            held |= zip(which, unpacked(engine, *which), strict=True)
        elif step == "drop":
            for one in which:
                held.pop(one, None)
        elif step == "rest":
            engine.rest()
        else:
            read(engine, [held[one] for one in which if one in held], paths)
    engine.rest()

    assert all(len(archives) <= 1 for archives in met.values())


def test_the_earlier_side_answers_for_what_both_have() -> None:
    """Whoever meets the bytes of the release in question does not answer for what the line did before."""
    engine = InlineEngine(LANGUAGES)
    first, second = (engine.unpack(*ARCHIVES[one]) for one in (0, 1))
    commands = [job(b"both", "command"), job(b"new", "command")]

    def part(tree: Tree, jobs: Sequence[Job]) -> Part:
        hooks = [(Hook(HookKind.SCRIPT, "install", "", one.path, Span(1, 0, 0, 0)), one) for one in jobs]
        return Part(ARCHIVES[0][0], tree, Manifest("package.json"), {}, hooks)

    homes = Homes([Opened(part(first, commands[:1]), part(second, commands))])

    assert homes(first.files["a"].digest) is first
    assert homes(first.files["0"].digest) is first
    assert homes(second.files["0"].digest) is second
    assert [homes(one.blob.digest) for one in commands] == [first, second]
    assert homes(job(b"else", "words").blob.digest) is None
