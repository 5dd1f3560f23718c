"""Python names, versions, index pages, and what pip picks. All hosts are under .invalid."""

import json
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.model import (
    Artifact,
    ArtifactKind,
    Dependency,
    DependencyGroup,
    DependencySource,
    Project,
    Provided,
    Release,
)
from lazaretto.core.names import ProjectName, Version
from lazaretto.ecosystems.pypi import ECOSYSTEM, platforms
from lazaretto.ecosystems.pypi.index import JSON
from lazaretto.ecosystems.pypi.provenance import parse_attestations, parse_publisher
from lazaretto.ecosystems.pypi.requirements import dependency
from tests.ecosystems.trees import day

NAME = ProjectName("my-pad")
URL = "https://index.invalid/simple/my-pad/"


def file(filename: str, **more: Any) -> dict[str, Any]:
    """Return one file of a page as PEP 691 writes it."""
    return {"filename": filename, "url": f"../../files/{filename}", "hashes": {"sha256": "AB" * 32}, **more}


def page(*files: dict[str, Any], **more: Any) -> Project:
    """Return what a JSON page with these files says."""
    document = {"meta": {"api-version": "1.1"}, "name": "My.Pad", "files": list(files), **more}
    return ECOSYSTEM.index(NAME, json.dumps(document).encode(), f"{JSON}; charset=utf-8", URL)


def html(*anchors: str) -> Project:
    """Return what an HTML page with these anchors says."""
    return ECOSYSTEM.index(NAME, f"<!DOCTYPE html><body>{''.join(anchors)}</body>".encode(), "text/html", URL)


@pytest.mark.parametrize(
    ("text", "name"), [("My__Pad", "my-pad"), ("a.b-_c", "a-b-c"), ("X", "x"), ("zope.interface", "zope-interface")]
)
def test_names(text: str, name: str) -> None:
    """Spellings of one name meet in one normal form (PEP 503)."""
    assert ECOSYSTEM.name(text) == name


@pytest.mark.parametrize("text", ["", "-a", "a-", "a b", "a/b", "ä", "a\n", "_"])
def test_no_names(text: str) -> None:
    """What cannot be a project is refused."""
    with pytest.raises(ValueError, match="not a Python project name"):
        ECOSYSTEM.name(text)


def test_purls() -> None:
    """Signs of a version that mean something in an address are encoded (ECMA-427)."""
    assert ECOSYSTEM.purl(NAME, Version("1!2.0+local")) == "pkg:pypi/my-pad@1%212.0%2Blocal"


@pytest.mark.parametrize(("version", "line"), [("2.32.5", "2"), ("0.4", "0"), ("1!3.0", "1!3"), ("2024.1", "2024")])
def test_release_lines(version: str, line: str) -> None:
    """The line is the major, with its epoch."""
    assert ECOSYSTEM.line(Version(version)) == line


def test_everything_a_json_page_tells() -> None:
    """Times, sizes, yanks, Python versions, provenance, and versions without files arrive as they stand."""
    project = page(
        file("my_pad-1.0-py3-none-any.whl", **{"upload-time": "2026-01-02T00:00:00Z", "size": 7, "provenance": "/p/1"}),
        file("my-pad-1.0.tar.gz", **{"upload-time": "2026-01-01T00:00:00.5Z", "provenance": None}),
        file("my_pad-0.9.zip", yanked="broken", **{"requires-python": ">=3.9"}),
        file("my_pad-1.0-py3.12.egg"),
        file("my_pad-1.0.win32.exe"),
        file("other-1.0.tar.gz"),
        versions=["0.9", "1.0", "1.1rc1"],
    )
    old, new, empty = project.releases

    assert [release.version for release in project.releases] == ["0.9", "1.0", "1.1rc1"]
    assert project.provides == {Provided.TIME, Provided.ATTESTATION}
    assert (empty.artifacts, empty.published) == ((), None)
    assert [artifact.filename for artifact in new.artifacts] == ["my-pad-1.0.tar.gz", "my_pad-1.0-py3-none-any.whl"]
    assert [artifact.attested for artifact in new.artifacts] == [False, True]
    assert new.attested is False
    assert new.published is not None
    assert new.published.isoformat() == "2026-01-01T00:00:00.500000+00:00"
    wheel = new.artifacts[1]
    assert (wheel.kind, wheel.size, wheel.provenance_url) == (ArtifactKind.WHEEL, 7, "https://index.invalid/p/1")
    assert wheel.url == "https://index.invalid/files/my_pad-1.0-py3-none-any.whl"
    assert wheel.digests == {"sha256": "ab" * 32}
    assert (old.yanked, old.deprecated) == (True, "broken")
    assert isinstance(old, Release)
    assert old.requires_python == ">=3.9"
    assert old.attested is None


