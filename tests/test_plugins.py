"""Discovery finds every plug-in, and nothing that is broken gets past it."""

import subprocess
import sys
from pathlib import Path

import pytest

from lazaretto._plugins import PluginError, discover, load, names


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """Return the folder of an importable package whose name no other test uses."""
    folder = tmp_path / f"plugins_{abs(hash(request.node.nodeid))}"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def test_modules_and_packages_are_plugins(package: Path) -> None:
    """One module or one sub-package is one plug-in; helpers and other files are none; the order is that of names."""
    (package / "zeta.py").write_text("ID = 'zeta'")
    (package / "alpha.py").write_text("ID = 'alpha'")
    (package / "_helper.py").write_text("ID = 'helper'")
    (package / "notes.txt").touch()
    (package / "_data").mkdir()
    (package / "middle").mkdir()
    (package / "middle" / "__init__.py").write_text("ID = 'middle'")

    assert names(package.name) == ("alpha", "middle", "zeta")
    assert [module.ID for module in discover(package.name, ("ID",))] == ["alpha", "middle", "zeta"]


def test_names_imports_no_plugin(package: Path) -> None:
    """Listing is lazy: a plug-in that would fail is listed, so that nobody mistakes it for absent."""
    (package / "broken.py").write_text("raise RuntimeError")

    assert names(package.name) == ("broken",)
    assert f"{package.name}.broken" not in sys.modules


@pytest.mark.parametrize("source", ["raise RuntimeError('boom')", "import nowhere_to_be_found", "def ("])
def test_plugin_that_fails_to_import_stops(package: Path, source: str) -> None:
    """A plug-in that cannot be imported is named in the error, whatever its failure is."""
    (package / "broken.py").write_text(source)

    with pytest.raises(PluginError, match=rf"{package.name}\.broken cannot be imported"):
        discover(package.name)


def test_plugin_that_lacks_a_name_stops(package: Path) -> None:
    """All that is missing is told at once."""
    (package / "bare.py").write_text("ID = 'bare'")

    with pytest.raises(PluginError, match=r"bare lacks CARD, detect"):
        discover(package.name, ("ID", "CARD", "detect"))


def test_folder_that_is_no_package_stops(package: Path) -> None:
    """A plug-in whose ``__init__.py`` was lost is not passed over."""
    (package / "own.py").touch()
    (package / "half").mkdir()
    (package / "half" / "reader.py").touch()

    with pytest.raises(PluginError, match=r"half has no __init__\.py"):
        names(package.name)


def test_empty_package_stops(package: Path) -> None:
    """No plug-in at all is a broken installation, not a program that finds nothing."""
    with pytest.raises(PluginError, match="holds no plug-in"):
        names(package.name)


def test_unknown_package_stops() -> None:
    """A package that does not exist is named."""
    with pytest.raises(PluginError, match="nowhere_to_be_found cannot be imported"):
        discover("nowhere_to_be_found")


def test_module_is_no_package_of_plugins(package: Path) -> None:
    """A module has no folder to look into."""
    (package / "single.py").touch()

    with pytest.raises(PluginError, match="cannot be imported"):
        names(f"{package.name}.single")


def test_folder_that_cannot_be_listed_stops(package: Path) -> None:
    """A folder that is gone is an error, never an empty list."""
    (package / "__init__.py").write_text("__path__ = ['/nowhere/to/be/found']")

    with pytest.raises(PluginError, match="cannot be listed"):
        names(package.name)


def test_third_party_plugins_come_by_name(package: Path) -> None:
    """What the settings name is loaded after our own, and must offer the same names."""
    (package / "own.py").write_text("ID = 'own'")
    (package.parent / f"third_{package.name}.py").write_text("ID = 'third'")

    found = discover(package.name, ("ID",), extra=(f"third_{package.name}",))

    assert [module.ID for module in found] == ["own", "third"]


def test_same_name_twice_stops(package: Path) -> None:
    """A third party cannot take the place of one of our own."""
    (package / "own.py").touch()
    (package / "other").mkdir()
    (package / "other" / "__init__.py").touch()
    (package / "other" / "own.py").touch()

    with pytest.raises(PluginError, match="have the same name"):
        discover(package.name, extra=(f"{package.name}.other.own",))


def test_load_returns_the_module(package: Path) -> None:
    """One plug-in can be loaded alone, which is what the fast path does."""
    (package / "own.py").write_text("ID = 'own'")

    assert load(f"{package.name}.own", ("ID",)).ID == "own"


def test_entry_points_are_never_read() -> None:
    """Discovery does not even import the library that reads entry points."""
    code = "import sys, lazaretto._plugins; sys.exit('importlib.metadata' in sys.modules)"

    assert subprocess.run([sys.executable, "-S", "-c", code], check=False, env={"PYTHONPATH": "src"}).returncode == 0
