"""What bounds a shared store: the longest unused goes first, whoever used it; never a report, nor what is new."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import obstore
import pytest
from msgspec.structs import replace
from obstore.store import S3Store

from lazaretto.app.ports import BlobError
from lazaretto.core.names import Digest, sha256_digest
from lazaretto.infra import objects
from lazaretto.infra.blobs import Trimmed
from lazaretto.infra.objects import ObjectStore
from lazaretto.infra.pruning import JUST_NOW, PERIOD, Kept, prune
from lazaretto.infra.stores import Stores
from lazaretto.settings.state import StateSettings
from tests.contracts.records import DECISION, served
from tests.services import KEYS, Postgres, Store, free_port

NOW = datetime(2026, 3, 31, tzinfo=UTC)
DIGESTS = [sha256_digest(f"{number:064x}") for number in range(6)]


class Shelf:
    """A store of objects of ten bytes, each stored a day after the one before it."""

    def __init__(self) -> None:
        self.there = {one: Kept(one, 10, NOW - timedelta(days=10 - number)) for number, one in enumerate(DIGESTS)}

    def kept(self) -> Iterator[Kept]:
        """Yield what is kept."""
        yield from self.there.values()

    def remove(self, digests: Iterable[Digest]) -> None:
        """Remove objects."""
        for one in digests:
            self.there.pop(one, None)


def pruned(
    shelf: Shelf, most: int, *spared: Digest, used: Mapping[Digest, datetime] | None = None
) -> tuple[Trimmed, list[Digest]]:
    """Return what pruning came to, and what is left."""
    done = prune(shelf, most, lambda: frozenset(spared), lambda: used or {}, NOW)
    return done, list(shelf.there)


def test_what_was_not_used_for_the_longest_time_goes_first() -> None:
    """What was handed out counts from then on, what never was from when it was stored."""
    done, left = pruned(Shelf(), 30, used={DIGESTS[0]: NOW - timedelta(days=1), DIGESTS[1]: NOW - timedelta(days=99)})

    assert done == Trimmed(30, 3)
    assert left == [DIGESTS[0], DIGESTS[4], DIGESTS[5]]


def test_within_the_bound_nobody_is_asked() -> None:
    """The ledger is looked through only where something must go."""

    def asked() -> Mapping[Digest, datetime]:
        raise AssertionError("asked")

    assert prune(Shelf(), 60, asked, asked, NOW) == Trimmed(60, 0)


def test_reports_stay() -> None:
    """Evidence is never removed, however old, and however much there is of it."""
    assert pruned(Shelf(), 0, *DIGESTS[:4]) == (Trimmed(40, 2), DIGESTS[:4])


def test_what_was_just_stored_or_handed_out_stays() -> None:
    """A decision on it may be about to be written down, and somebody may be about to get it."""
    shelf = Shelf()
    shelf.there[DIGESTS[3]] = Kept(DIGESTS[3], 10, NOW - JUST_NOW)
    shelf.there[DIGESTS[4]] = Kept(DIGESTS[4], 10, NOW + timedelta(minutes=1))

    assert pruned(shelf, 0, used={DIGESTS[0]: NOW}) == (Trimmed(30, 3), [DIGESTS[0], DIGESTS[3], DIGESTS[4]])


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch, postgres: Postgres, store: Store) -> StateSettings:
    """Return settings by which several firewalls share a ledger and a store; it keeps 3000 bytes."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    place = (store.bucket(), store.endpoint, KEYS["AWS_REGION"])
    return StateSettings(postgres.database(), postgres.password_file, *place, keep=3000)


@pytest.fixture
def replicas(shared: StateSettings, tmp_path: Path) -> Iterator[tuple[Stores, Stores]]:
    """Return the stores of two of them."""
    one, two = (Stores(tmp_path / name, tmp_path / name, shared) for name in "ab")
    yield one, two
    one.ledger.close()
    two.ledger.close()


