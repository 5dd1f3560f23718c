"""Time and memory of ``lazaretto check`` for a thousand pins: ``make bench-check``.

The pins are those of npm lockfiles: by default what ``python -m evals.projects`` has made, else what is named. They are
merged into one ``package-lock.json`` of the size asked for. A project of which two releases are pinned stands for the
update: the first lockfile has the older release, the next the newer.

- *cold*: nothing is known but artifacts that were fetched before.
- *warm*: every pin was judged before, and the index pages came within the last minutes.
- *asked anew*: warm, but each index page is asked for again (``--refresh``): that is the registry's time as well.
  One that names no ETag sends every page whole.
- *after one update*: one pin has changed since.
- *half*, *quarter*: warm again with every second or fourth of these pins: what memory grows by.

Processor time is that of all processes, readers included; memory is that of the largest.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from evals.measure import Run, middle, run
from evals.projects import LOCKS, WORK
from lazaretto._plugins import discover
from lazaretto.app.pins import LockfileFormat
from lazaretto.core.names import Version
from lazaretto.core.pin import Pin, PinSource
from lazaretto.ecosystems.npm import versions

FOLDER = WORK / "bench"
WARM_SECONDS, UPDATE_SECONDS = 2.0, 3.0


class Locks(NamedTuple):
    """Pins by name and version, and the two releases of one project that are before and after."""

    pins: dict[tuple[str, str], Pin]
    before: tuple[str, str]
    after: tuple[str, str]


def main() -> int:
    """Print the table; return 0 if what has a reach is within it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lockfiles", nargs="*", type=Path, help="npm lockfiles of any client")
    parser.add_argument("--pins", type=int, default=1000)
    parser.add_argument("-n", "--runs", type=int, default=3, help="runs of what is warm (default: 3)")
    parser.add_argument("--artifacts", type=Path, default=WORK / "artifacts", help="where artifacts are kept")
    parser.add_argument("--keep", action="store_true", help="begin with what an earlier run has left: no cold run")
    options = parser.parse_args()
    locks = gather(options.lockfiles or [WORK / kind / LOCKS[kind][0] for kind in ("npm", "pnpm", "yarn")])
    if not options.keep:
        shutil.rmtree(FOLDER, ignore_errors=True)
    bench = Bench(options.artifacts.resolve())
    first, then = (write(locks, name, options.pins, which) for name, which in (("first", False), ("then", True)))
    if not options.keep:
        print(line("cold", bench.check(first)), flush=True)
    bench.check(first)
    warm = middle([bench.check(first) for _ in range(options.runs)])
    print(line("warm", warm, WARM_SECONDS), flush=True)
    anew = middle([bench.check(first, "--refresh") for _ in range(options.runs)])
    print(line("asked anew", anew), flush=True)
    for name, every in (("half", 2), ("quarter", 4)):
        fewer = write(locks, name, options.pins, updated=False, every=every)
        print(line(name, middle([bench.check(fewer) for _ in range(options.runs)])), flush=True)
    updated = bench.check(then)
    print(line(f"after one update ({' '.join(locks.before)} to {locks.after[1]})", updated, UPDATE_SECONDS))
    return 0 if warm.wall <= WARM_SECONDS and updated.wall <= UPDATE_SECONDS else 1


def gather(paths: Iterable[Path]) -> Locks:
    """Return every release of a registry that some lockfile pins, and a project with two of them in one line."""
    formats = cast("Sequence[LockfileFormat]", discover("lazaretto.lockfiles", ("MATCHES", "ECOSYSTEM", "parse")))
    pins: dict[tuple[str, str], Pin] = {}
    for path in paths:
        reader = next(one for one in formats if path.name in one.MATCHES)
        for pin in reader.parse(path.read_text()):
            if pin.source is PinSource.REGISTRY and pin.version and pin.problem is None:
                pins.setdefault((pin.name, pin.version), pin)
    lines: dict[tuple[str, str], list[str]] = {}
    for name, version in pins:
        lines.setdefault((name, versions.line(Version(version))), []).append(version)
    name, found = next((name, found) for (name, _), found in sorted(lines.items()) if len(found) > 1)
    older, newer = sorted(found, key=lambda text: versions.sort_key(Version(text)))[-2:]
    return Locks(pins, (name, older), (name, newer))


def write(locks: Locks, name: str, count: int, updated: bool, every: int = 1) -> Path:  # noqa: FBT001 - one of two
    """Write a lockfile of so many pins, or of every second or fourth of these, the one that changes among them.

    Return its path.
    """
    changing, absent = (locks.after, locks.before) if updated else (locks.before, locks.after)
    rest = [key for key in sorted(locks.pins) if key not in (changing, absent)]
    step = max(len(rest) / max(count - 1, 1), 1.0)
    chosen = [rest[int(at * step)] for at in range(0, min(count - 1, len(rest)), every)]
    packages: dict[str, object] = {"": {"name": "bench", "version": "1.0.0"}}
    for key in sorted({*chosen, changing}):
        where = f"node_modules/{key[0]}"
        if where in packages:
            where = f"node_modules/copy-{len(packages)}/{where}"
        packages[where] = {"version": key[1], **_integrity(locks.pins[key])}
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "package-lock.json"
    path.write_text(json.dumps({"name": "bench", "lockfileVersion": 3, "packages": packages}, indent=1))
    return path


def _integrity(pin: Pin) -> dict[str, str]:
    from base64 import b64encode

    texts = [text.partition(":") for text in pin.integrity if text.startswith("sha512:")]
    return {"integrity": f"sha512-{b64encode(bytes.fromhex(texts[0][2])).decode()}"} if texts else {}


class Bench:
    """One state that several checks share."""

    def __init__(self, artifacts: Path) -> None:
        cache, state = FOLDER / "cache", FOLDER / "state"
        cache.mkdir(parents=True, exist_ok=True)
        artifacts.mkdir(parents=True, exist_ok=True)
        if not (cache / "artifacts").exists():
            (cache / "artifacts").symlink_to(artifacts)
        self._environ = {**os.environ, "LAZARETTO_CACHE_DIR": str(cache), "LAZARETTO_STATE_DIR": str(state)}
        self._environ.pop("PYTHONDONTWRITEBYTECODE", None)

    def check(self, lockfile: Path, *more: str) -> Run:
        """Check a lockfile and return what it took; its report is beside the lockfile."""
        program = str(Path(sys.prefix) / "bin" / "lazaretto")
        command = [program, "check", str(lockfile), "--format", "json", "--quiet", *more]
        return run(command, self._environ, lockfile.with_name("report.json"), alone=True)


def line(name: str, taken: Run, reach: float = 0.0) -> str:
    """Return a row of the table."""
    wanted = f" (reach {reach:g} s)" if reach else ""
    return (
        f"{name}: {taken.wall:.2f} s{wanted}, processor {taken.cpu:.2f} s, {taken.peak:.0f} MiB, exit code {taken.code}"
    )


if __name__ == "__main__":
    sys.exit(main())
