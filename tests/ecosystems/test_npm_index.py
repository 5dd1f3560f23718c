"""Packuments: what is told, what is not told, and what is broken. All hosts are under .invalid."""

import json
from base64 import b64encode
from hashlib import sha1, sha512
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.model import DependencyGroup, Provided, Publisher, RegistrySignature
from lazaretto.core.names import ProjectName, Version
from lazaretto.ecosystems.npm import ECOSYSTEM
from lazaretto.ecosystems.npm.index import digests
from lazaretto.ecosystems.npm.provenance import parse_attestations

NAME = ProjectName("pad")
SRI = "sha512-" + b64encode(sha512(b"x").digest()).decode()


def version(text: str, **more: Any) -> dict[str, Any]:
    """Return one version of a packument as a registry writes it."""
    dist = {
        "tarball": f"https://registry.invalid/pad/-/pad-{text}.tgz",
        "integrity": SRI,
        "shasum": sha1(b"x").hexdigest(),
    }
    dist.update(more.pop("dist", {}))
    return {"name": "pad", "version": text, "dist": dist, **more}


def page(*versions: dict[str, Any], **more: Any) -> bytes:
    """Return a packument."""
    document = {"name": "pad", "dist-tags": {}, "versions": {one["version"]: one for one in versions}, **more}
    return json.dumps(document).encode()


def test_everything_a_full_page_tells() -> None:
    """Publisher, trusted publisher, time, attestation, commit, tags, edges and digests arrive as they stand."""
    data = page(
        version("1.0.0", _npmUser={"name": "someone", "email": "someone@mail.invalid"}),
        version(
            "1.1.0",
            _npmUser={"name": "CI", "email": "ci@mail.invalid", "trustedPublisher": {"id": "github"}},
            gitHead="c0ffee",
            dist={
                "attestations": {"url": "https://registry.invalid/att", "provenance": {"predicateType": "p"}},
                "signatures": [{"keyid": "SHA256:a", "sig": "c2ln"}],
            },
            dependencies={"a": "^1", "b": "^2"},
            optionalDependencies={"b": "^2"},
            peerDependencies={"c": "*", "d": "*"},
            peerDependenciesMeta={"d": {"optional": True}},
            devDependencies={"e": "*"},
        ),
        time={"created": "x", "1.0.0": "2026-01-01T00:00:00.000Z", "1.1.0": "2026-01-02T00:00:00+02:00"},
        **{"dist-tags": {"latest": "1.1.0", "gone": "9.9.9"}},
    )

    project = ECOSYSTEM.index(NAME, data)
    old, new = project.releases

    assert project.provides == frozenset(Provided) - {Provided.VERIFICATION, Provided.SOURCE}
    assert (old.attested, new.attested) == (False, True)
    assert old.publisher == Publisher("someone", "someone@mail.invalid", trusted=False)
    assert new.publisher == Publisher("CI", "ci@mail.invalid", trusted=True)
    assert new.published is not None
    assert new.published.isoformat() == "2026-01-01T22:00:00+00:00"
    assert (new.git_head, new.tags, project.tags) == ("c0ffee", ("latest",), {"latest": "1.1.0"})
    assert new.dependencies is not None
    assert [(edge.name, edge.group) for edge in new.dependencies] == [
        ("a", DependencyGroup.RUNTIME),
        ("b", DependencyGroup.OPTIONAL),
        ("c", DependencyGroup.PEER),
        ("d", DependencyGroup.EXTRA),
    ]
    (artifact,) = new.artifacts
    assert artifact.filename == "pad-1.1.0.tgz"
    assert artifact.digests == {"sha512": sha512(b"x").hexdigest(), "sha1": sha1(b"x").hexdigest()}
    assert artifact.provenance_url == "https://registry.invalid/att"
    assert artifact.signatures == (RegistrySignature("SHA256:a", "c2ln"),)
    assert artifact.integrity is not None
    assert artifact.integrity.startswith("sha512-")
    assert old.artifacts[0].signatures == ()


def test_a_bare_mirror_is_unknown_not_no() -> None:
    """A mirror that strips fields provides nothing, and nothing of it reads as *no*."""
    (release,) = ECOSYSTEM.index(NAME, page(version("1.0.0"))).releases

    assert ECOSYSTEM.index(NAME, page(version("1.0.0"))).provides == frozenset()
    assert (release.published, release.publisher, release.attested, release.git_head) == (None, None, None, None)


def test_signatures_show_that_attestations_would_be_told() -> None:
    """Where the registry's signatures stand, a missing attestation means *not attested*."""
    data = page(version("1.0.0", dist={"signatures": [{"keyid": "k", "sig": "s"}]}), version("1.1.0"))

    assert [release.attested for release in ECOSYSTEM.index(NAME, data).releases] == [False, False]


def test_without_any_trusted_publisher_it_is_unknown() -> None:
    """A page on which no release has a trusted publisher does not say that there is none."""
    (release,) = ECOSYSTEM.index(NAME, page(version("1.0.0", _npmUser={"name": "someone"}))).releases

    assert release.publisher == Publisher("someone", None, trusted=None)


def test_versions_are_in_order() -> None:
    """Releases stand in version order, whatever the order of the page; odd ones come first and are not lost."""
    data = page(*(version(text) for text in ("10.0.0", "9.0.0", "9.0.0-rc.1", "odd")))

    assert [release.version for release in ECOSYSTEM.index(NAME, data).releases] == [
        "odd",
        "9.0.0-rc.1",
        "9.0.0",
        "10.0.0",
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [("dependencies", ["a"]), ("_npmUser", "someone"), ("gitHead", 7), ("deprecated", 3), ("dist", {"integrity": 5})],
)
def test_odd_types_are_unknown(field: str, value: Any) -> None:
    """A field of a type that it should not have is unknown; the rest of the release stands."""
    (release,) = ECOSYSTEM.index(NAME, page(version("1.0.0") | {field: value})).releases

    assert release.version == "1.0.0"
    assert release.publisher is None
    assert release.git_head is None
    assert bool(release.artifacts) == (field != "dist")


