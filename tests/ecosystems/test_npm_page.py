"""Packuments as they are shown: what vanishes with a version, what stays, and what hostile pages try."""

import json
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.names import ProjectName, Version
from lazaretto.core.view import PageView
from lazaretto.ecosystems.npm import ECOSYSTEM

NAME = ProjectName("pad")
GATE = "http://gate.invalid/npm/pad/-/"


def version(text: str, **more: Any) -> dict[str, Any]:
    """Return one version of a packument."""
    dist = {"tarball": f"https://registry.invalid/pad/-/pad-{text}.tgz", "shasum": "0" * 40}
    return {"name": "pad", "version": text, "dist": dist, **more}


def packument(*texts: str, **more: Any) -> dict[str, Any]:
    """Return a packument of these versions, each a day younger than the one before; the last is the latest."""
    times = {text: f"2026-01-{day:02}T00:00:00.000Z" for day, text in enumerate(texts, 2)}
    return {
        "name": "pad",
        "dist-tags": {"latest": texts[-1]},
        "versions": {text: version(text) for text in texts},
        "time": {"created": "2026-01-01T00:00:00.000Z", "modified": "2026-02-01T00:00:00.000Z", **times},
        **more,
    }


def view(*texts: str, tags: dict[str, Version] | None = None) -> PageView:
    """Return the view that shows these versions."""
    shown = {f"pad-{text}.tgz": Version(text) for text in texts}
    return PageView(shown=shown, address=lambda filename: GATE + filename, tags=tags)


def rendered(page: bytes | dict[str, Any], seen: PageView, form: str = "full") -> Any:
    """Return the printed page as a client reads it."""
    data = page if isinstance(page, bytes) else json.dumps(page).encode()
    return json.loads(ECOSYSTEM.render(NAME, data, "application/json", seen, form))


def test_a_version_vanishes_everywhere() -> None:
    """What is hidden is in none of versions, time and tags, and no time of the page speaks of it."""
    page = packument("1.0.0", "1.0.1", "1.0.2", _rev="3-x", _attachments={"pad-1.0.2.tgz": {}})

    shown = rendered(page, view("1.0.0", "1.0.1", tags={"latest": Version("1.0.1")}))

    assert list(shown["versions"]) == ["1.0.0", "1.0.1"]
    assert shown["dist-tags"] == {"latest": "1.0.1"}
    assert shown["time"] == {
        "created": "2026-01-02T00:00:00.000Z",
        "modified": "2026-01-03T00:00:00.000Z",
        "1.0.0": "2026-01-02T00:00:00.000Z",
        "1.0.1": "2026-01-03T00:00:00.000Z",
    }
    assert "1.0.2" not in json.dumps(shown)
    assert shown["_rev"] == "3-x"


def test_what_the_page_copied_from_latest_goes_with_it() -> None:
    """The text at the top of a page is that of the release that latest names, and not of the hidden one."""
    page = packument("1.0.0", "1.0.1", description="tampered", readme="read this", license="MIT")
    page["versions"]["1.0.0"] |= {"description": "old", "license": "MIT"}

    moved = rendered(page, view("1.0.0", tags={"latest": Version("1.0.0")}))
    gone = rendered(page, view("1.0.0"))

    assert (moved["description"], moved["license"], "readme" in moved) == ("old", "MIT", False)
    assert not {"description", "license", "readme"} & gone.keys()
    assert rendered(page, view("1.0.0", "1.0.1"))["readme"] == "read this"


def test_nothing_hidden_nothing_changed() -> None:
    """A page of which all is shown keeps every field as it was published, but for the addresses."""
    page = packument("1.0.0", "1.0.1", users={"a": True}, odd=[1.50, None, {"__proto__": 1}], unicode="\u2028é")
    page["time"]["0.9.0"] = "2026-01-01T00:00:00.000Z"  # unpublished long ago
    shown = rendered(page, view("1.0.0", "1.0.1"))

    for text in page["versions"]:
        page["versions"][text]["dist"]["tarball"] = f"{GATE}pad-{text}.tgz"
    assert shown == page


