"""What the real parsers accept and we do not understand: ``python -m evals.differential FOLDER``.

Reads every JavaScript and Python file of all archives below a folder (the artifacts of a cache), in memory.
Where we have a problem with a file, its own parser is asked: Node, as a script and as a module (``node --check`` takes
the source from standard input and runs nothing of it), or CPython's ``ast`` in each of the interpreters named.
A file that is accepted and not understood is a difference; more than 1 of 10,000 files is a failure.

Also printed: the files that took longest, and megabytes a second. With ``--cache`` (what LAZARETTO_CACHE_DIR names) the
facts that a check has left there are taken from it, and only what is missing is read.
"""

import argparse
import ast
import heapq
import subprocess
import sys
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, cast

from lazaretto._plugins import discover
from lazaretto.core.archive import ArchiveFault, Limits, unpack
from lazaretto.core.facts import FactKey, Facts, Problem
from lazaretto.core.inner import read_through, version_of
from lazaretto.core.language import LanguageModule, NoUnits
from lazaretto.core.model import ArtifactKind
from lazaretto.core.names import Digest
from lazaretto.core.tree import Blob
from lazaretto.infra.facts_cache import FactsCache

REACH = 1 / 10_000
SLOWEST = 10
ARCHIVES_AT_ONCE = 25

_OURS = ("javascript", "python")
_ZIP = b"PK\x03\x04"
_GZIP = b"\x1f\x8b"
_ASK_PYTHON = "import ast, sys; ast.parse(getattr(sys.stdin, 'buffer', sys.stdin).read())"


class File(NamedTuple):
    """One file that was read: seconds of processor time (0 if it was known), and the first problem, if there is one."""

    seconds: float
    dialect: str
    size: int
    name: str
    problem: str
    accepted: str = ""


class Part(NamedTuple):
    """What some archives held: counts per dialect, what was not understood, the slowest, the refused."""

    files: Counter[str]
    bytes: Counter[str]
    seconds: dict[str, float]
    problems: list[File]
    slowest: list[File]
    refused: list[str]


