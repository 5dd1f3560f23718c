"""Faults around the firewall: whatever happens, nothing goes out undecided, and it comes back without a hand."""

import os
import signal
import time
import urllib.error
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.street import Firewall, Upstream
from tests.infra.servers import Handler, server

pytestmark = pytest.mark.slow

HELD = "/npm/thing/-/thing-1.1.0.tgz"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Return an upstream with a release that will be held, and one that will be allowed."""
    with server() as made:
        built = Upstream(made)
        built.npm("thing", "1.0.0", age=400)
        built.npm("thing", "1.1.0", age=0.01, held=True)
        built.npm("fresh", "1.0.0", age=2)
        yield built


@pytest.fixture
def firewall(tmp_path: Path, upstream: Upstream) -> Iterator[Firewall]:
    """Return a running firewall in front of it."""
    folder = tmp_path / "firewall"
    folder.mkdir()
    made = Firewall(folder, upstream).start()
    yield made
    made.stop()


def status(firewall: Firewall, path: str) -> int:
    """Return the status of an answer; 0 if there was none."""
    try:
        firewall.get(path)
    except urllib.error.HTTPError as error:
        error.close()
        return int(error.code)
    except OSError:
        return 0
    return 200


def children(firewall: Firewall) -> list[int]:
    """Return the analysts of a firewall."""
    assert firewall._process is not None
    task = Path(f"/proc/{firewall._process.pid}/task")
    found = [int(pid) for one in task.iterdir() for pid in (one / "children").read_text().split()]
    return [pid for pid in found if b"analyst" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_killed_in_the_middle_of_a_reading(firewall: Firewall, upstream: Upstream) -> None:
    """With kill -9 while it reads: the analysts end, and the next process reads it again and refuses it."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(status, firewall, HELD)
        for _ in range(200):
            analysts = children(firewall)
            if analysts:
                break
            time.sleep(0.05)
        firewall.stop(signal.SIGKILL)
        assert asked.result(30) in (0, 403)
    for pid in analysts:
        for _ in range(100):
            if not Path(f"/proc/{pid}").exists():
                break
            time.sleep(0.1)
        assert not Path(f"/proc/{pid}").exists()
    firewall.start()

    assert status(firewall, HELD) == 403
    assert status(firewall, "/npm/fresh/-/fresh-1.0.0.tgz") == 200


def test_an_analyst_that_is_killed_is_replaced(firewall: Firewall) -> None:
    """While nothing was read nobody notices: the next artifact is read by another, and by its charges refused."""
    assert status(firewall, "/npm/fresh/-/fresh-1.0.0.tgz") == 200
    for pid in children(firewall):
        os.kill(pid, signal.SIGKILL)

    assert status(firewall, HELD) == 403
    assert "charges of" in firewall.command("firewall", "review")
    assert status(firewall, "/npm/thing/-/thing-1.0.0.tgz") == 200


def test_an_upstream_that_changes_its_answer(firewall: Firewall, upstream: Upstream) -> None:
    """Other bytes than the page names are not believed; nothing is served."""
    firewall.get("/npm/fresh")
    upstream.server.says("/npm/fresh/-/fresh-1.0.0.tgz", b"other bytes")
    upstream.npm("late", "1.0.0", age=2)
    upstream.server.says("/npm/late/-/late-1.0.0.tgz", b"other bytes")

    assert status(firewall, "/npm/late/-/late-1.0.0.tgz") == 403
    assert "is not what the index names" in firewall.command("firewall", "review", "pkg:npm/late@1.0.0")


def test_an_upstream_that_stops_in_the_middle(firewall: Firewall, upstream: Upstream) -> None:
    """A page that breaks off is an error, and not a page with less on it."""

    def torn(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"name": "torn"')
        handler.close_connection = True

    upstream.server.pages["/npm/torn"] = torn
    assert status(firewall, "/npm/torn") == 502


def test_a_slow_registry_keeps_nobody_from_what_is_here(firewall: Firewall, upstream: Upstream) -> None:
    """Many who wait for a page that does not come; who asks for what was decided is answered meanwhile."""
    assert status(firewall, "/npm/fresh/-/fresh-1.0.0.tgz") == 200

    def slow(handler: Handler) -> None:
        time.sleep(8)
        handler.answer(404)

    for number in range(80):
        upstream.server.pages[f"/npm/slow-{number}"] = slow
    with ThreadPoolExecutor(80) as pool:
        waiting = [pool.submit(status, firewall, f"/npm/slow-{number}") for number in range(80)]
        time.sleep(1)
        begun = time.monotonic()
        assert status(firewall, "/npm/fresh/-/fresh-1.0.0.tgz") == 200
        assert time.monotonic() - begun < 4
        assert {one.result(60) for one in waiting} <= {404, 503}
