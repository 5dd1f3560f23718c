"""What advisories name, and what ranges would have been at each moment, from values alone."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lazaretto.app.inventory.advised import advised
from lazaretto.app.inventory.exposed import Asked
from lazaretto.app.inventory.point_in_time import Spell, page_of, resolved, spells, without_page
from lazaretto.app.inventory.ports import Claim
from lazaretto.core.advisory import Advisory, Affected, Event, EventKind, Range, RangeKind
from lazaretto.core.exposure import Window
from lazaretto.core.inventory import Entry, Place, Proof
from lazaretto.core.model import Dependency
from lazaretto.core.names import ProjectName, Version
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM
from lazaretto.ecosystems.pypi import ECOSYSTEM as PYPI
from lazaretto.infra.inventory import SqliteInventory

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUSES: dict[str, Any] = {"npm": NPM, "pypi": PYPI}
AXIOS = Asked("npm", ProjectName("axios"), Version("1.14.1"))
WINDOW = Window(NOON, NOON + 60 * MINUTE)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteInventory]:
    """Return an inventory of a few versions."""
    made = SqliteInventory(tmp_path)
    entries = [Entry("npm", "axios", text, Proof.FIXED, n) for n, text in enumerate(["1.14.0", "1.14.1", "1.20.0"])]
    entries += [Entry("npm", "axios", "", Proof.OPEN, 7, note="^1.13.0"), Entry("npm", "sdk", "", Proof.OPEN, 8)]
    made.put(Claim(Place("lockfile", "/p"), "/p"), entries, (), NOON)
    yield made
    made.close()


def advisory(*versions: str, fixed: str = "", name: str = "axios", **more: Any) -> Advisory:
    """Return an advisory about versions, or about all before one."""
    events = (Event(EventKind.INTRODUCED, "0"), Event(EventKind.FIXED, fixed))
    ranges = (Range(RangeKind.SEMVER, events),) if fixed else ()
    return Advisory("MAL-1", NOON, (Affected("npm", name, versions, ranges),), **more)


def names(store: SqliteInventory, *advisories: Advisory) -> tuple[list[str], str]:
    """Return the releases and the notes."""
    found = advised(store, advisories, ("npm", "pypi"), HOUSES.__getitem__)
    return [f"{one.name}@{one.version}" for one in found.asked], "; ".join(found.notes)


def test_a_list_is_believed_before_a_range(store: SqliteInventory) -> None:
    """The listed ones are asked about, held or not; what only the range covers is told with its number."""
    asked, notes = names(store, advisory("1.14.1", "0.30.4", fixed="1.19.0"))
    assert asked == ["axios@0.30.4", "axios@1.14.1"]
    assert "1 others that only its range covers are not counted (1.14.0)" in notes


def test_a_range_alone_names_what_is_held(store: SqliteInventory) -> None:
    """Without a list the range says which of the versions held here are meant."""
    assert names(store, advisory(fixed="1.14.1")) == (["axios@1.14.0"], "")


def test_what_an_advisory_cannot_say_is_told(store: SqliteInventory) -> None:
    """Withdrawn, of another ecosystem, without a name or a version that can be read: none of it is silence."""
    assert "withdrawn on 2026-03-31" in names(store, advisory("1.14.1", withdrawn=NOON))[1]
    other = Advisory("MAL-2", NOON, (Affected("crates.io", "x", ("1",)),))
    assert "not kept here" in names(store, other)[1]
    assert "MAL-1 names '../x'" in names(store, advisory("1.0.0", name="../x"))[1]
    assert names(store, advisory("one", "1.14.1"))[0] == ["axios@1.14.1"]
    assert "lists 'one' of axios" in names(store, advisory("one", "1.14.1"))[1]
    assert "look for yourself" in names(store, advisory(fixed="x"))[1]


def packument(name: str, **published: tuple[int, dict[str, str]]) -> bytes:
    """Return a packument: version -> minutes after noon, and its dependencies."""
    versions = {text.replace("_", "."): needs for text, (_, needs) in published.items()}
    times = {text.replace("_", "."): (NOON + at * MINUTE).isoformat() for text, (at, _) in published.items()}
    manifests = {text: {"name": name, "dependencies": needs} for text, needs in versions.items()}
    return json.dumps({"name": name, "versions": manifests, "time": times}).encode()


def test_moments_of_a_window() -> None:
    """A range leads to a release from its publication until something higher is out, through others as well."""
    axios = page_of(packument("axios", **{"1_14_0": (-99, {}), "1_14_1": (21, {}), "1_14_2": (40, {})}), HOUSES.get)  # type: ignore[arg-type]
    sdk = page_of(packument("sdk", **{"1_0_0": (-99, {"axios": "^1.0.0", "gone": "1"}), "1_0_1": (30, {})}), HOUSES.get)  # type: ignore[arg-type]
    pages = dict([axios, sdk])

    def found(name: str, requirement: str) -> tuple[Spell, ...]:
        return spells(HOUSES.__getitem__, pages, Dependency(ProjectName(name), requirement), "npm", AXIOS, WINDOW)

    start = NOON + 21 * MINUTE
    assert found("axios", "^1.13.0") == (Spell(start, NOON + 40 * MINUTE, ("axios@1.14.1",)),)
    assert found("sdk", "^1.0.0") == (Spell(start, NOON + 30 * MINUTE, ("sdk@1.0.0", "axios@1.14.1")),)
    assert found("axios", "~1.13.0") == ()
    assert found("other", "1") == ()
    assert found("axios", "1.14.1") == (Spell(start, WINDOW.end, ("axios@1.14.1",)),)


def test_places_that_fix_nothing(store: SqliteInventory) -> None:
    """The ranges that are held are resolved by the pages that are given; what has none is named."""
    key, page = page_of(packument("axios", **{"1_14_0": (-9, {}), "1_14_1": (21, {})}), HOUSES.__getitem__)
    (one,) = resolved(store, {key: page}, [AXIOS, Asked("pypi", AXIOS.name, AXIOS.version)], WINDOW, HOUSES.__getitem__)
    assert (one.entry.first, one.entry.last) == (NOON + 21 * MINUTE, WINDOW.end)
    assert without_page(store, {}, [AXIOS]) == ("npm:axios",)
    assert without_page(store, {key: page}, [AXIOS]) == ()
    sdk = page_of(packument("sdk", **{"1_0_0": (-9, {"axios": "1.14.1"})}), HOUSES.__getitem__)
    through = resolved(store, dict([(key, page), sdk]), [AXIOS], WINDOW, HOUSES.__getitem__)
    assert [each.path for each in through] == [("axios@1.14.1",), ("sdk@1.0.0", "axios@1.14.1")]


def test_pages_of_python() -> None:
    """A project detail with times is a page as well."""
    file = {"filename": "a-1.0.tar.gz", "url": "https://r.invalid/a-1.0.tar.gz", "upload-time": NOON.isoformat()}
    detail = {"meta": {"api-version": "1.1"}, "name": "a", "files": [file], "versions": ["1.0"]}
    (kind, name), page = page_of(json.dumps(detail).encode(), HOUSES.__getitem__)
    assert (kind, name, [one.version for one in page.releases]) == ("pypi", "a", ["1.0"])


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"name": "a"}', b'{"name": "../a", "versions": {}}'])
def test_what_is_no_page_is_refused(data: bytes) -> None:
    """Anything else is an error with a reason."""
    with pytest.raises(ValueError, match=r".+"):
        page_of(data, HOUSES.__getitem__)


def test_a_version_that_was_taken_down_is_put_back() -> None:
    """The page still says when it was published; nothing else of it is known."""
    document = json.loads(packument("axios", **{"1_14_0": (-9, {}), "1_14_1": (21, {})}))
    del document["versions"]["1.14.1"]
    document["time"] |= {"created": "2020-01-01T00:00:00Z", "1.0.0": "never", "1.0.1": "2020-01-01T00:00:00"}
    page = page_of(json.dumps(document).encode(), HOUSES.__getitem__)[1]
    assert [(one.version, one.published) for one in page.releases][1:] == [("1.14.1", NOON + 21 * MINUTE)]
