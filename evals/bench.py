"""Lazaretto beside guarddog 3.2.0 on the same archives, in one run: ``make bench``.

Both sides are byte-compiled, artifacts are already downloaded, runs alternate (A B A B …), medians are
quoted, and every ratio is of the same run. What is timed is the whole process, cold start included.

- *cold*: nothing cached; reads both sides of the update.
- *facts cached*: the verdict is new, every file has been read before.
- *next*: only the earlier release has been read before: the cost of version N after N-1.
- *warm process*: an update in a process that is already running and has read N-1.
- *warm process, facts cached*: the same once every file of both sides has been read; the verdict is new.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from evals.measure import Run, middle, run

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache" / "bench"
SUBJECTS = (
    ("npm", "axios", "1.21.0", "1.21.1"),
    ("npm", "lodash", "4.17.20", "4.17.21"),
    ("npm", "react-dom", "19.1.0", "19.1.1"),
    ("pypi", "requests", "2.32.4", "2.32.5"),
    ("pypi", "litellm", "1.80.0", "1.80.5"),
    ("npm", "typescript", "5.9.2", "5.9.3"),
)
TARGETS = {"cold": 1 / 3, "facts cached": 1 / 8}
COMPILER_TARGETS = {"cold": 1.0, "next": 1 / 4}


def main() -> int:
    """Print the tables; return 0 if every run ended as it should."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--runs", type=int, default=3, help="counted runs of each command (default: 3)")
    parser.add_argument("--only", help="one package")
    parser.add_argument("--out", type=Path, default=ROOT / "evals" / "out" / "bench.md")
    options = parser.parse_args()
    guarddog, lazaretto = peer(), own()
    python = sys.version.split()[0]
    lines = [__doc__ or "", f"{os.cpu_count()} processors, Python {python}, {options.runs} runs each.", ""]
    lines.append("| update | what | wall s | peak MiB | guarddog wall s | peak MiB | ratio | reach |")
    lines.append("|---|---|---|---|---|---|---|---|")
    for subject in SUBJECTS:
        if options.only in (None, subject[1]):
            lines += bench_update(guarddog, lazaretto, subject, options.runs)
            print("\n".join(lines[-4:]), flush=True)
    lines += ["", *small_commands(lazaretto, options.runs)]
    lines += ["", *throughput()]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    return 0


def environment_of(name: str, lock: str, *more: str) -> Path:
    """Return the ``bin`` of an environment made for this benchmark, hash-checked and byte-compiled.

    Both sides get one of their own: what developers install beside a program slows its start.
    """
    home = CACHE / name
    done = home / "complete"
    if not done.exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "-qq", "--disable-pip-version-check", "install"]
        subprocess.run([*pip, "--require-hashes", "--no-deps", "-r", str(ROOT / "requirements" / lock)], check=True)
        for requirement in more:
            subprocess.run([*pip, "--no-deps", "--no-build-isolation", requirement], check=True)
        done.touch()
    return home / "bin"


def peer() -> Path:
    """Return guarddog's executable."""
    folder = environment_of("guarddog", "bench.txt")
    compile_all(folder)
    return folder / "guarddog"


def own() -> Path:
    """Return our executable, installed as a user has it, from the sources as they are now."""
    folder = environment_of("lazaretto", "runtime.txt")
    pip = [str(folder / "python"), "-m", "pip", "-q", "--disable-pip-version-check", "install", "--no-deps"]
    wheel = CACHE / "wheel"
    shutil.rmtree(wheel, ignore_errors=True)
    build = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "wheel", "--no-deps"]
    subprocess.run([*build, "--no-build-isolation", "-w", str(wheel), str(ROOT)], check=True)
    subprocess.run([*pip, "--force-reinstall", str(next(wheel.glob("*.whl")))], check=True)
    compile_all(folder)
    return folder / "lazaretto"


def compile_all(folder: Path) -> None:
    """Byte-compile an environment: PYTHONDONTWRITEBYTECODE would otherwise make it compile at every start."""
    subprocess.run([str(folder / "python"), "-m", "compileall", "-q", str(folder.parent / "lib")], check=False)


