"""The graph: who depends on what as of when, which accounts reach most, from any dump; hostile names stay text."""

import json
import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.graph import ask, choke, importing, picture
from lazaretto.app.graph.ask import Dependent, Dependents, Source
from lazaretto.app.graph.choke import By, Choked, Chokepoints
from lazaretto.app.graph.ports import Described, GraphError
from lazaretto.app.graph.resolving import resolver
from lazaretto.core import graph as core
from lazaretto.core.graph import NOBODY, Closures, Rows, bitset, chokepoints, path, reach, rows
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM
from lazaretto.ecosystems.pypi import ECOSYSTEM as PYPI
from lazaretto.infra.graph import MAX_GRAPHS, SqliteGraph
from lazaretto.infra.inventory import SqliteInventory
from tests.contracts.reports import HOSTILE
from tests.inventory.company import lockfile, write
from tests.inventory.conftest import Person

HOUSES: dict[str, Any] = {"npm": NPM, "pypi": PYPI}
BEFORE, AFTER = "2026-03-31T00:10Z", "2026-03-31T00:30Z"
DUMP: list[dict[str, Any]] = [
    {"package": "axios", "version": "1.14.0", "published": "2026-03-01T00:00:00Z", "maintainers": ["jason"]},
    {"package": "axios", "version": "1.14.1", "dependencies": {"plain-crypto-js": "^4.2.1"}, "maintainers": ["jason"],
     "published": "2026-03-31T00:21:00"},
    {"package": "plain-crypto-js", "version": "4.2.1", "maintainers": ["mallory"]},
    {"package": "sdk", "version": "1.0.0", "dependencies": {"ax": "npm:axios@^1.14.0"}, "maintainers": ["ann", "bob"]},
    {"package": "pinned", "version": "1.0.0", "dependencies": {"axios": "1.14.0"}, "maintainers": ["cid"]},
    {"package": "app", "version": "1.0.0", "dependencies": {"sdk": "", "gone": "^9", "g": "git+ssh://r.invalid/x"}},
    {"package": "Some_Thing", "version": "1.0", "ecosystem": "pypi", "dependencies": {"Other": ">=1 ; x"}},
    {"package": "other", "version": "2.0", "ecosystem": "pypi", "maintainers": ["dan"]},
]  # fmt: skip


def dump(folder: Path, lines: list[dict[str, Any]] | None = None) -> Path:
    """Write a dump of JSON lines."""
    write(folder / "dump.jsonl", "\n".join(map(json.dumps, lines or DUMP)) + "\n\n")
    return folder / "dump.jsonl"


def asked(person: Person, *words: str) -> dict[str, Any]:
    """Ask, and return the answer."""
    code, out = person.runs("graph", *words, "--format", "json")
    assert code == 0
    found: dict[str, Any] = json.loads(out)
    return found


def names(answer: dict[str, Any]) -> list[str]:
    """Return who depends, with their distances."""
    return [f"{one['name']}@{one['version']} {one['distance']}" for one in answer["dependents"]]


def test_dependents_as_of_an_instant(person: Person) -> None:
    """A range leads where it led at that instant; an alias is what it stands for; a pin stays where it is."""
    assert person.runs("graph", "import", str(dump(person.folder)))[0] == 0
    assert names(asked(person, "dependents", "axios@1.14.1", "--at", AFTER)) == ["sdk@1.0.0 1", "app@1.0.0 2"]
    assert names(asked(person, "dependents", "axios@1.14.1", "--at", BEFORE)) == []
    assert names(asked(person, "dependents", "axios@1.14.0", "--at", BEFORE)) == [
        "pinned@1.0.0 1",
        "sdk@1.0.0 1",
        "app@1.0.0 2",
    ]
    now = asked(person, "dependents", "plain-crypto-js")
    assert names(now) == ["axios@1.14.1 1", "sdk@1.0.0 2", "app@1.0.0 3"]
    assert now["dependents"][2]["path"] == ["app@1.0.0", "sdk@1.0.0", "axios@1.14.1", "plain-crypto-js@4.2.1"]
    assert (now["direct"], now["releases"], now["projects"], now["distances"]) == (1, 3, 3, [1, 1, 1])
    assert names(asked(person, "dependents", "axios@^1.0.0", "--direct")) == ["pinned@1.0.0 1", "sdk@1.0.0 1"]
    assert names(asked(person, "dependents", "pypi:other")) == ["some-thing@1.0 1"]
    shown = person.runs("graph", "dependents", "plain-crypto-js", "--limit", "1", "--at", AFTER)[1]
    assert "and 2 more" in shown
    assert "3 releases of 3 projects depend on plain-crypto-js@4.2.1, 1 of them directly, as of 2026-03-31" in shown


