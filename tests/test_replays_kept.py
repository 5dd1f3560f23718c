"""The replays as a whole: each incident has a control, and the page tells of each."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
REPLAYS = ROOT / "replays"


def test_each_incident_has_a_control_of_the_same_package() -> None:
    """A hold means something only beside an honest update of the same package that is allowed."""
    sheets = [tomllib.loads(path.read_text(encoding="utf-8")) for path in REPLAYS.rglob("replay.toml")]
    allowed = {sheet["package"] for sheet in sheets if sheet["expect"] == "allow"}
    assert [sheet["package"] for sheet in sheets if sheet["package"] not in allowed] == []


def test_the_page_names_every_replay() -> None:
    """``tools/gen_replays.py`` was run after a replay came or went."""
    ran = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "gen_replays.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.returncode) == ("", 0)
