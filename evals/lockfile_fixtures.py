"""Read the fixture lockfiles of another parser: ``python -m evals.lockfile_fixtures REPOSITORY``.

The repository is osv-scalibr's, a checkout or a bare one, read through git; nothing of it is executed or written.
What a fixture holds is what its own tests expect, as their Go source says.

- *equal*: the same names and versions. Of what comes from elsewhere (a repository, an address, a file) only the name
  counts: nobody who has not fetched a commit knows its version. Of a range that nothing fixes, too.
- *stricter*: all that, and besides what we say and they pass over: an entry that is not understood, a folder of the
  project, what a build needs.
- *differs*: they find what we do not, or we ask about a release that they do not know of.

Exit 0 if none differs but those that are named here with the reason.
"""

import argparse
import importlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple, cast

from lazaretto.app.pins import LockfileFormat
from lazaretto.core.pin import LockfileError, Pin, PinSource

COMMIT = "c2094f2d68e3994551d9998a54e2e97985a18a39"
ROOT = "extractor/filesystem/language"
READERS = {
    "javascript/bunlock": "bun_lock",
    "javascript/packagelockjson": "package_lock",
    "javascript/pnpmlock": "pnpm_lock",
    "javascript/yarnlock": "yarn_lock",
    "python/pdmlock": "pdm_lock",
    "python/pipfilelock": "pipfile_lock",
    "python/poetrylock": "poetry_lock",
    "python/pylock": "pylock_toml",
    "python/pyprojecttoml": "pyproject_toml",
    "python/requirements": "requirements",
    "python/uvlock": "uv_lock",
}
EXPLAINED = {
    "javascript/packagelockjson/testdata/both/package-lock.json": "passed over where npm-shrinkwrap.json is beside it",
    "javascript/packagelockjson/testdata/files.v2.json": "etag is a folder of the project, and its entry links nothing",
    "python/requirements/testdata/env_var.txt": "a variable is no version: a problem when it is asked about",
}

_CASE = re.compile(r'(?:ScanInputMockConfig\{\s*Path|\tpath):\s*"(testdata/[^"]+)"')
_NEXT_CASE = re.compile(r"\n\t\t\{\n|\n\tfor _, ")
_PACKAGE = re.compile(
    r'(?:\{|\n)\s*Name:\s*"(?P<name>[^"]+)",\s*(?:Version:\s*"(?P<version>[^"]*)",\s*)?(?:PURLType|Location|SourceCode)'
    r'|\bpkg\(t, "(?P<short>[^"]+)", "(?P<fixed>[^"]*)"'
)
_EXPECTED = re.compile(r"\b[Ww]ant(?:Packages|Err|ResultMetric):")


class Case(NamedTuple):
    """What their tests say of one fixture."""

    path: str
    packages: frozenset[tuple[str, str]]


class Seen(NamedTuple):
    """What we say of it: what would be asked, and mere names where no version is fixed, or elsewhere."""

    releases: frozenset[tuple[str, str]]
    named: frozenset[str]
    problems: frozenset[str]
    refused: str


class Repository:
    """Files of one commit, straight from git."""

    def __init__(self, folder: Path, commit: str) -> None:
        self._git = ["git", "-C", str(folder)]
        self._commit = commit

    def names(self, under: str) -> list[str]:
        """Return the paths below a folder."""
        return self._run("ls-tree", "-r", "--name-only", self._commit, f"{under}/").decode().splitlines()

    def text(self, path: str) -> str:
        """Return a file. Raises OSError."""
        try:
            return self._run("show", f"{self._commit}:{path}").decode("utf-8-sig")
        except subprocess.CalledProcessError as error:
            raise FileNotFoundError(path) from error

    def _run(self, *words: str) -> bytes:
        return subprocess.run([*self._git, *words], check=True, capture_output=True).stdout


def main() -> int:
    """Print a line for each fixture that is not equal, and the counts; return 0 if none differs without a reason."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--commit", default=COMMIT)
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for each fixture")
    options = parser.parse_args()
    repository = Repository(options.repository, options.commit)
    counts: Counter[str] = Counter()
    packages = 0
    for folder, reader in READERS.items():
        for case in cases(repository, f"{ROOT}/{folder}"):
            place = f"{folder}/{case.path}"
            word, why = compare(case, read(reader, repository, f"{ROOT}/{place}"))
            if word == "differs" and place in EXPLAINED:
                word, why = "explained", f"{EXPLAINED[place]} ({why})"
            counts[word] += 1
            packages += len(case.packages)
            if word != "equal" or options.verbose:
                print(f"{word:9} {place}: {len(case.packages)} packages{': ' if why else ''}{why}")
    print(f"\n{counts.total()} fixtures, {packages} packages: {', '.join(f'{n} {word}' for word, n in counts.items())}")
    return 1 if counts["differs"] else 0


def cases(repository: Repository, folder: str) -> Iterator[Case]:
    """Yield what the tests of one reader expect of each fixture."""
    known = set(repository.names(folder))
    done: set[str] = set()
    for name in sorted(one for one in known if one.endswith("_test.go")):
        source = repository.text(name)
        marks = [*_CASE.finditer(source)]
        for mark, after in zip_longest(marks, marks[1:]):
            body = source[mark.end() : after.start() if after else len(source)]
            body = _NEXT_CASE.split(body)[0]
            if f"{folder}/{mark[1]}" not in known or mark[1] in done or not _EXPECTED.search(body):
                continue
            done.add(mark[1])
            found = (
                (one["name"] or one["short"], one["version"] or one["fixed"] or "") for one in _PACKAGE.finditer(body)
            )
            yield Case(mark[1], frozenset(found))


def read(name: str, repository: Repository, path: str) -> Seen:
    """Return what one of our readers says of a file."""
    reader = cast("LockfileFormat", importlib.import_module(f"lazaretto.lockfiles.{name}"))
    folder = path.rpartition("/")[0]
    pins: list[Pin] = []
    refused = ""
    try:
        pins.extend(reader.parse(repository.text(path), lambda other: repository.text(f"{folder}/{other}")))
    except LockfileError as error:
        refused = str(error)
    here = [pin for pin in pins if pin.source is PinSource.REGISTRY]
    return Seen(
        frozenset((pin.name, pin.version) for pin in here if pin.version is not None),
        frozenset(pin.name for pin in pins if pin.version is None or pin.source is not PinSource.REGISTRY),
        frozenset(pin.name for pin in pins if pin.problem is not None),
        refused,
    )


def compare(case: Case, seen: Seen) -> tuple[str, str]:
    """Return whether what we say is equal, stricter or different, and in which way."""
    if seen.refused:
        return ("differs" if case.packages else "equal"), f"refused, {seen.refused}"
    missing = {one for one in case.packages if one not in seen.releases and one[0] not in seen.named}
    more = {one for one in seen.releases - case.packages if one[0] not in seen.problems}
    if missing or more:
        return "differs", f"missing {sorted(missing)}, more {sorted(more)}"
    names = {name for name, _ in case.packages}
    besides = (seen.named | seen.problems) - names
    return ("stricter", f"also {sorted(besides)}") if besides else ("equal", "")


if __name__ == "__main__":
    sys.exit(main())
