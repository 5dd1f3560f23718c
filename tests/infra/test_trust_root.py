"""Sigstore's trust root: updated by TUF from a repository on loopback, and what is said where that fails."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import resources
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]
from sigstore.models import ClientTrustConfig
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp  # type: ignore[attr-defined]

from lazaretto.app.attested import Checked
from lazaretto.core.model import Artifact, ArtifactKind, Release
from lazaretto.core.names import ProjectName, Version
from lazaretto.infra.attestations import _trust
from lazaretto.infra.attestations._trust import AGAIN, FRESH, Fresh, TrustRoot
from tests.infra.servers import Server
from tests.infra.servers import server as served

NOW = datetime(2026, 3, 31, 0, 22, tzinfo=UTC)


class Clock:
    """An instant that a test moves."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


def trust(folder: Path, update: Callable[[], None], clock: Clock) -> TrustRoot:
    """Return what a new run of the program would have."""
    return TrustRoot(folder, update, clock)


def test_it_is_updated_once_a_day(tmp_path: Path) -> None:
    """Whatever number of runs there are."""
    clock, asked = Clock(), list[datetime]()
    for after in (timedelta(), timedelta(hours=2), FRESH - timedelta(seconds=1), FRESH, FRESH * 1.5):
        clock.at = NOW + after
        root = trust(tmp_path, lambda: asked.append(clock.at), clock)
        root.refresh()
        root.refresh()
        assert root.notes == ()

    assert asked == [NOW, NOW + FRESH]


def test_an_update_that_fails_is_told_with_the_age_of_what_is_used(tmp_path: Path) -> None:
    """And is not tried again at once; what was shipped has no date."""
    clock, asked = Clock(), list[datetime]()

    def fails() -> None:
        asked.append(clock.at)
        raise OSError("no route to host")

    root = trust(tmp_path, fails, clock)
    root.refresh()
    assert "the one that Sigstore's library ships is used, an update failed (no route to host)" in root.notes[0]
    again = trust(tmp_path, fails, clock)
    again.refresh()
    assert "nobody answered a while ago" in again.notes[0]
    clock.at += AGAIN
    trust(tmp_path, lambda: None, clock).refresh()
    clock.at += FRESH * 3
    late = trust(tmp_path, fails, clock)
    late.refresh()

    assert "the one of 2026-03-31 is used" in late.notes[0]
    assert len(asked) == 2


def test_a_clock_that_went_back(tmp_path: Path) -> None:
    """An update of the future does not count."""
    clock, asked = Clock(), list[datetime]()
    trust(tmp_path, lambda: asked.append(clock.at), clock).refresh()
    clock.at -= FRESH
    trust(tmp_path, lambda: asked.append(clock.at), clock).refresh()

    assert len(asked) == 2


def _waits(end: Event) -> None:
    end.wait(5)


