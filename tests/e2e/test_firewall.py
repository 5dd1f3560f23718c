"""The firewall between an upstream and real npm and pip: what they install, and what they say when they are refused."""

import signal
import time
import urllib.error
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.street import Client, Firewall, Upstream

pytestmark = pytest.mark.slow


@pytest.fixture
def client(tmp_path: Path, firewall: Firewall) -> Callable[[str], Client]:
    """Return a maker of project folders."""
    return lambda name: Client(tmp_path / name, firewall)


def decided(firewall: Firewall, words: str) -> str:
    """Return the review list once it speaks of something."""
    for _ in range(300):
        said = firewall.command("firewall", "review")
        if words in said:
            return said
        time.sleep(0.1)
    raise AssertionError(f"{words} never came up for review")


def test_npm_gets_the_release_before_the_held_one(
    firewall: Firewall, upstream: Upstream, client: Callable[[str], Client]
) -> None:
    """A range is resolved to the newest allowed release without an error, and the reason is on the screen."""
    project = client("range")
    first = project.npm("install", "thing@^1.0.0")
    assert (first.returncode, project.installed("thing")) == (0, "1.0.0"), first.stderr
    decided(firewall, "npm:thing@1.1.0")
    again = client("latest")
    second = again.npm("install", "thing")

    assert (second.returncode, again.installed("thing")) == (0, "1.0.0"), second.stderr
    assert "lazaretto: thing 1.1.0 is withheld" in second.stderr
    exact = client("exact").npm("install", "thing@1.1.0")
    assert exact.returncode != 0
    assert "No matching version found for thing@1.1.0" in exact.stderr
    assert "is withheld" in exact.stderr


def test_npm_is_refused_a_held_release_from_its_lockfile(
    firewall: Firewall, upstream: Upstream, client: Callable[[str], Client]
) -> None:
    """A lockfile that pins it is refused with the reason and the verdict id; a waiver by that id lets it in."""
    project = client("pinned")
    project.lock("thing", "1.1.0", upstream.integrity["thing", "1.1.0"])
    refused = project.npm("ci")

    assert refused.returncode != 0
    assert project.installed("thing") is None
    assert "pkg:npm/thing@1.1.0" in refused.stderr
    assert "is withheld" in refused.stderr
    verdict = refused.stderr.partition("[verdict ")[2].partition(";")[0]
    evidence = firewall.command("firewall", "review", verdict)
    assert "setup.js" in evidence
    waived = ("--reason", "a test", "--by", "ada", "--until", "2999-01-01")
    assert "allow" in firewall.command("firewall", "waive", verdict, *waived)
    allowed = project.npm("ci")

    assert (allowed.returncode, project.installed("thing")) == (0, "1.1.0"), allowed.stderr
    assert "1 acts" in firewall.command("audit", "verify")


def test_npm_installs_what_is_allowed_until_it_is_revoked(firewall: Firewall, client: Callable[[str], Client]) -> None:
    """A young release is read at its first request and installs; taken back, the cached copy is refused at once."""
    project = client("young")
    installed = project.npm("install", "fresh@1.0.0")
    assert (installed.returncode, project.installed("fresh")) == (0, "1.0.0"), installed.stderr
    reason = ("--reason", "reported today", "--by", "ada")
    assert "hold" in firewall.command("firewall", "revoke", "pkg:npm/fresh@1.0.0", *reason)
    refused = project.npm("ci")

    assert refused.returncode != 0
    assert "ada said revoke: reported today" in refused.stderr


