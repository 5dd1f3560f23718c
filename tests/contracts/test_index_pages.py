"""What is asked of the pages that every ecosystem prints. Nothing here names one.

The seeds are small inert pages in the shapes that registries write: ``pages/<ecosystem>/<project, quoted>.<kind>``.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lazaretto._plugins import discover
from lazaretto.app.ports import Ecosystem
from lazaretto.core.model import Artifact, Project
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.view import PageView

ECOSYSTEMS = {
    module.ECOSYSTEM.ID: cast("Ecosystem", module.ECOSYSTEM)
    for module in discover("lazaretto.ecosystems", ("ECOSYSTEM",))
}
SEEDS = sorted(path for path in Path(__file__).with_name("pages").glob("*/*") if path.is_file())
KINDS = {".json": "application/json", ".html": "text/html"}
GATE = "http://127.0.0.1:8790"
each_seed = pytest.mark.parametrize("path", SEEDS, ids=lambda path: f"{path.parent.name}/{path.name}")


def opened(path: Path) -> tuple[Ecosystem, Project, bytes, str]:
    """Return the ecosystem of a seed, what its page says, its bytes and its media type."""
    ecosystem = ECOSYSTEMS[path.parent.name]
    name, data, kind = ecosystem.name(unquote(path.stem)), path.read_bytes(), KINDS[path.suffix]
    return ecosystem, ecosystem.index(name, data, kind, f"https://index.invalid/simple/{name}/"), data, kind


def artifacts(project: Project) -> Iterator[tuple[Version, Artifact]]:
    """Yield every artifact of a project with its version."""
    for release in project.releases:
        for artifact in release.artifacts:
            yield release.version, artifact


def address(name: ProjectName, filename: str) -> str:
    """Return where a gate serves an artifact."""
    return f"{GATE}/{quote(name, safe='')}/-/{quote(filename, safe='')}"


def view_of(project: Project, left_out: frozenset[str] = frozenset()) -> PageView:
    """Return the view of a project without some file names."""
    shown = {one.filename: version for version, one in artifacts(project) if one.filename not in left_out}
    return PageView(shown=shown, address=lambda filename: address(project.name, filename))


def forms(ecosystem: Ecosystem, kind: str) -> Mapping[bool, tuple[str, ...]]:
    """Return the forms that tell what a page of this kind tells (True), and the others (False)."""
    same = tuple(form for form, media_type in ecosystem.FORMS.items() if media_type == kind)
    suffix = kind.rpartition("/")[2]
    same = same or tuple(form for form, media_type in ecosystem.FORMS.items() if media_type.endswith(f"+{suffix}"))
    return {True: same, False: tuple(form for form in ecosystem.FORMS if form not in same)}


def again(ecosystem: Ecosystem, project: Project, page: bytes, form: str) -> Project:
    """Return what a printed page says."""
    return ecosystem.index(project.name, page, ecosystem.FORMS[form], "https://elsewhere.invalid/")


def without(project: Project, left_out: frozenset[str]) -> Project:
    """Return the project as a page should tell it: what is left, at the gate; a release with nothing left is none."""
    releases = []
    for release in project.releases:
        kept = tuple(
            replace(one, url=address(project.name, one.filename), provenance_url=None)
            for one in release.artifacts
            if one.filename not in left_out
        )
        if kept:
            times = [one.uploaded for one in kept if one.uploaded is not None]
            yanked = all(one.yanked for one in kept)
            releases.append(replace(release, artifacts=kept, published=min(times, default=None), yanked=yanked))
    left = {release.version for release in releases}
    tags = {tag: version for tag, version in project.tags.items() if version in left}
    return replace(project, releases=tuple(releases), tags=tags, digest=None, provides=frozenset())


def plain(project: Project) -> Project:
    """Return a project without what a page tells of itself, and without where provenance is."""
    releases = tuple(
        replace(release, artifacts=tuple(replace(one, provenance_url=None) for one in release.artifacts))
        for release in project.releases
    )
    return replace(project, releases=releases, digest=None, provides=frozenset())


@pytest.mark.parametrize("identifier", sorted(ECOSYSTEMS))
def test_there_are_seeds(identifier: str) -> None:
    """Every ecosystem is asked on pages of its own, and shows its pages in at least one form."""
    assert [path for path in SEEDS if path.parent.name == identifier], "add a page to tests/contracts/pages"
    assert ECOSYSTEMS[identifier].FORMS


@each_seed
def test_print_what_was_parsed(path: Path) -> None:
    """A page that nothing is hidden of says the same after it was printed, but for the addresses."""
    ecosystem, project, data, kind = opened(path)

    for form in forms(ecosystem, kind)[True]:
        printed = ecosystem.render(project.name, data, kind, view_of(project), form)
        found = again(ecosystem, project, printed, form)

        assert plain(found) == without(project, frozenset())
        assert found.provides == project.provides
        assert ecosystem.render(project.name, printed, ecosystem.FORMS[form], view_of(project), form) == printed


@each_seed
@settings(max_examples=30)
@given(data=st.data())
def test_a_filter_only_removes(path: Path, data: st.DataObject) -> None:
    """In every form exactly what the view names is left; nothing speaks of the rest: no file, version, tag, time."""
    ecosystem, project, page, kind = opened(path)
    names = sorted({one.filename for _, one in artifacts(project)})
    left_out = frozenset(data.draw(st.sets(st.sampled_from(names))))
    view = view_of(project, left_out)
    expected = without(project, left_out)

    for told, some in forms(ecosystem, kind).items():
        for form in some:
            printed = ecosystem.render(project.name, page, kind, view, form)
            found = again(ecosystem, project, printed, form)

            assert printed == ecosystem.render(project.name, page, kind, view, form)
            assert not [name for name in left_out if name.encode() in printed]
            assert found.tags == expected.tags
            assert [(version, one.filename, one.url) for version, one in artifacts(found)] == [
                (version, one.filename, one.url) for version, one in artifacts(expected)
            ]
            for (_, one), (_, other) in zip(artifacts(found), artifacts(expected), strict=True):
                assert one.digests.items() <= other.digests.items()
                assert bool(one.digests) == bool(other.digests)
                assert one.yanked == other.yanked
                assert one.uploaded == (other.uploaded if told else one.uploaded)


@each_seed
def test_nothing_shown_nothing_there(path: Path) -> None:
    """A view that names nothing leaves a page that is one, and has no release: what is forgotten does not exist."""
    ecosystem, project, data, kind = opened(path)
    view = PageView(shown={}, address=lambda filename: address(project.name, filename))

    for form in ecosystem.FORMS:
        found = again(ecosystem, project, ecosystem.render(project.name, data, kind, view, form), form)

        assert (found.releases, dict(found.tags)) == ((), {})


@each_seed
def test_addresses_lead_back(path: Path) -> None:
    """Every address of a printed page is one that the gate gave, and leads back to project, version and file name."""
    ecosystem, project, data, kind = opened(path)
    view = view_of(project)

    for form in ecosystem.FORMS:
        found = again(ecosystem, project, ecosystem.render(project.name, data, kind, view, form), form)
        for version, artifact in artifacts(found):
            base, named, _, filename = artifact.url.rsplit("/", 3)
            assert (base, unquote(named), unquote(filename)) == (GATE, project.name, artifact.filename)
            assert view.shown[unquote(filename)] == version


@each_seed
def test_tags_go_where_they_are_told(path: Path) -> None:
    """A tag points where the view says, and is gone if that version cannot be seen."""
    ecosystem, project, data, kind = opened(path)
    seen = [version for version, _ in artifacts(project)]
    view = replace(view_of(project), tags={"latest": seen[0], "odd": Version("9.9.9")})

    for form in ecosystem.FORMS:
        found = again(ecosystem, project, ecosystem.render(project.name, data, kind, view, form), form)

        assert dict(found.tags) in ({"latest": seen[0]}, {})
        assert bool(found.tags) == bool(project.tags)


@each_seed
def test_documents_of_releases(path: Path) -> None:
    """The document of one release, where an index has such, is there for what can be seen and for nothing else."""
    ecosystem, project, data, _ = opened(path)
    version, artifact = list(artifacts(project))[-1]
    wanted = [version, *(tag for tag, pointed in project.tags.items() if pointed == version)]

    seen = [ecosystem.document(project.name, data, one, view_of(project)) for one in wanted]
    hidden = [
        ecosystem.document(project.name, data, one, view_of(project, frozenset({artifact.filename}))) for one in wanted
    ]

    assert all((document is None) == (seen[0] is None) for document in seen)
    assert all(address(project.name, artifact.filename).encode() in document for document in seen if document)
    assert hidden == [None] * len(wanted)
    assert ecosystem.document(project.name, data, "9.9.9", view_of(project)) is None


@each_seed
@given(data=st.data())
def test_any_bytes_give_a_page_or_an_error(path: Path, data: st.DataObject) -> None:
    """Whatever becomes of the bytes of a page, it is printed without what is hidden, or refused with a reason."""
    ecosystem, project, page, kind = opened(path)
    at = data.draw(st.integers(0, len(page)))
    broken = page[:at] + data.draw(st.binary(max_size=6)) + page[at + data.draw(st.integers(0, 6)) :]
    hidden = data.draw(st.sampled_from([one for _, one in artifacts(project)])).filename
    view = view_of(project, frozenset({hidden}))

    for form in ecosystem.FORMS:
        try:
            printed = ecosystem.render(project.name, broken, kind, view, form)
            found = again(ecosystem, project, printed, form)
        except ValueError as error:
            assert str(error)
        else:
            assert all(one.filename in view.shown for _, one in artifacts(found))
            assert all(one.url.startswith(GATE) for _, one in artifacts(found))
