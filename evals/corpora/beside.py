"""guarddog 3.2.0 beside, on the same releases and in one run: what each says of a release, and what it costs.

Both are whole processes, one after the other, with nothing remembered. The other reads from files: what it is given
lies in memory (``/dev/shm``) for as long as it reads, and is never on a disk. Ours is told the item, reads it from
where it lies, and starts slower than the product does, since it loads the harness too. Another process of ours reads it
twice: the second time is what a release costs in a process that runs already, as the firewall's do, with nothing
remembered but code.
"""

import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from evals.corpora import pool
from evals.corpora.git import MissingError
from evals.corpora.items import Form, Item, Label
from evals.corpora.judge import Judge, Judged, Surveyed, app
from evals.corpora.pack import Stores, UnusableError
from evals.measure import run
from lazaretto.core.model import ArtifactKind

MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory is what is wanted
"""Where samples may lie for a moment."""

AT = 5.0
"""The other's score from which on a release counts as refused."""

_ENDINGS = {
    ArtifactKind.TARBALL: ".tgz",
    ArtifactKind.SDIST: ".tar.gz",
    ArtifactKind.WHEEL: "-1-py3-none-any.whl",
}


class Beside(Struct, frozen=True):
    """What both said of one release, and what it took: seconds of the wall and of processors, memory in MiB.

    ``score`` is the other's, below zero where it gave none. ``reading`` is what ours took of the wall without starting,
    ``again`` what a second reading in one process did.
    """

    key: str
    rules: str
    score: float
    verdict: str
    charge: float
    open: bool
    reading: float
    again: float
    wall: tuple[float, float]
    cpu: tuple[float, float]
    peak: tuple[float, float]


class _Risk(Struct):
    score: float


class _Answer(Struct):
    risk_score: _Risk


def sample(chosen: Iterable[Item], surveyed: Mapping[str, Surveyed], count: int) -> list[Item]:
    """Return so many releases of each side that stand for themselves, in turn: what was cut down or noted is none."""
    whole = [item for item in chosen if item.before is None and item.after.form is Form.ARCHIVE]
    bad = [item for item in whole if item.label is Label.MALICIOUS and _is_whole(surveyed.get(item.key))]
    good = [item for item in whole if item.label is Label.BENIGN]
    return [item for pair in zip(bad[:count], good[:count], strict=False) for item in pair]


def _is_whole(known: Surveyed | None) -> bool:
    return known is not None and known.manifest and not known.error


def compare(items: Sequence[Item], guarddog: Path, rules: str, path: Path) -> None:
    """Read each item with both, ours first, and append what came out to a file."""
    if not MEMORY.is_dir():
        raise SystemExit(f"{MEMORY} is not there: samples are given to another program from memory alone")
    done = {one.key for one in pool.known(path, Beside) if one.rules == rules}
    stores = Stores()
    with path.open("ab") as sink, tempfile.TemporaryDirectory(dir=MEMORY) as name:
        for item in items:
            if item.key not in done:
                try:
                    result = _both(item, guarddog, rules, stores, Path(name))
                except (MissingError, UnusableError, OSError):
                    continue
                sink.write(msgspec.json.encode(result) + b"\n")
                sink.flush()


def _both(item: Item, guarddog: Path, rules: str, stores: Stores, home: Path) -> Beside:
    source = stores.source(item, item.after)
    stores.close()  # whoever is waited for is measured: no process of our own may be left
    archive = home / f"release{_ENDINGS[source.artifact.kind]}"
    told, said, log = home / "item.json", home / "judged.json", home / "log"
    second = home / "again.json"
    told.write_bytes(msgspec.json.encode(item))
    environ = {**os.environ, "TMPDIR": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}
    ours = run([sys.executable, "-m", "evals.corpora.beside", str(told), str(said)], environ, log, alone=True)
    judged = msgspec.json.decode(said.read_bytes(), type=Judged)
    run([sys.executable, "-m", "evals.corpora.beside", str(told), str(said), str(second)], environ, log, alone=True)
    again = msgspec.json.decode(second.read_bytes(), type=Judged).seconds
    try:
        archive.write_bytes(source.data)
        words = [str(guarddog), item.ecosystem, "scan", "--output-format", "json", str(archive)]
        theirs = run(words, environ, log, alone=True)
        score = _score(log.read_bytes())
    finally:
        archive.unlink(missing_ok=True)
        said.unlink(missing_ok=True)
        second.unlink(missing_ok=True)
    return Beside(
        item.key,
        rules,
        score,
        judged.verdict,
        judged.charge,
        bool(judged.open),
        judged.seconds,
        again,
        (round(ours.wall, 3), round(theirs.wall, 3)),
        (round(ours.cpu, 3), round(theirs.cpu, 3)),
        (round(ours.peak, 1), round(theirs.peak, 1)),
    )


def _score(log: bytes) -> float:
    for line in log.splitlines():
        if line.startswith(b'{"package"'):
            try:
                return msgspec.json.decode(line, type=_Answer).risk_score.score
            except msgspec.MsgspecError:
                break
    return -1.0


def main() -> int:
    """Judge the item that the first file holds; write what was said to each of the others, one after the other."""
    item = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Item)
    judge = Judge(app())
    for said in sys.argv[2:]:
        Path(said).write_bytes(msgspec.json.encode(judge.judge(item)))
    judge.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