def test_abbreviated() -> None:
    """The short form has what an installation needs, says when the page changed, and whether there are scripts."""
    page = packument("1.0.0", "1.0.1", readme="long")
    page["versions"]["1.0.0"] |= {"bin": {"pad": "x"}, "description": "d", "dependencies": {"a": "^1"}, "gitHead": "c"}
    page["versions"]["1.0.1"] |= {"scripts": {"postinstall": "node x.js", "test": "t"}}

    shown = rendered(page, view("1.0.0", "1.0.1"), "abbreviated")

    assert shown == {
        "name": "pad",
        "modified": "2026-02-01T00:00:00.000Z",
        "dist-tags": {"latest": "1.0.1"},
        "versions": {
            "1.0.0": {
                "name": "pad",
                "version": "1.0.0",
                "dependencies": {"a": "^1"},
                "bin": {"pad": "x"},
                "dist": {"tarball": f"{GATE}pad-1.0.0.tgz", "shasum": "0" * 40},
            },
            "1.0.1": {
                "name": "pad",
                "version": "1.0.1",
                "dist": {"tarball": f"{GATE}pad-1.0.1.tgz", "shasum": "0" * 40},
                "hasInstallScript": True,
            },
        },
    }
    assert rendered(page, view("1.0.0"), "abbreviated")["modified"] == "2026-01-02T00:00:00.000Z"


@pytest.mark.parametrize("scripts", [{"test": "t"}, {}, None, [], "install", 1e300])
def test_no_install_script(scripts: Any) -> None:
    """Other scripts, and what is no table of scripts, are none at installation."""
    page = packument("1.0.0")
    page["versions"]["1.0.0"]["scripts"] = scripts
    broken = json.dumps(page).replace("1e+300", "1e999").encode()

    assert "hasInstallScript" not in rendered(broken, view("1.0.0"), "abbreviated")["versions"]["1.0.0"]
    assert "hasInstallScript" not in rendered(page, view("1.0.0"), "abbreviated")["versions"]["1.0.0"]


def test_abbreviated_of_abbreviated() -> None:
    """A registry that knows the short form only is shown in it; a time of its own goes with what is hidden."""
    page = {"name": "pad", "modified": "2026-02-01T00:00:00.000Z", "versions": {"1.0.0": version("1.0.0")}}

    assert rendered(page, view("1.0.0"), "abbreviated")["modified"] == "2026-02-01T00:00:00.000Z"
    assert rendered(page, view(), "abbreviated") == {"name": "pad", "dist-tags": {}, "versions": {}}


def test_a_package_that_was_unpublished() -> None:
    """A page without versions stays one."""
    page = {"name": "pad", "time": {"unpublished": {"versions": ["1.0.0"]}}}

    assert rendered(page, view()) == page


@pytest.mark.parametrize(
    "dist",
    [None, {}, [], 7, {"tarball": None}, {"tarball": ""}, {"tarball": 7}, {"tarball": "https://registry.invalid/"},
     {"tarball": "https://registry.invalid/pad-1.0.0.tgz", "shasum": 7}, {"tarball": "https://registry.invalid/.."}],
)  # fmt: skip
def test_a_version_without_an_artifact_is_none(dist: Any) -> None:
    """What offers nothing that a decision could be about does not exist, and takes its tag along."""
    page = packument("1.0.0")
    page["versions"]["1.0.0"]["dist"] = dist
    seen = PageView(
        shown={"": Version("1.0.0"), "..": Version("1.0.0"), "pad-1.0.0.tgz": Version("1.0.0")}, address=str.lower
    )

    shown = rendered(page, seen)

    assert (shown["versions"], shown["dist-tags"]) == ({}, {})
    assert all(not one.artifacts for one in ECOSYSTEM.index(NAME, json.dumps(page).encode()).releases)


def test_one_file_name_one_version() -> None:
    """A version that borrows the file name of another one is not shown in its place."""
    page = packument("1.0.0", "1.0.1")
    page["versions"]["1.0.1"]["dist"]["tarball"] = "https://elsewhere.invalid/pad-1.0.0.tgz"

    assert list(rendered(page, view("1.0.0"))["versions"]) == ["1.0.0"]


