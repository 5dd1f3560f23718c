"""Lists as people keep them: which columns say what, and what of them is told as not read."""

from pathlib import Path

import pytest

from lazaretto.core.advisory import FeedError
from lazaretto.core.exchange import Told, Unread
from lazaretto.core.intel import Confidence, Indicator, IndicatorKind, Source, Tlp, Use
from lazaretto.feeds import lists

SEEDS = Path(__file__).parents[1] / "contracts" / "feeds"
TOLD = Told(Source("somebody"))


def read(text: str | bytes, told: Told = TOLD) -> tuple[list[Indicator], list[Unread]]:
    """Read a list."""
    found = list(lists.read(text.encode() if isinstance(text, str) else text, told))
    return [one for one in found if isinstance(one, Indicator)], [one for one in found if isinstance(one, Unread)]


def values(text: str, told: Told = TOLD) -> list[tuple[str, str]]:
    """Return kinds and values of a list."""
    return [(one.kind.value, one.value) for one in read(text, told)[0]]


def test_a_table_with_types() -> None:
    """Addresses are written so that nobody clicks on them, and may come with a port."""
    found, unread = read((SEEDS / "lists-typed.csv").read_bytes())
    assert [(one.kind.value, one.value, one.use.value) for one in found] == [
        ("domain", "c2.example.invalid", "hunt"),
        ("ipv4", "192.0.2.7", "hunt"),
        ("url", "http://c2.example.invalid:8000/6202033", "hunt"),
        ("package", "pkg:npm/plain-example@1.0.1", "block"),
        ("package", "pkg:pypi/plain-example@1.0.1", "block"),
        ("sha256", "b" * 64, "block"),
    ]
    assert found[0].context == "command server, registered a day before"
    assert [(one.place, one.broken) for one in unread] == [("row 2", True), ("row 9", False)]


def test_a_table_of_versions() -> None:
    """Several versions in a cell are several indicators; words are none."""
    found, (told,) = read((SEEDS / "lists-versions.csv").read_bytes())
    assert [one.value for one in found] == [
        "pkg:npm/plain-example@1.0.1",
        "pkg:npm/plain-example@1.0.2",
        "pkg:npm/%40scope/plain@2.0.0",
    ]
    assert found[0].context == "one, two"
    assert told.place == "row 4"
    assert values("package_name,package_version\nplain,1.0\n", Told(Source("x"), ecosystem="pypi")) == [
        ("package", "pkg:pypi/plain@1.0")
    ]


def test_lines() -> None:
    """``ECOSYSTEM:NAME:VERSION``, a host, an address; what it is follows from its form."""
    found, unread = read((SEEDS / "lists-lines.txt").read_bytes())
    assert [one.value for one in found] == [
        "pkg:npm/plain-example@1.0.1",
        "pkg:npm/%40scope/plain@2.0.0",
        "pkg:pypi/plain-example@3.0.0",
        "c2.example.invalid",
        "192.0.2.7",
    ]
    assert [(one.place, one.broken) for one in unread] == [("line 5", False), ("line 8", True)]
    more = f"{'a' * 40}\n2001:db8::1 # x\nhxxps://a.invalid/x\nme@a.invalid\n"
    assert [kind for kind, _ in values(more)] == ["sha1", "url", "email"]


def test_json() -> None:
    """Our own form, and one that names where each value is reported; digests beside a package are indicators too."""
    found, unread = read((SEEDS / "lists-whole.json").read_bytes())
    first, package, digest, error = found
    assert (first.use, first.confidence, first.tlp) == (Use.BLOCK, Confidence.HIGH, Tlp.GREEN)
    assert first.sources[0].name == "A Vendor"
    assert first.valid_from is not None
    assert [source.url for source in package.sources] == [
        "https://vendor.invalid/report",
        "https://other.invalid/report",
    ]
    assert (digest.kind, digest.use) == (IndicatorKind.SHA1, Use.KNOWN_GOOD)
    assert (error.kind, error.use) == (IndicatorKind.OTHER, Use.DO_NOT_USE)
    assert [one.place for one in unread] == ["indicator 4"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("domain,registered\na.invalid,2030\n", [("domain", "a.invalid")]),
        ("ip,country\n192.0.2.1,X\n2001:db8::1,Y\n", [("ipv4", "192.0.2.1"), ("ipv6", "2001:db8::1")]),
        ("type,value\npackage,plain\n", [("package", "pkg:npm/plain")]),
        ("artifact_type,name,affected_versions\nnpm package,plain,1.0.0\n", [("package", "pkg:npm/plain@1.0.0")]),
        ("# comment\ntype,value\ndomain,a.invalid\n\n", [("domain", "a.invalid")]),
        ("type,value,source\nstring,'=x,me\n", [("string", "=x")]),
        ("package,version,ecosystem\nplain,1,pypi\n", [("package", "pkg:pypi/plain@1")]),
        ("type,value\npurl,pkg:npm/plain@1.0.0\n", [("package", "pkg:npm/plain@1.0.0")]),
    ],
)
def test_columns_are_told_by_their_names(text: str, expected: list[tuple[str, str]]) -> None:
    """The layouts that are in use."""
    assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("type,value\ndomain\n", "row 2", "names no value"),
        ("type,value\ndomain,a.invalid,b,c\n", "row 2", "has 4 cells"),
        ('type,value\ndomain,"a\n', "row 2", "is no CSV"),
        ("type,value\n,a.invalid\n", "row 2", "of a kind that has no use"),
        ("type,value\npackage,a b\n", "row 2", "names no package"),
        ("type,value\npurl,pkg:x\n", "row 2", "names no package"),
        ("type,value\nipv4,300.0.0.1\n", "row 2", "is no IPv4 address"),
        ("type,value\nipv6,zz\n", "row 2", "is no IPv6 address"),
        ('[{"type": "domain"}]', "indicator 1", "names no value"),
    ],
)
def test_what_is_broken_is_told(text: str, place: str, reason: str) -> None:
    """With its place and why."""
    _, unread = read(text)
    assert unread[0].place == place
    assert reason in unread[0].reason


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that is too long is read up to its bound, and says so; what is no text is refused."""
    monkeypatch.setattr(lists, "MAX_ROWS", 2)
    assert "more than 2 rows" in read("type,value\ndomain,a.invalid\ndomain,b.invalid\n")[1][-1].reason
    assert "more than 2 lines" in read("a.invalid\nb.invalid\nc.invalid\n")[1][-1].reason
    monkeypatch.setattr(lists, "MAX_FEED", 3)
    with pytest.raises(FeedError, match="larger"):
        read("a.invalid")
    for data in (b"\xff\xfe", b'{"a": 1}', b"[1"):
        with pytest.raises(FeedError):
            read(data)


def test_a_header_that_is_broken_is_none() -> None:
    """Then the lines stand for themselves."""
    assert read('"type,value\n')[1][0].place == "line 1"
    assert read("") == ([], [])
