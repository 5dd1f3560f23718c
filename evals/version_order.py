"""npm's and pip's order of versions beside ours: ``python -m evals.version_order CACHE``.

CACHE is what LAZARETTO_CACHE_DIR names: the index pages that checks have left there hold real versions and real ranges,
tens of thousands of them. Odd ones are added: every combination of what a version may consist of.

npm's side is the ``semver`` that npm itself carries, in its loose mode, as npm uses it on what is published; pip's side
is the ``packaging`` that pip carries. Compared are: what is a version, how it is written, which of two comes first, and
whether a range takes a version. Exit 0 if all agree.
"""

import argparse
import importlib
import itertools
import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from msgspec import MsgspecError, msgpack

from lazaretto.core.model import Project
from lazaretto.core.names import Version
from lazaretto.ecosystems.npm import ranges, versions
from lazaretto.ecosystems.pypi import versions as pypi

CLIENTS = Path(__file__).parent.parent / ".cache" / "clients" / "python"
PAIRS = 200_000
SHOWN = 20
SPECIFIERS = 200
OPERATORS = ("==", "!=", "<=", ">=", "<", ">", "~=", "===")
NUMBERS = ("0", "1", "9", "10", "01", "9007199254740991", "9007199254740992")
TAGS = (
    "",
    "-0",
    "-1",
    "-01",
    "-a",
    "-A",
    "-a.b",
    "-a.1",
    "-a.10",
    "-a.2",
    "-1.a",
    "--",
    "-a-b",
    "beta",
    "-a..b",
    "-9" * 9,
)
BUILDS = ("", "+1", "+a.b", "+01", "+")
PREFIXES = ("", "v", "=", " v", "V", "x")

_NODE = """
const semver = require(process.argv[1]), input = JSON.parse(require('fs').readFileSync(0)), loose = true;
const parsed = input.versions.map((text) => semver.parse(text, {loose}));
process.stdout.write(JSON.stringify({
  versions: parsed.map((one) => one && one.version),
  pairs: input.pairs.map(([a, b]) => semver.compare(parsed[a], parsed[b], {loose})),
  ranges: input.ranges.map(([text, numbers]) => semver.validRange(text, {loose}) === null ? null :
    numbers.map((number) => semver.satisfies(parsed[number], text, {loose}))),
}));
"""


def main() -> int:
    """Print what differs and the counts; return 0 if nothing does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path, nargs="+")
    options = parser.parse_args()
    projects = [project for folder in options.cache for project in pages(folder / "projects")]
    differing = [*npm_differs([one for one in projects if one.ecosystem == "npm"])]
    differing += pypi_differs([one for one in projects if one.ecosystem == "pypi"])
    for text in differing[:SHOWN]:
        print(f"  differs: {text}")
    print(f"{len(differing)} differ")
    return 1 if differing else 0


def pages(folder: Path) -> Iterator[Project]:
    """Yield what the kept index pages say; one of another version of the product is passed over."""
    for path in sorted(folder.glob("*.page")):
        try:
            yield msgpack.decode(path.read_bytes().split(b"\n", 3)[-1], type=Project)
        except MsgspecError:
            continue


def npm_differs(projects: Sequence[Project]) -> Iterator[str]:
    """Yield every disagreement with npm's semver."""
    chance = random.Random(1)  # noqa: S311 - a sample, the same every time
    real = sorted({str(release.version) for project in projects for release in project.releases})
    odd = [
        f"{prefix}{major}.{minor}.{patch}{tag}{build}"
        for prefix in PREFIXES
        for major, minor, patch in itertools.product(NUMBERS, repeat=3)
        if prefix == "" or (major, minor) == ("1", "0")
        for tag in TAGS
        for build in BUILDS
    ]
    texts = [*real, *odd]
    wanted = {
        dependency.requirement
        for project in projects
        for release in project.releases
        for dependency in release.dependencies or ()
        if dependency.requirement and ":" not in dependency.requirement and "/" not in dependency.requirement
    }
    good = [number for number, text in enumerate(texts) if versions.parse(text) is not None]
    plain = [number for number in good if number < len(real)]
    asked = [(text, chance.sample(plain, min(len(plain), 40))) for text in sorted(wanted)]
    pairs = [(chance.choice(good), chance.choice(good)) for _ in range(PAIRS)]
    ordered = sorted(good, key=lambda number: versions.sort_key(Version(texts[number])))
    pairs += itertools.pairwise(ordered)
    theirs = ask_node({"versions": texts, "pairs": pairs, "ranges": asked})
    for text, said in zip(texts, theirs["versions"], strict=True):
        parsed = versions.parse(text)
        if (None if parsed is None else str(parsed)) != said:
            yield f"version {text!r}: {said!r} for npm, {parsed} for us"
    for (a, b), order in zip(pairs, theirs["pairs"], strict=True):
        first, second = Version(texts[a]), Version(texts[b])
        if sign(versions.precedence(first), versions.precedence(second)) != order:
            yield f"precedence of {first!r} and {second!r}: {order} for npm"
    for (text, numbers), said in zip(asked, theirs["ranges"], strict=True):
        ours = ranges.parse_range(text)
        if ours is None or said is None:
            if (ours is None) != (said is None):
                yield f"range {text!r} is one for {'us' if said is None else 'npm'} alone"
            continue
        for number, takes in zip(numbers, said, strict=True):
            if ranges.satisfies(texts[number], ours) != takes:
                yield f"range {text!r} and {texts[number]!r}: {takes} for npm"
    print(f"npm: {len(real)} real versions, {len(odd)} odd ones, {len(pairs)} pairs, {len(asked)} ranges")


