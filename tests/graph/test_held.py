"""Who depends on what in our own places: by their own links, place by place, now and as of an instant."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.graph.ask import Asking
from lazaretto.app.graph.held import dependents_held
from lazaretto.app.inventory.ports import Claim, InventoryError
from lazaretto.core.inventory import Entry, Place, Proof
from lazaretto.infra._inventory_links import carried, of_entries, packed, unpacked
from lazaretto.infra.graph import SqliteGraph
from lazaretto.infra.inventory import SqliteInventory
from tests.graph.test_graph import HOUSES, dump
from tests.inventory.company import BAD, commit, tree, write
from tests.inventory.conftest import Person

Needs = dict[str, tuple[str, ...]]
"""A lockfile in short: what each release, ``name@version``, needs by name; the project is called ``""``."""

APP: Needs = {"": ("web", "cli"), "web@1.0.0": ("sdk",), "cli@2.0.0": ("sdk", "axios"), "sdk@1.0.0": ("axios",)}
BAD_APP: Needs = {**APP, "axios@1.14.1": ("plain-crypto-js",), "plain-crypto-js@4.2.1": ()}


def locked(needs: Needs) -> str:
    """Return npm's lockfile of what a project needs."""
    packages: dict[str, Any] = {}
    for release, needed in needs.items():
        name, _, version = release.rpartition("@")
        entry = {"dependencies": dict.fromkeys(needed, "*")} | ({"version": version} if release else {})
        packages[f"node_modules/{name}" if release else ""] = entry
    return json.dumps({"lockfileVersion": 3, "packages": packages})


def asked(person: Person, *words: str) -> dict[str, Any]:
    """Ask our own places, and return the answer."""
    code, out = person.runs("graph", *words, "--of", "inventory", "--format", "json")
    assert code == 0
    found: dict[str, Any] = json.loads(out)
    return found


def rows(answer: dict[str, Any]) -> list[tuple[str, int, int, int]]:
    """Return who depends: in how many steps, in how many places, and in how many the project asks for it."""
    found = answer["dependents"]
    return [(f"{one['name']}@{one['version']}", one["distance"], one["places"], one["asked_for"]) for one in found]


def test_everybody_who_needs_it_is_named_with_the_places(person: Person) -> None:
    """Not one path alone: each release that leads there, by how many steps, where, and who asks for it by name."""
    write(person.folder / "a" / "package-lock.json", locked(BAD_APP))
    write(person.folder / "b" / "package-lock.json", locked({"": ("axios", "sdk"), **dict(list(BAD_APP.items())[3:])}))
    write(person.folder / "c" / "package-lock.json", locked(APP | {"axios@1.14.0": ()}))
    assert person.adds(person.folder) == 0
    answer = asked(person, "dependents", "axios@1.14.1")
    assert rows(answer) == [("sdk@1.0.0", 1, 2, 1), ("cli@2.0.0", 1, 1, 1), ("web@1.0.0", 2, 1, 1)]
    assert answer["dependents"][2]["path"] == ["web@1.0.0", "sdk@1.0.0", "axios@1.14.1"]
    assert (answer["of"], answer["direct"], answer["releases"], answer["distances"]) == ("inventory", 2, 3, [2, 1])
    assert (answer["places_count"], answer["asked_for"]) == (2, 1)
    assert [Path(place).parent.name for place in answer["places"]] == ["a", "b"]
    crypto = asked(person, "dependents", "plain-crypto-js")
    assert [one[:2] for one in rows(crypto)] == [
        ("axios@1.14.1", 1), ("sdk@1.0.0", 2), ("cli@2.0.0", 2), ("web@1.0.0", 3)
    ]  # fmt: skip
    assert [one[0] for one in rows(asked(person, "dependents", "plain-crypto-js", "--direct"))] == ["axios@1.14.1"]
    assert asked(person, "dependents", "axios@^1.14.0")["places_count"] == 3
    shown = person.runs("graph", "dependents", "axios@1.14.1", "--limit", "1")[1]
    assert "2 places, asked for in 1" in shown
    assert "and 2 more: --limit" in shown
    assert "and 1 more places" in shown
    assert "2 places of the inventory hold it, 1 ask for it by name" in " ".join(shown.split())
    assert "web@1.0.0" in person.runs("graph", "blast", "axios@1.14.1", "--format", "svg")[1]


def test_what_depends_elsewhere_does_not_depend_here(person: Person) -> None:
    """A needs B in one project, B needs C in another: A does not need C; and copies of one release are one."""
    write(person.folder / "a" / "package-lock.json", locked({"": ("A",), "A@1.0.0": ("B",), "B@1.0.0": ()}))
    nested = json.loads(locked({"": ("B", "D"), "B@1.0.0": ("C",), "C@1.0.0": ("B",), "D@1.0.0": ("B",)}))
    nested["packages"]["node_modules/D/node_modules/B"] = {"version": "1.0.0", "dependencies": {"C": "*"}}
    write(person.folder / "b" / "package-lock.json", json.dumps(nested))
    person.adds(person.folder)
    assert rows(asked(person, "dependents", "C")) == [("B@1.0.0", 1, 1, 1), ("D@1.0.0", 2, 1, 1)]
    write(person.folder / "c" / "package-lock.json", locked({"": ("D",), "D@1.0.0": ("C",), "C@1.0.0": ()}))
    person.adds(person.folder)
    assert rows(asked(person, "dependents", "C")) == [("D@1.0.0", 1, 2, 2), ("B@1.0.0", 1, 1, 1)]
    assert [one[0] for one in rows(asked(person, "dependents", "B"))] == ["A@1.0.0", "C@1.0.0", "D@1.0.0"]


