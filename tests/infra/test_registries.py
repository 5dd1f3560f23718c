"""The registries against a server on loopback that lies, and the order of indexes."""

import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha1, sha256, sha512
from pathlib import Path
from typing import Any

import pytest

from lazaretto.app.ports import NotFound, Registry, Unavailable, Untrusted
from lazaretto.core.model import Artifact, ArtifactKind
from lazaretto.core.names import ProjectName
from lazaretto.ecosystems.npm import ECOSYSTEM as NPM
from lazaretto.ecosystems.pypi import ECOSYSTEM as PYPI
from lazaretto.infra.client_config import Index, NpmConfig, PipConfig
from lazaretto.infra.downloads import verify
from lazaretto.infra.http import HttpClient
from lazaretto.infra.index_pages import IndexPages, Understanding
from lazaretto.infra.pages import PageFolder
from lazaretto.infra.redact import Secret
from lazaretto.infra.registries import NpmRegistry, PypiRegistry, configured
from lazaretto.infra.transport import Credentials, Limits
from tests.infra.servers import Handler, Server, server

PAD, SCOPED = ProjectName("pad"), ProjectName("@s/pad")
BYTES = b"a tarball"
SRI = "sha512-" + b64encode(sha512(BYTES).digest()).decode()
JSON_PAGE = "application/vnd.pypi.simple.v1+json"


@pytest.fixture
def site() -> Iterator[Server]:
    """A server for one test."""
    with server() as made:
        yield made


def packument(site: Server, name: str = "pad", **dist: Any) -> bytes:
    """Return a page with one release whose tarball lies on the same server."""
    tarball = {
        "tarball": f"{site.url}/{name}/-/pad-1.0.0.tgz",
        "integrity": SRI,
        "shasum": sha1(BYTES).hexdigest(),
        **dist,
    }
    versions = {"1.0.0": {"name": name, "version": "1.0.0", "dist": tarball}}
    return json.dumps({"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": versions}).encode()


def npm(site: Server, **options: Any) -> NpmRegistry:
    """Return an npm registry on the server that does not wait between attempts."""
    values = {f"//{site.url[7:]}/:_authtoken": Secret("hidden")}
    config = NpmConfig(f"{site.url}/", "", values)
    return NpmRegistry(HttpClient(sleep=lambda _: None), config, Understanding(NPM.index, None), **options)


def pypi(*indexes: Index, **options: Any) -> PypiRegistry:
    """Return indexes that do not wait between attempts."""
    return PypiRegistry(
        HttpClient(sleep=lambda _: None), PipConfig(indexes, ""), Understanding(PYPI.index, None), **options
    )


def simple(site: Server, path: str = "/simple/pad/", version: str = "1.0", **file: Any) -> Index:
    """Put a project on an index of the server and return the index."""
    name = f"pad-{version}.tar.gz"
    entry = {"filename": name, "url": f"/files/{name}", "hashes": {"sha256": sha256(BYTES).hexdigest()}, **file}
    site.says(path, json.dumps({"meta": {"api-version": "1.1"}, "files": [entry]}).encode(), Content_Type=JSON_PAGE)
    site.says(f"/files/{name}", BYTES)
    return Index(site.url + path.removesuffix("pad/"))


def test_a_package_arrives(site: Server) -> None:
    """Page and tarball, with the token of that registry."""
    site.says("/pad", packument(site))
    site.says("/pad/-/pad-1.0.0.tgz", BYTES)
    registry: Registry = npm(site)
    (release,) = registry.project(PAD).releases

    assert registry.download(release.artifacts[0]) == BYTES
    assert [headers.get("authorization") for _, headers in site.requests] == ["Bearer hidden"] * 2
    assert site.requests[0][1]["accept"] == "application/json"


def test_a_scoped_package_is_asked_for_at_its_scope(site: Server) -> None:
    """The slash of the name is escaped, and the scope's own registry is asked."""
    with server() as scope:
        scope.says("/npm/@s%2Fpad", packument(scope, "@s/pad"))
        scope.says("/@s/pad/-/pad-1.0.0.tgz", BYTES)
        config = NpmConfig(f"{site.url}/", "", {"@s:registry": Secret(f"{scope.url}/npm")})
        registry = NpmRegistry(HttpClient(), config, Understanding(NPM.index, None))
        (release,) = registry.project(SCOPED).releases

        assert registry.download(release.artifacts[0]) == BYTES
        assert scope.paths() == ["/npm/@s%2Fpad", "/@s/pad/-/pad-1.0.0.tgz"]
    assert site.requests == []