def test_an_update_that_is_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it."""
    monkeypatch.setattr(_trust, "MAX_SECONDS", 0.01)
    end = Event()
    root = trust(tmp_path, lambda: _waits(end), Clock())
    root.refresh()
    end.set()

    assert "it took too long" in root.notes[0]


def test_what_is_remembered_may_be_broken_or_impossible(tmp_path: Path) -> None:
    """It is asked again."""
    (tmp_path / "trust-root.json").write_bytes(b"\xff")
    asked: list[int] = []
    trust(tmp_path, lambda: asked.append(1), Clock()).refresh()
    (tmp_path / "file").write_bytes(b"")
    trust(tmp_path / "file", lambda: asked.append(2), Clock()).refresh()

    assert asked == [1, 2]


class Judge:
    """A verifier that says nothing."""

    def attestations(self, *_: object) -> Checked:
        """Find nothing."""
        return Checked()

    def signatures(self, *_: object) -> tuple[()]:
        """Find nothing."""
        return ()


def test_it_is_looked_for_when_it_is_needed(tmp_path: Path) -> None:
    """Signatures of a registry need none; attestations do."""
    asked: list[int] = []
    fresh = Fresh(Judge(), trust(tmp_path, lambda: asked.append(1), Clock()))
    artifact = Artifact("pad-1.0.0.tgz", ArtifactKind.TARBALL, "")
    release = Release("npm", ProjectName("pad"), Version("1.0.0"))

    assert fresh.signatures(release, artifact, bytes) == ()
    assert asked == []
    assert fresh.attestations(release, artifact, b"", bytes) == Checked()
    assert asked == [1]


# An update, for real ------------------------------------------------------------------------------------------------


class Repository:
    """A TUF repository of one key."""

    def __init__(self, server: Server, targets: dict[str, bytes]) -> None:
        self.server = server
        self.signer = CryptoSigner.generate_ed25519()
        self.until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
        self.root = self._root()
        self.publish(targets, 1)

    def _root(self) -> bytes:
        root = Root(expires=self.until, consistent_snapshot=True)
        for role in ("root", "timestamp", "snapshot", "targets"):
            root.add_key(self.signer.public_key, role)
        signed = Metadata(root)
        signed.sign(self.signer)
        return signed.to_bytes()

    def publish(self, targets: dict[str, bytes], version: int, *, signer: CryptoSigner | None = None) -> None:
        """Publish targets, signed by the key of the root or by another."""
        held = {name: TargetFile.from_data(name, data, ["sha256"]) for name, data in targets.items()}
        parts: dict[str, Any] = {
            f"{version}.targets.json": Metadata(Targets(version, expires=self.until, targets=held)),
            f"{version}.snapshot.json": Metadata(
                Snapshot(version, expires=self.until, meta={"targets.json": MetaFile(version)})
            ),
            "timestamp.json": Metadata(Timestamp(version, expires=self.until, snapshot_meta=MetaFile(version))),
        }
        for name, metadata in parts.items():
            metadata.sign(signer or self.signer)
            self.server.says(f"/{name}", metadata.to_bytes())
        for name, data in targets.items():
            self.server.says(f"/targets/{held[name].hashes['sha256']}.{name}", data)


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a server on loopback."""
    with served() as made:
        yield made


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Return what the library ships for the public instance; what it keeps goes to a folder of the test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    store = resources.files("sigstore._store")
    public = next(one for one in store.iterdir() if one.name.endswith("sigstore.dev"))
    return {name: (public / name).read_bytes() for name in ("trusted_root.json", "signing_config.v0.2.json")}


def updated(server: Server, first: Path) -> None:
    """Update by the library's own way, from a repository that is trusted by its first root alone."""
    ClientTrustConfig.from_tuf(server.url.rstrip("/"), bootstrap_root=first)


def test_a_newer_root_is_taken(server: Server, tmp_path: Path, shipped: dict[str, bytes]) -> None:
    """What the repository published last is what is kept."""
    repository = Repository(server, shipped)
    first = tmp_path / "root.json"
    first.write_bytes(repository.root)

    root = trust(tmp_path, partial(updated, server, first), Clock())
    root.refresh()
    assert root.notes == ()

    newer = shipped["trusted_root.json"].rstrip() + b"\n\n"
    repository.publish({**shipped, "trusted_root.json": newer}, 2)
    clock = Clock()
    clock.at += FRESH
    trust(tmp_path, partial(updated, server, first), clock).refresh()
    kept = [path.read_bytes() for path in (tmp_path / "cache").rglob("*trusted_root.json")]
    assert newer in kept


def test_a_root_that_somebody_else_signed_is_not_taken(
    server: Server, tmp_path: Path, shipped: dict[str, bytes]
) -> None:
    """Whoever stands between may withhold a newer one, and not put in his own."""
    repository = Repository(server, shipped)
    first = tmp_path / "root.json"
    first.write_bytes(repository.root)
    forged = shipped["trusted_root.json"].rstrip() + b"\n\n\n"
    repository.publish({**shipped, "trusted_root.json": forged}, 2, signer=CryptoSigner.generate_ed25519())

    root = trust(tmp_path, partial(updated, server, first), Clock())
    root.refresh()

    assert "an update failed" in root.notes[0]
    assert forged not in [path.read_bytes() for path in tmp_path.rglob("*.json")]
