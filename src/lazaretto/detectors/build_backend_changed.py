"""This update has its source distribution built by other code than before.

## What it detects
In a line whose source distributions named a build backend: another backend, a backend that now stands in the
distribution's own folder (`backend-path`), or code of the distribution that a build loads and never did (a command
class, a set-up hook, a version scheme, a build script, a version that is no constant any more).

## Why it matters
Building runs with the rights of whoever installs, before any of the package is used, and wherever no wheel fits.

## What it misses
What a build that was always there begins to do: autorun-capability-gained asks that. What a backend that is a package
of its own brings: it is a new dependency, and is read as such. The first build file of a line: implicit-hook-added.

## References
- PEP 517 (`build-backend`, `backend-path`), PEP 518
- setuptools documentation, *Configuring setuptools using setup.cfg files*: `attr:`, `cmdclass`
- MITRE ATT&CK T1195.001, T1546.016
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally
from lazaretto.core.update import ArtifactView, Placed, Update

CARD = Card(
    id="build-backend-changed",
    title="Source distribution built by other code",
    variants={
        "in-tree": "The build backend now stands in the distribution's own folder.",
        "loads": "A build now loads code of the distribution that none loaded before.",
        "other": "Another build backend is named.",
    },
    group="install-hook",
    why="Building runs before anything of the package is used.",
    attack=("T1195.001", "T1546.016"),
)

_OWN = "[build-system]\nrequires = []\nbuild-backend = '{}'\n"
_PACKAGE = {"pad/__init__.py": "WIDTH = 2\n", "pad/build.py": "class Install: pass\n"}

EXAMPLES = (
    Example(
        title="the backend moves into the distribution's own folder",
        ecosystem="pypi",
        sdist=True,
        before={**_PACKAGE, "pyproject.toml": _OWN.format("flit_core.buildapi")},
        after={
            **_PACKAGE,
            "pyproject.toml": _OWN.format("backend") + "backend-path = ['.']\n",
            "backend.py": "A = 1\n",
        },
        expect="in-tree",
        at="pyproject.toml:4",
    ),
    Example(
        title="setup.cfg begins to name a command class of the package",
        ecosystem="pypi",
        sdist=True,
        before={**_PACKAGE, "setup.cfg": "[metadata]\nname = pad\n", "setup.py": "import setuptools\n"},
        after={
            **_PACKAGE,
            "setup.cfg": "[metadata]\nname = pad\n[options]\ncmdclass =\n    install = pad.build.Install\n",
            "setup.py": "import setuptools\n",
        },
        expect="loads",
        at="setup.cfg:5",
    ),
    Example(
        title="the distribution is built by another backend",
        ecosystem="pypi",
        sdist=True,
        before={**_PACKAGE, "pyproject.toml": _OWN.format("flit_core.buildapi")},
        after={**_PACKAGE, "pyproject.toml": _OWN.format("odd_backend.api")},
        expect="other",
        at="pyproject.toml:3",
    ),
    Example(
        title="a command class that was always there",
        ecosystem="pypi",
        sdist=True,
        before={**_PACKAGE, "setup.cfg": "[options]\ncmdclass =\n    install = pad.build.Install\n"},
        after={**_PACKAGE, "setup.cfg": "[options]\ncmdclass =\n    install = pad.build.Install\nzip_safe = no\n"},
    ),
)

_MESSAGES = {
    "in-tree": "has a build backend in its own folder",
    "loads": "names code of its own that a build loads",
    "other": "names another build backend",
}
_SETTINGS = ("setupcfg>", "pyproject>")


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; none at first contact."""
    tally = Tally(CARD)
    for pair in update.pairs:
        if pair.before is None or not _is_built(pair.before):
            continue
        known = {_key(placed) for placed in _loaded(pair.before)}
        for placed in _loaded(pair.after):
            if _key(placed) not in known:
                tally.add(_variant(placed), pair, placed)
    yield from tally.findings(_MESSAGES)


def _is_built(view: ArtifactView) -> bool:
    return any(path in view.tree for path in ("pyproject.toml", "setup.cfg", "setup.py"))


def _loaded(view: ArtifactView) -> Iterator[Placed]:
    """Yield what the settings of a build load."""
    for placed in view.placed:
        if placed.fact.kind is Kind.IMPORT and placed.fact.via.startswith(_SETTINGS):
            yield placed


def _key(placed: Placed) -> tuple[str | None, bool]:
    return (placed.fact.value, placed.fact.via.endswith(">backend-path"))


def _variant(placed: Placed) -> str:
    if placed.fact.via.endswith(">backend-path"):
        return "in-tree"
    return "other" if placed.fact.via.endswith(">build-backend") else "loads"