@pytest.mark.slow
def test_two_replicas_agree(shared: StateSettings, replicas: tuple[Stores, Stores]) -> None:
    """What one has handed out stays for the other; both at once remove the same; the report of a decision stays."""
    one, two = replicas
    made = [one.blobs.put(bytes([number]) * 1000) for number in range(6)]
    used, report = made[0], made[1]
    two.ledger.decide([replace(DECISION, report=report)])
    later = datetime.now(UTC) + 2 * JUST_NOW
    two.ledger.serve([replace(served(used), at=later - JUST_NOW * 1.5)])
    stores = [ObjectStore(shared.blobs, shared.endpoint, shared.region) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        turns = [
            threads.submit(prune, store, 3000, own.ledger.reports, own.ledger.last_handed_out, later)
            for store, own in zip(stores, (one, two), strict=True)
        ]
        assert [turn.result().left for turn in turns] == [3000, 3000]

    left = {kept.digest for kept in stores[0].kept()}
    assert {used, report} < left
    assert len(left) == 3
    assert all(stores[1].get(digest) is not None for digest in left)
    assert two.blobs.get(made[0]) == b"\0" * 1000
    gone = next(number for number, digest in enumerate(made) if digest not in left)
    assert two.blobs.get(made[gone]) is None
    assert two.blobs.put(bytes([gone]) * 1000) == made[gone]  # fetched again, it is there for both
    assert stores[0].get(made[gone]) is not None


@pytest.mark.slow
def test_one_replica_looks_in_an_hour(shared: StateSettings, replicas: tuple[Stores, Stores], tmp_path: Path) -> None:
    """Whoever comes first; when the hour is over, or the store could not be asked, another may."""
    one, two = replicas
    for number in range(4):
        one.blobs.put(bytes([number]) * 1000)
    later = datetime.now(UTC) + 2 * JUST_NOW

    assert one.prune(later) == Trimmed(3000, 1)
    assert (two.prune(later), one.prune(later)) == (None, None)
    assert two.prune(later + PERIOD) == Trimmed(3000, 0)
    assert Stores(tmp_path, tmp_path, replace(shared, keep=0)).prune(later + 2 * PERIOD) is None
    away = Stores(tmp_path, tmp_path, replace(shared, endpoint=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(BlobError, match="cannot be listed"):
        away.prune(later + 3 * PERIOD)
    away.ledger.close()


@pytest.mark.slow
def test_what_others_keep_there_is_not_ours(shared: StateSettings) -> None:
    """Objects that are none of ours are neither counted nor removed; one that is gone already is no error."""
    store = ObjectStore(shared.blobs, shared.endpoint, shared.region)
    digest = store.put(b"x" * 1000)
    raw = S3Store.from_url(shared.blobs, config={"endpoint": shared.endpoint}, client_options={"allow_http": True})
    for name in ("sha256/read-me", "other/thing"):
        obstore.put(raw, name, b"somebody else's")

    assert [one.digest for one in store.kept()] == [digest]
    store.remove([digest])
    store.remove([digest])
    assert list(store.kept()) == []
    assert bytes(obstore.get(raw, "sha256/read-me").bytes()) == b"somebody else's"


@pytest.mark.slow
def test_what_is_stored_again_counts_as_new(shared: StateSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in use although the ledger does not say so yet; what is young is not written twice."""
    store = ObjectStore(shared.blobs, shared.endpoint, shared.region)
    written: list[object] = []
    put = obstore.put

    def noted(*given: Any, **more: Any) -> object:
        written.append(given[1])
        return put(*given, **more)

    monkeypatch.setattr(obstore, "put", noted)
    for _ in range(2):
        store.put(b"x" * 1000)
    young = len(written)
    monkeypatch.setattr(objects, "_now", partial(datetime.now, UTC))
    monkeypatch.setattr(objects, "JUST_NOW", timedelta(seconds=-4))
    store.put(b"x" * 1000)

    assert (young, len(written)) == (2, 4)  # the first, and two that found it: one of them wrote it again
