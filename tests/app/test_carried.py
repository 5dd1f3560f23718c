"""What maintainers keep beside a package in a source distribution is imported by nobody, if a wheel shows it."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from lazaretto.app.analyse import Analyser, Question
from lazaretto.core.facts import Kind
from lazaretto.core.model import ArtifactKind
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.question import AUTORUN
from tests.app.test_left_out import METADATA, PACKAGE, about
from tests.examples import NOW, World, rules, tree_of
from tests.examples import _release as release_of

KEPT = "archive/old/plot.py"
PAYLOAD = "import base64\nexec(base64.b64decode('cHJpbnQoInBhZGRlZCIp'))\n"
SYSTEM = "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n"


def found(extra: dict[str, str], wheel: dict[str, str] | None = None, *, built: bool = True) -> set[str]:
    """Return which files newly evaluate by themselves where a source distribution has one beside its package."""
    world = World("pypi")
    for number, version in enumerate(("1.0.0", "1.0.1")):
        entry = {"version": version, "published": NOW - timedelta(days=40 - number)}
        sdist, carried = (release_of(world, "pad", entry, sdist=sdist) for sdist in (True, False))
        files = {"PKG-INFO": METADATA.format(version), "pyproject.toml": SYSTEM, **PACKAGE}
        files |= {KEPT: PAYLOAD, **extra} if number else {}
        world.add(
            replace(sdist, artifacts=(*sdist.artifacts, *(carried.artifacts if built else ()))),
            tree_of(files),
        )
        inside = PACKAGE | ((wheel or {}) if number else {})
        tree = tree_of(inside | about(f"pad-{version}.dist-info", version, inside))
        world.trees[carried.artifacts[0].filename] = tree
    analysis = Analyser(world.ecosystem, world, world, rules(), NOW).release(
        Question(ProjectName("pad"), Version("1.0.1"))
    )
    (update,) = (pair for pair in analysis.update.pairs if pair.after.artifact.kind is ArtifactKind.SDIST)
    return {one.path for one in update.gained(Kind.CODE_EVAL) if one.reach in AUTORUN}


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"pyproject.toml": f"{SYSTEM}[tool.ruff]\nextend-exclude = ['archive']\n"},
        {"pyproject.toml": f"{SYSTEM}[tool.hatch]\ninclude = ['pad/*', './pa*']\n"},
        {"archive/README.txt": "archive"},
    ],
)
def test_what_a_wheel_does_not_carry(extra: dict[str, str]) -> None:
    """Nothing declared names it, nothing loads it: it runs where somebody starts it."""
    assert KEPT not in found(extra)


@pytest.mark.parametrize(
    "extra",
    [
        {"setup.py": "from setuptools import setup\nsetup()\n"},
        {"pyproject.toml": f"{SYSTEM}[tool.setuptools.package-dir]\npad = 'archive/old'\n"},
        {"pyproject.toml": f"{SYSTEM}[tool.other]\nfrom = ['arch*/old']\n"},
        {"pyproject.toml": f"{SYSTEM}backend-path = ['.']\n".replace("hatchling.build", "archive.old.plot")},
        {"pyproject.toml": f"tool = 3\nname = 'archive'\n{SYSTEM}"},
        {"pyproject.toml": "[project\n", "setup.cfg": "[options]\npackage_dir = pad=archive\n"},
        {"setup.cfg": "[options]\npackage_dir =\n    pad = archive/old\n"},
        {"meson.build": "py.install_sources('archive/old/plot.py', subdir: 'pad')\n"},
        {"archive/__init__.py": PAYLOAD},
        {"pad/core.py": "import archive.old.plot\n"},
        {"json.py": PAYLOAD},
    ],
)
def test_what_may_be_carried_or_loaded(extra: dict[str, str]) -> None:
    """A build that runs code or names the folder, a package, a module at the root, and what the package imports."""
    assert found(extra, {path: text for path, text in extra.items() if path.startswith("pad/")})


@pytest.mark.parametrize("wheel", [{KEPT: PAYLOAD}, {"pad/plot.py": PAYLOAD}, {"plot.py": "1\n"}])
def test_what_the_wheel_has(wheel: dict[str, str]) -> None:
    """The same bytes under another path, or the path in another folder."""
    assert found({}, wheel)


def test_without_a_wheel() -> None:
    """Nobody knows what a build carries."""
    assert found({}, built=False)
