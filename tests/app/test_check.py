"""Checking pins: what is asked, against what, and that nothing is left out in silence."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.app.check import GIVE_UP_AFTER, PAGES_AHEAD, Checked, House, check
from lazaretto.app.pins import Gathered, Lockfile, LockfileFormat, Wanted, gather
from lazaretto.app.ports import Ecosystem, JournalError, NotFound, Unavailable, Untrusted
from lazaretto.core.model import Project, Release
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.pin import LockfileError, Pin, PinSource
from lazaretto.core.tree import Tree
from lazaretto.ecosystems.pypi import Pypi
from lazaretto.lockfiles import requirements
from tests.app.house import MemoryHouse
from tests.examples import NOW, World, tree_of
from tests.examples import _release as release_of


class Stages:
    """Remembers how far it was told to be."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def stage(self, prefix: str) -> None:
        self.stages.append(prefix)

    def __call__(self, text: str) -> None:
        """Say nothing."""


class Lines:
    """A lockfile format for tests: ``name version [digest]`` on each line; ``!`` breaks it, ``-r`` includes."""

    MATCHES: tuple[str, ...] = ("lines.txt",)
    ECOSYSTEM = "npm"

    def parse(self, text: str, include: Callable[[str], str] | None = None, path: str = "") -> Iterator[Pin]:
        for number, line in enumerate(text.splitlines(), 1):
            name, _, rest = line.partition(" ")
            if name == "!":
                raise LockfileError(number, "broken")
            if name == "-r" and include is not None:
                yield from self.parse(include(rest), include, rest)
                continue
            version, _, digest = rest.partition(" ")
            digests = (digest,) if digest else ()
            yield Pin(
                "npm", name, version or None, number, path, integrity=digests, problem=None if version else "open"
            )


def lockfile(now: dict[str, str] | str, then: dict[str, str] | str | None = None, path: str = "lines.txt") -> Lockfile:
    """Return a lockfile with these texts, now and (if given) at the earlier revision."""
    new = {"lines.txt": now} if isinstance(now, str) else now
    old = {"lines.txt": then} if isinstance(then, str) else then

    def read(name: str) -> str:
        if name not in new:
            raise FileNotFoundError(2, "no such file")
        return new[name]

    return Lockfile(path, Lines(), read, None if old is None else old.get)


def gathered(*files: Lockfile) -> Gathered:
    """Return what lockfiles of npm fix."""
    return gather(files, lambda _: World().ecosystem)


def world(**releases: str) -> World:
    """Return a world with these releases, versions separated by blanks, all alike."""
    made = World()
    for name, versions in releases.items():
        for number, version in enumerate(versions.split()):
            entry = {"version": version, "published": NOW - timedelta(days=90 - number)}
            manifest = f'{{"name": "{name}", "version": "{version}", "main": "index.js"}}\n'
            made.add(
                release_of(made, name, entry, sdist=False), tree_of({"package.json": manifest, "index.js": "1;\n"})
            )
    return made


def checked(house: MemoryHouse, *files: Lockfile) -> Checked:
    """Check lockfiles."""
    return check(cast("House", house), gathered(*files).wanted, NOW, Stages())


def test_a_release_is_asked_about_once_with_all_its_places() -> None:
    """Two files, three lines, one release."""
    house = MemoryHouse(world(pad="1.0.0"))
    files = lockfile("pad 1.0.0\npad 1.0.0\n"), lockfile("pad 1.0.0\n", path="sub/lines.txt")
    answer = checked(house, *files)

    assert [update.purl for update in answer.updates] == ["pkg:npm/pad@1.0.0"]
    assert [(place.path, place.line) for place in answer.places] == [
        ("lines.txt", 1),
        ("lines.txt", 2),
        ("sub/lines.txt", 1),
    ]


def test_the_order_of_files_changes_nothing() -> None:
    """By ecosystem, name and version, whatever was read first."""
    one, two = lockfile("b 2.0.0\na 10.0.0\na 9.0.0\n"), lockfile({"other.txt": "c 1.0.0\n"}, path="other.txt")

    assert gathered(one, two) == gathered(two, one)
    assert [(want.project, want.version) for want in gathered(one, two).wanted] == [
        ("a", "9.0.0"),
        ("a", "10.0.0"),
        ("b", "2.0.0"),
        ("c", "1.0.0"),
    ]


def test_a_broken_file_keeps_what_was_read_before_it_broke() -> None:
    """The error has its line, and pins above it are still asked about; other files too."""
    found = gathered(lockfile("pad 1.0.0\n! x\nlost 1.0.0\n"), lockfile({"other": ""}, path="absent.txt"))

    assert [want.project for want in found.wanted] == ["pad"]
    assert found.problems == (
        "lines.txt:2: cannot be read as a whole: broken",
        "absent.txt:1: cannot be read as a whole: no such file",
    )