def pypi_differs(projects: Sequence[Project]) -> Iterator[str]:
    """Yield every disagreement with pip's packaging."""
    chance = random.Random(1)  # noqa: S311 - a sample, the same every time
    texts = sorted({str(release.version) for project in projects for release in project.releases})
    texts += [
        f"{epoch}1{release}{pre}{post}{dev}{local}"
        for epoch in ("", "0!", "1!", "v")
        for release in ("", ".0", ".0.0", ".1", ".01", ".10")
        for pre in ("", "a1", ".alpha-1", "rc", "c2", "-preview_3")
        for post in ("", ".post1", "-1", "-r2", "post")
        for dev in ("", ".dev0", "-dev", "dev3")
        for local in ("", "+a", "+1", "+ubuntu-1", "+ABC.01", "+")
    ]
    pip = pips("version")
    good: list[tuple[Version, Any]] = []
    for text in texts:
        try:
            theirs = pip.Version(text)
        except pip.InvalidVersion:
            if pypi.parse(text) is not None:
                yield f"version {text!r} is one for us alone"
            continue
        if pypi.parse(text) is None or pypi.version(text) != str(theirs):
            yield f"version {text!r} is written {theirs} by pip"
        good.append((Version(text), theirs))
    for _ in range(PAIRS if good else 0):
        (first, pip_first), (second, pip_second) = chance.choice(good), chance.choice(good)
        if sign(pypi.precedence(first), pypi.precedence(second)) != sign(pip_first, pip_second):
            yield f"precedence of {first!r} and {second!r} is not pip's"
    # Releases of pip do not agree on versions that are not written in full, or are local, behind ``>`` and ``~=``.
    usual = [(text, theirs) for text, theirs in good if str(theirs) == text and "+" not in text]
    named = [text for text, _ in chance.sample(usual, min(len(usual), SPECIFIERS))]
    wanted = [f"{how}{text}" for text in named for how in OPERATORS if "+" not in text or how in ("==", "!=")]
    wanted += [f"{how}{text}.*" for text in named for how in ("==", "!=") if re.fullmatch(r"[0-9.]+", text)]
    yield from _specifiers_differ(wanted, usual, chance)
    print(f"PyPI: {len(texts)} versions, {PAIRS} pairs, {len(wanted)} specifiers")


def _specifiers_differ(
    wanted: Sequence[str], good: Sequence[tuple[Version, Any]], chance: random.Random
) -> Iterator[str]:
    pip = pips("specifiers")
    for text in wanted:
        try:
            theirs = pip.SpecifierSet(text)
        except pip.InvalidSpecifier:
            theirs = None
        ours = pypi.specifiers(text)
        if ours is None or theirs is None:
            if (ours is None) != (theirs is None):
                yield f"specifier {text!r} is one for {'us' if theirs is None else 'pip'} alone"
            continue
        for version, pip_version in chance.sample(good, min(len(good), 40)):
            if ours.contains(str(version), prereleases=True) != theirs.contains(str(pip_version), prereleases=True):
                yield f"specifier {text!r} and {version!r}"


def pips(name: str) -> ModuleType:
    """Return a module of the ``packaging`` that the clients' pip carries."""
    folder = next(CLIENTS.glob("lib/python3*/site-packages"), None)
    if folder is None:
        raise SystemExit(f"no pip to compare with in {CLIENTS}: run `make clients` first")
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(f"pip._vendor.packaging.{name}")
    finally:
        sys.path.remove(str(folder))


def sign(first: object, second: object) -> int:
    """Return -1, 0 or 1."""
    return int(first > second) - int(first < second)  # type: ignore[operator]


def ask_node(question: object) -> dict[str, list]:  # type: ignore[type-arg]
    """Return what the semver that npm carries says."""
    done = subprocess.run(["npm", "root", "--global"], check=True, capture_output=True, text=True)  # noqa: S607
    module = str(Path(done.stdout.strip()) / "npm" / "node_modules" / "semver")
    command = ["node", "--max-old-space-size=2000", "-e", _NODE, module]
    done = subprocess.run(command, input=json.dumps(question), check=True, capture_output=True, text=True)
    answer: dict[str, list] = json.loads(done.stdout)  # type: ignore[type-arg]
    return answer


if __name__ == "__main__":
    sys.exit(main())