def test_what_is_signed_is_asked_of_the_registry_itself(site: Server) -> None:
    """Attestations and keys come from the package's own registry, below its path, whatever host the index names."""
    site.says("/-/npm/v1/attestations/pad@1.0.0", b"statement")
    site.says("/-/npm/v1/keys", b"keys")
    site.says("/mirror/-/npm/v1/attestations/pad@1.0.0", b"mirrored")
    below = NpmConfig(f"{site.url}/mirror/", "", {})
    mirror = NpmRegistry(HttpClient(sleep=lambda _: None), below, Understanding(NPM.index, None))

    assert npm(site).statement(PAD, "https://elsewhere.invalid/-/npm/v1/attestations/pad@1.0.0") == b"statement"
    assert npm(site).keys(PAD) == b"keys"
    for given in ("/-/npm/v1/attestations/pad@1.0.0", "/mirror/-/npm/v1/attestations/pad@1.0.0"):
        assert mirror.statement(PAD, f"https://elsewhere.invalid{given}") == b"mirrored"
    with pytest.raises(NotFound):
        mirror.keys(PAD)


def test_an_index_of_python_attests_and_signs_nothing_itself(site: Server) -> None:
    """A provenance object is where the index says; there are no keys of an index."""
    site.says("/integrity/pad.provenance", b"statement")
    index = pypi(simple(site))

    assert index.statement(PAD, f"{site.url}/integrity/pad.provenance") == b"statement"
    with pytest.raises(NotFound):
        index.keys(PAD)


def test_a_tarball_elsewhere_gets_no_credentials(site: Server) -> None:
    """Another host is followed, as clients do; it is noted, and no token goes there."""
    with server() as cdn:
        cdn.says("/pad.tgz", BYTES)
        site.says("/pad", packument(site, tarball=f"{cdn.url}/pad.tgz"))
        registry = npm(site)
        (release,) = registry.project(PAD).releases

        assert registry.download(release.artifacts[0]) == BYTES
        assert "authorization" not in cdn.requests[0][1]
        assert cdn.url[7:] in registry.notes[0]


@pytest.mark.parametrize(
    ("dist", "algorithm"),
    [
        ({"integrity": "sha512-" + b64encode(b"\0" * 64).decode()}, "sha512"),
        ({"integrity": None, "shasum": "0" * 40}, "sha1"),
        ({"shasum": "0" * 40}, "sha1"),
        ({"integrity": "sha512-!!!"}, "sha512"),
    ],
)
def test_a_wrong_tarball_is_not_believed(site: Server, dist: dict[str, Any], algorithm: str) -> None:
    """Every digest of the page is compared; the error names what was expected and what came."""
    site.says("/pad", packument(site, **dist))
    site.says("/pad/-/pad-1.0.0.tgz", BYTES)
    registry = npm(site)
    (release,) = registry.project(PAD).releases

    with pytest.raises(Untrusted, match=f"{algorithm} expected .*, got [0-9a-f]+"):
        registry.download(release.artifacts[0])


def test_a_tarball_without_digest_is_taken(site: Server) -> None:
    """Where the index tells no digest, there is nothing to compare with."""
    site.says("/pad", packument(site, integrity=None, shasum=None))
    site.says("/pad/-/pad-1.0.0.tgz", BYTES)
    registry = npm(site)

    assert registry.download(registry.project(PAD).releases[0].artifacts[0]) == BYTES


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (404, b"", NotFound, "does not exist"),
        (500, b"", Unavailable, "try again"),
        (403, b"", Unavailable, "credentials"),
        (200, b"{", Untrusted, "no packument"),
        (200, b"<html>login</html>", Untrusted, "address is right"),
        (200, b'{"name": "other", "versions": {}}', Untrusted, "another package"),
        (200, b"x" * 5000, Untrusted, "larger than"),
        (304, b"", Untrusted, "nothing is known"),
    ],
)
def test_bad_pages(site: Server, status: int, body: bytes, error: type[Exception], words: str) -> None:
    """Each way in which an index fails has its error."""
    site.says("/pad", body, status)

    with pytest.raises(error, match=words):
        npm(site, page_limits=Limits(max_bytes=1000)).project(PAD)


