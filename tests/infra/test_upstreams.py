"""Several registries as one: a private name is never looked up in public, and nothing is merged."""

from pathlib import Path

import pytest

from lazaretto.app.ports import IndexPage, NotFound, Unavailable
from lazaretto.core.model import Artifact, ArtifactKind, Project
from lazaretto.core.names import ProjectName
from lazaretto.infra.upstreams import Prioritized, Scoped, named
from tests.infra.servers import server


class Fake:
    """A registry that has some names, and notes what it is asked."""

    def __init__(self, label: str, *names: str, down: bool = False) -> None:
        self.label = label
        self.names = names
        self.down = down
        self.asked: list[str] = []
        self.addresses = (f"https://{label}.invalid/",)

    def page(self, name: ProjectName) -> IndexPage:
        self.asked.append(name)
        if self.down:
            raise Unavailable(self.label)
        if name not in self.names:
            raise NotFound(name)
        return IndexPage(self.label.encode(), "", "")

    def kept(self, name: ProjectName) -> IndexPage | None:
        return IndexPage(self.label.encode(), "", "") if name in self.names else None

    def statement(self, name: ProjectName, url: str) -> bytes:
        """Return no document."""
        raise NotFound(url)

    def keys(self, name: ProjectName) -> bytes:
        """Return no keys."""
        raise NotFound(name)

    def question(self, url: str, body: bytes, headers: object) -> bytes:
        raise NotFound(url)

    def project(self, name: ProjectName) -> Project:
        self.page(name)
        return Project("npm", name, (), source=self.label)

    def download(self, artifact: Artifact) -> bytes:
        return self.label.encode()

    def fetch(self, url: str) -> bytes:
        return self.label.encode()

    def prefetch(self, artifacts: object) -> None:
        self.asked.append("prefetch")


def both(private: Fake, public: Fake) -> Prioritized:
    """Return a private registry for our scope, and a public one for the rest."""
    ours = Scoped(private, "https://host.invalid/ours/", ("@ours/*", "ours-*"))
    return Prioritized([ours, Scoped(public, "https://host.invalid/")])


def test_a_private_name_stays_private() -> None:
    """Also when the private registry does not have it, or is down: nobody else is asked."""
    public = Fake("public", "@ours/tool", "ours-tool", "tool")
    for private, error in ((Fake("private"), NotFound), (Fake("private", down=True), Unavailable)):
        upstream = both(private, public)
        for name in ("@ours/tool", "ours-tool"):
            with pytest.raises(error):
                upstream.page(ProjectName(name))
            with pytest.raises(error):
                upstream.project(ProjectName(name))
            assert upstream.kept(ProjectName(name)) is None
    assert public.asked == []


def test_the_first_that_has_it_answers_alone() -> None:
    """One that fails before that is not passed over."""
    first, second = Fake("first", "a"), Fake("second", "a", "b")
    upstream = Prioritized([Scoped(first, "https://a.invalid/"), Scoped(second, "https://b.invalid/")])

    assert upstream.project(ProjectName("a")).source == "first"
    assert upstream.page(ProjectName("b")).body == b"second"
    first.down = True
    with pytest.raises(Unavailable):
        upstream.page(ProjectName("b"))


def test_an_artifact_comes_from_the_registry_at_its_address() -> None:
    """The longest address that fits; what lies elsewhere from the first."""
    private, public = Fake("private"), Fake("public")
    upstream = both(private, public)

    def at(url: str) -> bytes:
        return upstream.download(Artifact("a.tgz", ArtifactKind.TARBALL, url))

    assert at("https://host.invalid/ours/a.tgz") == b"private"
    assert at("https://host.invalid/a.tgz") == b"public"
    assert upstream.fetch("https://elsewhere.invalid/a.tgz") == b"private"
    upstream.prefetch([Artifact("a.tgz", ArtifactKind.TARBALL, "https://host.invalid/a.tgz")])
    assert public.asked == ["prefetch"]
    assert upstream.addresses == ("https://host.invalid/ours/", "https://host.invalid/")
    upstream.close()


@pytest.mark.parametrize(
    ("identifier", "path", "body", "kind"),
    [
        ("npm", "/thing", b'{"name": "thing", "versions": {}}', "application/json"),
        ("pypi", "/thing/", b"<!doctype html><title>thing</title>", "text/html"),
    ],
)
def test_a_named_registry_is_sent_its_token(tmp_path: Path, identifier: str, path: str, body: bytes, kind: str) -> None:
    """As a bearer token, and only if there is one."""
    with server() as made:
        made.says(path, body, Content_Type=kind)
        for token, sent in (("secret", "Bearer secret"), ("", None)):
            upstream = named(identifier, made.url, token, tmp_path, {})
            assert upstream.page(ProjectName("thing")).body == body
            assert made.requests[-1][1].get("authorization") == sent
    with pytest.raises(Exception, match="gem"):
        named("gem", "https://host.invalid", "", tmp_path, {})
