"""What ships is read from its files; a broken installation says that it is one."""

import subprocess
import sys
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


def test_nothing_of_it_is_loaded_on_the_way_to_a_verdict() -> None:
    """Who did it is asked after a verdict; a scan does not pay for the question."""
    code = (
        "import sys\n"
        "from lazaretto.surfaces.cli.parser import build; build(only='scan')\n"
        "import lazaretto.app.ask, lazaretto.app.analyse, lazaretto.surfaces.cli.scan\n"
        "mine = {'core.knowledge', 'core.attribution', 'core.sighting', 'core.traits', 'core.shape', 'core.clusters'}\n"
        "print(*(name for name in mine if 'lazaretto.' + name in sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.split() == []
