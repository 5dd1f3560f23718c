"""Pages of Python projects as they are shown, in JSON and in HTML. All hosts are under .invalid."""

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.names import ProjectName, Version
from lazaretto.core.view import PageView
from lazaretto.ecosystems.pypi import ECOSYSTEM
from lazaretto.ecosystems.pypi.versions import parse

NAME = ProjectName("my-pad")
GATE = "http://gate.invalid/pypi/files/my-pad/"
JSON, HTML = ECOSYSTEM.FORMS["json"], ECOSYSTEM.FORMS["html"]


def file(filename: str, **more: Any) -> dict[str, Any]:
    """Return one file of a page as PEP 691 writes it."""
    fields = {name.replace("_", "-"): value for name, value in more.items()}
    return {"filename": filename, "url": f"../../files/{filename}", "hashes": {"sha256": "ab" * 32}, **fields}


def page(*files: dict[str, Any], **more: Any) -> bytes:
    """Return a JSON page."""
    return json.dumps({"meta": {"api-version": "1.4"}, "name": "My.Pad", "files": list(files), **more}).encode()


def seen(**shown: str) -> PageView:
    """Return a view of the wheels and sdists of these names: ``wheel="1.0"`` or ``sdist="1.0"``."""
    names = {"wheel": "my_pad-{}-py3-none-any.whl", "sdist": "my_pad-{}.tar.gz"}
    files = {names[kind.partition("_")[0]].format(text): Version(text) for kind, text in shown.items()}
    return PageView(shown=files, address=GATE.__add__)


def as_json(data: bytes, view: PageView, media_type: str = JSON) -> Any:
    """Return the JSON page as a client reads it."""
    return json.loads(ECOSYSTEM.render(NAME, data, media_type, view, "json"))


def tags(data: bytes, view: PageView, media_type: str = JSON) -> list[tuple[str, dict[str, str | None]]]:
    """Return the tags of the HTML page as the standard library reads them."""
    found: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, dict(attrs)))

    Reader().feed(ECOSYSTEM.render(NAME, data, media_type, view, "html").decode())
    return found


def test_every_field_of_json() -> None:
    """All that a page says of a file, and of itself, is there; addresses and provenance are the gate's."""
    full = file(
        "my_pad-1.0-py3-none-any.whl",
        requires_python=">=3.9",
        size=7,
        upload_time="2026-01-01T00:00:00Z",
        yanked="broken",
        core_metadata={"sha256": "cd"},
        dist_info_metadata={"sha256": "cd"},
        gpg_sig=False,
        provenance="https://index.invalid/p",
        unknown=[1.50],
    )
    top = {
        "meta": {"api-version": "1.4", "tracks": ["https://other.invalid/"], "_last-serial": 7},
        "alternate-locations": ["https://more.invalid/"],
        "project-status": {"status": "archived"},
        "versions": ["0.9", "1.0", "2.0"],
        "unknown": {"a": 1},
    }
    data = page(full, file("my_pad-2.0.tar.gz"), **top)

    shown = as_json(data, seen(wheel="1.0"))

    address = f"{GATE}my_pad-1.0-py3-none-any.whl"
    expected = full | {"url": address, "provenance": f"{address}.provenance"}
    assert shown == top | {"name": "My.Pad", "files": [expected], "versions": ["1.0"]}