def test_an_unencrypted_tarball_is_refused() -> None:
    """A registry that is asked encrypted does not get to hand out plain addresses elsewhere."""
    registry = NpmRegistry(HttpClient(), NpmConfig("https://npm.invalid/", ""), Understanding(NPM.index, None))

    with pytest.raises(Untrusted, match="not served encrypted"):
        registry.download(Artifact("pad.tgz", ArtifactKind.TARBALL, "http://cdn.invalid/pad.tgz"))


def test_an_unchanged_page_is_not_sent_again(site: Server, tmp_path: Path) -> None:
    """With an ETag the page is asked for only if it changed, also by the next process."""
    data = packument(site)

    def page(handler: Handler) -> None:
        if handler.headers.get("if-none-match") == '"v1"':
            handler.answer(304)
        else:
            handler.answer(200, data, ETag='"v1"')

    site.pages["/pad"] = page
    first = npm(site, pages=IndexPages(PageFolder(tmp_path / "pages"))).project(PAD)

    assert npm(site, pages=IndexPages(PageFolder(tmp_path / "pages"))).project(PAD) == first
    assert [headers.get("if-none-match") for _, headers in site.requests] == [None, '"v1"']


def test_prefetched_artifacts_arrive_once(site: Server) -> None:
    """What was begun ahead is not asked for again; its error comes to whoever asks."""
    site.says("/a.tgz", BYTES)
    registry = npm(site)
    good = Artifact("a.tgz", ArtifactKind.TARBALL, f"{site.url}/a.tgz")
    bad = Artifact("b.tgz", ArtifactKind.TARBALL, f"{site.url}/b.tgz")
    registry.prefetch([good, bad, good])

    assert registry.download(good) == BYTES
    with pytest.raises(NotFound):
        registry.download(bad)
    assert sorted(site.paths()) == ["/a.tgz", "/b.tgz"]
    registry.prefetch([bad])
    registry.close()


def test_a_project_of_an_index_arrives(site: Server) -> None:
    """PEP 691 JSON is asked for first; links are resolved, the digest is compared."""
    registry: Registry = pypi(simple(site))
    (release,) = registry.project(PAD).releases

    assert registry.download(release.artifacts[0]) == BYTES
    assert site.requests[0][1]["accept"].startswith(JSON_PAGE)


def test_html_is_understood_where_there_is_no_json(site: Server) -> None:
    """An index of PEP 503 alone is read too."""
    link = f'<a href="../../files/pad-1.0.tar.gz#sha256={sha256(BYTES).hexdigest()}">pad</a>'
    site.says("/simple/pad/", f"<html>{link}</html>".encode(), Content_Type="text/html")
    site.says("/files/pad-1.0.tar.gz", BYTES)
    registry = pypi(Index(f"{site.url}/simple/"))
    (release,) = registry.project(PAD).releases

    assert registry.download(release.artifacts[0]) == BYTES


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({"hashes": {"sha256": "0" * 64}}, "sha256 expected"),
        ({"size": 1}, "the index says 1"),
        ({"hashes": {"crc": "0"}}, "not understood"),
    ],
)
def test_a_wrong_file_is_not_believed(site: Server, file: dict[str, Any], words: str) -> None:
    """Digest and size of the index are compared; digests that nobody can compute do not pass."""
    registry = pypi(simple(site, **file))
    (release,) = registry.project(PAD).releases

    with pytest.raises(Untrusted, match=words):
        registry.download(release.artifacts[0])


def test_the_first_index_answers_alone(site: Server) -> None:
    """A higher version on a later index is not seen: no dependency confusion. What is only there is found, and said."""
    first = simple(site, "/one/pad/", "1.0")
    second = simple(site, "/two/pad/", "9.9")
    site.says("/two/other/", json.dumps({"files": []}).encode(), Content_Type=JSON_PAGE)
    registry = pypi(first, second)

    assert [release.version for release in registry.project(PAD).releases] == ["1.0"]
    assert list(registry.notes) == []
    registry.project(ProjectName("other"))
    assert "other was found at" in registry.notes[0]
    with pytest.raises(NotFound, match="no index has the project none"):
        registry.project(ProjectName("none"))


