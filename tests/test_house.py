"""The rules of the house that no other tool checks. CONTRIBUTING.md gives their reasons."""

import ast
import os
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NetworkRefused

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "lazaretto"
SOURCES = sorted(PACKAGE.rglob("*.py"))
PLUGIN_FOLDERS = ("detectors", "ecosystems", "feeds", "languages", "lockfiles", "outputs", "places")
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


def test_cold_start_is_kept() -> None:
    """The way to a verdict loads nothing that costs milliseconds and can be had without (ADR 0006, ADR 0007)."""
    slow = {
        "asyncio",
        "concurrent",
        "dataclasses",
        "inspect",
        "multiprocessing",
        "rich",
        "typer",
        "click",
        "jsonschema",
    }
    code = (
        "import sys; sys.modules['typing_extensions'] = None\n"  # a tool of the checks brings it; msgspec would load it
        "import lazaretto.__main__\n"
        "from lazaretto.surfaces.cli.parser import build; build()\n"
        "from lazaretto.bootstrap import App\n"
        "from lazaretto._plugins import discover\n"
        "for kind in ('detectors', 'languages', 'outputs'): discover(f'lazaretto.{kind}')\n"
        f"print(*({slow!r} & sys.modules.keys()))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)

    assert (run.stdout.split(), run.stderr) == ([], "")


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.relative_to(PACKAGE).parts[0] in {"core", "detectors", "languages"}], ids=relative
)
def test_pure_modules_open_nothing(path: Path) -> None:
    """Pure modules do not call the built-in functions that touch the world or run text."""
    banned = {"open", "eval", "exec", "compile", "__import__", "input", "print", "breakpoint", "hash"}
    called = {
        node.func.id
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert not banned & called


def test_versions_are_where_they_belong() -> None:
    """The version is written once, in the package."""
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["runtime", "images", "firewall", "build", "dev", "deploy", "lock", "bench", "clients", "fuzz"]
)
def test_every_pin_has_hashes_and_no_address(name: str) -> None:
    """The environment is made of known bytes, wherever they come from."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^\S+==.*$(?:\n +--hash=sha256:[0-9a-f]{64}.*$)*", text, re.MULTILINE)

    assert pins
    assert all("--hash=" in pin for pin in pins)
    assert "://" not in text


def declared_dependencies(extra: str = "") -> list[str]:
    """Return the names of the dependencies that the package declares, or those of an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return [re.split(r"[^a-z0-9-]", one)[0] for one in declared]


def test_locks_cover_what_is_asked_for() -> None:
    """Every dependency that the package declares is pinned."""
    for extra, lock in (("", "runtime"), ("firewall", "firewall"), ("cluster", "cluster"), ("oidc", "oidc")):
        pinned = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
        for name in declared_dependencies(extra):
            assert re.search(rf"^{name}==", pinned, re.MULTILINE), f"{name}: run `make lock`"


def test_imports_are_declared() -> None:
    """What the package imports is its own, the standard library's, or a dependency that it declares."""
    modules = {"packageurl-python": "packageurl", "pyjwt": "jwt"}
    names = [name for extra in ("", "firewall", "cluster", "oidc", "verify") for name in declared_dependencies(extra)]
    declared = {modules.get(name, name.replace("-", "_")) for name in names}
    loaded_by_uvicorn = {"httptools", "uvloop"}
    imported = {name.partition(".")[0]: relative(path) for path in SOURCES for name in imports_of(path)}
    known = declared | set(sys.stdlib_module_names) | {"lazaretto"}

    assert {name: path for name, path in imported.items() if name not in known} == {}
    assert declared - loaded_by_uvicorn <= imported.keys(), "declared, and never imported"


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