def test_what_is_allowed_installs_while_the_upstream_is_down(
    tmp_path: Path, firewall: Firewall, upstream: Upstream, client: Callable[[str], Client]
) -> None:
    """Also after a restart with kill -9; what was held stays held."""
    client("first").npm("install", "fresh@1.0.0", "old@1.0.0")
    assert client("first-pip").pip("fresh").returncode == 0
    decided_before = client("pinned")
    decided_before.lock("thing", "1.1.0", upstream.integrity["thing", "1.1.0"])
    assert decided_before.npm("ci").returncode != 0
    upstream.down()
    second = client("second")
    down = second.npm("install", "fresh@1.0.0", "old@1.0.0")
    assert (down.returncode, second.installed("fresh"), second.installed("old")) == (0, "1.0.0", "1.0.0"), down.stderr
    firewall.stop(signal.SIGKILL)
    firewall.start()
    third = client("third")
    third.lock("fresh", "1.0.0", upstream.integrity["fresh", "1.0.0"])
    restarted = third.npm("ci")
    fourth = client("fourth")
    fourth.lock("thing", "1.1.0", upstream.integrity["thing", "1.1.0"])
    held = fourth.npm("ci")
    fifth = client("fifth")
    wheel = fifth.pip("fresh")

    assert (restarted.returncode, third.installed("fresh")) == (0, "1.0.0"), restarted.stderr
    assert held.returncode != 0
    assert "is withheld" in held.stderr
    assert (wheel.returncode, fifth.wheels()) == (0, ["fresh-1.0.0"]), wheel.stderr


def test_pip_gets_the_release_before_the_held_one(firewall: Firewall, client: Callable[[str], Client]) -> None:
    """The newest allowed wheel is installed; the held one is not found, and its address says why it is refused."""
    project = client("pip")
    first = project.pip("thing")
    assert (first.returncode, project.wheels()) == (0, ["thing-1.0.0"]), first.stderr
    decided(firewall, "pypi:thing@1.1.0")
    exact = client("exact").pip("thing==1.1.0")
    assert exact.returncode != 0
    assert "No matching distribution found for thing==1.1.0" in exact.stderr
    direct = client("direct").pip(f"{firewall.url}/pypi/files/thing/thing-1.1.0-py3-none-any.whl")

    assert direct.returncode != 0
    assert "/pypi/withheld/" in direct.stderr
    assert "pkg:pypi/thing@1.1.0-charges-of" in direct.stderr


def test_two_requests_share_one_reading(firewall: Firewall) -> None:
    """Whoever comes second waits for the reading that goes on; both get the same bytes."""
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(firewall.get, ["/npm/fresh/-/fresh-1.0.0.tgz"] * 2)

    assert first == second
    assert firewall.readings() == 1


def test_a_held_release_is_refused_by_every_door(firewall: Firewall) -> None:
    """Page, version document, tarball, file and metadata: none gives it away."""
    firewall.get("/npm/thing")
    firewall.get("/pypi/simple/thing/")
    decided(firewall, "npm:thing@1.1.0")
    decided(firewall, "pypi:thing@1.1.0")
    wheel = "thing-1.1.0-py3-none-any.whl"
    assert b"1.1.0" not in firewall.get("/npm/thing")
    assert b"1.1.0" not in firewall.get("/pypi/simple/thing/")
    for path, status in (
        ("/npm/thing/1.1.0", 404),
        ("/npm/thing/-/thing-1.1.0.tgz", 403),
        (f"/pypi/files/thing/{wheel}", 403),
        (f"/pypi/files/thing/{wheel}.metadata", 403),
        (f"/pypi/files/thing/{wheel}.provenance", 403),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            firewall.get(path)
        assert (path, refused.value.code) == (path, status)
        refused.value.close()
    assert firewall.get("/npm/thing/latest").startswith(b'{"name":"thing","version":"1.0.0"')
    assert b"Version: 1.0.0" in firewall.get("/pypi/files/thing/thing-1.0.0-py3-none-any.whl.metadata")


def test_new_settings_are_taken_over_without_a_gap(firewall: Firewall) -> None:
    """SIGHUP reads the settings anew on the same port; broken ones change nothing."""
    assert b"1.1.0" not in firewall.get("/npm/thing")
    text = firewall.config.read_text()
    firewall.config.write_text(text.replace("[firewall]\n", "[firewall]\nmode = 1\n", 1))
    firewall.send(signal.SIGHUP)
    time.sleep(1)
    assert b"1.1.0" not in firewall.get("/npm/thing")
    firewall.config.write_text(text.replace("[firewall]\n", '[firewall]\nmode = "observe"\n', 1))
    firewall.send(signal.SIGHUP)
    seen = []
    for _ in range(100):
        seen.append(b"1.1.0" in firewall.get("/npm/thing"))  # never refused, whoever answers
        if seen[-1]:
            break
        time.sleep(0.1)

    assert seen[-1]
    assert "the settings are kept as they were" in (firewall.folder / "log").read_text()
