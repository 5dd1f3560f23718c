"""What detectors may ask of an update: what changed, what was gained, and where it stands."""

from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.facts import Kind, Reach
from lazaretto.core.habit import is_sibling, repository
from lazaretto.core.manifest import Hook
from lazaretto.core.model import Dependency, Provenance
from lazaretto.core.names import Digest, ProjectName
from lazaretto.core.question import dependency_place
from lazaretto.core.tree import Blob
from lazaretto.core.update import ChangeStatus, FileChange, Pair
from tests.detectors.updates import edge, fact, release, script, update, view


def test_what_changed() -> None:
    """Added, changed and removed paths, in path order; a removed file has no new lines."""
    pair = Pair(view({"a": "1", "b": "1\n2", "same": "x"}), view({"b": "1\n3\n2", "c": "1", "same": "x"}))

    assert {path: change.status for path, change in pair.changes.items()} == {
        "a": ChangeStatus.REMOVED,
        "b": ChangeStatus.CHANGED,
        "c": ChangeStatus.ADDED,
    }
    assert pair.changes["a"].added_lines == frozenset()
    assert pair.changes["b"].added_lines == {2}
    assert not pair.is_new_line("same", 1)


LINES = st.lists(st.sampled_from(["", " ", "a", " a", "a ", "b", "ab", "}", "\t}"]), max_size=6).map("\n".join)


@given(before=LINES | st.none(), after=LINES, line=st.integers(-1, 8))
def test_one_line_is_new_if_it_is_one_of_the_new_lines(before: str | None, after: str, line: int) -> None:
    """Asking for one line says what comparing all of them says."""
    was = Blob(Digest("sha256:1"), before.encode()) if before is not None else None
    change = FileChange("a", ChangeStatus.CHANGED, was, Blob(Digest("sha256:2"), after.encode()))

    assert change.adds(line) == (line in change.added_lines)


def test_a_wheel_keeps_its_metadata_under_another_name() -> None:
    """The version in a folder's name makes no new file of its contents."""
    pair = Pair(view({"pad-1.0.dist-info/RECORD": "x"}), view({"pad-1.1.dist-info/RECORD": "x"}))

    assert pair.changes == {}


def test_a_fact_without_a_value_is_new_with_its_line() -> None:
    """An unknown value may be another one; where its line stood before, it is taken for the same."""
    spawn, reached = fact(Kind.PROCESS_SPAWN), {"a.js": Reach.IMPORT}
    before = view({"a.js": "run(x)"}, {"a.js": [spawn]}, reached)
    other = view({"a.js": "run(y)"}, {"a.js": [spawn]}, reached)
    moved = view({"a.js": "run(x)\nmore"}, {"a.js": [spawn]}, reached)

    assert [placed.path for placed in Pair(before, other).gained(Kind.PROCESS_SPAWN)] == ["a.js"]
    assert list(Pair(before, moved).gained(Kind.PROCESS_SPAWN)) == []


def test_at_first_contact_everything_is_new() -> None:
    """There is no line of releases that could have had it."""
    pair = Pair(None, view({"a.js": "x"}, {"a.js": [fact(Kind.PROCESS_SPAWN, "id")]}))

    assert [pair.is_new_kind(placed) for placed in pair.gained(Kind.PROCESS_SPAWN)] == [True]


def test_gained_over_all_artifacts() -> None:
    """An update tells what each of its artifacts gained, with the pair that it stands in."""
    asked = update(view({}), view({"a.js": "x"}, {"a.js": [fact(Kind.PROCESS_SPAWN, "id")]}))

    assert [(pair, placed.path) for pair, placed in asked.gained(Kind.PROCESS_SPAWN)] == [(asked.pairs[0], "a.js")]
    assert list(asked.gained(Kind.NET_CONNECT)) == []


def test_hooks_that_are_new_or_changed() -> None:
    """The same command under the same name is no change."""

    def changed(before: str | None, after: str) -> list[Hook | None]:
        old = view({}, hooks=(script(before),) if before else ())
        return [change.before for change in update(old, view({}, hooks=(script(after),))).hooks_changed()]

    assert changed("node a.js", "node a.js") == []
    assert changed("node a.js", "node b.js") == [script("node a.js")]
    assert changed(None, "node b.js") == [None]
    assert [change.before for change in update(None, view({}, hooks=(script("x"),))).hooks_changed()] == [None]


def test_the_line_that_declares_a_dependency() -> None:
    """In the manifest if it stands there, however its name is spelt; else in the index."""
    pad = Dependency(ProjectName("left-pad"), ">=1")
    metadata = "Name: x\nSummary: left pad\nRequires-Dist: left_pad>=1\n"

    def place(path: str, text: str, *declared: Dependency) -> tuple[str, int]:
        after = view({path: text}, dependencies=declared)
        after = type(after)(
            **{name: getattr(after, name) for name in after.__struct_fields__ if name != "manifest"},
            manifest=type(after.manifest)(path, dependencies=declared),
        )
        found = dependency_place(update(None, after), pad)
        return found.path, found.line

    assert place("x.dist-info/METADATA", metadata, pad) == ("x.dist-info/METADATA", 3)
    assert place("setup.cfg", "[options]\ninstall_requires = left.pad", pad) == ("setup.cfg", 2)
    assert place("setup.cfg", "nothing", pad) == ("setup.cfg", 1)
    assert place("setup.cfg", "nothing") == ("index:dependencies", 0)


def test_siblings() -> None:
    """The same npm scope, or the same attested repository, make a house."""
    built = Provenance("git+https://Forge.invalid/pads/pad.git")
    ours = release("1.0.1", provenance=built)
    asked = update(view({}), view({}), releases=(release("1.0.0", provenance=built), ours), after=ours)

    assert is_sibling(asked, edge("other", release("1.0.0", provenance=built)))
    assert not is_sibling(asked, edge("other", release("1.0.0")))
    assert repository(ours) == "https://forge.invalid/pads/pad"
    scoped = release("1.0.1")
    scoped = type(scoped)(scoped.ecosystem, ProjectName("@house/a"), scoped.version, scoped.artifacts)
    assert is_sibling(update(view({}), view({}), after=scoped), edge("@house/b", release("1.0.0")))


def test_a_line_is_cut_around_its_column() -> None:
    """A line of a bundle is shown where the fact stands; a line that is not there is empty."""
    pair = Pair(None, view({"a.js": "x" * 5000 + "needle" + "y" * 5000}))

    assert "needle" in pair.line_text("a.js", 1, 5000)
    assert len(pair.line_text("a.js", 1, 5000)) <= 240
    assert pair.line_text("a.js", 2) == ""
    assert pair.line_text("a.js", 0) == ""
    assert pair.line_text("b.js", 1) == ""


def test_a_line_that_only_changed_its_file_is_moved() -> None:
    """A bundle named by its content has a new name in each release; its lines are not new."""
    before = view({"dist/app-1a.js": "one();\ntwo();\n"})
    after = view({"dist/app-2b.js": "zero();\ntwo();\n"})
    pair = Pair(before=before, after=after)

    assert pair.is_moved_line("dist/app-2b.js", 2)
    assert not pair.is_moved_line("dist/app-2b.js", 1)
    assert not pair.is_moved_line("dist/app-2b.js", 3)
    assert not pair.is_moved_line("dist/app-2b.js", 9)
    assert not pair.is_moved_line("gone.js", 1)
