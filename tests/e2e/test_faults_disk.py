"""A disk that is full: closed for as long as it is, and open again as soon as it is not."""

import os
import resource
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.e2e.street import Firewall, Upstream
from tests.e2e.witness import FRESH, HELD, OLD, OTHER, Witness

pytestmark = pytest.mark.slow

UNREAD, WHEEL = "/npm/line/-/line-1.0.0.tgz", "thing-1.0.0-py3-none-any.whl"
MOST = 1 << 20
"""Largest file while an artifact does not fit: the record is smaller, and stays so."""

MOUNTED = 24 << 20
"""Bytes of a disk that is mounted for a test: WAL files and blobs fit, and it is filled at once."""


@contextmanager
def limited(firewall: Firewall, most: int = 0) -> Iterator[None]:
    """Let no file of the firewall grow beyond a size, from outside and while it runs: needs no right but its own."""
    infinity = resource.RLIM_INFINITY
    for pid in (firewall.pid, *firewall.analysts()):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, infinity))
    try:
        yield
    finally:
        for pid in (firewall.pid, *firewall.analysts()):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (infinity, infinity))


@contextmanager
def filled(firewall: Firewall) -> Iterator[None]:
    """Write to the disk of the state folder until not one byte more fits."""
    ballast = firewall.state / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def mounted(folder: Path) -> Iterator[None]:
    """Mount a small disk on a folder. Raises CalledProcessError where that is not allowed."""
    folder.mkdir(exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={MOUNTED}", "tmpfs", str(folder)]
    subprocess.run(["mount", *options], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)


def mountable() -> bool:
    """Whether a disk can be mounted here."""
    try:
        with tempfile.TemporaryDirectory() as folder, mounted(Path(folder)):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


Full = Callable[[Firewall], AbstractContextManager[None]]
WAYS = [limited, filled] if os.geteuid() == 0 and mountable() else [limited]
"""A limit on the size of files works everywhere, for every write; a disk of its own is what it looks like."""


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Full]:
    """Return how the disk of the state folder becomes full, with one mounted there if that needs it."""
    with ExitStack() as stack:
        if request.param is filled:
            (tmp_path / "firewall").mkdir()
            stack.enter_context(mounted(tmp_path / "firewall" / "state"))
        yield request.param


def test_a_full_disk(full: Full, witness: Witness, upstream: Upstream) -> None:
    """Nothing that needs a word in the record goes out, each refusal says why, and nothing needs to be done after."""
    firewall, token = witness.firewall, witness.token()
    for version in ("1.0.0", "1.1.0"):
        upstream.npm("line", version, age=2)
    assert {witness.get(path).status for path in (FRESH, "/npm/line", "/npm/other")} == {200}
    assert witness.get(HELD).status == 403
    witness.remember()
    with full(firewall):
        for path in (FRESH, OTHER, UNREAD, OLD, "/npm/old", "/pypi/simple/thing/", f"/pypi/files/thing/{WHEEL}"):
            answer = witness.ask(path)
            assert (path, answer.status, bool(answer.again)) == (path, 503, True)
            assert "cannot be written" in answer.reason
        act = witness.act("allow", "pkg:npm/thing@1.1.0", token)
        assert (act.status, "cannot be written" in act.reason) == (503, True)
        assert witness.ask(HELD).status == 403
        assert witness.ask("/npm/fresh").status == 200
        assert witness.ask("/healthz").status == 200
        assert witness.ask("/readyz").status == 503
    witness.unharmed()
    assert {witness.get(path).status for path in (OTHER, UNREAD, "/pypi/simple/thing/")} == {200}
    assert not list(firewall.folder.glob("cache/pages/*.[0-9]*"))
    assert not list(firewall.state.glob("blobs/drafts/*"))


def test_an_artifact_that_does_not_fit(witness: Witness, upstream: Upstream) -> None:
    """Where the record can be written and an artifact cannot be kept, that one is not handed out, read or not."""
    noise = "".join(f"{number:x}" for number in range(700_000))
    for name, age in (("big", 2), ("aged", 400)):
        upstream.npm(name, "1.0.0", age=age, files={"data.txt": noise})
    big, aged = (f"/npm/{name}/-/{name}-1.0.0.tgz" for name in ("big", "aged"))
    assert len(upstream.data["big-1.0.0.tgz"]) > MOST
    with limited(witness.firewall, MOST):
        assert witness.get(FRESH).status == 200
        for path in (big, aged):
            answer = witness.ask(path)
            assert (path, answer.status, bool(answer.again)) == (path, 503, True)
            assert "cannot be written: File too large" in answer.reason
    assert {witness.get(path).status for path in (big, aged)} == {200}
    witness.unharmed()
