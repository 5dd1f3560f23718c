"""The bench of a check compares like with like: smaller lockfiles are parts of the larger, and an update is one pin."""

import json
from pathlib import Path

import pytest

from evals import check_bench


def lockfile(folder: Path, names: dict[str, str]) -> Path:
    """Write what npm would for these releases."""
    packages = {f"node_modules/{name}": {"version": version} for name, version in names.items()}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "package-lock.json"
    path.write_text(json.dumps({"name": "a", "lockfileVersion": 3, "packages": {"": {}, **packages}}))
    return path


def pins(path: Path) -> set[tuple[str, str]]:
    """Return the releases of a lockfile."""
    packages = json.loads(path.read_text())["packages"]
    return {(where.rpartition("node_modules/")[2], one["version"]) for where, one in packages.items() if where}


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> check_bench.Locks:
    """Return the pins of two lockfiles that disagree about one project."""
    monkeypatch.setattr(check_bench, "FOLDER", tmp_path / "bench")
    several = {f"p{number}": "1.0.0" for number in range(20)}
    return check_bench.gather(
        [lockfile(tmp_path / "a", several | {"q": "1.0.0"}), lockfile(tmp_path / "b", several | {"q": "1.1.0"})]
    )


def test_the_update_changes_one_pin(locks: check_bench.Locks) -> None:
    """Everything else is warm."""
    before, after = (pins(check_bench.write(locks, name, 10, updated)) for name, updated in (("a", False), ("b", True)))
    assert before ^ after == {("q", "1.0.0"), ("q", "1.1.0")}
    assert len(before) == 10


@pytest.mark.parametrize("every", [2, 4])
def test_fewer_pins_are_some_of_the_same(locks: check_bench.Locks, every: int) -> None:
    """Otherwise it is cold what is called warm."""
    first = pins(check_bench.write(locks, "first", 12, updated=False))
    fewer = pins(check_bench.write(locks, "fewer", 12, updated=False, every=every))
    assert fewer < first
    assert len(fewer) <= len(first) // every + 1
