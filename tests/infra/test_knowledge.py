"""What ships is read from its files; a broken installation says that it is one."""

from pathlib import Path

import pytest

from lazaretto._plugins import PluginError
from lazaretto.infra import knowledge


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put broken files in the place of those that ship."""
    folder = tmp_path / "knowledge"
    (folder / "actors").mkdir(parents=True)
    (folder / "actors" / "a.toml").write_text("name = ", encoding="utf-8")
    (tmp_path / "attribution.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(knowledge, "FOLDER", folder)
    for cached in (knowledge.shipped, knowledge.scale):
        cached.cache_clear()


@pytest.mark.usefixtures("broken")
def test_a_broken_installation_says_so() -> None:
    """Neither what is known nor the table is guessed at."""
    with pytest.raises(PluginError, match=r"actors/a\.toml"):
        knowledge.shipped()
    with pytest.raises(PluginError, match="table of attribution"):
        knowledge.scale()