@pytest.mark.parametrize("deprecated", [False, True, {}, [], 3, None])
def test_odd_deprecations_pass(deprecated: Any) -> None:
    """What old tools wrote for *not deprecated* passes as it is."""
    page = packument("1.0.0")
    page["versions"]["1.0.0"]["deprecated"] = deprecated

    for form in ECOSYSTEM.FORMS:
        assert rendered(page, view("1.0.0"), form)["versions"]["1.0.0"]["deprecated"] == deprecated


def test_of_equal_keys_the_last_counts() -> None:
    """A key that stands twice is printed once: with the value that was judged."""
    good = json.dumps(version("1.0.0"))
    bad = good.replace("registry.invalid", "elsewhere.invalid")
    twice = '"dist": {"tarball": "https://other.invalid/x.tgz", "tarball": "https://other.invalid/pad-1.0.1.tgz"}'
    page = (
        f'{{"versions": {{"9.9.9": {bad}}}, "name": "other", "name": "pad",'
        f'"versions": {{"1.0.0": {bad}, "1.0.0": {good},'
        f'"1.0.1": {{"dist": {{"tarball": "https://other.invalid/pad-1.0.1.tgz"}}, {twice}}}}}}}'
    ).encode()

    printed = ECOSYSTEM.render(NAME, page, "", view("1.0.0", "1.0.1"), "full").decode()

    assert list(json.loads(printed)["versions"]) == ["1.0.0", "1.0.1"]
    assert "elsewhere" not in printed
    assert "other.invalid" not in printed
    assert printed.count('"versions"') == 1


def test_no_prototype_is_set() -> None:
    """A key that would change an object's prototype in a JavaScript client hides nothing: it is not printed."""
    evil = {"1.0.1": version("1.0.1")}
    page = packument("1.0.0")
    page["__proto__"] = {"versions": evil}
    page["versions"]["__proto__"] = evil | {"dist": {"tarball": "https://registry.invalid/pad-9.tgz"}}
    page["versions"]["1.0.0"]["__proto__"] = {"scripts": {"install": "x"}}
    page["versions"]["1.0.0"]["dist"]["__proto__"] = {"tarball": "https://registry.invalid/pad-1.0.1.tgz"}
    page["dist-tags"]["__proto__"] = "1.0.0"
    page["time"]["__proto__"] = {}
    seen = PageView(shown={"pad-1.0.0.tgz": Version("1.0.0"), "pad-9.tgz": Version("__proto__")}, address=GATE.__add__)

    for form in ECOSYSTEM.FORMS:
        assert "__proto__" not in json.dumps(rendered(page, seen, form))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no packument"),
        (b"[]", "no packument"),
        (b"{}", "neither name nor versions"),
        (b'{"name": null}', "neither name nor versions"),
        (b'{"name": "other", "versions": {}}', "another package"),
        (b'{"name": 7, "versions": {}}', "broken at name"),
        (b'{"name": "pad", "versions": []}', "broken at versions"),
        (b'{"name": "pad", "versions": {"1.0.0": 7}}', r"broken at version '1.0.0'"),
        (b'{"name": "pad", "versions": {}, "dist-tags": {"latest": 7}}', "broken at dist-tags"),
        (b'{"name": "pad", "versions": {}, "time": []}', "broken at time"),
        (b'{"name": "pad", "readme": "\xff", "versions": {}}', "not UTF-8 at byte 27"),
        (b'{"name": "pad", "x": ' + b"[" * 100_000, "no packument"),
    ],
)
def test_a_broken_page_says_where(data: bytes, words: str) -> None:
    """What is no packument of this package is an error with its place, in every form."""
    for form in ECOSYSTEM.FORMS:
        with pytest.raises(ValueError, match=words):
            ECOSYSTEM.render(NAME, data, "", view(), form)


def test_one_manifest() -> None:
    """The document of one version is its manifest at the gate's address, by number or by tag."""
    page = json.dumps(packument("1.0.0", "1.0.1")).encode()
    seen = view("1.0.0", tags={"latest": Version("1.0.0")})
    expected = version("1.0.0", dist={"tarball": f"{GATE}pad-1.0.0.tgz", "shasum": "0" * 40})

    for wanted in ("1.0.0", "latest"):
        document = ECOSYSTEM.document(NAME, page, wanted, seen)
        assert document is not None
        assert json.loads(document) == expected
    assert ECOSYSTEM.document(NAME, page, "1.0.1", seen) is None