def test_a_bare_page_is_unknown_not_no() -> None:
    """An index without times and provenance provides nothing, and nothing of it reads as *no*."""
    project = page(file("my_pad-1.0.tar.gz"))

    assert project.provides == frozenset()
    assert (project.releases[0].published, project.releases[0].attested) == (None, None)


def test_html_page() -> None:
    """Digest, yank, Python versions and provenance of PEP 503 anchors; no time is told."""
    project = html(
        '<a href="../../files/my_pad-1.0.tar.gz#sha256=ABCD" data-requires-python="&gt;=3.8">x</a>',
        '<a href="https://files.invalid/my_pad-0.9-py3-none-any.whl" data-yanked="">x</a>',
        '<a href="my%5Fpad-1.1.tar.gz" data-provenance="https://index.invalid/p">x</a>',
        '<a name="nothing">x</a><a href="../">up</a>',
    )
    old, new, last = project.releases

    assert project.provides == {Provided.ATTESTATION}
    assert (old.yanked, old.artifacts[0].digests) == (True, {})
    assert new.artifacts[0].url == "https://index.invalid/files/my_pad-1.0.tar.gz"
    assert new.artifacts[0].digests == {"sha256": "abcd"}
    assert isinstance(new, Release)
    assert new.requires_python == ">=3.8"
    assert last.artifacts[0].filename == "my_pad-1.1.tar.gz"
    assert last.attested is True


@pytest.mark.parametrize(
    ("data", "media_type", "words"),
    [
        (b"", JSON, "no project detail"),
        (b"[]", JSON, "no project detail"),
        (b'{"files": 3}', JSON, r"\$.files"),
        (b'{"files": [{"url": "x"}]}', JSON, r"files\[0\].*filename"),
        (b'{"files": [], "name": "other"}', JSON, "another project"),
        (b'{"files": [], "meta": {"api-version": "2.0"}}', JSON, "API version"),
        (b"[" * 100_000, JSON, "no project detail"),
        (b"plain words", "text/html", "no tag"),
        (b"\xff<a>", "text/html", "not UTF-8"),
        (b'<meta name="pypi:repository-version" content="2.0">', "text/html", "API version"),
        (b"{}", "application/octet-stream", "media type"),
        (b"{}", "", "media type"),
    ],
)
def test_a_broken_page_says_where(data: bytes, media_type: str, words: str) -> None:
    """What is no page of this project is an error with its place."""
    with pytest.raises(ValueError, match=words):
        ECOSYSTEM.index(NAME, data, media_type, URL)


@given(st.binary(max_size=300), st.sampled_from([JSON, "text/html"]))
def test_any_bytes_give_a_page_or_an_error(data: bytes, media_type: str) -> None:
    """No bytes of an index raise anything but ValueError."""
    try:
        ECOSYSTEM.index(NAME, data, media_type, URL)
    except ValueError as error:
        assert str(error)