def test_blast_reaches_places_of_the_inventory(person: Person) -> None:
    """A release, or all that an account keeps: who would get it, and which of our places hold one of these."""
    person.runs("graph", "import", str(dump(person.folder)))
    write(person.folder / "a" / "package-lock.json", lockfile())
    write(person.folder / "b" / "requirements.txt", "other==2.0\n")
    assert person.adds(person.folder / "a", person.folder / "b") == 0
    answer = asked(person, "blast", "plain-crypto-js@4.2.1")
    assert [place.rpartition("/a/")[2] for place in answer["places"]] == ["package-lock.json"]
    assert names(asked(person, "blast", "--maintainer", "mallory")) == names(answer)
    assert asked(person, "blast", "pypi:other@2.0")["places_count"] == 1
    shown = person.runs("graph", "blast", "axios@1.14.1", "--limit", "0")[1]
    assert "and 1 more places" in shown
    assert "1 place of the inventory hold" in shown
    assert person.runs("graph", "blast", "axios@1.14.1")[1].count("reaches ") == 1


def test_chokepoints(person: Person) -> None:
    """Of the graph where there is no inventory, else of its places: what each account adds to those before it."""
    person.runs("graph", "import", str(dump(person.folder)))
    whole = asked(person, "chokepoints", "-n", "2")
    assert (whole["counted"], whole["whole"], whole["together"]) == (7, 7, 6)
    told = [(one["name"], one["reached"], one["added"]) for one in whole["points"]]
    assert told == [("jason", 4, 4), ("dan", 2, 2)]
    assert person.runs("graph", "chokepoints")[1].splitlines()[1].strip() == "through npm:axios"
    write(person.folder / "a" / "package-lock.json", lockfile())
    write(person.folder / "b" / "package-lock.json", lockfile(bad=False))
    write(person.folder / "c" / "package-lock.json", lockfile())
    write(person.folder / "d" / "requirements.txt", "unknown==1.0\n")
    person.adds(person.folder)
    ours = asked(person, "chokepoints")
    assert ours["of"] == "inventory"
    assert ours["points"][0] == {"name": "jason", "reached": 3, "added": 3, "through": ["npm:axios"]}
    assert asked(person, "chokepoints", "--of", "graph") == asked(person, "chokepoints", "--of", "graph", "-n", "3")