def test_every_field_of_html() -> None:
    """All that HTML can say of a file, and of the page, is said, inert."""
    data = page(
        file(
            "my_pad-1.0-py3-none-any.whl",
            requires_python=">=3.9,<4",
            yanked='bad "build" <b>&amp;\n',
            core_metadata={"md5": "0", "sha256": "cd"},
            dist_info_metadata=True,
            gpg_sig=True,
            provenance="https://index.invalid/p",
        ),
        file("my_pad-1.0.tar.gz", yanked=True, core_metadata=False, provenance=None),
        meta={"api-version": "1.4", "tracks": ["https://other.invalid/"]},
        **{"alternate-locations": ["https://a.invalid/", "https://b.invalid/"]},
        **{"project-status": {"status": "archived", "reason": 'no "one"'}},
    )
    found = tags(data, seen(wheel="1.0", sdist="1.0"))
    address = f"{GATE}my_pad-1.0-py3-none-any.whl"

    assert [given for tag, given in found if tag == "meta" and "name" in given] == [
        {"name": "pypi:repository-version", "content": "1.4"},
        {"name": "pypi:tracks", "content": "https://other.invalid/"},
        {"name": "pypi:alternate-locations", "content": "https://a.invalid/"},
        {"name": "pypi:alternate-locations", "content": "https://b.invalid/"},
        {"name": "pypi:project-status", "content": "archived"},
        {"name": "pypi:project-status-reason", "content": 'no "one"'},
    ]
    assert [given for tag, given in found if tag == "a"] == [
        {
            "href": f"{address}#sha256={'ab' * 32}",
            "data-requires-python": ">=3.9,<4",
            "data-provenance": f"{address}.provenance",
            "data-core-metadata": "sha256=cd",
            "data-dist-info-metadata": "true",
            "data-gpg-sig": "true",
            "data-yanked": 'bad "build" <b>&amp;\n',
        },
        {"href": f"{GATE}my_pad-1.0.tar.gz#sha256={'ab' * 32}", "data-yanked": ""},
    ]


def test_html_becomes_json() -> None:
    """What an HTML page says arrives in JSON, and nothing else: uv refuses a size that is null."""
    data = (
        b'<meta name="pypi:repository-version" content="1.4"><meta name="pypi:tracks" content="https://other.invalid/">'
        b'<meta name="pypi:alternate-locations" content="https://a.invalid/">'
        b'<meta name="pypi:project-status" content="archived">'
        b'<meta name="pypi:project-status-reason" content="a &lt;b&gt;">'
        b'<a href="../x/my_pad-1.0-py3-none-any.whl#sha256=abcd" data-requires-python="&gt;=3.9" data-gpg-sig="true" '
        b'data-core-metadata="sha256=cd" data-dist-info-metadata="true" data-provenance="/p" data-yanked="why">x</a>'
        b'<a href="my_pad-1.0.tar.gz#md5=">y</a><a href="my_pad-9.tar.gz">z</a>'
    )
    address = f"{GATE}my_pad-1.0-py3-none-any.whl"

    assert as_json(data, seen(wheel="1.0", sdist="1.0"), "text/html; charset=utf-8") == {
        "meta": {"api-version": "1.0", "tracks": ["https://other.invalid/"]},
        "name": "my-pad",
        "alternate-locations": ["https://a.invalid/"],
        "project-status": {"status": "archived", "reason": "a <b>"},
        "files": [
            {
                "filename": "my_pad-1.0-py3-none-any.whl",
                "url": address,
                "hashes": {"sha256": "abcd"},
                "requires-python": ">=3.9",
                "yanked": "why",
                "provenance": f"{address}.provenance",
                "core-metadata": {"sha256": "cd"},
                "dist-info-metadata": True,
                "gpg-sig": True,
            },
            {
                "filename": "my_pad-1.0.tar.gz",
                "url": f"{GATE}my_pad-1.0.tar.gz",
                "hashes": {},
                "yanked": False,
            },
        ],
    }


def test_html_stays_html() -> None:
    """From HTML to HTML nothing that a client reads is lost."""
    anchors = [{"href": f"{GATE}my_pad-1.0.tar.gz#sha256=abcd", "data-yanked": "x&y", "data-core-metadata": "true"}]
    data = b'<a href="/f/my_pad-1.0.tar.gz#sha256=abcd" data-yanked="x&amp;y" data-core-metadata="true">x</a>'

    assert [given for tag, given in tags(data, seen(sdist="1.0"), "text/html") if tag == "a"] == [
        {name: anchors[0][name] for name in ("href", "data-core-metadata", "data-yanked")}
    ]


