"""Every lockfile format against its cases, and the laws that hold for any text."""

import importlib
import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto._plugins import names
from lazaretto.core.pin import LockfileError, Pin

HERE = Path(__file__).parent
FORMATS = names("lazaretto.lockfiles")
CASES = sorted(path.parent for path in HERE.glob("*/*/input"))


def _format(name: str) -> ModuleType:
    return importlib.import_module(f"lazaretto.lockfiles.{name}")


def _includer(case: Path) -> Callable[[str], str]:
    def include(name: str) -> str:
        return (case / "files" / name).read_text("utf-8")

    return include


def outcome(case: Path) -> Any:
    """Return what a case gives, as JSON: its pins, or the line and reason of its error."""
    text = (case / "input").read_text("utf-8")
    try:
        pins = list(_format(case.parent.name).parse(text, _includer(case)))
    except LockfileError as error:
        return {"error": {"line": error.line}}
    return {"pins": [_shown(pin) for pin in pins]}


def _shown(pin: Pin) -> dict[str, Any]:
    fields = json.loads(msgspec.json.encode(pin))
    if isinstance(fields["problem"], str) and "cannot be read" in fields["problem"]:
        fields["problem"] = fields["problem"].partition(":")[0]  # the rest is the words of the system
    if not fields["open"]:
        del fields["open"]
    return {key: value for key, value in fields.items() if value not in (None, "", [])}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_case(case: Path) -> None:
    """The pins of a recorded lockfile are those that were checked by hand."""
    assert outcome(case) == json.loads((case / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_the_names_of_the_contract(name: str) -> None:
    """A format says which files it reads and of which ecosystem; cases exist for it."""
    module = _format(name)
    assert module.MATCHES
    assert module.ECOSYSTEM in {"npm", "pypi", ""}
    assert [case for case in CASES if case.parent.name == name]


def test_usual_names_are_matched_by_one_format() -> None:
    """Each usual file name belongs to exactly one format."""
    usual = (
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "yarn.lock",
        "bun.lock",
        "bun.lockb",
        "deno.lock",
        "package.json",
        "poetry.lock",
        "pdm.lock",
        "Pipfile.lock",
        "pylock.toml",
        "pylock.test.toml",
        "pyproject.toml",
        "bom.json",
        "app.cdx.json",
        "app.spdx",
        "app.spdx.json",
        "uv.lock",
        "requirements.txt",
        "requirements-dev.txt",
        "dev-requirements.txt",
    )
    for name in usual:
        assert [
            f for f in FORMATS if any(fnmatchcase(name, pattern) for pattern in _format(f).MATCHES)
        ].__len__() == 1, name


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.text(max_size=6)
    | st.sampled_from(["1.0.0", "npm:a@1", "file:x", "git+x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "version",
                    "resolved",
                    "integrity",
                    "dependencies",
                    "name",
                    "link",
                    "",
                    "node_modules/a",
                    "a/node_modules/b",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def _holds(name: str, text: str) -> None:
    def include(wanted: str) -> str:
        if wanted.startswith("x"):
            raise FileNotFoundError(wanted)
        return "inner==1\n"

    try:
        pins = list(_format(name).parse(text, include))
    except LockfileError as error:
        assert error.line >= 1
        assert error.line <= text.count("\n") + 1
        return
    for pin in pins:
        assert pin.line >= 1
        assert pin.ecosystem == _format(name).ECOSYSTEM or not _format(name).ECOSYSTEM
        assert pin.name or pin.problem or pin.location


@given(text=st.text(max_size=300))
@pytest.mark.parametrize("name", FORMATS)
def test_any_text_gives_pins_or_an_error_with_a_line(name: str, text: str) -> None:
    """Whatever the text, the answer is pins or LockfileError, nothing else."""
    _holds(name, text)


@given(packages=_JSON, dependencies=_JSON, version=st.sampled_from([1, 2, 3, None, [], "3", True]))
def test_any_json_gives_pins_or_an_error(packages: object, dependencies: object, version: object) -> None:
    """A document of the right shape with anything inside is read, entry by entry."""
    document = {"lockfileVersion": version, "packages": packages, "dependencies": dependencies}
    _holds("package_lock", json.dumps({key: value for key, value in document.items() if value is not None}))


@given(
    lines=st.lists(
        st.sampled_from(
            [
                "a==1",
                "-r x",
                "-r b.txt",
                "-e .",
                "--hash=sha256:0",
                "\\",
                "#",
                "@ u",
                ";",
                "a[b]",
                "git+x",
                "-",
                "--",
                "==",
            ]
        ),
        max_size=12,
    ),
    joiner=st.sampled_from(["\n", " ", " \\\n"]),
)
def test_any_requirement_lines_give_pins(lines: list[str], joiner: str) -> None:
    """Odd lines of a requirements file become pins with a problem, never silence."""
    _holds("requirements", joiner.join(lines))


@given(value=_JSON)
def test_any_toml_gives_pins_or_an_error(value: object) -> None:
    """A uv.lock with odd packages is read, entry by entry."""
    _holds("uv_lock", f"version = 1\npackage = {json.dumps(value) if not isinstance(value, dict) else '[{}]'}\n")


def test_a_lone_package_table_is_an_entry_that_is_not_understood() -> None:
    """An entry without a name is a pin with a problem at its line."""
    (pin,) = _format("uv_lock").parse('version = 1\n\n[[package]]\nversion = "1"\n')
    assert (pin.line, pin.problem) == (3, "the entry has no name")