def test_an_included_file_is_named_as_the_place() -> None:
    """A pin stands in the file that holds it, relative to the checked folder."""
    found = gathered(lockfile({"lines.txt": "-r more/base.txt\n", "more/base.txt": "\npad 1.0.0\n"}, path="lines.txt"))

    assert [str(place) for place in found.wanted[0].places] == ["more/base.txt:2"]


def test_a_version_that_is_left_open_is_for_the_registry_to_say() -> None:
    """It is asked for like a manifest's range, with what stands before the range; anything else stays a problem."""
    text = (
        "pad\npad[a, b] >=1 ; python_version > '3'\nleft==1.0.0\nright --hash=sha256:00\ngit+https://git.invalid/up\n"
    )
    made = gather(
        [Lockfile("requirements.txt", cast("LockfileFormat", requirements), lambda _: text)],
        lambda _: cast("Ecosystem", Pypi()),
    )

    assert [(one.project, one.requirement, one.places[0].line) for one in made.opened] == [
        ("pad", "", 1),
        ("pad", "[a,b]>=1", 2),
    ]
    assert [(one.project, one.version) for one in made.wanted] == [("left", "1.0.0")]
    assert [problem.partition(": ")[0] for problem in made.problems] == ["requirements.txt:4", "requirements.txt:5"]
    assert made.notes == (
        "requirements.txt has pins without hashes: what they bring and it does not list is not checked",
    )


def test_pins_with_hashes_are_all_that_is_installed() -> None:
    """The client refuses to add anything to them: nothing is left to be told."""
    text = f"pad==1.0.0 --hash=sha256:{'0' * 64}\n"
    made = gather(
        [Lockfile("requirements.txt", cast("LockfileFormat", requirements), lambda _: text)],
        lambda _: cast("Ecosystem", Pypi()),
    )

    assert (len(made.wanted), made.notes, made.problems) == (1, (), ())


def test_names_that_cannot_be_are_problems() -> None:
    """What the ecosystem refuses as a name or version is told at its line."""
    found = gathered(lockfile("pad one\n.pad 1.0.0\nopen\n"))

    assert not found.wanted
    assert [text.partition(": ")[0] for text in found.problems] == ["lines.txt:1", "lines.txt:2", "lines.txt:3"]


@pytest.mark.parametrize(
    ("source", "location", "told"),
    [
        (PinSource.GIT, "git+ssh://git@code.invalid/x", True),
        (PinSource.URL, "https://code.invalid/x.tgz", True),
        (PinSource.FILE, "file:vendor/x.tgz", True),
        (PinSource.FILE, "../elsewhere", True),
        (PinSource.FILE, "/elsewhere", True),
        (PinSource.FILE, "file:///elsewhere", True),
        (PinSource.FILE, None, True),
        (PinSource.FILE, "packages/a", False),
        (PinSource.FILE, "file:packages/a", False),
        (PinSource.FILE, ".", False),
    ],
)
def test_what_is_not_from_a_registry_is_told_but_for_the_project_itself(
    source: PinSource, location: str | None, told: bool
) -> None:
    """A workspace, link or editable install inside the project is no dependency; everything else is not checked."""

    class One(Lines):
        def parse(self, text: str, include: Callable[[str], str] | None = None, path: str = "") -> Iterator[Pin]:
            yield Pin("npm", "x", None, 7, source=source, location=location)

    found = gathered(Lockfile("lines.txt", One(), lambda _: ""))
    assert bool(found.problems) is told
    assert all("lines.txt:7: x: " in text and "not from a registry" in text for text in found.problems)


def test_since_only_what_changed_counts_against_what_was_had() -> None:
    """The nearest version below is the user's own before; above if there is none; none for what was there."""
    old = "same 1.0.0\nup 1.0.0\nup 3.0.0\ndown 2.0.0\nmoved 1.0.0 sha256:00\n"
    new = "same 1.0.0\nup 2.5.0\nup 3.0.0\ndown 1.0.0\nfresh 1.0.0\nmoved 1.0.0 sha256:11\n"
    found = gathered(lockfile(new, old))

    assert {(want.project, want.version): want.before for want in found.wanted} == {
        ("up", "2.5.0"): "1.0.0",
        ("down", "1.0.0"): "2.0.0",
        ("fresh", "1.0.0"): None,
        ("moved", "1.0.0"): None,
    }


def test_since_a_time_that_had_no_lockfile_everything_counts() -> None:
    """The same where the old file cannot be read: then that is noted."""
    assert len(gathered(lockfile("pad 1.0.0\n", {})).wanted) == 1
    found = gathered(lockfile("pad 1.0.0\n", "! x\n"))
    assert len(found.wanted) == 1
    assert "cannot be read (line 1: broken): all counts" in found.notes[0]
    old = {"lines.txt": "-r gone.txt\n"}
    assert "gone.txt was not there" in gathered(lockfile("pad 1.0.0\n", old)).notes[0]