def main() -> int:
    """Print the counts and every difference; return 0 if there are few enough."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", action="append", default=[], metavar="PATH", help="another interpreter to ask")
    parser.add_argument("--cache", action="append", default=[], type=Path, metavar="DIR", help="a cache of facts")
    parser.add_argument("--limit", type=int, help="how many archives to read at most")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    archives = islice(sorted(path for path in options.folder.rglob("*") if path.is_file()), options.limit)
    total = Part(Counter(), Counter(), defaultdict(float), [], [], [])
    count = 0
    read = partial(read_some, pythons=tuple(options.python), caches=tuple(options.cache))
    # No executor: one whose processes are replaced may wait for ever for the next (python/cpython#115634).
    with get_context("spawn").Pool(options.workers, maxtasksperchild=4) as pool:
        for part in pool.imap(read, _batches(archives)):
            count += ARCHIVES_AT_ONCE
            _add(total, part)
            print(f"\r{count} archives, {total.files.total()} files", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return report(total)


def report(total: Part) -> int:
    """Print what was found; return the exit code."""
    failed = False
    for dialect in sorted(total.files):
        problems = [one for one in total.problems if one.dialect == dialect]
        differing = [one for one in problems if one.accepted]
        share = len(differing) / total.files[dialect]
        failed = failed or share > REACH
        speed = total.bytes[dialect] / 1e6 / max(total.seconds[dialect], 1e-9)
        print(
            f"{dialect}: {total.files[dialect]} files, {total.bytes[dialect] / 1e6:.0f} MB read at {speed:.2f} MB/s; "
            f"{len(problems)} not understood, {len(differing)} of them accepted by its own parser: "
            f"{share * 10_000:.2f} of 10,000"
        )
    for one in sorted(total.problems, key=lambda one: (not one.accepted, one.name)):
        print(f"  {one.accepted or 'refused by all':14} {one.name} ({one.size} bytes): {one.problem}")
    print("longest:")
    for one in sorted(total.slowest, reverse=True)[:SLOWEST]:
        print(f"  {one.seconds:6.2f} s  {one.size / 1e6:6.2f} MB  {one.name}")
    for name in total.refused:
        print(f"  archive not read: {name}")
    return 1 if failed else 0


def read_some(paths: Sequence[Path], pythons: Sequence[str], caches: Sequence[Path]) -> Part:
    """Read the files of some archives."""
    warnings.simplefilter("ignore")  # of files that are parsed, not of ours
    reader = Reader(pythons, caches)
    part = Part(Counter(), Counter(), defaultdict(float), [], [], [])
    for path in paths:
        try:
            for file in reader.files(path):
                _keep(part, file)
        except ArchiveFault as fault:
            part.refused.append(f"{path.name[:12]}: {fault}")
    return part


class Reader:
    """Reads files, and asks their own parsers about those that we do not understand."""

    def __init__(self, pythons: Sequence[str], caches: Sequence[Path]) -> None:
        found = cast("Iterable[LanguageModule]", discover("lazaretto.languages", ("DIALECTS", "claim", "read")))
        self._table = {dialect: module for module in found for dialect in module.DIALECTS}
        self._pythons = pythons
        self._caches = [FactsCache(folder) for folder in caches]
        self._seen: set[Digest] = set()

    def files(self, path: Path) -> Iterator[File]:
        """Yield what is said of each JavaScript and Python file of an archive. Raises ArchiveFault."""
        wanted = {}
        for name, blob in _members(path):
            dialect = self._dialect(name, blob.data)
            if dialect in _OURS and blob.digest not in self._seen:
                self._seen.add(blob.digest)
                wanted[FactKey(blob.digest, dialect, version_of(self._table, dialect))] = (name, blob.data)
        known: dict[FactKey, Facts] = {}
        for cache in self._caches:
            known |= cache.get_many(key for key in wanted if key not in known)
        for key, (name, data) in wanted.items():
            start = time.process_time()
            facts = known.get(key) or self._read(key.language, data)
            seconds = 0.0 if key in known else time.process_time() - start
            problem = accepted = ""
            if facts.problems:
                problem = f"line {facts.problems[0].line}: {facts.problems[0].reason}"
                accepted = node_accepts(data) if key.language == "javascript" else python_accepts(data, self._pythons)
            yield File(seconds, key.language, len(data), f"{path.name[:12]}:{name}", problem, accepted)

    def _read(self, dialect: str, data: bytes) -> Facts:
        """Return the facts of a file; a reader that stops is what nobody would want to miss."""
        try:
            return read_through(self._table, dialect, data, NoUnits())
        except Exception as error:  # noqa: BLE001 - counted and named as what is not understood
            return Facts(dialect, problems=(Problem(1, f"the reader failed with {type(error).__name__}"),))

    def _dialect(self, name: str, data: bytes) -> str:
        modules = dict.fromkeys(self._table.values())
        offers = [offer for module in modules if (offer := module.claim(name, data)) is not None]
        return max(offers, key=lambda offer: offer.rank).dialect if offers else ""


def node_accepts(data: bytes) -> str:
    """Return as what Node accepts a source, or nothing."""
    for kind in ("commonjs", "module"):
        command = ["node", "--check", f"--input-type={kind}", "-"]
        if subprocess.run(command, input=data, capture_output=True, check=False).returncode == 0:
            return f"node {kind}"
    return ""


def python_accepts(data: bytes, pythons: Sequence[str]) -> str:
    """Return which CPython accepts a source, or nothing."""
    try:
        ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        for python in pythons:
            done = subprocess.run([python, "-c", _ASK_PYTHON], input=data, capture_output=True, check=False)
            if done.returncode == 0:
                return Path(python).name
        return ""
    return f"python3.{sys.version_info.minor}"


def _members(path: Path) -> Iterator[tuple[str, Blob]]:
    """Yield the files of an archive; what is none is passed over. Raises ArchiveFault."""
    data = path.read_bytes()
    if data[:4] == _ZIP:
        yield from unpack(ArtifactKind.WHEEL, data, Limits()).files.items()
    elif data[:2] == _GZIP:
        yield from unpack(ArtifactKind.TARBALL, data, Limits()).files.items()


def _keep(part: Part, file: File) -> None:
    part.files[file.dialect] += 1
    if file.seconds:
        part.bytes[file.dialect] += file.size
        part.seconds[file.dialect] += file.seconds
    if file.problem:
        part.problems.append(file)
    heapq.heappush(part.slowest, file)
    if len(part.slowest) > SLOWEST:
        heapq.heappop(part.slowest)


def _add(total: Part, part: Part) -> None:
    total.files.update(part.files)
    total.bytes.update(part.bytes)
    for dialect, seconds in part.seconds.items():
        total.seconds[dialect] += seconds
    total.problems.extend(part.problems)
    total.slowest.extend(part.slowest)
    total.refused.extend(part.refused)


def _batches(paths: Iterator[Path]) -> Iterator[tuple[Path, ...]]:
    while batch := tuple(islice(paths, ARCHIVES_AT_ONCE)):
        yield batch


if __name__ == "__main__":
    sys.exit(main())