def test_versions_follow_the_files() -> None:
    """A version is told as long as a file of it is, however the page spells it; without files there is none."""
    data = page(
        file("my_pad-1.0.0.tar.gz"),
        file("my_pad-1.1-py3-none-any.whl"),
        file("my_pad-1.1.tar.gz"),
        versions=["1.0", "1.1.0", "2.0", "2004d", "1.0.0.0"],
    )

    assert as_json(data, seen(sdist="1.1"))["versions"] == ["1.1.0"]
    assert as_json(data, PageView({"my_pad-1.0.0.tar.gz": Version("1.0.0")}, GATE.__add__))["versions"] == [
        "1.0",
        "1.0.0.0",
    ]


@pytest.mark.parametrize(
    ("second", "left"), [({"sha256": "ab" * 32}, 1), ({"sha256": "cd" * 32}, 0), ({}, 0), ({"md5": "ab"}, 0)]
)
def test_two_files_of_one_name(second: dict[str, str], left: int) -> None:
    """A file that stands twice is told once; two files that share a name are both left out, with their version."""
    data = page(file("my_pad-1.0.tar.gz"), file("my_pad-1.0.tar.gz", hashes=second), versions=["1.0"])

    shown = as_json(data, seen(sdist="1.0"))

    assert (len(shown["files"]), len(shown["versions"])) == (left, left)


def test_two_files_without_a_hash() -> None:
    """Without digests nobody knows whether two files of one name are the same."""
    data = page(*2 * [file("my_pad-1.0.tar.gz", hashes={})])

    assert as_json(data, seen(sdist="1.0"))["files"] == []


@pytest.mark.parametrize("form", ECOSYSTEM.FORMS)
@pytest.mark.parametrize(
    ("data", "media_type", "words"),
    [
        (b"", JSON, "no project detail"),
        (b"[]", JSON, "no project detail"),
        (b'{"name": "my-pad"}', JSON, "no project detail"),
        (b'{"files": {}}', JSON, "no project detail"),
        (b'{"files": [7]}', JSON, r"broken at files\[0\]"),
        (b'{"files": [{"filename": "x"}]}', JSON, r"broken at files\[0\]"),
        (b'{"files": [], "name": "other"}', JSON, "another project"),
        (b'{"files": [], "versions": [1]}', JSON, "no project detail"),
        (b'{"files": [], "x": "\xff"}', JSON, "utf-8"),
        (b'{"files": [], "x": ' + b"[" * 100_000, JSON, "no project detail"),
        (b"text", "text/html", "no HTML"),
        (b"<a href=\xff>", "text/html", "not UTF-8"),
        (b'<meta name="pypi:repository-version" content="2.0">', "text/html", "API version"),
        (b"{}", "text/plain", "neither JSON nor HTML"),
    ],
)
def test_a_broken_page_says_where(data: bytes, media_type: str, words: str, form: str) -> None:
    """What is no page of this project is an error with its place, in every form."""
    with pytest.raises(ValueError, match=words):
        ECOSYSTEM.render(NAME, data, media_type, seen(sdist="1.0"), form)


def test_a_number_without_bounds() -> None:
    """A value that cannot be read is an error where it has to be read, and passes where it need not."""
    data = b'{"files": [], "unknown": 1e999}'

    assert b"1e999" in ECOSYSTEM.render(NAME, data, JSON, seen(sdist="1.0"), "json")
    with pytest.raises(ValueError, match="out of range"):
        ECOSYSTEM.render(NAME, data, JSON, seen(sdist="1.0"), "html")


@pytest.mark.parametrize(
    "filename", ["my_pad-1.0-py3-none-any/x.whl", "my_pad-1.0-py3-none-a\\b.whl", "my_pad-1.0-py3-none-\nany.whl"]
)
def test_a_file_name_is_one_segment_of_an_address(filename: str) -> None:
    """A name that could lead an address elsewhere is that of no file."""
    project = ECOSYSTEM.index(NAME, page(file(filename)), JSON, "https://index.invalid/")

    assert project.releases == ()


