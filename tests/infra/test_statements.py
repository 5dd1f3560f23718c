"""Documents of attestations: that of the release in question as it is now, those of earlier ones as they were seen."""

from pathlib import Path

import pytest

from lazaretto.app.ports import NotFound
from lazaretto.core.names import ProjectName
from lazaretto.infra.statements import Statements
from tests.app.yard import Upstream

PAD = ProjectName("pad")
URL = "https://registry.invalid/attestations/pad@1.0.0"


class Source(Upstream):
    """A registry whose document changes each time."""

    count = 0

    def statement(self, name: ProjectName, url: str) -> bytes:
        """Return another document."""
        self.count += 1
        return f"{name} {self.count}".encode()


def test_what_is_asked_about_is_fetched_and_what_was_is_kept(tmp_path: Path) -> None:
    """A new run fetches a document again, and takes what it saw of earlier releases for granted."""
    source = Source()
    first = Statements(source, tmp_path)

    assert first.kept(PAD, URL) == b"pad 1"
    assert first.fetch(PAD, URL) == b"pad 2"
    assert Statements(source, tmp_path).kept(PAD, URL) == b"pad 2"
    assert source.count == 2


def test_keys_are_asked_for_each_time(tmp_path: Path) -> None:
    """A key that a registry has withdrawn must not be believed out of a folder."""
    with pytest.raises(NotFound):
        Statements(Source(), tmp_path).keys(PAD)
