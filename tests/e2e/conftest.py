"""What the tests of whole programs stand on: a machine with a registry of its own, and a firewall in front of one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.street import Firewall, Upstream
from tests.e2e.witness import Witness
from tests.infra.servers import server
from tests.surfaces.site import Machine, Site


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Machine]:
    """Return a machine whose npm registry is a server on loopback."""
    with server() as made:
        yield Machine(Site(made), tmp_path, monkeypatch, capsys)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Return an upstream: the newest ``thing`` is held, ``fresh`` and ``other`` are young and unremarkable."""
    with server() as made:
        built = Upstream(made)
        built.npm("thing", "1.0.0", age=400)
        built.npm("thing", "1.1.0", age=0.01, held=True)
        built.npm("fresh", "1.0.0", age=2)
        built.npm("other", "1.0.0", age=2)
        built.npm("old", "1.0.0", age=400)
        built.pypi("thing", "1.0.0", age=400)
        built.pypi("thing", "1.1.0", age=0.01, held=True)
        built.pypi("fresh", "1.0.0", age=2)
        yield built


@pytest.fixture
def firewall(tmp_path: Path, upstream: Upstream) -> Iterator[Firewall]:
    """Return a running firewall in front of it."""
    folder = tmp_path / "firewall"
    folder.mkdir(exist_ok=True)  # a test may have put a disk into it
    made = Firewall(folder, upstream).start()
    yield made
    made.stop()


@pytest.fixture
def witness(firewall: Firewall, upstream: Upstream) -> Witness:
    """Return who says at the end whether a fault did any harm."""
    return Witness(firewall, upstream)
