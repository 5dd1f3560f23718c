"""An artifact against a commit: what stands in it alone, and what is set aside."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.names import ProjectName, Version
from lazaretto.core.source import Commit, Comparison, Only, compare, identifier, names, plan
from tests.detectors.updates import view
from tests.examples import tree_of

BUILDS = '{"name": "pad", "main": "dist/index.js", "files": ["lib"], "scripts": {"build": "rollup -c"}}'


def compared(artifact: Mapping[str, str], repository: Mapping[str, str], *, got: bool = True) -> Comparison:
    """Return the comparison of files with files; without ``got`` no content could be read."""
    commit = Commit("forge.invalid/pad", "v1.0.1", "c" * 40, {p: identifier(t.encode()) for p, t in repository.items()})
    seen = view(artifact)
    planned = plan(seen, commit)
    texts = {path: repository[path].encode() for path in planned.wanted} if got else {}
    return compare(seen, commit, planned, texts)


def test_what_is_the_same_is_counted() -> None:
    """Wherever it stands in the repository, and whatever ends its lines."""
    found = compared({"a.js": "1;\n", "b.js": "2;\r\n3;\r\n"}, {"packages/pad/a.js": "1;\n", "x/y.js": "2;\n3;\n"})

    assert (found.same, found.only) == (2, ())


def test_lines_and_files_that_stand_here_alone() -> None:
    """A line is alone if its file there has no such line; a file, if there is none of its name at its place."""
    found = compared({"a.js": "1;\n2;\n", "b.js": "3;\n"}, {"a.js": "1;\n", "test/b.js": "4;\n", "c.js": ""})

    assert found.only == (Only("a.js", frozenset({2})), Only("b.js"))
    assert (found.alone("a.js", 2), found.alone("a.js", 1), found.alone("b.js", 1)) == (True, False, True)
    assert not found.alone("c.js", 1)


def test_a_package_among_others_is_found_by_its_files() -> None:
    """The folder that most of its files stand in is the package's, and another's file of the same name is not."""
    artifact = {"index.js": "1;\nnew;\n", "lib/a.js": "2;\n", "lib/b.js": "3;\n"}
    repository = {"packages/pad/index.js": "1;\n", "packages/pad/lib/a.js": "2;\n", "packages/pad/lib/b.js": "3;\n"}

    found = compared(artifact, {**repository, "packages/other/index.js": "new;\n1;\n"})

    assert found.only == (Only("index.js", frozenset({2})),)


def test_sources_below_another_folder() -> None:
    """A wheel has no ``src``; its modules are found by their own folder."""
    found = compared({"pad/a.py": "a = 1\nb = 2\n"}, {"src/pad/a.py": "a = 1\n", "src/pad/z.py": "", "setup.py": ""})

    assert found.only == (Only("pad/a.py", frozenset({2})),)


def test_what_the_repository_says_it_builds_is_set_aside() -> None:
    """A folder that its own manifest names, that it does not have, and for which it has a build."""
    repository = {"package.json": BUILDS, "src/index.js": "export default 1;\n"}
    artifact = {"package.json": BUILDS, "dist/index.js": "x;\n", "lib/a.js": "y;\n", "hidden/b.js": "z;\n"}

    found = compared(artifact, repository)

    assert found.built == ("dist/index.js", "lib/a.js")
    assert found.only == (Only("hidden/b.js"),)


@pytest.mark.parametrize("said", ['{"name": "pad", "main": "dist/index.js"}', "not json", "[1]", '{"scripts": 3}'])
def test_nothing_is_built_without_a_build(said: str) -> None:
    """The artifact's own manifest has no say: whoever tampers with it could write a build into it."""
    found = compared({"package.json": BUILDS, "dist/index.js": "x;\n"}, {"package.json": said, "src/index.js": ""})

    assert Only("dist/index.js") in found.only
    assert found.built == ()


def test_a_bundle_that_is_committed_may_be_older() -> None:
    """A build writes over it; a folder that is no build's is compared, whatever is built."""
    said = '{"main": "dist/a.js", "files": ["tools"], "scripts": {"build": "tsc"}}'
    repository = {"package.json": said, "dist/a.js": "1;\n", "tools/b.js": "1;\n"}

    found = compared({"package.json": said, "dist/a.js": "2;\n", "tools/b.js": "2;\n"}, repository)

    assert found.built == ("dist/a.js",)
    assert found.only == (Only("tools/b.js", frozenset({1})),)


