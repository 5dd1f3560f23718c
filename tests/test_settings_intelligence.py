"""The table ``[intelligence]``: what imports ask for, and which sources must be there."""

from datetime import timedelta
from pathlib import Path

import pytest

from lazaretto.app.intelligence.obey import Rules
from lazaretto.core.heed import HeedPolicy
from lazaretto.core.policy import Outcome
from lazaretto.settings import SettingsError, load


def read(folder: Path, text: str) -> Rules | None:
    """Return what the settings of a folder say of intelligence."""
    (folder / "lazaretto.toml").write_text(text)
    return load({}, folder, folder).intelligence


def test_what_is_said_is_meant(tmp_path: Path) -> None:
    """Without the table nothing is asked for; an empty one asks for what is usual."""
    text = '[intelligence]\nexact = "hold"\nseen = "block"\nunsure = "allow"\nsources = ["a"]\nmax_age = "2d"\n'
    meant = HeedPolicy(Outcome.HOLD, Outcome.BLOCK, Outcome.ALLOW)
    assert read(tmp_path, text) == Rules(heed=meant, sources=("a",), max_age=timedelta(days=2))
    assert read(tmp_path, "") is None
    assert read(tmp_path, "[intelligence]\n") == Rules()


def test_every_defect_is_told(tmp_path: Path) -> None:
    """At once, each with its key."""
    text = '[intelligence]\nexact = "never"\nseen = 3\nsources = "a"\nmax_age = 3\nother = 1\n'
    with pytest.raises(SettingsError) as told:
        read(tmp_path, text)
    assert [problem.partition(":")[0] for problem in told.value.problems] == [
        "intelligence.other",
        "intelligence.exact",
        "intelligence.seen",
        "intelligence.max_age",
        "intelligence.sources",
    ]
    with pytest.raises(SettingsError, match="which names none"):
        read(tmp_path, '[intelligence]\nmax_age = "2d"\n')