def test_an_entry_that_names_no_release_is_told_even_if_its_format_says_nothing() -> None:
    """A format may call an entry understood that names nothing; it is no release, and so a problem."""

    class Nothing(Lines):
        def parse(self, text: str, include: Callable[[str], str] | None = None, path: str = "") -> Iterator[Pin]:
            yield Pin("npm", "", None, 3, "packages.x")

    found = gathered(Lockfile("lines.txt", Nothing(), lambda _: ""))
    assert found.problems == ("lines.txt:3: packages.x: names no release",)


def test_an_old_version_that_cannot_be_is_none_to_compare_with() -> None:
    """What the old file called a version is no baseline if the ecosystem does not know such a version."""
    found = gathered(lockfile("pad 1.0.0\n", "pad nonsense\n"))

    assert [want.before for want in found.wanted] == [None]


def test_an_old_version_cannot_be_asked_for_if_the_registry_is_down() -> None:
    """The question itself needs the index: that is a problem of the pin, in the thread that fetches ahead too."""
    house = MemoryHouse(world(pad="1.0.0 1.1.0"))
    house.world.broken["pad"] = Unavailable("the registry is down")

    assert checked(house, lockfile("pad 1.1.0\n", "pad 1.0.0\n")).problems == (
        "lines.txt:1: pad 1.1.0: the registry is down",
    )


def test_the_users_own_update_is_what_is_asked() -> None:
    """The earlier version of the project is the baseline, not the release before."""
    house = MemoryHouse(world(pad="1.0.0 1.1.0 1.2.0"))
    (update,) = checked(house, lockfile("pad 1.2.0\n", "pad 1.0.0\n")).updates

    assert update.before == "1.0.0"


@pytest.mark.parametrize(("had", "held", "words"), [("0.9.0", "", "no longer"), ("1.1.0", "1.1.0", "not allow")])
def test_what_cannot_be_measured_against_is_said(had: str, held: str, words: str) -> None:
    """A version that the index lost, or that is itself held, is no baseline: the usual one is taken."""
    house = MemoryHouse(world(pad="1.0.0 1.1.0 1.2.0"))
    house.journal.held.add(Version(held))
    (update,) = checked(house, lockfile("pad 1.2.0\n", f"pad {had}\n")).updates

    assert update.before == ("1.0.0" if held else "1.1.0")
    assert words in update.not_asked[-1]
    assert had in update.not_asked[-1]


def test_other_bytes_than_the_index_names_are_a_problem_at_their_line() -> None:
    """The same algorithm is compared; a lockfile may fix fewer artifacts than there are, but none that is not."""
    made = world(pad="1.0.0")
    right = "sha256:" + made.projects["pad"].releases[0].artifacts[0].digests["sha256"]
    house = MemoryHouse(made)

    assert not checked(house, lockfile(f"pad 1.0.0 {right}\n")).problems
    (problem,) = checked(house, lockfile(f"pad 1.0.0 {right}\npad 1.0.0 sha256:{'0' * 64}\n")).problems
    assert problem.startswith("lines.txt:2: pad 1.0.0: ")
    assert "not the same bytes" in problem


def test_several_artifacts_without_a_common_digest_leave_a_question() -> None:
    """An index that tells no digest of that kind is not punished, and the question is named."""
    made = World("pypi")
    for version in ("1.0.0", "1.0.1"):
        entry = {"version": version, "published": NOW - timedelta(days=90)}
        one = release_of(made, "pad", entry, sdist=False)
        both = (*one.artifacts, *release_of(made, "pad", entry, sdist=True).artifacts)
        made.add(Release("pypi", ProjectName("pad"), one.version, both, one.published), Tree({}))
    wanted = gather([lockfile(f"pad 1.0.1 sha512:{'0' * 128}\n")], lambda _: made.ecosystem).wanted
    answer = check(cast("House", MemoryHouse(made)), wanted, NOW, Stages())

    assert not answer.problems
    assert "sha512" in answer.updates[0].not_asked[-1]


def test_what_the_registry_cannot_answer_is_a_problem_at_every_place() -> None:
    """Unknown, unbelievable or not there: never a skip, and the rest is still asked about."""
    made = world(pad="1.0.0", bad="1.0.0")
    made.broken["bad"] = Untrusted("the page is not believed")
    answer = checked(MemoryHouse(made), lockfile("bad 1.0.0\nbad 1.0.0\ngone 1.0.0\npad 1.0.0\npad 2.0.0\n"))

    assert [update.name for update in answer.updates] == ["pad"]
    assert [text.partition(": ")[0] for text in answer.problems] == [f"lines.txt:{line}" for line in (1, 2, 3, 5)]