TEXT = st.one_of(
    st.text(max_size=12), st.sampled_from(('"><a href="http://x.invalid/">', "&quot;", "-->", "<!--", "'"))
)
ODD = st.one_of(st.none(), st.booleans(), TEXT, st.dictionaries(st.sampled_from(("sha256", "md5", "x")), TEXT))
FILES = st.builds(
    lambda text, ending, more: {
        "filename": f"my_pad-{text}{ending}",
        "url": f"https://files.invalid/my_pad-{text}{ending}",
        **more,
    },
    st.sampled_from(("1.0", "1.0.0", "1.0rc1", "2!1.0", "1.0+l")),
    st.sampled_from(("-py3-none-any.whl", ".tar.gz", ".zip", ".egg")),
    st.fixed_dictionaries(
        {"hashes": st.dictionaries(st.sampled_from(("sha256", "SHA512", "odd")), st.sampled_from(("ab", "CD", "x y")))},
        optional={
            "yanked": st.booleans() | TEXT,
            "requires-python": st.none() | TEXT,
            "provenance": st.none() | TEXT,
            "core-metadata": ODD,
            "dist-info-metadata": ODD,
            "gpg-sig": ODD,
            "unknown": ODD,
        },
    ),
)
PAGES = st.fixed_dictionaries(
    {"files": st.lists(FILES, max_size=6)},
    optional={
        "versions": st.lists(st.sampled_from(("1.0", "1.0.0", "1.0RC1", "2!1", "3.0", "odd"))),
        "meta": st.fixed_dictionaries({}, optional={"tracks": ODD, "api-version": st.just("1.3")}),
        "project-status": ODD | st.fixed_dictionaries({"status": ODD, "reason": ODD}),
        "alternate-locations": ODD | st.lists(ODD),
    },
)


@given(document=PAGES, choice=st.data())
def test_whatever_a_page_holds_only_what_is_shown_is_there(document: dict[str, Any], choice: st.DataObject) -> None:
    """For any page: the files that the view names are there, once each, and nothing else, in any form."""
    data = json.dumps(document).encode()
    project = ECOSYSTEM.index(NAME, data, JSON, "https://index.invalid/")
    files = {one.filename: release.version for release in project.releases for one in release.artifacts}
    shown = choice.draw(st.sets(st.sampled_from(sorted(files)))) if files else set()
    view = PageView(shown={name: files[name] for name in shown}, address=GATE.__add__)

    direct = as_json(data, view)
    left = {one["filename"] for one in direct["files"]}
    by_html = ECOSYSTEM.render(NAME, data, JSON, view, "html")

    assert len(direct["files"]) == len(left)
    assert left <= shown
    for media_type, printed in ((JSON, json.dumps(direct).encode()), (HTML, by_html)):
        again = ECOSYSTEM.index(NAME, printed, media_type, "https://elsewhere.invalid/")
        found = {one.filename: one for release in again.releases for one in release.artifacts}
        assert found.keys() == left
        assert all(one.url == GATE + name for name, one in found.items())
    assert by_html.count(b"<a ") == len(left)
    if "versions" in document:
        assert {parse(text) for text in direct["versions"]} <= {parse(view.shown[name]) for name in left}
        assert set(direct["versions"]) <= set(document["versions"])
    assert as_json(by_html, view, HTML)["files"] == as_json(by_html, view, "text/html")["files"]


@pytest.mark.parametrize("form", ECOSYSTEM.FORMS)
def test_what_did_not_change_is_the_same_sheet(form: str) -> None:
    """One file less leaves every sheet as it was but its own and that of the versions, and the page is whole."""
    names = {f"my_pad-1.{number}.tar.gz": Version(f"1.{number}") for number in range(800)}
    data = page(*(file(name, requires_python=">=3.9") for name in names), versions=[str(one) for one in names.values()])
    plate = ECOSYSTEM.plate(NAME, data, JSON, GATE.__add__, form)
    fewer = {name: one for name, one in names.items() if one != "1.400"}

    before, after = (plate.print(PageView(shown, GATE.__add__)) for shown in (names, fewer))

    assert len(before) == len(after) > 4
    assert sum(old != new for old, new in zip(before, after, strict=True)) <= 2
    assert b"".join(after) == ECOSYSTEM.render(NAME, data, JSON, PageView(fewer, GATE.__add__), form)
    assert plate.print(PageView(names, GATE.__add__)) == before
