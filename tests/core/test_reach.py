"""When a place runs: the module graph from the entry points."""

from lazaretto.core.facts import Fact, Facts, Kind, Moment, Reach, Span
from lazaretto.core.manifest import Entry, EntryRole, Manifest
from lazaretto.core.reach import Loader, file_reaches, place

SPAN = Span(1, 0, 0, 1)


def imports(*names: str, moment: Moment = Moment.LOAD) -> Facts:
    """Return the facts of a file that imports these."""
    return Facts("javascript", tuple(Fact(Kind.IMPORT, name, SPAN, moment) for name in names))


def resolve(path: str, specifier: str) -> tuple[str, ...]:
    """Take a specifier for a path."""
    del path
    return (specifier,)


def manifest(**roles: EntryRole) -> Manifest:
    """Return a manifest with these entries; underscores stand for dots."""
    return Manifest("package.json", entries=tuple(Entry(path.replace("_", "."), role) for path, role in roles.items()))


def test_what_an_install_script_loads_runs_at_installation() -> None:
    """Install entries lead on through imports, and win over the import entry."""
    facts = {
        "setup.js": imports("lib.js"),
        "lib.js": imports(),
        "index.js": imports("lib.js", "other.js"),
        "other.js": imports(),
    }
    entries = manifest(setup_js=EntryRole.INSTALL, index_js=EntryRole.IMPORT)
    reaches = file_reaches(facts, entries, Loader(resolve))
    assert reaches == {
        "setup.js": Reach.INSTALL,
        "lib.js": Reach.INSTALL,
        "index.js": Reach.IMPORT,
        "other.js": Reach.IMPORT,
    }


def test_a_lazy_import_is_reached_by_a_call() -> None:
    """What is loaded inside a function runs only when that is called, and so does what a command loads."""
    facts = {
        "index.js": imports("lazy.js", moment=Moment.CALL),
        "lazy.js": imports("deep.js"),
        "deep.js": imports(),
        "bin.js": imports(),
    }
    entries = manifest(index_js=EntryRole.IMPORT, bin_js=EntryRole.COMMAND)
    reaches = file_reaches(facts, entries, Loader(resolve))
    assert reaches["lazy.js"] is reaches["deep.js"] is reaches["bin.js"] is Reach.CALL


def test_a_cycle_ends() -> None:
    """Files that import each other are visited once."""
    facts = {"a.js": imports("b.js"), "b.js": imports("a.js")}
    assert file_reaches(facts, manifest(a_js=EntryRole.IMPORT), Loader(resolve)) == {
        "a.js": Reach.IMPORT,
        "b.js": Reach.IMPORT,
    }


def test_an_unknowable_import_may_load_anything() -> None:
    """A computed module name makes every file reachable by a call; without one the rest stays unreached."""
    known = {"a.js": imports(), "b.js": imports()}
    assert "b.js" not in file_reaches(known, manifest(a_js=EntryRole.IMPORT), Loader(resolve))
    computed = {"a.js": imports(""), "b.js": imports()}
    assert file_reaches(computed, manifest(a_js=EntryRole.IMPORT), Loader(resolve))["b.js"] is Reach.CALL


def test_facts_inherit_the_reach_of_their_file() -> None:
    """Load-time facts run with the file; others when called, but an install script runs to its end."""
    load = Fact(Kind.NET_CONNECT, "h", SPAN, Moment.LOAD)
    call = Fact(Kind.NET_CONNECT, "h", SPAN, Moment.CALL)
    facts = {
        "index.js": Facts("javascript", (load, call)),
        "setup.js": Facts("javascript", (call,)),
        "x.js": Facts("javascript", (load, call)),
    }
    reaches = {"index.js": Reach.IMPORT, "setup.js": Reach.INSTALL}
    placed = place(facts, reaches, frozenset({"setup.js"}))
    assert [(p.path, p.reach) for p in placed] == [
        ("index.js", Reach.IMPORT),
        ("index.js", Reach.CALL),
        ("setup.js", Reach.INSTALL),
        ("x.js", Reach.UNREACHED),
        ("x.js", Reach.UNREACHED),
    ]
