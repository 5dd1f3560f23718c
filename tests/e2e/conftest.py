"""A machine with a registry of its own, as for the tests of the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.servers import server
from tests.surfaces.site import Machine, Site


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Machine]:
    """Return a machine whose npm registry is a server on loopback."""
    with server() as made:
        yield Machine(Site(made), tmp_path, monkeypatch, capsys)