def test_what_is_generated_is_set_aside() -> None:
    """Metadata, and the file into which a build writes the version."""
    repository = {"pyproject.toml": '[tool.setuptools_scm]\nversion_file = "pad/_version.py"\n', "pad/a.py": "a = 1\n"}
    artifact = {"pad/a.py": "a = 1\n", "pad/_version.py": "v = 1\n", "pad-1.0.1.dist-info/METADATA": "Name: pad\n"}

    found = compared(artifact, repository)

    assert found.generated == ("pad-1.0.1.dist-info/METADATA", "pad/_version.py")
    assert found.only == ()


def test_lines_that_setuptools_writes() -> None:
    """Every source distribution ends its settings with the same lines."""
    tail = "[egg_info]\ntag_build = \ntag_date = 0\n\n"

    assert compared({"setup.cfg": "[a]\nb = 1\n" + tail}, {"setup.cfg": "[a]\nb = 1\n"}).only == ()
    assert compared({"setup.cfg": "[a]\nc = 1\n" + tail}, {"setup.cfg": "[a]\n"}).only == (
        Only("setup.cfg", frozenset({2})),
    )


def test_native_code_is_built_where_there_is_something_to_build_it_from() -> None:
    """And stands in the artifact alone where there is not."""
    assert compared({"pad/a.so": "\x7f"}, {"src/a.c": "int a;\n"}).built == ("pad/a.so",)
    assert compared({"pad/a.so": "\x7f"}, {"src/a.py": ""}).only == (Only("pad/a.so"),)


def test_what_could_not_be_read_is_not_equal() -> None:
    """It is told, and neither counted nor charged."""
    found = compared({"a.js": "1;\n2;\n"}, {"a.js": "1;\n"}, got=False)

    assert (found.same, found.only, found.unread) == (0, (), ("a.js",))


def test_manifests_that_are_nested_without_end() -> None:
    """A hostile manifest costs no more than any other."""
    deep = '{"exports": ' + '{"a":' * 50 + '"x/y.js"' + "}" * 50 + "}"

    assert compared({"a.js": "1;\n"}, {"package.json": deep}).only == (Only("a.js"),)
    assert compared({"a.js": "1;\n"}, {"package.json": "[" * 100_000}).only == (Only("a.js"),)


def test_tags() -> None:
    """The usual names first; those of packages that share a repository too."""
    found = names(ProjectName("@team/pad"), Version("1.2.3"))

    assert found[:2] == ("v1.2.3", "1.2.3")
    assert {"@team/pad@1.2.3", "pad@1.2.3", "pad-v1.2.3", "pad/v1.2.3"} <= set(found)


def test_identifiers_are_those_of_git() -> None:
    """As ``git hash-object`` tells them."""
    assert identifier(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert identifier(b"what is up, doc?") == "bd9dbf5aae1a3862dd1526723246b20206e5fc37"


TEXTS = st.dictionaries(
    st.sampled_from(["a.js", "lib/b.js", "x/c.py", "package.json"]), st.text(max_size=12), max_size=4
)


@given(artifact=TEXTS, repository=TEXTS)
def test_every_file_is_told_once(artifact: dict[str, str], repository: dict[str, str]) -> None:
    """The same, alone, or set aside; a file that is told nowhere has every line in the repository."""
    found = compared(artifact, repository)

    aside = [*(one.path for one in found.only), *found.built, *found.generated, *found.unread]
    assert len(aside) == len(set(aside))
    for path in artifact.keys() - set(aside):
        lines = {line.strip() for text in repository.values() for line in text.encode().split(b"\n")}
        whole = {text.encode().replace(b"\r\n", b"\n") for text in repository.values()}
        data = artifact[path].encode()
        assert data.replace(b"\r\n", b"\n") in whole or {line.strip() for line in data.split(b"\n")} <= lines
    assert tree_of(artifact).files.keys() >= set(aside)