def test_a_registry_that_does_not_answer_is_given_up_and_every_pin_told() -> None:
    """After so many failures in a row it is not asked again; an answer in between starts the count anew."""
    made = world(m="1.0.0")
    asked: list[str] = []
    names = [f"a{number}" for number in range(4)] + ["m"] + [f"z{number}" for number in range(60)]

    class Down(World):
        def project(self, name: ProjectName) -> Project:
            asked.append(name)
            if name == "m":
                return made.project(name)
            raise Unavailable("the registry is down")

    house = MemoryHouse(Down())
    house.world.trees = made.trees
    answer = checked(house, lockfile("".join(f"{name} 1.0.0\n" for name in names)))

    assert [update.name for update in answer.updates] == ["m"]
    assert len(answer.problems) == len(names) - 1
    assert sum("not asked again" in text for text in answer.problems) == 60 - GIVE_UP_AFTER
    assert len(set(asked)) < len(names)


def test_a_journal_that_fails_ends_the_check() -> None:
    """It is not the fault of a pin, and no verdict may be given without it."""
    house = MemoryHouse(world(pad="1.0.0"))
    house.journal.broken = True

    with pytest.raises(JournalError):
        checked(house, lockfile("pad 1.0.0\n"))


def test_the_next_ones_are_prepared_while_one_is_asked() -> None:
    """Never further ahead than the window; the progress counts every release; threads do not read."""
    made = world(**{f"pad{number:02}": "1.0.0" for number in range(60)})
    begun: set[str] = set()
    ahead: list[int] = []
    readers: set[int] = set()

    class Watched(World):
        def project(self, name: ProjectName) -> Project:
            begun.add(name)
            return made.project(name)

        def unpack_many(self, items: Any) -> Any:
            readers.add(threading.get_ident())
            ahead.append(len(begun))
            return made.unpack_many(items)

    stages = Stages()
    wanted = gathered(lockfile("".join(f"pad{number:02} 1.0.0\n" for number in range(60)))).wanted
    answer = check(cast("House", MemoryHouse(Watched())), wanted, NOW, stages)

    assert len(answer.updates) == 60
    assert stages.stages[0] == "[1/60] pad00 1.0.0: "
    assert stages.stages[-1] == "[60/60] pad59 1.0.0: "
    assert all(count <= number + PAGES_AHEAD + 2 for number, count in enumerate(ahead))
    assert readers == {threading.get_ident()}


def test_nothing_wanted_is_nothing_answered() -> None:
    """No pin, no answer, no problem."""
    assert check(cast("House", MemoryHouse(World())), (), NOW, Stages()) == Checked((), (), ())


def test_a_release_that_disappears_between_two_looks_is_a_problem() -> None:
    """The index is asked for the digests as well; what it then no longer has was not checked."""
    house = MemoryHouse(world(pad="1.0.0"))
    house.world.broken["pad"] = NotFound("no project pad")
    one = Wanted("npm", ProjectName("pad"), Version("1.0.0"), gathered(lockfile("pad 1.0.0\n")).wanted[0].places)

    assert check(cast("House", house), (one,), NOW, Stages()).problems == ("lines.txt:1: pad 1.0.0: no project pad",)


@given(
    lines=st.lists(st.tuples(st.sampled_from(["pad", "gone", ".", "open"]), st.sampled_from(["1.0.0", "9.0.0", ""])))
)
def test_no_pin_is_left_out_in_silence(lines: list[tuple[str, str]]) -> None:
    """Law 2: every line of a lockfile is the place of a verdict or of a problem."""
    text = "".join(f"{name} {version}\n" for name, version in lines)
    found = gathered(lockfile(text))
    answer = check(cast("House", MemoryHouse(world(pad="1.0.0"))), found.wanted, NOW, Stages())
    told = {f"{place.path}:{place.line}" for place in answer.places}
    told |= {problem.partition(": ")[0] for problem in (*found.problems, *answer.problems)}

    assert told == {f"lines.txt:{number}" for number in range(1, len(lines) + 1)}


def test_a_pin_without_a_name_is_told_by_its_address() -> None:
    """A repository or an address need not say which project it is."""

    class Nameless(Lines):
        def parse(self, text: str, include: Callable[[str], str] | None = None, path: str = "") -> Iterator[Pin]:
            yield Pin("npm", "", None, 3, source=PinSource.GIT, location="git+https://code.invalid/x", problem="open")

    found = gathered(Lockfile("lines.txt", Nameless(), lambda _: ""))
    assert found.problems == ("lines.txt:3: git+https://code.invalid/x: open",)
