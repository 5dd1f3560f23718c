"""Hives: what is in one is found, what is damaged is told, and no bytes lead astray."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lazaretto.core.hive import cells, find
from lazaretto.core.hive.cells import Cells, HiveFault
from lazaretto.core.hive.content import holds, texts
from lazaretto.core.hive.find import Answer, Wanted, look
from lazaretto.core.hive.marvin import marvin
from lazaretto.core.hive.recovery import recovered
from tests import hives
from tests.hives import Key, Value, hive, key, path

RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
AT = 1_774_917_000  # 2026-03-31T00:30:00Z


def asked(data: bytes, *texts: str, logs: tuple[bytes, ...] = (), found: str = "") -> Answer:
    """Look for values or keys by their paths."""
    return look(data, logs, [Wanted(number, tuple(text.split("\\")), found) for number, text in enumerate(texts)])


def hits(answer: Answer) -> list[tuple[int, str, str | None]]:
    """Return what was found, without times."""
    return [(hit.number, hit.key, hit.value) for hit in answer.hits]


@pytest.mark.parametrize("lists", ["li", "lf", "lh", "ri"])
def test_keys_and_values_are_found(lists: str) -> None:
    """In every form of list, whatever the case of letters, with the time of the key; near misses are none."""
    data = hive(
        path(RUN, Value("MicrosoftUpdate", "x"), Value("Other", "y")),
        key("One", key("Two", key("Three"), key("Four"), key("Five"))),
        key("Zeta"),
        lists=lists,
    )
    answer = asked(data, rf"{RUN.upper()}\microsoftupdate", r"one\TWO\five", rf"{RUN}\Microsoft", r"One\Five", "Zeta")
    assert hits(answer) == [(0, RUN, "MicrosoftUpdate"), (1, r"One\Two\Five", None), (4, "Zeta", None)]
    assert {hit.written for hit in answer.hits} == {AT}
    assert answer.gaps == ()


def test_names_of_any_letters() -> None:
    """Names beyond Latin, names with a backslash in a value, empty names, and those that hide behind a NUL."""
    data = hive(
        key("Tést", key("ключ", Value("", "d"))),
        key("Layers", Value(r"C:\Users\a\x.exe", "y"), Value("\0Hidden", "z")),
    )
    answer = asked(data, "TÉST\\КЛЮЧ", "Tést\\ключ\\", r"Layers\c:\users\A\X.EXE", r"Layers\Hidden")
    assert hits(answer) == [
        (0, "Tést\\ключ", None),
        (1, "Tést\\ключ", ""),
        (2, "Layers", r"C:\Users\a\x.exe"),
        (3, "Layers", "\0Hidden"),
    ]


def test_patterns() -> None:
    """A star stands for any name, at any place; one in brackets for itself."""
    data = hive(
        key("Services", key("Abc", Value("ImagePath", "x")), key("Def", Value("ImagePath", "y")), key("*", key("Z"))),
        lists="lf",
    )
    assert len(asked(data, r"Services\*\ImagePath").hits) == 2
    assert hits(asked(data, r"Services\A*\Image*")) == [(0, r"Services\Abc", "ImagePath")]
    assert hits(asked(data, r"Services\[*]\Z")) == [(0, r"Services\*\Z", None)]


def test_data() -> None:
    """Data is compared with what it is, or holds; in pieces too, and with the folders of this machine in it."""
    data = hive(
        key(
            "K",
            Value("text", r"C:\ProgramData\system.bat /q"),
            Value("number", 7),
            Value("bytes", b"\xde\xad\xbe\xef\x00"),
            Value("several", "one\0two\0".encode("utf-16-le"), 7),
            Value("large", b"." * 40_000 + b"needle", 3),
            Value("void", b"", 3),
        ),
    )

    def value(wanted: str) -> list[str | None]:
        return [hit.value for hit in asked(data, "K", found=wanted).hits]

    assert value(r"%PROGRAMDATA%\system.bat") == ["text"]
    assert value("0x7") == value("7") == ["number"]
    assert value("DE AD BE EF 00") == ["bytes"]
    assert value("two") == ["several"]
    assert value("needle") == ["large"]
    assert value("sys") == []
    assert hits(asked(data, r"K\text", found="system.bat")) == [(0, "K", "text")]
    assert asked(data, r"K\text", found="other.bat").hits == ()
    old = hive(key("K", Value("large", b"." * 40_000 + b"needle", 3)), minor=3)
    assert len(asked(old, r"K\large", found="needle").hits) == 1


@pytest.mark.parametrize(
    ("kind", "data", "wanted", "fits"),
    [
        (5, b"\0\0\0\x07", "7", True),
        (11, b"\x01\0\0\0\0\0\0\0", "0x1", True),
        (1, "C:\\Users\\bob\\AppData\\Roaming\\x.exe\0".encode("utf-16-le"), "%APPDATA%\\x.exe", True),
        (2, "%TEMP%\\x.exe\0".encode("utf-16-le"), r"C:\Users\eve\AppData\Local\Temp\x.exe", True),
        (1, '"C:\\WINDOWS\\x.exe"\0'.encode("utf-16-le"), r"%windir%\x.exe", True),
        (1, b"C:\\x.exe\0", r"C:\x.exe", True),
        (1, "https://c2.invalid/a\0".encode("utf-16-le"), "https://C2.invalid/a", True),
        (1, "abcdef\0".encode("utf-16-le"), "abc", False),
        (4, b"\x17\0\0\0", "7", False),
    ],
)
def test_data_by_its_type(kind: int, data: bytes, wanted: str, *, fits: bool) -> None:
    """Whatever type a value says that it has, and whoever's folders are in it; short texts must be the whole."""
    assert holds(texts(kind, data), wanted) is fits


