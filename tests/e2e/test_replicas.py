"""Two firewalls on one PostgreSQL server and one object store act as one, also when one of them or the server dies."""

import json
import signal
import threading
import time
import urllib.error
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.street import Firewall, Upstream
from tests.infra.servers import Handler
from tests.services import KEYS, Postgres, Store

pytestmark = pytest.mark.slow

FRESH, THING = "/npm/fresh/-/fresh-1.0.0.tgz", "/npm/thing/-/thing-1.1.0.tgz"


@pytest.fixture
def replicas(
    tmp_path: Path, upstream: Upstream, postgres: Postgres, store: Store, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Firewall, Firewall]]:
    """Return two running firewalls, each with folders of its own, that share a database and a bucket."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    state = (
        f'\n[state]\njournal = "{postgres.database()}"\npassword_file = "{postgres.password_file}"\n'
        f'blobs = "{store.bucket()}"\nendpoint = "{store.endpoint}"\n'
    )
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        firewall = Firewall(folder, upstream)
        with firewall.config.open("a") as config:
            config.write(state)
        made.append(firewall)
    one, two = made
    one.start()
    two.start()
    yield one, two
    for firewall in made:
        firewall.stop()


def versions(firewall: Firewall, name: str) -> list[str]:
    """Return the versions on a page of npm."""
    return list(json.loads(firewall.get(f"/npm/{name}"))["versions"])


def finally_got(firewall: Firewall, path: str, seconds: float = 60) -> bytes:
    """Return an artifact as a client gets it that comes again when it is told to."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(urllib.error.HTTPError):
            return firewall.get(path)
        time.sleep(0.2)
    raise AssertionError(f"{path} was not served within {seconds} s")


def settled(firewall: Firewall) -> int:
    """Return how many readings have ended, once none goes on."""
    for _ in range(300):
        if "\nlazaretto_readings_waiting 0\n" in firewall.get("/metrics").decode():
            return firewall.readings()
        time.sleep(0.1)
    raise AssertionError("a reading has no end")


def test_one_artifact_is_read_once(replicas: tuple[Firewall, Firewall], upstream: Upstream) -> None:
    """Of twenty requests at each of two, for an artifact that nobody has seen, one leads to a reading."""
    with ThreadPoolExecutor(40) as pool:
        bodies = set(pool.map(lambda number: replicas[number % 2].get(FRESH), range(40)))

    assert len(bodies) == 1
    assert [settled(one) for one in replicas] in ([0, 1], [1, 0])
    assert upstream.server.paths().count(FRESH) == 1


def test_what_one_decides_counts_for_the_other_at_once(replicas: tuple[Firewall, Firewall]) -> None:
    """Held by one is refused by the other; revoked at one, the other's page and artifact refuse in the next request."""
    one, two = replicas
    assert one.status(THING) == 403
    assert two.status(THING) == 403
    assert [versions(firewall, "thing") for firewall in replicas] == [["1.0.0"], ["1.0.0"]]
    assert one.get(FRESH) == two.get(FRESH)
    assert [versions(firewall, "fresh") for firewall in replicas] == [["1.0.0"], ["1.0.0"]]
    assert settled(two) == 0

    one.command("firewall", "revoke", "pkg:npm/fresh@1.0.0", "--reason", "a test", "--by", "ada")
    assert two.status(FRESH) == 403
    assert versions(two, "fresh") == []
    assert one.status(FRESH) == 403
    two.command("firewall", "allow", "pkg:npm/thing@1.1.0", "--reason", "a test", "--by", "bob")
    assert one.status(THING) == 200
    assert "2 acts, each sealed" in one.command("audit", "verify")
    assert "handed out" in two.command("firewall", "status")


def test_a_token_is_everyones(replicas: tuple[Firewall, Firewall]) -> None:
    """A token that one makes is good at the other, until either revokes it."""
    one, two = replicas
    token = one.command("firewall", "token", "make", "ci", "--by", "ada", "--reason", "a test").split()[-1]
    assert token.startswith("lzt_")
    assert two.status("/npm/fresh", token) == 200
    two.command("firewall", "token", "revoke", "ci", "--by", "bob", "--reason", "a test")

    assert [one.status("/npm/fresh", token), two.status("/npm/fresh", token)] == [401, 401]


def test_the_other_finishes_what_one_was_reading(replicas: tuple[Firewall, Firewall], upstream: Upstream) -> None:
    """After kill -9 of the replica that reads, whoever waits at the other gets the artifact there."""
    one, two = replicas
    path = "/npm/other/-/other-1.0.0.tgz"
    answer, asked, go = upstream.server.pages[path], threading.Event(), threading.Event()

    def slow(handler: Handler) -> None:
        asked.set()
        go.wait(60)
        answer(handler)

    upstream.server.pages[path] = slow
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(one.get, path)
        assert asked.wait(60)
        second = pool.submit(finally_got, two, path)
        time.sleep(1)
        one.stop(signal.SIGKILL)
        go.set()
        body = second.result(90)
        with pytest.raises(OSError, match=r".*"):
            first.result(60)

    assert body
    assert two.readings() == 1
    one.start()
    assert one.get(path) == body
    assert one.readings() == 0


def test_without_the_server_nothing_is_served(replicas: tuple[Firewall, Firewall], postgres: Postgres) -> None:
    """Closed while PostgreSQL is away or stands still, alive all the same, and open again by itself."""
    one, two = replicas
    body = one.get(FRESH)
    assert two.get(FRESH) == body
    postgres.stop()
    try:
        assert {firewall.status(path) for firewall in replicas for path in (FRESH, "/npm/fresh", "/readyz")} == {503}
        assert {firewall.status("/healthz") for firewall in replicas} == {200}
        assert "cannot be read" in one.command("firewall", "status")
    finally:
        postgres.start()
    assert [firewall.get(FRESH) for firewall in replicas] == [body, body]
    assert versions(one, "fresh") == ["1.0.0"]

    with ThreadPoolExecutor(1) as pool:
        postgres.pause(paused=True)
        try:
            waiting = pool.submit(one.get, FRESH)
            time.sleep(0.5)
            began = time.monotonic()
            assert one.status("/healthz") == 200
            assert time.monotonic() - began < 2
            assert not waiting.done()
        finally:
            postgres.pause(paused=False)
        assert waiting.result(30) == body
