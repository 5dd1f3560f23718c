"""Faults around the firewall: whatever happens, nothing goes out undecided, and it comes back without a hand."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from tests.e2e.street import Firewall, Upstream
from tests.infra.servers import Handler

pytestmark = pytest.mark.slow

HELD = "/npm/thing/-/thing-1.1.0.tgz"


def test_killed_in_the_middle_of_a_reading(firewall: Firewall, upstream: Upstream) -> None:
    """With kill -9 while it reads: the analysts end, and the next process reads it again and refuses it."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(firewall.status, HELD)
        for _ in range(200):
            if b"lazaretto_readings_waiting 1\n" in firewall.get("/metrics"):
                break
            time.sleep(0.05)
        analysts = firewall.analysts()
        assert analysts
        firewall.stop(signal.SIGKILL)
        assert asked.result(30) in (0, 403)
    for pid in analysts:
        for _ in range(100):
            if not Path(f"/proc/{pid}").exists():
                break
            time.sleep(0.1)
        assert not Path(f"/proc/{pid}").exists()
    firewall.start()

    assert firewall.status(HELD) == 403
    assert firewall.status("/npm/fresh/-/fresh-1.0.0.tgz") == 200


def test_an_analyst_that_is_killed_is_replaced(firewall: Firewall) -> None:
    """While nothing was read nobody notices: the next artifact is read by another, and by its charges refused."""
    assert firewall.status("/npm/fresh/-/fresh-1.0.0.tgz") == 200
    analysts = firewall.analysts()
    for pid in analysts:
        os.kill(pid, signal.SIGKILL)
    for _ in range(200):
        if all(map(ended, analysts)):
            break
        time.sleep(0.05)

    assert firewall.status(HELD) == 403
    assert "charges of" in firewall.command("firewall", "review")
    assert firewall.status("/npm/thing/-/thing-1.0.0.tgz") == 200


def ended(pid: int) -> bool:
    """Whether a process has ended, though nobody may have taken note of it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1] == "Z"
    except OSError:
        return True


def test_an_upstream_that_changes_its_answer(firewall: Firewall, upstream: Upstream) -> None:
    """Other bytes than the page names are not believed; nothing is served."""
    firewall.get("/npm/fresh")
    upstream.server.says("/npm/fresh/-/fresh-1.0.0.tgz", b"other bytes")
    upstream.npm("late", "1.0.0", age=2)
    upstream.server.says("/npm/late/-/late-1.0.0.tgz", b"other bytes")

    assert firewall.status("/npm/late/-/late-1.0.0.tgz") == 403
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
    assert firewall.status("/npm/torn") == 502


def test_a_slow_registry_keeps_nobody_from_what_is_here(firewall: Firewall, upstream: Upstream) -> None:
    """Many who wait for a page that does not come; who asks for what was decided is answered meanwhile."""
    assert firewall.status("/npm/fresh/-/fresh-1.0.0.tgz") == 200

    seen = Event()

    def slow(handler: Handler) -> None:
        seen.wait(20)
        handler.answer(404)

    for number in range(80):
        upstream.server.pages[f"/npm/slow-{number}"] = slow
    with ThreadPoolExecutor(80) as pool:
        waiting = [pool.submit(firewall.status, f"/npm/slow-{number}") for number in range(80)]
        time.sleep(1)
        begun = time.monotonic()
        assert firewall.status("/npm/fresh/-/fresh-1.0.0.tgz") == 200
        assert time.monotonic() - begun < 4
        assert not any(one.done() for one in waiting)
        seen.set()
        assert {one.result(60) for one in waiting} <= {404, 503}