def test_as_of_an_instant(person: Person) -> None:
    """A file that has changed since: what it named is told as of then, with what led there, and no longer as of now."""
    path = person.folder / "a" / "package-lock.json"
    for number, needs in enumerate((BAD_APP, APP | {"axios@1.14.2": ()}, {"": ("web",), "web@1.0.0": ()}, BAD_APP)):
        write(path, locked(needs), BAD + timedelta(days=number))
        assert person.adds(person.folder) == 0
    connection = sqlite3.connect(next(person.folder.parent.rglob("inventory.sqlite")))
    # the clock of a test stands still between two looks: what each of them ended is put where it belongs
    first = int((BAD + timedelta(hours=1)).timestamp())
    connection.execute("UPDATE entry SET ended = ? WHERE ended IS NOT NULL", (first,))
    connection.commit()
    connection.close()
    answer = asked(person, "dependents", "plain-crypto-js", "--at", f"{BAD:%Y-%m-%dT%H:%M:%S}")
    assert [one[0] for one in rows(answer)] == ["axios@1.14.1", "cli@2.0.0", "sdk@1.0.0", "web@1.0.0"]
    assert rows(asked(person, "dependents", "axios@1.14.1", "--at", "2026-03-01")) == []
    now = asked(person, "dependents", "plain-crypto-js")
    assert [one[0] for one in rows(now)] == [one[0] for one in rows(answer)]
    assert asked(person, "dependents", "axios@1.14.2")["places_count"] == 0
    assert asked(person, "chokepoints", "--by", "project", "--at", "2026-03-01")["points"] == []


def test_a_history_tells_who_needed_it_when(person: Person) -> None:
    """Who led to a release in the commits in which it was there, also who came later than it."""
    repository = person.folder / "r"
    before: Needs = {"": ("sdk",), "sdk@1.0.0": ("axios",), "axios@1.14.1": ()}
    later: Needs = {**before, "": ("sdk", "late"), "late@1.0.0": ("axios",)}
    nothing: Needs = {"": ()}
    for days, needs in enumerate((before, later, nothing)):
        commit(repository, "package-lock.json", locked(needs), BAD + timedelta(days=days))
    (repository / "package-lock.json").unlink()
    person.adds(repository)
    for days, expected in enumerate((["sdk@1.0.0"], ["late@1.0.0", "sdk@1.0.0"], [])):
        at = f"{BAD + timedelta(days=days, hours=1):%Y-%m-%dT%H:%M:%S}"
        assert [one[0] for one in rows(asked(person, "dependents", "axios@1.14.1", "--at", at))] == expected


def test_trees_and_sboms_have_links_too(person: Person) -> None:
    """What npm wrote down in a tree leads there as well as a lockfile; so does an SBOM that tells dependencies."""
    tree(person.folder / "t")
    components = [
        {"type": "library", "name": name, "version": version, "purl": f"pkg:npm/{name}@{version}", "bom-ref": name}
        for name, version in (("axios", "1.14.1"), ("sdk", "1.0.0"))
    ]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "components": components,
        "dependencies": [{"ref": "sdk", "dependsOn": ["axios"]}],
    }
    write(person.folder / "s" / "bom.json", json.dumps(document))
    person.adds(person.folder)
    assert [one[0] for one in rows(asked(person, "dependents", "plain-crypto-js"))] == ["axios@1.14.1"]
    assert rows(asked(person, "dependents", "axios@1.14.1")) == [("sdk@1.0.0", 1, 1, 1)]


def test_who_is_asked(person: Person) -> None:
    """What was imported is asked first, if it knows the release; the inventory otherwise; or whom the user names."""
    write(person.folder / "a" / "package-lock.json", locked(BAD_APP))
    person.adds(person.folder)
    assert "of the inventory hold it" in person.runs("graph", "dependents", "sdk@1.0.0")[1]
    person.runs("graph", "import", str(dump(person.folder)))
    shown = person.runs("graph", "dependents", "sdk@1.0.0")[1]
    assert "the inventory knows it as well" in shown
    assert "app@1.0.0" in shown
    assert "0 releases of 0 projects depend on web@1.0.0" in person.runs("graph", "dependents", "web")[1]
    kept = asked(person, "blast", "--maintainer", "jason")
    assert (kept["asked"], kept["places_count"]) == (["what jason keeps"], 1)
    assert person.runs("graph", "dependents", "other", "--of", "inventory")[0] == 4
    assert person.runs("graph", "dependents", "web", "--of", "graph")[0] == 4


