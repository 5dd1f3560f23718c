"""The lockfile cases of a published detector, by their facts: which release each names, and which it only resembles.

The detector is Cobenian/shai-hulud-detect at 46b6e62d (MIT), its folder ``test-cases``: names, versions and the shape
that makes each case hard are its; the files are written here. Some of these shapes were once missed by that detector.
"""

import json
from pathlib import Path

import pytest

from tests.inventory.company import write
from tests.inventory.conftest import Person

BAD = (
    "@ctrl/tinycolor@4.1.2",
    "chalk@5.6.1",
    "color-convert@3.1.1",
    "keyv@6.0.0",
    "flat-cache@6.1.24",
    "@or-sdk/auth@0.38.2",
    "debug@4.4.2",
    "error-ex@1.3.3",
    "pypi:guardrails-ai@0.10.1",
    "pypi:durabletask@1.4.1",
    "pypi:mistralai@2.4.6",
)


def npm(packages: dict[str, str], *, version: int = 3, needs: dict[str, dict[str, str]] | None = None) -> str:
    """Return npm's lockfile with these releases, and before version 3 the older half too."""
    entries = {
        f"node_modules/{name}": {"version": one, "dependencies": (needs or {}).get(name, {})}
        for name, one in packages.items()
    }
    root = {"": {"dependencies": dict.fromkeys(packages, "*")}}
    older = {"dependencies": {name: {"version": one} for name, one in packages.items()}} if version < 3 else {}
    return json.dumps({"lockfileVersion": version, "packages": {**root, **entries}, **older})


def pyproject(*requirements: str) -> str:
    """Return a project that asks for exactly these."""
    return f'[project]\nname = "a"\nversion = "1"\ndependencies = {json.dumps(requirements)}\n'


YARN = "# yarn lockfile v1\n\n\n"
BERRY = """\
__metadata:
  version: 8

"flat-cache@npm:6.1.24":
  version: 6.1.24
  resolution: "flat-cache@npm:6.1.24"
  languageName: node
  linkType: hard
"""
POETRY = """\
[[package]]
name = "guardrails-ai"
version = "0.10.1"
optional = false

[[package]]
name = "requests"
version = "2.31.0"
optional = false
"""
CASES: dict[str, tuple[str, str, frozenset[str]]] = {
    "infected-lockfile": ("package-lock.json", npm({"@ctrl/tinycolor": "4.1.2"}), frozenset({"@ctrl/tinycolor@4.1.2"})),
    "infected-lockfile-pnpm": (
        "pnpm-lock.yaml",
        "lockfileVersion: '9.0'\npackages:\n  '@ctrl/tinycolor@4.1.2':\n    resolution: {}\n",
        frozenset({"@ctrl/tinycolor@4.1.2"}),
    ),
    "pnpm-first-entry": (
        "pnpm-lock.yaml",
        "lockfileVersion: '9.0'\n\npackages:\n\n  keyv@6.0.0:\n    resolution: {integrity: sha512-0000}\n",
        frozenset({"keyv@6.0.0"}),
    ),
    "comprehensive": (
        "package-lock.json",
        npm({"debug": "4.0.1", "error-ex": "1.2.0", "chalk": "5.6.1"}, version=2),
        frozenset({"chalk@5.6.1"}),
    ),
    "compromised": (
        "package-lock.json",
        npm({"color-convert": "3.1.1"}, version=2),
        frozenset({"color-convert@3.1.1"}),
    ),
    "the version of another package": (
        "package-lock.json",
        npm(
            {"some-package": "3.1.1", "color-convert": "1.9.3"},
            version=2,
            needs={"some-package": {"color-convert": "*"}},
        ),
        frozenset(),
    ),
    "safe-versions": ("package-lock.json", npm({"debug": "4.0.1", "ms": "2.1.3", "jest": "27.5.1"}), frozenset()),
    "yarn-classic": (
        "yarn.lock",
        YARN + '"@or-sdk/auth@^0.38.2":\n  version "0.38.2"\n\nkeyv@^6.0.0, keyv@^6.1.0:\n  version "6.0.0"\n',
        frozenset({"@or-sdk/auth@0.38.2", "keyv@6.0.0"}),
    ),
    "yarn-berry": (
        "yarn.lock",
        BERRY,
        frozenset({"flat-cache@6.1.24"}),
    ),
    "yarn-clean": ("yarn.lock", '# yarn lockfile v1\n\n\nkeyv@^5.0.0:\n  version "5.3.4"\n', frozenset()),
    "poetry": (
        "poetry.lock",
        POETRY,
        frozenset({"guardrails-ai@0.10.1"}),
    ),
    "pinned by pyproject": ("pyproject.toml", pyproject("durabletask==1.4.1"), frozenset({"durabletask@1.4.1"})),
    "polyglot": ("pyproject.toml", pyproject("mistralai==2.4.6", "fastapi==0.110.0"), frozenset({"mistralai@2.4.6"})),
    "pypi-clean": ("pyproject.toml", pyproject("mistralai==2.4.5", "guardrails-ai==0.10.0"), frozenset()),
    "ranges without a lockfile": (
        "package.json",
        '{"dependencies": {"debug": "^4.0.1", "error-ex": "^1.2.0"}}',
        frozenset(),
    ),
}


def test_the_published_cases(person: Person) -> None:
    """Each case names what it fixes, exactly, and nothing else; ranges are another question (``--window``)."""
    for name, (file, text, _) in CASES.items():
        write(person.folder / name / file, text)
    person.adds(person.folder)
    code, printed = person.runs("exposed", *BAD, "--format", "json")
    assert code == 1
    found: dict[str, set[str]] = {name: set() for name in CASES}
    for one in json.loads(printed)["exposures"]:
        found[Path(one["place"]["path"]).parent.name].add(f"{one['name']}@{one['version']}")
    assert found == {name: set(releases) for name, (_, _, releases) in CASES.items()}


@pytest.mark.parametrize(
    ("release", "admits"), [("debug@4.4.2", True), ("error-ex@1.3.3", True), ("debug@5.0.0", False)]
)
def test_ranges_are_told_where_a_window_asks(person: Person, release: str, admits: bool) -> None:
    """What their detector calls a medium risk is answered from the index of that time: would it have resolved to it."""
    name, _, version = release.partition("@")
    file, text, _ = CASES["ranges without a lockfile"]
    write(person.folder / file, text)
    page = person.folder.parent / "page.json"
    page.write_text(
        json.dumps(
            {
                "name": name,
                "dist-tags": {"latest": version},
                "versions": {version: {"name": name}},
                "time": {"created": "2020-01-01T00:00:00Z", version: "2025-09-08T13:16:00Z"},
            }
        )
    )
    person.adds(person.folder)
    window = ("--window", "2025-09-08T13:00Z/2025-09-08T15:20Z", "--packument", str(page))
    assert bool(person.asks(release, *window)["exposures"]) is admits