def test_a_sample_is_told(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not all can be followed, some stand for the others, and that is said."""
    person.runs("graph", "import", str(dump(person.folder)))
    monkeypatch.setattr(choke, "MAX_STEPS", 0)
    answer = asked(person, "chokepoints")
    assert answer["counted"] < answer["whole"] == 7
    assert "(a sample of 7)" in person.runs("graph", "chokepoints")[1]


def test_packuments_and_pages(person: Person) -> None:
    """A page of npm tells dependencies, times and maintainers; one of PEP 691 tells releases."""
    packument = {
        "name": "axios",
        "maintainers": [{"name": "jason"}, "?"],
        "time": {"1.14.1": "2026-03-31T00:21:00Z"},
        "versions": {
            "1.14.1": {
                "name": "axios",
                "version": "1.14.1",
                "dist": {"tarball": "https://r.invalid/axios/-/axios-1.14.1.tgz"},
                "dependencies": {"plain-crypto-js": "^4.2.1", "x": "git+ssh://r.invalid/x.git"},
                "devDependencies": {"y": "1"},
                "_npmUser": {"name": "stolen"},
            }
        },
    }
    write(person.folder / "axios.json", json.dumps(packument))
    assert (
        person.runs("graph", "import", str(person.folder / "axios.json"), str(dump(person.folder, DUMP[2:4])))[0] == 0
    )
    assert names(asked(person, "blast", "plain-crypto-js@4.2.1")) == ["axios@1.14.1 1", "sdk@1.0.0 2"]
    assert names(asked(person, "blast", "--maintainer", "stolen")) == ["sdk@1.0.0 1"]
    write(person.folder / "broken.json", "{")
    assert person.runs("graph", "import", str(person.folder / "broken.json"))[0] == 3
    assert person.runs("graph", "import", str(person.folder / "none.jsonl"))[0] == 3


def test_what_is_not_understood_is_told_and_the_rest_is_read(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each broken line is told with its number; more than a few in a sum."""
    broken = ["{", "[]", '{"package": "\x1b[2J", "version": "1.0.0"}', '{"package": "a", "version": "x y"}']
    broken += [json.dumps({"package": "a", "version": "1.0.0", "ecosystem": "cargo"})] * 20
    broken += [json.dumps({"package": "a" * 400, "version": "1.0.0"})]
    broken += [json.dumps({"package": "a", "version": "1.0.0", "dependencies": {f"d{n}": "1" for n in range(5001)}})]
    path = dump(person.folder)
    write(path, "\n".join([*broken, *map(json.dumps, DUMP)]))
    capsys.readouterr()
    from lazaretto.surfaces.cli import main

    assert main(["graph", "import", str(path)]) == 3
    out, err = capsys.readouterr()
    assert out == "8 releases imported, 26 problems.\n"
    assert "line 2:" in err
    assert "and 6 more" in err
    assert "\x1b" not in err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("dependents", "axios"), 4),
        (("blast", "--maintainer", "nobody"), 4),
        (("chokepoints",), 4),
        (("blast", "axios"), 2),
        (("blast",), 2),
        (("dependents", "axios@^99"), 4),
        (("dependents", "a b"), 2),
        (("dependents", "axios", "--at", "noon"), 2),
        (("dependents", "./x.tgz"), 2),
    ],
)
def test_questions_without_an_answer(person: Person, words: tuple[str, ...], code: int) -> None:
    """What is not known, and what cannot be asked: two codes of their own."""
    if words == ("dependents", "axios@^99"):
        person.runs("graph", "import", str(dump(person.folder)))
    write(person.folder / "x.tgz", "")
    assert person.runs("graph", *words)[0] == code