def archives(ecosystem: str, name: str, version: str) -> Path:
    """Return an artifact, fetched once by the ecosystem's own client."""
    folder = CACHE / "artifacts" / ecosystem / name / version
    found = sorted(folder.glob("*")) if folder.is_dir() else []
    if not found:
        folder.mkdir(parents=True, exist_ok=True)
        if ecosystem == "npm":
            command = ["npm", "pack", "--silent", f"{name}@{version}"]
        else:
            pip = [sys.executable, "-m", "pip", "-q", "download", "--no-deps", "--only-binary=:all:"]
            command = [*pip, f"{name}=={version}"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = sorted(folder.glob("*"))
    return found[-1]


def environment(home: Path) -> dict[str, str]:
    """Return an environment with stores of its own, in which byte code may be written and read."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "LAZARETTO_CACHE_DIR": str(home / "cache"), "LAZARETTO_STATE_DIR": str(home / "state")}


def bench_update(guarddog: Path, lazaretto: Path, subject: tuple[str, str, str, str], runs: int) -> list[str]:
    """Return the rows of one update."""
    ecosystem, name, old, new = subject
    before, after = archives(ecosystem, name, old), archives(ecosystem, name, new)
    diff = [str(lazaretto), "diff", str(before), str(after)]
    theirs = [str(guarddog), ecosystem, "scan", str(after)]
    measured: dict[str, list[Run]] = {"cold": [], "facts cached": [], "next": [], "guarddog": []}
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "log"
        for number in range(runs + 1):  # the first round warms the page cache and is not counted
            home = Path(scratch) / f"run{number}"
            environ = environment(home)
            round_of = {
                "guarddog": run(theirs, environ, log),
                "cold": run(diff, environ, log),
            }
            shutil.rmtree(home / "state")
            round_of["facts cached"] = run(diff, environ, log)
            other = environment(Path(scratch) / f"next{number}")
            run([str(lazaretto), "scan", str(before)], other, log)
            round_of["next"] = run(diff, other, log)
            if number:
                for what, figure in round_of.items():
                    measured[what].append(figure)
    figures = {what: middle(rows) for what, rows in measured.items()}
    base = figures["guarddog"]
    reach = COMPILER_TARGETS if name == "typescript" else TARGETS
    rows = []
    for what in ("cold", "facts cached", "next"):
        mine = figures[what]
        ratios = [a.wall / b.wall for a, b in zip(measured[what], measured["guarddog"], strict=True)]
        wanted = f"≤ {reach[what]:.3f}" if what in reach else ""
        rows.append(
            f"| {name} {old} → {new} | {what} | {mine.wall:.3f} | {mine.peak:.0f} | {base.wall:.2f} | {base.peak:.0f} "
            f"| {median(ratios):.3f} [{min(ratios):.3f}-{max(ratios):.3f}] | {wanted} |"
        )
    for what, seconds in warm_process(before, after, ecosystem).items():
        wanted = "≤ 0.050" if name == "axios" else ""
        rows.append(
            f"| {name} {old} → {new} | {what} | {seconds:.3f} | | {base.wall:.2f} | "
            f"| {seconds / base.wall:.3f} | {wanted} |"
        )
    return rows


def warm_process(before: Path, after: Path, ecosystem: str) -> dict[str, float]:
    """Return the seconds of an update in a process that runs already and has read N-1, or all; medians of five."""
    seconds: dict[str, list[float]] = {"warm process": [], "warm process, facts cached": []}
    for _ in range(5):
        with tempfile.TemporaryDirectory() as scratch:
            for what, measured in seconds.items():  # the second has no verdict yet, but the facts of the first
                environ = {**environment(Path(scratch)), "LAZARETTO_STATE_DIR": str(Path(scratch) / what)}
                measured.append(warm_update(before, after, ecosystem, environ))
    return {what: median(measured) for what, measured in seconds.items()}


def warm_update(before: Path, after: Path, ecosystem: str, environ: dict[str, str]) -> float:
    """Return the seconds of an update after the earlier release has been asked about in the same process."""
    from datetime import UTC, datetime

    from lazaretto.bootstrap import App
    from lazaretto.settings import load
    from lazaretto.surfaces.cli.files import source

    home = Path(environ["LAZARETTO_STATE_DIR"])
    with App(load(environ, home, home)) as app:
        old, new = source(before, ecosystem), source(after, ecosystem)
        app.asker(ecosystem).archives(None, old, datetime.now(UTC))
        start = time.perf_counter()
        app.asker(ecosystem).archives(old, new, datetime.now(UTC))
        return time.perf_counter() - start


def small_commands(lazaretto: Path, runs: int) -> list[str]:
    """Return the rows of ``--help`` and of an update already judged, in processor seconds."""
    rows = ["| command | CPU s | wall s | reach (CPU) |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as scratch:
        log, environ = Path(scratch) / "log", environment(Path(scratch))
        for words, wanted in ((["--help"], 0.2), (["scan", "axios@1.14.0"], 0.3)):
            run([str(lazaretto), *words], environ, log)
            figure = middle([run([str(lazaretto), *words], environ, log) for _ in range(runs)])
            rows.append(f"| {' '.join(words)} (judged before) | {figure.cpu:.3f} | {figure.wall:.3f} | ≤ {wanted} |")
    return rows


def throughput() -> list[str]:
    """Return megabytes a second of each language, first reading, one processor; beside the bare parser."""
    rows = ["| language | files | MB | MB/s | parser alone MB/s |", "|---|---|---|---|---|"]
    for language, subjects in (("javascript", SUBJECTS[:3]), ("python", SUBJECTS[3:5])):
        read = [archives(ecosystem, name, new) for ecosystem, name, _, new, *_ in subjects]
        files = [data for archive in read for data in code_files(language, archive)]
        size = sum(map(len, files)) / 1e6
        full, bare = read_all(language, files), parse_all(language, files)
        rows.append(f"| {language} | {len(files)} | {size:.1f} | {size / full:.2f} | {size / bare:.2f} |")
    return rows


def code_files(language: str, archive: Path) -> list[bytes]:
    """Return the code of an archive."""
    from lazaretto.core.archive import Limits, unpack
    from lazaretto.core.model import ArtifactKind

    kind = ArtifactKind.WHEEL if archive.suffix == ".whl" else ArtifactKind.TARBALL
    endings = (".js", ".cjs", ".mjs") if language == "javascript" else (".py",)
    files = unpack(kind, archive.read_bytes(), Limits()).files
    return [blob.data for path, blob in files.items() if path.endswith(endings)]


def read_all(language: str, files: list[bytes]) -> float:
    """Return the seconds to read every file for its facts."""
    from importlib import import_module

    from lazaretto.core.language import NoUnits

    module = import_module(f"lazaretto.languages.{language}")
    module.read(language, b"", NoUnits())
    start = time.perf_counter()
    for data in files:
        module.read(language, data, NoUnits())
    return time.perf_counter() - start


def parse_all(language: str, files: list[bytes]) -> float:
    """Return the seconds of the bare parser."""
    from importlib import import_module

    import tree_sitter

    grammar = import_module(f"tree_sitter_{language}").language()
    parser = tree_sitter.Parser(tree_sitter.Language(grammar))
    start = time.perf_counter()
    for data in files:
        parser.parse(data)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