@pytest.mark.parametrize(("select", "found"), [(2, ["ControlSet002"]), (None, ["ControlSet001", "ControlSet002"])])
def test_the_current_control_set(select: int | None, found: list[str]) -> None:
    """What is current says *Select*; where it does not, every set is looked at."""
    sets = [key(f"ControlSet00{number}", key("Services", key("Bad"))) for number in (1, 2)]
    beside = [key("Select", Value("Current", select))] if select else [key("Select", Value("Other", 1))]
    answer = asked(hive(*sets, *beside), r"CurrentControlSet\Services\Bad")
    assert [hit.key.split("\\")[0] for hit in answer.hits] == found
    large = hive(*sets, key("Select", Value("Current", 70_000)))
    assert len(asked(large, r"CurrentControlSet\Services\Bad").hits) == 2


def test_links_and_handles_are_told() -> None:
    """A key that stands for another is not followed, and that is said; a user's classes are a hive of their own."""
    target = "\\Registry\\Machine\\X".encode("utf-16-le")
    classes = "\\Registry\\User\\S-1-5-21-1_Classes".encode("utf-16-le")
    data = hive(
        key("Link", Value("SymbolicLinkValue", target, 6), flags=cells.LINK),
        key("Nowhere", flags=cells.LINK),
        key("Classes", Value("SymbolicLinkValue", classes, 6), flags=cells.LINK),
        key("Handle", Value("x", "y"), flags=cells.HANDLE),
    )
    answer = asked(data, r"Link\a", r"Nowhere\a", r"Classes\a", r"Handle\x")
    assert answer.hits == ()
    assert sorted(answer.gaps) == [
        "Handle is kept elsewhere: its values are not looked at",
        "Link is a link to \\Registry\\Machine\\X, which is not followed",
        "Nowhere is a link to nowhere, which is not followed",
    ]
    assert hits(asked(data, "Link")) == [(0, "Link", None)]


