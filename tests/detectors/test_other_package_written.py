"""Whose folder a path is in: how far up other packages lie depends on the file that names it."""

import json

import pytest
from msgspec.structs import replace

from lazaretto.core.finding import Example
from lazaretto.core.names import ProjectName
from lazaretto.detectors import other_package_written
from tests.examples import build_update

NPM = "const fs = require('fs');\nconst path = require('path');\n"


def _variants(example: Example, name: str = "") -> list[str]:
    update = build_update(example)
    if name:
        update = replace(update, after=replace(update.after, project=ProjectName(name)))
    return [finding.variant for finding in other_package_written.detect(update)]


@pytest.mark.parametrize(
    ("name", "file", "up", "expected"),
    [
        ("plain", "index.js", "'..', 'express', 'index.js'", ["autorun"]),
        ("plain", "lib/a/b.js", "'..', '..', '..', 'express', 'lib', 'index.js'", ["autorun"]),
        ("@scope/plain", "index.js", "'..', '..', 'express', 'index.js'", ["autorun"]),
        ("@scope/plain", "index.js", "'..', 'other', 'index.js'", ["autorun"]),
        ("plain", "lib/a/b.js", "'..', '..', 'dist', 'index.js'", []),
        ("plain", "index.js", "'..', '..', 'src', 'routes.json'", []),
        ("plain", "index.js", "'..', 'express', 'cache.tmp'", []),
        ("plain", "index.js", "'..', 'plain', 'index.js'", []),
    ],
)
def test_how_far_up_other_packages_lie(name: str, file: str, up: str, expected: list[str]) -> None:
    """Beside one's own folder, or beside that of one's scope; not within it, and not in the project around."""
    code = f"{NPM}fs.writeFileSync(path.join(__dirname, {up}), 'x');\n"
    before, after = (
        {
            "package.json": json.dumps({"name": name, "version": version, "main": file}) + "\n",
            file: text + "module.exports = 1;\n",
        }
        for version, text in (("1.0.0", ""), ("1.0.1", code))
    )
    assert _variants(Example(title="x", before=before, after=after), name) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("../requests/api.py", ["autorun"]), ("data/api.py", []), ("../../requests/api.py", [])],
)
def test_packages_of_python_lie_beside_each_other(path: str, expected: list[str]) -> None:
    """A module's own folder is a package; its neighbours are others."""
    code = f"import os\nopen(os.path.join(os.path.dirname(__file__), '{path}'), 'w').write('x')\nWIDTH = 2\n"
    example = Example(
        title="x", ecosystem="pypi", before={"pad/__init__.py": "WIDTH = 2\n"}, after={"pad/__init__.py": code}
    )
    assert _variants(example) == expected
