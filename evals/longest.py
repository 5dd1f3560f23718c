"""The files of many releases that are longest to read: ``python -m evals.longest``.

Of every release that a lockfile pins (those of ``make projects``, else those named) the artifacts that are kept are
unpacked in memory, and the largest files of each language are read, each in a process of its own, as its only one.
Printed are seconds of processor time and the largest resident set, the interpreter and the file included.
"""

import argparse
import heapq
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, cast

import msgspec

from evals.projects import LOCKS, WORK
from lazaretto._plugins import discover
from lazaretto.app.pins import LockfileFormat
from lazaretto.core.archive import ArchiveFault, Limits, unpack
from lazaretto.core.inner import read_through
from lazaretto.core.language import LanguageModule, NoUnits
from lazaretto.core.model import ArtifactKind

SECONDS, MEBIBYTES = 20.0, 400.0
ZIP = b"PK\x03\x04"


class File(NamedTuple):
    """A file that some language claims; ordered by size."""

    size: int
    digest: str
    dialect: str
    name: str
    archive: Path


class Taken(NamedTuple):
    """What reading one file took: seconds of processor time, peak in MiB, and what was not understood."""

    seconds: float
    peak: float
    problem: str


def main() -> int:
    """Print the table; return 0 if no file takes more than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = [path for kind, (name, _) in LOCKS.items() if (path := WORK / kind / name).exists()]
    parser.add_argument("lockfile", nargs="*", type=Path, default=default)
    parser.add_argument("--artifacts", type=Path, default=WORK / "artifacts", help="where artifacts are kept")
    parser.add_argument("-n", "--number", type=int, default=5, help="files of each language (default: 5)")
    parser.add_argument("--alone", metavar="DIALECT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(msgspec.json.encode(read(options.alone, open(0, "rb", buffering=0).read())).decode())  # noqa: SIM115
        return 0
    archives = sorted({path for lockfile in options.lockfile for path in pinned(lockfile, options.artifacts)})
    context = get_context("spawn")
    largest: dict[str, list[File]] = {}
    seen: set[str] = set()
    with context.Pool(2, maxtasksperchild=50) as pool:
        for number, found in enumerate(pool.imap_unordered(files, archives), 1):
            print(f"\r{number} of {len(archives)} archives", end="", file=sys.stderr, flush=True)
            for file in found:
                if file.digest not in seen:
                    seen.add(file.digest)
                    heap = largest.setdefault(file.dialect, [])
                    heapq.heappush(heap, file)
                    if len(heap) > options.number:
                        heapq.heappop(heap)
    print(file=sys.stderr)
    print(f"{len(archives)} archives, {len(seen)} different files that are read")
    over = 0
    chosen = sorted((file for heap in largest.values() for file in heap), reverse=True)
    rows = [(alone(file), file) for file in chosen if file.size > 100_000]
    for taken, file in sorted(rows, reverse=True):
        over += taken.seconds > SECONDS or taken.peak > MEBIBYTES
        print(f"{taken.seconds:6.2f} s {taken.peak:5.0f} MiB  {file.size / 1e6:6.2f} MB {file.dialect}  {file.name}")
        if taken.problem:
            print(f"    not understood: {taken.problem}")
    print(f"{over} of {len(rows)} take more than {SECONDS:g} s or {MEBIBYTES:g} MiB")
    return 1 if over else 0


def pinned(lockfile: Path, artifacts: Path) -> Iterator[Path]:
    """Yield where what a lockfile pins is kept, by the digests that it fixes; of how many nothing is kept is told."""
    formats = cast("Sequence[LockfileFormat]", discover("lazaretto.lockfiles", ("MATCHES", "ECOSYSTEM", "parse")))
    form = next(one for one in formats if lockfile.name in one.MATCHES)
    without = 0
    for pin in form.parse(lockfile.read_text("utf-8")):
        named = [(algorithm, digest) for algorithm, _, digest in (text.partition(":") for text in pin.integrity)]
        places = [artifacts / algorithm / digest[:2] / digest for algorithm, digest in named]
        found = [place for place in places if place.exists()]
        without += not found
        yield from found
    if without:
        print(f"{lockfile}: nothing is kept of {without} pins", file=sys.stderr)


def files(path: Path) -> list[File]:
    """Return the files of an archive that some language reads, without their bytes."""
    table = _languages()
    modules = tuple(dict.fromkeys(table.values()))
    found = []
    try:
        for name, blob in unpack(_kind(path), path.read_bytes(), Limits()).files.items():
            offers = [offer for module in modules if (offer := module.claim(name, blob.data)) is not None]
            if offers:
                dialect = max(offers, key=lambda offer: offer.rank).dialect
                found.append(File(len(blob.data), blob.digest, dialect, name, path))
    except ArchiveFault as fault:
        print(f"{path.name[:12]} is not read: {fault}", file=sys.stderr)
    return found


def alone(file: File) -> Taken:
    """Read a file in a process that is new, and has nothing of this one's memory."""
    with open(os.memfd_create("file"), "w+b", buffering=0) as sheet:
        sheet.write(unpack(_kind(file.archive), file.archive.read_bytes(), Limits()).files[file.name].data)
        sheet.seek(0)
        command = [sys.executable, "-m", "evals.longest", "--alone", file.dialect]
        done = subprocess.run(command, stdin=sheet, capture_output=True, check=True)
    return msgspec.json.decode(done.stdout, type=Taken)


def read(dialect: str, data: bytes) -> Taken:
    """Read one file in this process."""
    start = time.process_time()
    facts = read_through(_languages(), dialect, data, NoUnits())
    seconds = time.process_time() - start
    return Taken(seconds, _peak(), facts.problems[0].reason if facts.problems else "")


def _peak() -> float:
    """Return the peak of this process in MiB: unlike what ``getrusage`` says, nothing of the one that started it."""
    status = Path("/proc/self/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def _kind(path: Path) -> ArtifactKind:
    with path.open("rb") as file:
        return ArtifactKind.WHEEL if file.read(4) == ZIP else ArtifactKind.TARBALL


def _languages() -> dict[str, LanguageModule]:
    found = cast("Iterable[LanguageModule]", discover("lazaretto.languages", ("DIALECTS", "claim", "read")))
    return {dialect: module for module in found for dialect in module.DIALECTS}


if __name__ == "__main__":
    sys.exit(main())
