"""Places read by other processes: the same bytes as if they were read here, and a process that ends is told."""

import os
from functools import partial
from pathlib import Path

import pytest

from lazaretto.app.inventory.add import Added, Look, Root, add
from lazaretto.app.inventory.ports import Claim, InventoryError
from lazaretto.app.inventory.reading import Outcome
from lazaretto.core.inventory import Place
from lazaretto.infra import place_readers
from lazaretto.infra.disk import LocalDisk
from lazaretto.infra.inventory import SqliteInventory
from lazaretto.infra.place_readers import PlaceReaders, Read, processors
from lazaretto.surfaces.cli.inventory import reader
from tests.inventory.company import lockfile, write
from tests.inventory.images import layer, oci
from tests.inventory.test_laws import ECOSYSTEMS, FORMATS, KINDS, NOW, answer, dump


def added(folder: Path, state: Path, elsewhere: PlaceReaders | None) -> tuple[Added, list[str], bytes]:
    """Add a folder; return what came of it, all that the store holds, and who is exposed."""
    store = SqliteInventory(state)
    look = Look(LocalDisk(), store, KINDS, FORMATS, ECOSYSTEMS.__getitem__, NOW, lambda _: None, elsewhere)
    told = add(look, [Root(str(folder), "/c")])
    held = dump(store), answer(store)
    store.close()
    return told, *held


def test_whoever_reads_the_answer_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Order, numbers, problems and entries do not depend on where a place was read."""
    monkeypatch.setattr(place_readers, "WORTH", 1)
    work = tmp_path / "work"
    for number in range(12):
        text = "{" if number % 5 == 4 else lockfile(bad=number % 2 == 0)
        write(work / f"p{number:02}" / "package-lock.json", text)
    (work / "p06" / "i.tar").write_bytes(layer(oci((layer({"a/package-lock.json": lockfile().encode()}),))))
    here = added(work, tmp_path / "here", None)
    readers = PlaceReaders(partial(reader, NOW), 2)
    try:
        assert added(work, tmp_path / "elsewhere", readers) == here
        assert added(work, tmp_path / "alone", PlaceReaders(partial(reader, NOW), 1)) == here
        assert len(here[0].unread) == 2
        assert here[0].read == 14
    finally:
        readers.close()
        readers.close()


def ending() -> Read:
    """Return what ends its process."""
    return _ended


def _ended(kind: str, claim: Claim) -> Outcome:
    del kind, claim
    os._exit(3)


def test_a_process_that_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process had begun to read when it ended counts as not read."""
    monkeypatch.setattr(place_readers, "WORTH", 0)
    for number in range(3):
        write(tmp_path / "work" / str(number) / "package-lock.json", lockfile())
    readers = PlaceReaders(ending, 2)
    told, _, _ = added(tmp_path / "work", tmp_path / "state", readers)
    assert told.read == 3
    assert {one.partition(": ")[2][:12] for one in told.unread} == {"the process "}
    claim = Claim(Place("lockfile", "/x"), "/x")
    with pytest.raises(InventoryError, match="the process that read it ended"):
        readers.submit("lockfile", claim)()
    readers.close()
    assert processors() >= 1
