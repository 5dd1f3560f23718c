"""Somebody with an inventory of their own at a shell."""

import json
from pathlib import Path
from typing import Any

import pytest

from lazaretto.surfaces.cli import main


class Person:
    """Runs commands, and reads what they print."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture

    def runs(self, *words: str) -> tuple[int, str]:
        """Run a command and return its exit code and what it printed on standard output."""
        self._capture.readouterr()
        code = main(words)
        return code, self._capture.readouterr().out

    def adds(self, *paths: Path) -> int:
        """Add paths and return the exit code."""
        return self.runs("inventory", "add", *map(str, paths))[0]

    def asks(self, *words: str) -> dict[str, Any]:
        """Ask who is exposed and return the answer."""
        found: dict[str, Any] = json.loads(self.runs("exposed", *words, "--format", "json")[1])
        return found


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Person:
    """Return a person whose inventory is empty."""
    for name in ("HOME", "LAZARETTO_CACHE_DIR", "LAZARETTO_STATE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "home" / name.lower()))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return Person(tmp_path / "work", capsys)