@pytest.mark.parametrize("written", [0, 2**63])
def test_times_that_are_none(written: int) -> None:
    """A key that says nothing of when it was written, or what cannot be, is told without."""
    assert [hit.written for hit in asked(hive(key("A", written=written)), "A").hits] == [None]


def broken(change: Callable[[bytearray], None]) -> bytes:
    """Return a hive in which something was changed."""
    data = bytearray(hive(path(RUN, Value("Name", "a text of some length"), Value("Second", "b")), key("B")))
    change(data)
    return bytes(data)


def place(data: bytes | bytearray, what: bytes) -> int:
    """Return where the last of something begins."""
    return data.rindex(what)


def write(at: bytes, offset: int, form: str, *numbers: int | bytes) -> Callable[[bytearray], None]:
    """Return what writes numbers some bytes behind the last of something."""
    return lambda data: struct.pack_into(form, data, place(data, at) + offset, *numbers)


DAMAGE: dict[str, tuple[Callable[[bytearray], None], str]] = {
    "a short file": (lambda data: data.__delitem__(slice(400, None)), "too short"),
    "another file": (lambda data: data.__setitem__(slice(0, 4), b"nope"), "does not begin"),
    "a free cell": (write(b"ROOT", -80, "<i", 96), "not in use"),
    "a cell beyond the end": (write(b"ROOT", -80, "<i", -(1 << 20)), "reaches too far"),
    "a cell without room": (write(b"ROOT", -80, "<i", -4), "reaches too far"),
    "a key without room": (write(b"ROOT", -80, "<i", -8), "cut short"),
    "no key": (write(b"ROOT", -76, "<2s", b"xx"), "no key"),
    "a long name of a key": (write(b"ROOT", -4, "<H", 500), "a name"),
    "a list nowhere": (write(b"ROOT", -48, "<I", 0x7FFFFFF8), "lies nowhere"),
    "a list between cells": (write(b"ROOT", -48, "<I", 3), "lies nowhere"),
    "a list that is none": (write(b"ROOT", -48, "<I", 32), "no list of keys"),
    "a long list": (write(b"lh", 2, "<H", 500), "cut short"),
    "a list without room": (lambda data: struct.pack_into("<i", data, place(data, b"lh") - 4, -8), "cut short"),
    "a key in no cell": (write(b"lh", 4, "<I", 0), "not in use"),
    "a key too few": (write(b"ROOT", -56, "<I", 3), "of 3 keys below"),
    "no value": (write(b"vk", 0, "<2s", b"xx"), "no value"),
    "a value without room": (lambda data: struct.pack_into("<i", data, place(data, b"vk") - 4, -8), "cut short"),
    "a long name of a value": (write(b"vk", 2, "<H", 500), "a name"),
    "more data than there is": (write(b"Name", -16, "<I", 9_999), "cut short"),
    "more data than is read": (write(b"Name", -16, "<I", 2 << 20), "are compared"),
    "too much in four bytes": (write(b"Name", -16, "<I", 0x80000009), "lie in four"),
    "too many values": (write(b"Run", -40, "<I", 5000), "cut short"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_what_is_damaged_is_told(what: str) -> None:
    """Damage on the way to what is wanted is a gap, never silence."""
    change, reason = DAMAGE[what]
    answer = asked(broken(change), rf"{RUN}\Name", "B", found="a text of some length")
    assert any(reason in gap for gap in answer.gaps), answer


def test_damage_beside_the_way_hides_nothing() -> None:
    """A value that cannot be read does not hide the next, nor a key the one beside it."""
    assert hits(asked(broken(write(b"vk", 0, "<2s", b"xx")), rf"{RUN}\Name")) == [(0, RUN, "Name")]
    answer = asked(broken(write(b"lh", 4, "<I", 0)), "B")
    assert hits(answer) == [(0, "B", None)]
    assert answer.gaps


def test_data_of_no_bytes() -> None:
    """A value may hold nothing, in no cell."""
    nothing = broken(write(b"Name", -16, "<I", 0))
    assert (hits(asked(nothing, rf"{RUN}\Name")), asked(nothing, rf"{RUN}\Name", found="a text")) == (
        [(0, RUN, "Name")],
        Answer(read=True),
    )


def test_lists_of_lists_of_lists_are_refused() -> None:
    """What Windows never writes could lead in circles."""
    data = bytearray(hive(*(key(f"K{number}") for number in range(5)), lists="ri"))
    at = place(data, b"ri")
    own = at - 4 - 4096
    struct.pack_into("<I", data, at + 4, own)
    answer = asked(bytes(data), "K4")
    assert hits(answer) == [(0, "K4", None)]
    assert any("inside another" in gap for gap in answer.gaps)
    struct.pack_into("<I", data, at + 4, 3)
    assert any("lies nowhere" in gap for gap in asked(bytes(data), "K4").gaps)


def test_pieces_that_do_not_fit() -> None:
    """Data in pieces is as long as it says, or not read."""
    data = bytearray(hive(key("K", Value("large", b"x" * 40_000, 3))))
    at = place(data, b"db")
    for offset, form, number in ((2, "<H", 2), (2, "<H", 4000), (4, "<I", 0x7FFFFFF8)):
        changed = bytearray(data)
        struct.pack_into(form, changed, at + offset, number)
        answer = asked(bytes(changed), r"K\large", found="xxxx")
        assert answer.hits == ()
        assert answer.gaps
    struct.pack_into("<i", data, at - 4, -8)
    assert asked(bytes(data), r"K\large", found="xxxx").gaps == ("the list of a value's pieces is cut short",)


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Circles, too much that fits, many faults: each has an end, and is told."""
    data = bytearray(hive(key("A", key("B"))))
    (root,) = struct.unpack_from("<I", data, 36)
    struct.pack_into("<I", data, place(data, b"lh") + 4, root)  # the root is below itself
    monkeypatch.setattr(cells, "MAX_STEPS", 5_000)
    assert asked(bytes(data), *["\\".join(["*"] * 40)] * 200).gaps == (
        "has more than 5000 keys and values on the way: the rest is not looked at",
    )
    monkeypatch.setattr(find, "MAX_HITS", 3)
    answer = asked(hive(*(key(f"K{number}") for number in range(9))), "K*")
    assert len(answer.hits) == 3
    assert "more than 3 keys" in answer.gaps[0]
    monkeypatch.setattr(find, "MAX_FAULTS", 2)
    data = bytearray(hive(*(key(f"K{number}") for number in range(9))))
    for number in range(9):
        struct.pack_into("<2s", data, place(data, b"K%d" % number) - 76, b"xx")
    assert asked(bytes(data), "K*").gaps[-1] == "and 7 more places that cannot be read"


BEFORE = hive(path(RUN, Value("Old", "x")), numbers=(8, 7))
CLEAN = hive(path(RUN, Value("Old", "x")), numbers=(7, 7))
MIDDLE = hive(path(RUN, Value("Old", "x")), key("Middle"), numbers=(8, 8))
AFTER = hive(path(RUN, Value("Old", "x"), Value("New", "y")), *(key(f"K{n}") for n in range(90)), numbers=(9, 9))
SOUGHT = rf"{RUN}\New"


def test_a_clean_hive_needs_no_log() -> None:
    """What a log says of a hive that was written to its end is older than it."""
    assert asked(CLEAN, SOUGHT, logs=(hives.log(CLEAN, [AFTER], 7),)) == Answer(read=True)


@pytest.mark.parametrize("split", [False, True])
def test_logs_are_applied(*, split: bool) -> None:
    """Changes that lie in logs alone are seen, also where they make the hive longer, and stand in two logs."""
    if split:
        logs = (hives.log(MIDDLE, [AFTER], 8), hives.log(BEFORE, [MIDDLE], 7))
    else:
        logs = (hives.log(BEFORE, [MIDDLE, AFTER], 7), b"")
    assert len(AFTER) > len(BEFORE)
    whole = recovered(BEFORE, logs)
    assert (whole.gap, whole.applied) == ("", 2)
    assert bytes(whole.data[4096:]) == AFTER[4096:]
    assert hits(asked(BEFORE, SOUGHT, logs=logs)) == [(0, RUN, "New")]


def test_old_entries_are_left() -> None:
    """Entries that the hive has already are not written again."""
    assert recovered(BEFORE, (hives.log(BEFORE, [MIDDLE, BEFORE, AFTER], 5),)).applied == 1


def test_an_entry_that_is_torn_ends_the_log() -> None:
    """As Windows does: what was not written whole was not written."""
    log = bytearray(hives.log(BEFORE, [MIDDLE, AFTER], 7))
    log[-1] ^= 1
    assert recovered(BEFORE, (bytes(log),)).applied == 1
    second = log.index(b"HvLE", 600)
    for at, torn in ((second + 8, b"\x01"), (second + 4, b"\x01\x00\x00\x00")):
        log = bytearray(hives.log(BEFORE, [MIDDLE, AFTER], 7))
        log[at : at + len(torn)] = torn
        assert recovered(BEFORE, (bytes(log),)).applied == 1


def test_what_logs_lack_is_told() -> None:
    """No log, one of something else, one with a gap, one that would write beyond: a gap, and what is there is read."""
    rest = ("it was not written to its end, and no log of it has the rest",)
    for logs in ((), (b"",), (CLEAN,), (b"x" * 600,), (hives.log(BEFORE, [MIDDLE], 3),)):
        answer = asked(BEFORE, rf"{RUN}\Old", logs=logs)
        assert (len(answer.hits), answer.gaps) == (1, rest)
    gap = (hives.log(BEFORE, [MIDDLE], 7), hives.log(MIDDLE, [AFTER], 9))
    assert "is missing" in asked(BEFORE, SOUGHT, logs=gap).gaps[0]
    head = hives.log(BEFORE, [], 7)
    for size, at in ((1 << 30, 0), (8192, 8192)):
        answer = asked(BEFORE, rf"{RUN}\Old", logs=(head + hives.entry(7, size, [(at, b"x" * 512)]),))
        assert (len(answer.hits), "no hive reaches" in answer.gaps[0]) == (1, True)


def test_logs_of_older_systems() -> None:
    """A map of pages and the pages; one of another time, or cut short, is none."""
    before = hive(path(RUN, Value("Old", "x")), numbers=(8, 7))
    after = hive(path(RUN, Value("New", "y")), numbers=(9, 9))
    log = hives.old_log(before, after)
    assert hits(asked(before, SOUGHT, logs=(log,))) == [(0, RUN, "New")]
    assert "no log" in asked(before, SOUGHT, logs=(log[:-100],)).gaps[0]
    assert "no log" in asked(before, SOUGHT, logs=(log[:512] + b"nope" + log[516:],)).gaps[0]
    assert "no log" in asked(before, SOUGHT, logs=(log[:512],)).gaps[0]
    beyond = bytearray(before)
    struct.pack_into("<I", beyond, 40, len(before))  # says that it is longer than it is
    struct.pack_into("<I", beyond, 508, cells.checksum(beyond))
    larger = bytearray(log)
    larger[517] = 1
    assert "no log" in asked(bytes(beyond), SOUGHT, logs=(bytes(larger),)).gaps[0]
    other = bytearray(before)
    other[12] ^= 1
    struct.pack_into("<I", other, 508, cells.checksum(other))
    assert "no log" in asked(bytes(other), SOUGHT, logs=(log,)).gaps[0]


@pytest.mark.parametrize("old", [False, True])
def test_a_damaged_first_block_is_mended_from_a_log(*, old: bool) -> None:
    """As Windows does; without a log it is told, and the rest is read all the same."""
    before = bytearray(BEFORE)
    before[4:48] = bytes(44)
    struct.pack_into("<I", before, 36, struct.unpack_from("<I", BEFORE, 36)[0])
    struct.pack_into("<I", before, 40, len(BEFORE) - 4096)
    log = hives.old_log(BEFORE, hive(path(RUN, Value("New", "y")))) if old else hives.log(BEFORE, [MIDDLE, AFTER], 7)
    assert hits(asked(bytes(before), SOUGHT, logs=(log,))) == [(0, RUN, "New")]
    answer = asked(bytes(before), rf"{RUN}\Old")
    assert (len(answer.hits), answer.gaps) == (1, ("its first block is damaged, and there is no log to mend it from",))
    struct.pack_into("<I", before, 36, 0xFFFFFFFF)
    assert hits(asked(bytes(before), SOUGHT, logs=(log,))) == [(0, RUN, "New")]
    assert recovered(bytes(before[:4100]), (log,)).applied == (0 if old else 2)


def test_what_is_no_hive() -> None:
    """A log under the name of a hive, and a version that nobody knows."""
    assert asked(hives.log(BEFORE, [], 7) + bytes(4096), "A").gaps == ("is the log of a hive, and no hive",)
    for minor in (2, 7):
        assert "is of version" in asked(hive(key("A"), minor=minor), "A").gaps[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", 0x30ED35C100CD3C7D),
        ("AF", 0x48E73FC77D75DDC1),
        ("E70F", 0xB5F6E1FC485DBFF8),
        ("37F495", 0xF0B07C789B8CF7E8),
        ("8642DC59", 0x7008F2E87E9CF556),
        ("153FB79826", 0xE6C08C6DA2AFA997),
        ("AB427EA8D10FC7", 0xE11847E4F0678C41),
    ],
)
def test_marvin(text: str, told: int) -> None:
    """The hash is the published one: values of .NET's own tests, with their seed."""
    assert marvin(bytes.fromhex(text), 0x004FB61A001BDBCC) == told


SMALL = hive(path(r"A\B", Value("n", "some text"), Value("m", b"x" * 20_000, 3)), key("C", key("D")), lists="ri")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.binary(min_size=1, max_size=8)), max_size=12))
@example([(36, b"\xff\xff\xff\x7f")])
def test_any_bytes_give_an_answer(changes: list[tuple[int, bytes]]) -> None:
    """Nothing that a hive says is believed: it is read, or told; always the same, and within bounds."""
    data = bytearray(SMALL)
    for at, piece in changes:
        data[at : at + len(piece)] = piece
    wanted = [Wanted(0, ("*", "*", "*"), "some text"), Wanted(1, ("C", "D"))]
    answer = look(bytes(data), (bytes(data[:2048]),), wanted)
    assert answer == look(bytes(data), (bytes(data[:2048]),), wanted)
    assert len(answer.gaps) <= find.MAX_FAULTS + 1


names = st.text(st.characters(exclude_characters="\\\0*?[", codec="utf-8"), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(st.builds(key, names), lambda below: st.builds(key, names, below, below), max_leaves=8),
    st.sampled_from(["li", "lf", "lh", "ri"]),
)
def test_every_key_that_was_written_is_found(tree: Key, lists: str) -> None:
    """Whatever the names and the form of the lists."""
    data = hive(tree, lists=lists)
    paths = [("\\".join(path), path) for path in _paths(tree, ())]
    for shown, path_ in paths:
        answer = look(data, (), [Wanted(0, path_)])
        assert shown in {hit.key for hit in answer.hits}
        assert answer.gaps == ()


def _paths(one: Key, above: tuple[str, ...]) -> list[tuple[str, ...]]:
    here = (*above, one.name)
    return [here, *(found for below in one.keys for found in _paths(below, here))]


def test_cells_refuse_by_themselves() -> None:
    """Who asks for what is no key gets no key."""
    with pytest.raises(HiveFault):
        Cells(SMALL).key(8)