def test_a_failing_index_is_not_passed_over(site: Server) -> None:
    """If the first index fails, the next one does not answer in its place."""
    site.says("/one/pad/", b"", 500)

    with pytest.raises(Unavailable):
        pypi(Index(f"{site.url}/one/"), simple(site, "/two/pad/")).project(PAD)


def test_credentials_of_an_index_stay_there(site: Server) -> None:
    """They go to the index's own host and port, for pages and files, and nowhere else."""
    with server() as cdn:
        cdn.says("/pad-1.0.tar.gz", BYTES)
        index = simple(site, url=f"{cdn.url}/pad-1.0.tar.gz")
        registry = pypi(Index(index.url, Credentials(Secret("Basic hidden"))))
        (release,) = registry.project(PAD).releases
        registry.download(release.artifacts[0])

        assert site.requests[0][1]["authorization"] == "Basic hidden"
        assert "authorization" not in cdn.requests[0][1]


def test_a_folder_is_an_index(tmp_path: Path) -> None:
    """A ``file:`` index is read; what it lacks is asked of the others; nothing outside of it is read."""
    (tmp_path / "site/simple/pad").mkdir(parents=True)
    (tmp_path / "site/files").mkdir()
    (tmp_path / "site/files/pad-1.0.tar.gz").write_bytes(BYTES)
    (tmp_path / "outside.tar.gz").write_bytes(BYTES)
    digest = sha256(BYTES).hexdigest()
    page = f'<a href="../../files/pad-1.0.tar.gz#sha256={digest}">x</a><a href="../../../outside.tar.gz">x</a>'
    (tmp_path / "site/simple/pad/index.html").write_text(page, encoding="utf-8")
    registry = pypi(Index(f"{(tmp_path / 'site/simple').as_uri()}/"))
    (release,) = registry.project(PAD).releases

    assert registry.download(release.artifacts[0]) == BYTES
    with pytest.raises(Untrusted, match="outside of the file indexes"):
        registry.download(Artifact("x", ArtifactKind.SDIST, (tmp_path / "outside.tar.gz").as_uri()))
    with pytest.raises(NotFound):
        registry.download(Artifact("x", ArtifactKind.SDIST, (tmp_path / "site/files/none").as_uri()))
    with pytest.raises(NotFound):
        registry.project(ProjectName("other"))


def test_a_web_page_names_no_local_files(site: Server) -> None:
    """An index on the web that points into this machine is not believed."""
    with pytest.raises(Untrusted, match="files of this machine"):
        pypi(simple(site, url="file:///nonexistent/pad-1.0.tar.gz")).project(PAD)


def test_file_indexes_on_other_machines_are_refused() -> None:
    """``file://host/`` is not this machine."""
    with pytest.raises(Untrusted, match="another machine"):
        pypi(Index("file://host.invalid/simple/")).project(PAD)


def test_an_unencrypted_file_is_refused() -> None:
    """An index that is asked encrypted does not get to hand out plain addresses."""
    with pytest.raises(Untrusted, match="not served encrypted"):
        pypi(Index("https://index.invalid/")).download(Artifact("x", ArtifactKind.SDIST, "http://files.invalid/x"))


def test_all_digests_count() -> None:
    """Of several digests each must fit, in whatever case it is written."""
    right = {"sha256": sha256(BYTES).hexdigest().upper(), "md5": "0" * 32}
    artifact = Artifact("x", ArtifactKind.SDIST, "https://files.invalid/x", right)

    with pytest.raises(Untrusted, match="md5"):
        verify(artifact, BYTES)
    verify(Artifact("x", ArtifactKind.SDIST, "", {"sha256": right["sha256"]}), BYTES)


@pytest.mark.parametrize(("identifier", "kind"), [("npm", NpmRegistry), ("pypi", PypiRegistry)])
def test_configured_as_the_clients_are(tmp_path: Path, identifier: str, kind: type) -> None:
    """The registry of an ecosystem is made from the environment alone."""
    env = {
        "HOME": str(tmp_path),
        "PATH": "",
        "NPM_CONFIG_REGISTRY": "http://127.0.0.1:1/",
        "PIP_INDEX_URL": "http://127.0.0.1:1/",
    }

    assert isinstance(configured(identifier, tmp_path, env, tmp_path), kind)
