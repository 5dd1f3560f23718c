"""Advisories at the firewall: what was handed out before is refused once it is reported, and what is stale holds."""

import json
import os
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.street import Firewall, Upstream
from tests.infra.servers import server

pytestmark = pytest.mark.slow
TARBALL = "/npm/old/-/old-1.0.0.tgz"


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """A feed that reports something else."""
    path = tmp_path / "osv.json"
    reports(path, "other")
    return path


def reports(path: Path, name: str, age: float = 0) -> None:
    """Report a project's 1.0.0 as malware, in a file that is so many seconds old."""
    affected = [{"package": {"ecosystem": "npm", "name": name}, "versions": ["1.0.0"]}]
    path.write_text(json.dumps({"id": "MAL-2030-7", "modified": "2030-01-01T00:00:00Z", "affected": affected}))
    os.utime(path, (time.time() - age,) * 2)


@pytest.fixture
def firewall(tmp_path: Path, feed: Path) -> Iterator[Firewall]:
    """Return a firewall with that feed, not yet started."""
    folder = tmp_path / "firewall"
    folder.mkdir()
    with server() as made:
        upstream = Upstream(made)
        upstream.npm("old", "1.0.0", age=400)
        firewall = Firewall(folder, upstream)
        with firewall.config.open("a") as config:
            config.write(f'[[firewall.advisories]]\nname = "local"\nplace = "{feed}"\n')
        yield firewall


def refused(firewall: Firewall, words: str) -> None:
    """Wait until a tarball is refused for a reason."""
    said = b""
    for _ in range(200):
        try:
            firewall.get(TARBALL)
        except urllib.error.HTTPError as error:
            with error:
                said = error.read()
            if error.code == 403 and words.encode() in said:
                return
        time.sleep(0.1)
    raise AssertionError(f"never refused because of {words}: {said!r}")


def served(firewall: Firewall) -> None:
    """Wait until a tarball is handed out."""
    for _ in range(200):
        try:
            assert firewall.get(TARBALL)
        except urllib.error.HTTPError as error:
            error.close()
            time.sleep(0.1)
        else:
            return
    raise AssertionError("never handed out")


def shown(firewall: Firewall) -> str:
    """Return the page, or nothing where there is none."""
    try:
        return firewall.get("/npm/old").decode()
    except urllib.error.HTTPError as error:
        error.close()
        return ""


def test_what_was_handed_out_is_refused_once_it_is_reported(firewall: Firewall, feed: Path) -> None:
    """A cached artifact is allowed until an advisory reports it, and again when the advisory is gone."""
    firewall.start()
    served(firewall)
    firewall.stop()
    reports(feed, "old")
    firewall.start()
    refused(firewall, "MAL-2030-7 reports malware in this version")
    assert "1.0.0" not in shown(firewall)
    assert "1 acts" in firewall.command("audit", "verify")
    firewall.stop()
    reports(feed, "other")
    firewall.start()
    served(firewall)
    firewall.stop()


def test_a_feed_that_nobody_renews_holds(firewall: Firewall, feed: Path) -> None:
    """A file older than a source may be says nothing any more; renewed, it does."""
    reports(feed, "other", age=3 * 86400)
    firewall.start()
    refused(firewall, "missing or too old")
    firewall.stop()
    reports(feed, "other")
    firewall.start()
    served(firewall)
    firewall.stop()