def test_an_edge_that_cannot_be_read_makes_them_unknown() -> None:
    """A dependency that has no possible name leaves the edges to the artifact."""
    (release,) = ECOSYSTEM.index(NAME, page(version("1.0.0", dependencies={"../a": "1"}))).releases

    assert release.dependencies is None


@pytest.mark.parametrize(("value", "expected"), [("old", "old"), ("", None), (False, None), (True, None), (None, None)])
def test_deprecation(value: Any, expected: str | None) -> None:
    """Only a text deprecates; old tools wrote other things for *not deprecated*."""
    (release,) = ECOSYSTEM.index(NAME, page(version("1.0.0", deprecated=value))).releases

    assert release.deprecated == expected


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no packument"),
        (b"<html>", "no packument"),
        (b'{"name": "pad", "versions": []}', r"\$.versions"),
        (b'{"name": "other", "versions": {}}', "another package"),
        (b'{"name": "pad", "versions": {"1.0.0": 7}}', r"version '1.0.0': not an object"),
        (b'{"name": "pad", "versions": {"1.0.0": {}', "no packument"),
        (b"[" * 100_000, "no packument"),
        (b'{"name": "\xff"}', "no packument"),
    ],
)
def test_a_broken_page_says_where(data: bytes, words: str) -> None:
    """What is no packument of this package is an error with its place."""
    with pytest.raises(ValueError, match=words):
        ECOSYSTEM.index(NAME, data)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_page_or_an_error(data: bytes) -> None:
    """No bytes of a registry raise anything but ValueError."""
    try:
        ECOSYSTEM.index(NAME, data)
    except ValueError as error:
        assert str(error)


def test_digests() -> None:
    """Every algorithm of an SRI string counts; a hash that is no base64 stays, so that nothing can match it."""
    found = digests(f"{SRI}?opt sha1-!!! md7-abc sha512-zzz", "ABC")

    assert found == {"sha512": sha512(b"x").hexdigest(), "sha1": "!!!"}
    assert digests(None, "ABC") == {"sha1": "abc"}
    assert digests(None, None) == {}


def test_no_tarball_no_artifact() -> None:
    """A release without an address has no artifact: there is nothing to read, and so nothing to allow."""
    (release,) = ECOSYSTEM.index(NAME, page(version("1.0.0", dist={"tarball": None}))).releases

    assert release.artifacts == ()


def attestation(predicate_type: str, predicate: dict[str, Any]) -> bytes:
    """Return an attestation document with one publish attestation and one provenance."""
    payload = b64encode(json.dumps({"predicateType": predicate_type, "predicate": predicate}).encode()).decode()
    entries = [
        {"predicateType": "https://registry.invalid/publish/v0.1", "bundle": {}},
        {"predicateType": predicate_type, "bundle": {"dsseEnvelope": {"payload": payload}}},
    ]
    return json.dumps({"attestations": entries}).encode()


def test_provenance_v1() -> None:
    """SLSA v1: repository, ref, workflow and event."""
    workflow = {"repository": "https://code.invalid/a/b", "ref": "refs/heads/main", "path": ".ci/publish.yml"}
    definition = {
        "externalParameters": {"workflow": workflow},
        "internalParameters": {"github": {"event_name": "push"}},
    }
    found = parse_attestations(attestation("https://slsa.dev/provenance/v1", {"buildDefinition": definition}))

    assert found is not None
    assert (found.repository, found.ref) == ("https://code.invalid/a/b", "refs/heads/main")
    assert (found.workflow, found.event) == (".ci/publish.yml", "push")


def test_provenance_v02() -> None:
    """SLSA v0.2: the configuration source carries repository and ref in one address."""
    source = {"uri": "git+https://code.invalid/a/b@refs/tags/v1", "entryPoint": ".ci/publish.yml"}
    invocation = {"configSource": source, "environment": {"GITHUB_EVENT_NAME": "release"}}
    found = parse_attestations(attestation("https://slsa.dev/provenance/v0.2", {"invocation": invocation}))

    assert found is not None
    assert (found.repository, found.ref) == ("https://code.invalid/a/b", "refs/tags/v1")
    assert (found.workflow, found.event) == (".ci/publish.yml", "release")


def test_no_provenance() -> None:
    """A document with a publish attestation alone claims no build."""
    assert parse_attestations(b'{"attestations": [{"predicateType": "p"}]}') is None


@pytest.mark.parametrize("data", [b"", b"[]", b'{"attestations": 1}', b"[" * 100_000])
def test_no_attestation_document(data: bytes) -> None:
    """What is no attestation document is an error."""
    with pytest.raises(ValueError, match="attestation document"):
        parse_attestations(data)


def test_a_statement_that_cannot_be_read() -> None:
    """A provenance whose statement is broken is an error, not an absence."""
    entry = {"predicateType": "https://slsa.dev/provenance/v1", "bundle": {"dsseEnvelope": {"payload": "%%%"}}}

    with pytest.raises(ValueError, match="cannot be read"):
        parse_attestations(json.dumps({"attestations": [entry]}).encode())


def test_the_version_of_a_release_is_the_page_s() -> None:
    """A release is found by the version that the page writes."""
    assert ECOSYSTEM.index(NAME, page(version("1.0.0"))).release(Version("1.0.0")) is not None
