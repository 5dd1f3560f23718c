"""The sources of advisories in the settings: read, or every defect told."""

from datetime import timedelta
from pathlib import Path

import pytest

from lazaretto.core.policy import Outcome
from lazaretto.settings import FILE_NAME, SettingsError, load
from lazaretto.settings.firewall import FirewallSettings
from lazaretto.settings.sources import AdvisorySetting


def loaded(folder: Path, text: str) -> FirewallSettings:
    """Return the firewall's settings of a file."""
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    found = load({}, folder, folder).firewall
    assert found is not None
    return found


def test_sources_are_read(tmp_path: Path) -> None:
    """A file, and an address with a feed and a token of its own."""
    found = loaded(
        tmp_path,
        """
        [firewall]
        advisory_age = "2d"
        vulnerabilities = "hold"
        [[firewall.advisories]]
        name = "one"
        place = "/data/osv.zip"
        [[firewall.advisories]]
        name = "two"
        place = "https://mirror.invalid/npm.zip"
        feed = "osv"
        token_env = "MIRROR"
        """,
    )

    assert found.advisories == (
        AdvisorySetting("one", "/data/osv.zip"),
        AdvisorySetting("two", "https://mirror.invalid/npm.zip", "osv", "MIRROR"),
    )
    assert (found.advisory_age, found.vulnerabilities) == (timedelta(days=2), Outcome.HOLD)


def test_without_sources_there_are_none(tmp_path: Path) -> None:
    """A day, and a vulnerability by itself holds nothing."""
    found = loaded(tmp_path, "[firewall]\n")

    assert (found.advisories, found.advisory_age) == ((), timedelta(hours=24))
    assert found.vulnerabilities is Outcome.ALLOW


def test_every_defect_is_told(tmp_path: Path) -> None:
    """All of them at once, each with its key."""
    text = """
        [firewall]
        advisory_age = 5
        vulnerabilities = "perhaps"
        [[firewall.advisories]]
        name = "one"
        [[firewall.advisories]]
        name = "one"
        place = 5
        colour = "red"
    """
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, text)

    assert [problem.partition(": ")[0] for problem in caught.value.problems] == [
        "firewall.advisories 1.place",
        "firewall.advisories 2.colour",
        "firewall.advisories 2.place",
        "firewall.advisories 2.place",
        "firewall.advisories 2.name",
        "firewall.advisory_age",
        "firewall.vulnerabilities",
    ]


@pytest.mark.parametrize("text", ["[firewall]\nadvisories = 5\n", "[firewall]\nadvisories = [5]\n"])
def test_sources_are_tables(tmp_path: Path, text: str) -> None:
    """Anything else says how they are written."""
    with pytest.raises(SettingsError, match=r"\[\[firewall.advisories\]\]"):
        loaded(tmp_path, text)
