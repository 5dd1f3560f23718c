"""A pinned release that is being read: pip and uv wait for it, and are not told that it does not exist."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from msgspec.structs import replace

from lazaretto.surfaces.firewall import waiting
from tests.clients.client import Client, Place
from tests.clients.python_clients import ALL, PIP, UV
from tests.clients.rig import free_port
from tests.surfaces.firewall.street import Street, street

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PIECE, READING = 2.0, 3.0
"""Seconds that a page waits at a time, and that a reading takes."""


@contextmanager
def open_to_clients(town: Street) -> Iterator[str]:
    """Serve a firewall whose readings a test answers on a port of its own, for the length of a block."""
    port = free_port()
    config = uvicorn.Config(town.service, host="127.0.0.1", port=port, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}/pypi/simple/"
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    """Return a firewall in front of an old release and a young one."""
    quick = {name: replace(borne, seconds=PIECE) for name, borne in waiting.KNOWN.items()}
    monkeypatch.setattr(waiting, "KNOWN", quick)
    with street(tmp_path, monkeypatch, patience="20s") as made:
        made.upstream.pypi("calm", "1.0", age=400)
        made.upstream.pypi("calm", "1.1", age=1)
        yield made


def answered(town: Street) -> None:
    """Answer the reading of the young release, some time after it is asked for."""

    def answer() -> None:
        while not town.hands.futures:
            time.sleep(0.01)
        time.sleep(READING)
        town.hands.answer("1.1", "allow", town.upstream.data["calm-1.1-py3-none-any.whl"])

    threading.Thread(target=answer, daemon=True).start()


@pytest.mark.parametrize("client", [PIP, UV], ids=lambda client: client.name)
def test_a_pinned_release_is_waited_for(client: Client, town: Street, tmp_path: Path) -> None:
    """The reading takes longer than the page waits at a time: the client asks again, and installs what it asked for."""
    with open_to_clients(town) as url:
        place = Place.made(tmp_path / client.name, url)
        client.asks(place, {"calm": "==1.1"})
        answered(town)
        said = client.installs(place)

        assert said.code == 0, said.output
        assert client.installed(place, "calm") == "1.1"


@pytest.mark.parametrize("client", ALL, ids=lambda client: client.name)
def test_a_reading_without_end_fails_no_installation(client: Client, town: Street, tmp_path: Path) -> None:
    """Whoever asks for a range gets the release before, when the patience or the client's has ended."""
    with open_to_clients(town) as url:
        place = Place.made(tmp_path / client.name, url)
        client.asks(place, {"calm": ">=1.0"})
        said = client.installs(place)

        assert said.code == 0, said.output
        assert client.installed(place, "calm") == "1.0"
