"""Somebody who answers an incident, at a shell of their own."""

import json
from pathlib import Path
from typing import Any

import pytest

from lazaretto.surfaces.cli import main


class Responder:
    """Runs commands, and keeps all that they printed."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture
        self.printed = ""

    def __call__(self, *words: str) -> tuple[int, str]:
        """Run a command; return its exit code and everything that it printed."""
        self._capture.readouterr()
        code = main(words)
        captured = self._capture.readouterr()
        self.printed += captured.out + captured.err
        return code, captured.out + captured.err

    def json(self, *words: str) -> Any:
        """Run a command and return what it printed, read."""
        return json.loads(self(*words, "--format", "json")[1])


@pytest.fixture
def responder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Responder:
    """Return somebody whose inventory and incidents are empty."""
    for name in ("HOME", "LAZARETTO_CACHE_DIR", "LAZARETTO_STATE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "own" / name.lower()))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return Responder(tmp_path / "work", capsys)
