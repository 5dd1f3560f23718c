"""What stands in a source distribution alone is told and not held; whatever may reach a machine is held."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lazaretto.app.analyse import Analyser, Analysis, Question
from lazaretto.app.records import MAX_PROBLEMS
from lazaretto.app.reporting import report_update
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.policy import Outage, Outcome
from tests.examples import NOW, World, rules, tree_of
from tests.examples import _release as release_of

BROKEN = "import os\nos.system(\n= = ;;; ) (\n"
METADATA = "Metadata-Version: 2.1\nName: pad\nVersion: {}\n"
SETUP = "from setuptools import setup\nsetup(name='pad', packages=['pad'])\n"
PACKAGE = {"pad/__init__.py": "from pad import core\n", "pad/core.py": "WIDTH = 2\n"}
ODD = "tests/odd.py"


def ask(source: dict[str, str], wheel: dict[str, str] | None) -> Analysis:
    """Ask about a release whose source distribution newly has these files, beside a wheel if there is one."""
    world = World("pypi")
    for number, (version, extra) in enumerate({"1.0.0": {}, "1.0.1": source}.items()):
        entry = {"version": version, "published": NOW - timedelta(days=40 - number)}
        sdist = release_of(world, "pad", entry, sdist=True)
        built = release_of(world, "pad", entry, sdist=False)
        artifacts = sdist.artifacts if wheel is None else (*sdist.artifacts, *built.artifacts)
        files = {"PKG-INFO": METADATA.format(version), "setup.py": SETUP, **PACKAGE, **extra}
        world.add(replace(sdist, artifacts=artifacts), tree_of(files))
        carried = PACKAGE | (wheel or {} if number else {})
        world.trees[built.artifacts[0].filename] = tree_of(
            carried | about(f"pad-{version}.dist-info", version, carried)
        )
    analyser = Analyser(world.ecosystem, world, world, rules(), NOW)
    return analyser.release(Question(ProjectName("pad"), Version("1.0.1")))


def about(folder: str, version: str, files: Iterable[str]) -> dict[str, str]:
    """Return what a wheel says about itself."""
    metadata = {f"{folder}/METADATA": METADATA.format(version), f"{folder}/WHEEL": "Wheel-Version: 1.0\n"}
    lines = [f"{path},," for path in (*files, *metadata, f"{folder}/RECORD")]
    return {**metadata, f"{folder}/RECORD": "\n".join(lines) + "\n"}


def test_a_test_that_nobody_understands() -> None:
    """It is named among what could not be asked, and stands in the way of nothing."""
    analysis = ask({ODD: BROKEN}, {})
    assert analysis.outcome is Outcome.ALLOW
    assert analysis.complete
    (sentence,) = analysis.left_unread
    assert ODD in sentence
    report = report_update(analysis, rules(), {"rules": "", "policy": ""}, NOW)
    assert sentence in report.not_asked


def test_without_a_wheel_nobody_knows_what_a_build_carries() -> None:
    """A source distribution alone is held."""
    held(ask({ODD: BROKEN}, None))


@pytest.mark.parametrize(
    "wheel", [{ODD: BROKEN}, {"odd.py": "1\n"}, {"other.py": BROKEN}, {"pad-1.0.1.data/purelib/tests/odd.py": "1\n"}]
)
def test_what_a_wheel_carries(wheel: dict[str, str]) -> None:
    """The same path in whatever folder, or the same bytes under whatever name, is carried."""
    held(ask({ODD: BROKEN}, wheel))


@pytest.mark.parametrize(
    "extra",
    [
        {"setup.py": f"import tests.odd\n{SETUP}"},
        {"setup.py": f"exec(open(input()).read())\n{SETUP}"},
        {"setup.py": f"__import__(input())\n{SETUP}"},
        {"setup.py": f"import subprocess\nsubprocess.run(input())\n{SETUP}"},
        {"setup.py": f"{SETUP}{BROKEN}"},
        {"pad/core.py": "def check():\n    import tests.odd\n"},
        {"tests/odd.toml": "", "pyproject.toml": "[project]\nname = ["},
    ],
)
def test_what_may_run_it(extra: dict[str, str]) -> None:
    """A build that runs it or something that is not known, and code that is carried and imports it."""
    analysis = ask({ODD: BROKEN, **extra}, {path: text for path, text in extra.items() if path.startswith("pad/")})
    assert analysis.outcome is not Outcome.ALLOW
    assert not analysis.complete


@given(st.sets(st.sampled_from([*PACKAGE, "setup.py", ODD, "run.sh", "conftest.py"])))
def test_whatever_else_is_not_understood_is_held(paths: set[str]) -> None:
    """Only files that no installation has are left out, whatever else is wrong."""
    analysis = ask(dict.fromkeys(paths, BROKEN), dict.fromkeys(paths & PACKAGE.keys(), BROKEN))
    assert (analysis.outcome is Outcome.ALLOW) == (paths <= {ODD, "run.sh"})


def test_many_such_files_are_counted() -> None:
    """A sentence for each of some, and a number for the rest."""
    analysis = ask({f"tests/odd{number}.py": f"{BROKEN}#{number}\n" for number in range(MAX_PROBLEMS + 3)}, {})
    assert analysis.outcome is Outcome.ALLOW
    assert len(analysis.left_unread) == MAX_PROBLEMS + 1
    assert "3 more" in analysis.left_unread[-1]


def held(analysis: Analysis) -> None:
    """The file is what stands in the way."""
    assert analysis.outcome is Outcome.HOLD
    assert analysis.records["files"].outage is Outage.NOT_UNDERSTOOD
    assert analysis.left_unread == ()