def test_order_is_nothing_and_twice_is_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Releases that are imported in any order, and again, give the same answer."""
    monkeypatch.setattr(importing, "MAX_NAMES", 1)
    described = list(importing.lines((json.dumps(one).encode() for one in DUMP), "npm", HOUSES.__getitem__))
    known = [one for one in described if isinstance(one, Described)]
    answers = []
    for number, order in enumerate((known, known[::-1], [*known, *known])):
        store = SqliteGraph(tmp_path / str(number))
        store.put(order)
        asking = ask.Asking(store, SqliteInventory(tmp_path), HOUSES.__getitem__, None, lambda _: None)
        releases = ask.releases_of(asking, Source.GRAPH, "npm", "axios", None)
        found = ask.dependents(asking, [one.row for one in releases], ["x"], steps=None, most=50, places=True)
        answers.append((found, *(choke.choke(asking, 3, of, By.ACCOUNT) for of in Source)))
        store.close()
    assert answers[0] == answers[1] == answers[2]


def test_a_store_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """A file that is no graph, a graph that is not whole: told, or made again."""
    store = SqliteGraph(tmp_path)
    store.put([Described("npm", "a", "1.0.0", (("a", "*"),))])
    for number in range(MAX_GRAPHS + 2):
        at = datetime(2026, 1, 1 + number, tzinfo=UTC)
        made = store.graph(at, resolver(HOUSES.__getitem__, at), lambda _: None)
        assert made is not None
        assert list(made.needed_by.ends) == [0]
    kept = sorted(tmp_path.glob("graph-*.bin"))
    assert len(kept) == MAX_GRAPHS
    for broken in (b"", b"abc", b"x" * 4000):
        for one in kept:
            one.write_bytes(broken)
        again = store.graph(at, resolver(HOUSES.__getitem__, at), lambda _: None)
        assert again is not None
        assert list(again.rows) == [1]
    with pytest.raises(ZeroDivisionError):
        store.put(1 // 0 for _ in range(1))  # type: ignore[misc]
    store.close()
    (tmp_path / "graph.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(GraphError, match="cannot be read"):
        store.of("npm", "a")


edges = st.integers(1, 30).flatmap(
    lambda count: st.tuples(
        st.just(count), st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=60)
    )
)


@given(made=edges, root=st.integers(0, 29))
def test_reach_is_what_following_every_edge_gives(made: tuple[int, list[tuple[int, int]]], root: int) -> None:
    """Whoever is reached by following edges is in exactly one level, by a path of that many edges."""
    count, pairs = made
    root %= count
    columns = Rows(*rows(count, [one for one, _ in pairs], [other for _, other in pairs]))
    found = reach(columns, [root])
    expected, waiting = {root}, [root]
    for node in waiting:
        fresh = {other for one, other in pairs if one == node} - expected
        expected |= fresh
        waiting += sorted(fresh)
    levelled = [node for level in found.levels for node in level]
    assert {root, *levelled} == expected == set(Closures(columns).of(root))
    assert len(levelled) == found.count == len(expected) - 1
    assert all(found.by[node] == NOBODY for node in range(count) if node not in expected)
    for depth, level in enumerate(found.levels, 1):
        assert list(level) == sorted(level)
        for node in level:
            steps = path(found, node)
            assert (len(steps) - 1, steps[-1]) == (depth, root)
            assert all((lower, upper) in pairs for upper, lower in pairwise(steps))


@given(sets=st.dictionaries(st.text(max_size=3), st.sets(st.integers(0, 40)), max_size=8), most=st.integers(0, 4))
def test_choke_points_add_what_they_say(sets: dict[str, set[int]], most: int) -> None:
    """Each adds exactly what nobody before it reached, never less than the next; nobody who adds nothing is named."""
    found = chokepoints({name: bitset(members) for name, members in sets.items()}, most)
    covered: set[int] = set()
    for one in found:
        assert one.reached == len(sets[one.name])
        assert one.added == len(sets[one.name] - covered) > 0
        assert all(len(other - covered) <= one.added for other in sets.values())
        covered |= sets[one.name]
    assert len(found) <= most
    if len(found) < most:
        assert covered == set().union(*sets.values())


@pytest.mark.parametrize("text", HOSTILE)
def test_pictures_are_inert(text: str) -> None:
    """Whatever a name holds is a text in a picture: no element, no attribute, no escape, nothing unprintable."""
    text = text.encode("utf-8", "backslashreplace").decode()
    one = Dependent("npm", text, "1.0.0", 1, (f"{text}@1.0.0", f"b{text}@1"))
    answer = Dependents("1", Source.GRAPH, (text,), None, 1, 2, 1, (1,), (one,))
    chokes = Chokepoints("1", Source.INVENTORY, By.ACCOUNT, None, 2, 2, 1, (Choked(text, 1, 1, (text,)),))
    for drawn in (picture.of_dependents(answer), picture.of_chokepoints(chokes)):
        shown = picture.svg(drawn)
        elements: list[str] = []
        parser = expat.ParserCreate()
        parser.StartElementHandler = lambda name, _attributes, kept=elements: kept.append(name)
        parser.Parse(shown, True)
        assert set(elements) == {"svg", "g", "title", "rect", "text", "line"}
        for line in picture.dot(drawn).splitlines():
            assert re.fullmatch(r'(?:[^"\\]|"(?:[^"\\]|\\[\\"])*")*', line), line
            assert line.isprintable() or not line
    alone = picture.of_dependents(Dependents("1", Source.GRAPH, (text,), None, 0, 0, 0, (), ()))
    assert len(alone.boxes) == 1


def test_long_paths_are_cut(tmp_path: Path) -> None:
    """Of a path of a hundred the ends are told."""
    store = SqliteGraph(tmp_path)
    store.put([Described("npm", f"p{n:03}", "1.0.0", ((f"p{n - 1:03}", "1"),) if n else ()) for n in range(100)])
    asking = ask.Asking(store, SqliteInventory(tmp_path), HOUSES.__getitem__, None, lambda _: None)
    (release,) = store.of("npm", "p000")
    found = ask.dependents(asking, [release.row], ["p000"], steps=None, most=200, places=False)
    told = found.dependents[-1].path
    assert (len(told), told[0], told[-2], told[-1]) == (ask.MAX_PATH, "p099@1.0.0", "(89 more)", "p000@1.0.0")
    assert core.reach(Rows([0], []), []).count == 0
