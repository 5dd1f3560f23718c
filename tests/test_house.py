"""The rules of the house that no other tool checks. CONTRIBUTING.md gives their reasons."""

import ast
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NetworkRefused

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "lazaretto"
SOURCES = sorted(PACKAGE.rglob("*.py"))
PLUGIN_FOLDERS = ("detectors", "ecosystems", "feeds", "languages", "lockfiles", "outputs")
MAX_LINES = 400


def tree_of(path: Path) -> ast.Module:
    """Return the parsed source of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports_of(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything that a module imports, at any depth."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_at_load(path: Path) -> Iterator[str]:
    """Yield what a module imports when it is loaded, leaving out blocks for the type checker and functions."""
    for node in tree_of(path).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def relative(path: Path) -> str:
    """Return a path as a person writes it."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_modules_are_small(path: Path) -> None:
    """A module has at most 400 lines: one person reads it in one sitting."""
    lines = len(path.read_text(encoding="utf-8").splitlines())

    assert lines <= MAX_LINES, f"{relative(path)} has {lines} lines: split it"


@pytest.mark.parametrize("folder", PLUGIN_FOLDERS)
def test_plugins_are_independent(folder: str) -> None:
    """A plug-in imports no other plug-in of its kind; what two of them share is a helper named with an underscore."""
    offences = []
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        own = path.relative_to(PACKAGE / folder).parts[0].removesuffix(".py")
        for name in imports_of(path):
            parts = name.split(".")
            if parts[:2] != ["lazaretto", folder] or len(parts) < 3:
                continue
            if parts[2] != own and not parts[2].startswith("_"):
                offences.append(f"{relative(path)} imports {name}")

    assert not offences


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_cold_start_is_kept(path: Path) -> None:
    """No module imports at load what costs milliseconds and can be had without (ADR 0006)."""
    slow = {"asyncio", "concurrent.futures", "dataclasses", "inspect", "multiprocessing", "rich", "typer", "click"}

    assert not slow & set(imports_at_load(path))


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.relative_to(PACKAGE).parts[0] in {"core", "detectors", "languages"}], ids=relative
)
def test_pure_modules_open_nothing(path: Path) -> None:
    """Pure modules do not call the built-in functions that touch the world or run text."""
    banned = {"open", "eval", "exec", "compile", "__import__", "input", "print", "breakpoint", "hash", "id"}
    called = {
        node.func.id
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert not banned & called


def test_versions_are_where_they_belong() -> None:
    """The version is written once, in the package."""
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["runtime", "build", "dev", "lock"])
def test_every_pin_has_hashes_and_no_address(name: str) -> None:
    """The environment is made of known bytes, wherever they come from."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^\S+==.*$(?:\n +--hash=sha256:[0-9a-f]{64}.*$)*", text, re.MULTILINE)

    assert pins
    assert all("--hash=" in pin for pin in pins)
    assert "://" not in text


def test_locks_cover_what_is_asked_for() -> None:
    """Every dependency that the package declares is pinned."""
    declared = re.search(
        r"^dependencies = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    pinned = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")

    assert declared is not None
    for name in re.findall(r'"([a-z0-9-]+)', declared.group(1)):
        assert re.search(rf"^{name}==", pinned, re.MULTILINE), f"{name}: run `make lock`"


def test_tests_cannot_leave_the_machine() -> None:
    """The guard of the test suite works, by address and by name."""
    with socket.socket() as out, pytest.raises(NetworkRefused):
        out.connect(("192.0.2.1", 9))
    with pytest.raises(NetworkRefused):
        socket.getaddrinfo("registry.invalid", 443)
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=relative)
def test_every_test_says_what_it_shows(path: Path) -> None:
    """A test that fails is read by someone who did not write it: its docstring says what no longer holds."""
    silent = [
        node.name
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]

    assert not silent


def test_nothing_is_skipped_for_ever() -> None:
    """No test is skipped or expected to fail: a test says something, or it is not there."""
    pattern = re.compile(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b")
    here = Path(__file__)
    offences = [
        relative(path)
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if path != here and pattern.search(path.read_text(encoding="utf-8"))
    ]

    assert not offences