def release(version: str, *filenames: str, **more: Any) -> Release:
    """Return a release with these files (an sdist, if none is named)."""
    uploaded = more.pop("uploaded", None)
    kinds = {True: ArtifactKind.WHEEL, False: ArtifactKind.SDIST}
    artifacts = tuple(
        Artifact(name, kinds[name.endswith(".whl")], f"https://files.invalid/{name}", uploaded=uploaded)
        for name in filenames or (f"my_pad-{version}.tar.gz",)
    )
    return Release("pypi", NAME, Version(version), artifacts, uploaded, **more)


def picked(requirement: str, *releases: Release, at: Any = None) -> str | None:
    """Return the version that pip would pick."""
    edge = dependency(f"my-pad {requirement}")
    found = ECOSYSTEM.resolve(edge, Project("pypi", NAME, releases), at)
    return found.version if found else None


def test_the_highest_is_picked() -> None:
    """The highest version of the range; prereleases and yanked ones only under their conditions."""
    made = (release("1.0"), release("1.2", yanked=True), release("1.1"), release("2.0rc1"))

    assert picked(">=1", *made) == "1.1"
    assert picked("", *made) == "1.1"
    assert picked("==1.2", *made) == "1.2"
    assert picked("==1.2.*", *made) is None
    assert picked(">=2.0rc1", *made) == "2.0rc1"
    assert picked(">=1.9", *made) == "2.0rc1"
    assert picked("[extra] ~=1.0", *made) == "1.1"
    assert picked(">=3", *made) is None


def test_the_future_is_hidden() -> None:
    """At an instant, what was uploaded later is not there."""
    made = (release("1.0", uploaded=day(1)), release("1.1", uploaded=day(3)), release("1.2"))

    assert picked("<1.2", *made, at=day(2)) == "1.0"
    assert picked("<1.2", *made, at=day(3)) == "1.1"


def test_requires_python_is_honoured() -> None:
    """A release for other Pythons is passed over; if there is none else, the highest is still read."""
    made = (release("1.0", requires_python=">=3"), release("1.1", requires_python=">=99"))

    assert picked(">=1", *made) == "1.0"
    assert picked(">=1.1", *made) == "1.1"


def test_wheels_for_other_platforms_are_passed_over() -> None:
    """A release with nothing that installs here comes after one that does."""
    made = (release("1.0"), release("1.1", "my_pad-1.1-cp20-cp20-plan9_any.whl"))

    assert picked(">=1", *made) == "1.0"
    assert picked(">=1.1", *made) == "1.1"


def test_choice_of_files() -> None:
    """The sdist and the wheel that pip would take here; of none, every file."""
    universal, other = "my_pad-1.0-py3-none-any.whl", "my_pad-1.0-cp20-cp20-plan9_any.whl"
    many = release("1.0", other, "my_pad-1.0-py2.py3-none-any.whl", universal, "my_pad-1.0.zip", "my_pad-1.0.tar.gz")

    assert [one.filename for one in ECOSYSTEM.choose(many)] == ["my_pad-1.0.tar.gz", universal]
    assert [one.filename for one in ECOSYSTEM.choose(release("1.0", other))] == [other]
    assert ECOSYSTEM.choose(release("1.0", universal))[0].filename == universal


def test_build_tags_decide_among_equals() -> None:
    """Of two wheels with equal tags the later build is taken."""
    best = platforms.best_wheel(release("1.0", "my_pad-1.0-1-py3-none-any.whl", "my_pad-1.0-2-py3-none-any.whl"))

    assert best is not None
    assert best.filename == "my_pad-1.0-2-py3-none-any.whl"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Requests[socks,Security] >=2,<3", ("requests", "[Security,socks]<3,>=2", "runtime", "registry", None)),
        ("a; python_version < '3.8'", ("a", "", "runtime", "registry", 'python_version < "3.8"')),
        ("a; extra == 'x'", ("a", "", "extra", "registry", 'extra == "x"')),
        ("a @ https://files.invalid/a.whl", ("a", "https://files.invalid/a.whl", "runtime", "url", None)),
        ("a @ git+https://code.invalid/a", ("a", "git+https://code.invalid/a", "runtime", "git", None)),
        ("a @ file:///nonexistent/a", ("a", "file:///nonexistent/a", "runtime", "file", None)),
    ],
)
def test_requirements(text: str, expected: tuple[str, ...]) -> None:
    """A dependency specifier is one edge, its marker kept and not evaluated."""
    edge = dependency(text)

    assert (edge.name, edge.requirement, edge.group.value, edge.source.value, edge.marker) == expected