VERSIONS = ("0.9.0", "1.0.0", "1.0.1", "1.0.1-rc.1", "v1.0.1", "odd", "__proto__", "constructor", "")
PLAIN = st.none() | st.booleans() | st.integers() | st.sampled_from(VERSIONS)
ODD = st.one_of(
    PLAIN,
    st.lists(PLAIN, max_size=2),
    st.dictionaries(st.sampled_from(("tarball", *VERSIONS)), PLAIN, max_size=2),
    st.dictionaries(
        st.sampled_from(VERSIONS), st.dictionaries(st.sampled_from(VERSIONS), PLAIN, max_size=2), max_size=2
    ),
)
DISTS = st.one_of(
    ODD,
    st.builds(
        lambda text, more: {"tarball": f"https://registry.invalid/pad/-/pad-{text}.tgz", **more},
        st.sampled_from(VERSIONS),
        st.dictionaries(st.sampled_from(("integrity", "shasum", "attestations", "signatures")), ODD, max_size=2),
    ),
)
MANIFESTS = st.builds(
    lambda dist, more: {**more, "dist": dist},
    DISTS,
    st.dictionaries(st.sampled_from(("version", "scripts", "deprecated", "_npmUser", "dependencies")), ODD, max_size=3),
)
PACKUMENTS = st.fixed_dictionaries(
    {"name": st.just("pad"), "versions": st.dictionaries(st.sampled_from(VERSIONS), MANIFESTS, max_size=5)},
    optional={
        "dist-tags": st.dictionaries(st.sampled_from(("latest", "next", "__proto__")), st.sampled_from(VERSIONS)),
        "time": st.dictionaries(st.sampled_from(("created", "modified", *VERSIONS)), st.one_of(ODD, st.just("2026"))),
        "users": ODD,
    },
)


@given(page=PACKUMENTS, hidden=st.sets(st.sampled_from(VERSIONS)), odd=st.booleans())
def test_whatever_a_page_holds_only_what_is_shown_is_there(page: dict[str, Any], hidden: set[str], odd: bool) -> None:
    """For any page: what the parser calls an artifact and the view names is there; nothing else is, in any form."""
    data = json.dumps(page).encode()
    project = ECOSYSTEM.index(NAME, data)
    shown = {
        artifact.filename: release.version
        for release in project.releases
        for artifact in release.artifacts
        if release.version not in hidden
    }
    seen = PageView(shown=shown, address=GATE.__add__)
    expected = {version: filename for filename, version in shown.items() if version != "__proto__"}

    for form in ECOSYSTEM.FORMS:
        printed = rendered(data, seen, form)
        assert {text: one["dist"]["tarball"] for text, one in printed["versions"].items()} == {
            text: GATE + filename for text, filename in expected.items()
        }
        assert set(printed.get("dist-tags", {}).values()) <= expected.keys()
        gone = page["versions"].keys() - expected.keys()
        assert not gone & printed.get("time", {}).keys()
        again = ECOSYSTEM.index(NAME, json.dumps(printed).encode())
        assert {one.version for one in again.releases} == expected.keys()


@pytest.mark.slow
def test_it_costs_less_than_reading_the_page_twice() -> None:
    """A large page is filtered and printed in about the time that the standard library takes to read and write it."""
    texts = [f"1.{number}.0" for number in range(400)]
    page = packument(*texts)
    for one in page["versions"].values():
        one["devDependencies"] = {f"dependency-{number}": f"^{number}.0.0" for number in range(50)}
    data = json.dumps(page).encode()
    seen = view(*texts[:-1], tags={"latest": Version(texts[-2])})

    ours = min(_cost(lambda: ECOSYSTEM.render(NAME, data, "", seen, "full")) for _ in range(7))
    theirs = min(_cost(lambda: json.dumps(json.loads(data))) for _ in range(7))

    assert len(data) > 500_000
    assert ours < 2 * theirs, f"{ours * 1000:.1f} ms and {theirs * 1000:.1f} ms"


def _cost(act: Any) -> float:
    start = process_time()
    act()
    return process_time() - start