def test_projects_as_choke_points(person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    """Without any import: which few projects are in most of our places, by which versions; accounts need an import."""
    write(person.folder / "a" / "package-lock.json", locked({"": ("x", "y"), "x@1.0.0": (), "y@1.0.0": ()}))
    copies = json.loads(locked({"": ("x",), "x@2.0.0": ()}))
    for place, version in (("x/node_modules/x", "2.0.0"), ("x/node_modules/w/node_modules/x", "1.5.0")):
        copies["packages"][f"node_modules/{place}"] = {"version": version}
    write(person.folder / "b" / "package-lock.json", json.dumps(copies))
    write(person.folder / "c" / "package-lock.json", locked({"": ("x",), "x@2.0.0": ()}))
    write(person.folder / "d" / "requirements.txt", "z==1.0\nopen>=2\n")
    person.adds(person.folder)
    found = asked(person, "chokepoints", "--by", "project")
    assert (found["by"], found["counted"], found["together"]) == ("project", 4, 4)
    assert found["points"] == [
        {"name": "npm:x", "reached": 3, "added": 3, "through": ["x@2.0.0", "x@1.0.0", "x@1.5.0"]},
        {"name": "pypi:z", "reached": 1, "added": 1, "through": ["z@1.0"]},
    ]
    assert "2 projects together would reach 4 of 4 places" in person.runs("graph", "chokepoints", "--by", "project")[1]
    assert person.runs("graph", "chokepoints")[0] == 4
    from lazaretto.surfaces.cli import main

    assert main(["graph", "chokepoints"]) == 4
    assert "ask --by project" in " ".join(capsys.readouterr().err.split())
    person.runs("graph", "import", str(dump(person.folder)))
    ecosystem = json.loads(
        person.runs("graph", "chokepoints", "--by", "project", "--of", "graph", "--format", "json")[1]
    )
    assert ecosystem["points"][0] == {"name": "npm:axios", "reached": 4, "added": 4, "through": []}
    assert "npm:axios" in person.runs("graph", "chokepoints", "--by", "project", "--of", "graph")[1]


def test_an_inventory_of_before(tmp_path: Path) -> None:
    """A file that was written before links were kept tells who holds a release, and nobody who needs it."""
    store = SqliteInventory(tmp_path)
    place = Claim(Place("lockfile", "/a/package-lock.json"), "")
    store.put(place, [Entry("npm", "x", "1.0.0", Proof.FIXED, 0, via=-1, owners=(-1,))], (), datetime.now(UTC))
    store.close()
    connection = sqlite3.connect(store.path)
    connection.execute("DROP TABLE link")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    asking = Asking(SqliteGraph(tmp_path), store, HOUSES.__getitem__, None, lambda _: None)
    found = dependents_held(asking, [1], ["x"], steps=None, most=5)
    assert (found.releases, found.places, found.asked_for) == (0, ("/a/package-lock.json",), 0)
    store.close()


def test_links_that_are_not_whole_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that was damaged, cut or is too large is no answer."""
    store = SqliteInventory(tmp_path)
    place = Claim(Place("lockfile", "/a/package-lock.json"), "")
    store.put(place, [Entry("npm", "x", "1.0.0", Proof.FIXED, 0, owners=(-1, 7))], (), datetime.now(UTC))
    assert store.owners(1) == {0: (-1,)}
    whole = packed({0: (-1,)})
    for broken in (b"", b"x" * 40, whole[:-3], packed({"a": ("b",)})):  # type: ignore[dict-item]  # damaged on purpose
        connection = sqlite3.connect(store.path)
        connection.execute("UPDATE link SET owners = ?", (broken,))
        connection.commit()
        connection.close()
        with pytest.raises(InventoryError, match="not whole"):
            store.owners(1)
    monkeypatch.setattr("lazaretto.infra._inventory_links.MAX_PACKED", 2)
    with pytest.raises(ValueError, match="not whole"):
        unpacked(whole)
    store.close()


numbers = st.integers(0, 6)
links = st.dictionaries(numbers, st.sets(st.integers(-1, 6), min_size=1).map(lambda one: tuple(sorted(one))))


@given(before=links, now=links, moved=st.dictionaries(numbers, numbers))
def test_what_is_kept_of_links(
    before: dict[int, tuple[int, ...]], now: dict[int, tuple[int, ...]], moved: dict[int, int]
) -> None:
    """Of two that are still there, what was read now counts; of anything else, what was read before."""
    moved = {old: new + (100 if new % 2 else 0) for old, new in moved.items()}
    ended = frozenset(new for new in moved.values() if new >= 100)
    found = carried(before, now, moved, ended)
    for number, owners in found.items():
        for owner in owners:
            if number in ended or owner in ended:
                assert any(
                    moved.get(old) == number and any(moved.get(one, one) == owner for one in those)
                    for old, those in before.items()
                )
            else:
                assert owner in now.get(number, ())
    assert all(set(owners) <= set(found[number]) for number, owners in now.items() if number not in ended)
    assert unpacked(packed(found)) == found
    assert of_entries([]) == {}