@pytest.mark.parametrize("text", ["", "a b", "-a", "a>=", "a" * 9000, "a; nonsense == 1", "(" * 2000])
def test_no_requirements(text: str) -> None:
    """What is no dependency specifier is an error."""
    with pytest.raises(ValueError, match="not a dependency specifier"):
        dependency(text)


def test_other_sources_are_not_resolved() -> None:
    """What is not from an index has no release there, nor has a range that nobody understands."""
    project = Project("pypi", NAME, (release("1.0"),))

    assert (
        ECOSYSTEM.resolve(Dependency(NAME, "x", DependencyGroup.RUNTIME, DependencySource.URL), project, None) is None
    )
    assert ECOSYSTEM.resolve(Dependency(NAME, "nonsense"), project, None) is None


def test_provenance_object() -> None:
    """PEP 740: the publisher's kind, repository, workflow and environment."""
    publisher = {
        "kind": "GitHub",
        "repository": "a/b",
        "workflow": "publish.yml",
        "environment": "release",
        "claims": {"ref": "refs/tags/v1", "event_name": "push"},
    }
    data = json.dumps({"version": 1, "attestation_bundles": [{"publisher": publisher, "attestations": []}]}).encode()
    found, named = parse_attestations(data), parse_publisher(data)

    assert found is not None
    assert found.repository is not None
    assert found.repository.endswith("/a/b")
    assert (found.ref, found.workflow, found.event) == ("refs/tags/v1", ".github/workflows/publish.yml", "push")
    assert named is not None
    assert (named.name, named.trusted) == ("GitHub a/b publish.yml release", True)


def test_no_provenance_object() -> None:
    """An object without bundles claims nothing; what is no object is an error."""
    assert parse_attestations(b'{"attestation_bundles": []}') is None
    for data in (b"", b"[]", b"{}", b"[" * 100_000):
        with pytest.raises(ValueError, match="provenance object"):
            parse_attestations(data)


def test_html_as_people_write_it() -> None:
    """Case, quotes, blanks, entities, raw signs in quotes and comments are read as a browser reads them."""
    project = html(
        "<!-- <a href='my_pad-9.0.tar.gz'>x</a> -->",
        "<A\n HREF = 'my_pad-1.0.tar.gz' data-requires-python=\">=3.8\" / >x</A>",
        "<a href=my_pad-1.1.tar.gz?x=1&amp;y=2#sha256=ab&egg=c class=x>x</a><abbr href='my_pad-8.0.tar.gz'>",
        '<a href="my_pad-1.2.tar.gz" href="my_pad-7.0.tar.gz">x</a><!-- <a href="my_pad-6.0.tar.gz">',
    )
    old, new, last = project.releases

    assert isinstance(old, Release)
    assert (old.version, old.requires_python) == ("1.0", ">=3.8")
    assert new.artifacts[0].url.endswith("/my_pad-1.1.tar.gz?x=1&y=2")
    assert new.artifacts[0].digests == {"sha256": "ab"}
    assert last.version == "1.2"


@pytest.mark.parametrize(
    "piece", ["<a ", '<a b="', "<a b='<a c=\"", "<!--", "<a href", "<a x=y ", "&amp", "<meta ", "< a"]
)
def test_a_hostile_page_takes_no_time(piece: str) -> None:
    """Half a million signs of broken HTML are read in one pass."""
    begun = perf_counter()
    html(piece * (500_000 // len(piece)))

    assert perf_counter() - begun < 2
