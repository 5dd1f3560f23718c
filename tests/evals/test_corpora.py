"""The harness that reads corpora: where samples lie, what counts as a clone, and how a share is told."""

import io
import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from evals.corpora import figures, layouts
from evals.corpora.development import HELD_OUT, registry_of_pypi
from evals.corpora.figures import Case, Rate
from evals.corpora.git import Git, MissingError
from evals.corpora.items import Form, Item, Label, Part, Ref
from evals.corpora.judge import Judged
from evals.corpora.layouts import Archive
from evals.corpora.pack import Stores, UnusableError, packed, rooted, unsealed
from evals.corpora.report import markdown
from evals.corpora.shape import shape
from lazaretto.core.archive import Limits, unpack
from lazaretto.core.model import ArtifactKind


def commit(folder: Path, day: str, **files: bytes) -> str:
    """Commit files (``__`` in a name stands for a slash) on a day, and return the commit."""
    for name, data in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    when = {"GIT_AUTHOR_DATE": f"{day}T12:00:00Z", "GIT_COMMITTER_DATE": f"{day}T12:00:00Z"}
    who = ["-c", "user.name=a", "-c", "user.email=a@example.invalid", "-c", "commit.gpgsign=false"]
    for words in (["add", "-A"], ["commit", "-qm", "more"]):
        subprocess.run(["git", *who, "-C", str(folder), *words], check=True, env={**os.environ, **when})
    return subprocess.check_output(["git", "-C", str(folder), "rev-parse", "HEAD"], text=True).strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return an empty repository."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


def test_what_came_later_is_not_looked_at(repository: Path) -> None:
    """A sample that the history added on the first held-out day or later is no item: it must stay unseen."""
    commit(repository, "2024-12-31", **{"early__1.0__early-1.0.tar.gz": b"a", "early__README": b"r"})
    last = commit(repository, HELD_OUT, **{"late__1.0__late-1.0.tar.gz": b"b"})

    items = list(registry_of_pypi(Git(repository / ".git"), last))

    assert [(item.name, item.version, item.since) for item in items] == [("early", "1.0", "2024-12")]


def test_objects_come_from_the_repository_itself(repository: Path) -> None:
    """Bytes are read by their object id, and one that is not there is said to be missing, not empty."""
    last = commit(repository, "2024-01-01", a=b"one\n\0two")
    git = Git(repository / ".git")
    (entry,) = git.files(last)

    assert (git.read(entry.oid), entry.size) == (b"one\n\0two", 8)
    with pytest.raises(MissingError):
        git.read("0" * 40)
    git.close()


def test_links_are_no_files(repository: Path) -> None:
    """A symbolic link of a corpus is never followed, nor is its target taken for content."""
    (repository / "link").symlink_to("/etc/passwd")
    last = commit(repository, "2024-01-01", a=b"one")

    assert [entry.path for entry in Git(repository / ".git").files(last)] == ["a"]


def test_loose_files_become_the_archive_of_a_registry() -> None:
    """What lies in a folder of its own is found by its manifest, and what lacks one gets one that loads it."""
    item = Item("corpus", "key", Label.MALICIOUS, "npm", Ref("", Form.FILES, ()), name="pad", version="2.0.0")
    files = rooted({"x/package/index.js": b"1", "x/package/package.json": b"{}", "x/.DS_Store": b"-"})

    assert files == {"index.js": b"1", "package.json": b"{}"}
    tree = unpack(ArtifactKind.TARBALL, packed({"index.js": b"1"}, item), Limits())
    assert json.loads(tree.files["package.json"].data) == {"name": "pad", "version": "2.0.0", "main": "index.js"}


def test_what_is_not_sealed_as_it_should_be_is_not_usable() -> None:
    """A broken ZIP is counted as unusable: it must not end a run, nor count as held."""
    with pytest.raises(UnusableError):
        unsealed(b"PK nothing")


def test_a_sealed_sample_is_opened_in_memory(tmp_path: Path) -> None:
    """The layout with sealed archives gives one item each, and its files without the folders around them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("2024-01-02-pad/package/package.json", '{"name": "pad", "version": "1.0.0"}')
    path = tmp_path / "samples" / "npm" / "malicious_intent" / "@a" / "pad" / "1.0.0" / "2024-01-02-pad-v1.0.0.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(out.getvalue())

    (item,) = layouts.datadog(tmp_path)

    told = (item.name, item.version, item.since, item.corpus)
    assert told == ("@a/pad", "1.0.0", "2024-01", "datadog/malicious_intent")
    source = Stores().source(item, item.after)
    assert list(unpack(ArtifactKind.TARBALL, source.data, Limits()).files) == ["package.json"]


def test_updates_are_within_a_major_version() -> None:
    """Each release is measured against the one before it; a rewrite under the same name is nobody's update."""
    found = [Archive(f"/{v}", "npm", "tgz", "pad", v) for v in ("2.0.0", "1.10.0", "1.9.0", "1.10.0-rc.1")]

    keys = [item.key for item in layouts.steps(found, "updates")]

    assert keys == ["tgz:pad:1.9.0:1.10.0-rc.1", "tgz:pad:1.10.0-rc.1:1.10.0"]
    assert [item.key for item in layouts.newest(found, "newest")] == ["tgz:pad:2.0.0"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b"import a\npad('https://a.invalid/1')  \n", b"import a\npad('https://b.invalid/2')\n", True),
        (b"class pad_one: x = 17\n", b"class two: x = 4\n", True),
        (b"import a\n", b"import b\n", False),
    ],
)
def test_clones_differ_in_what_templates_fill_in(one: bytes, other: bytes, *, same: bool) -> None:
    """Names, texts and numbers make no difference between clones; what is done does."""
    assert same == (shape(one, ["pad_one"]) == shape(other, ["two"]))


def test_a_share_is_told_with_its_interval() -> None:
    """An interval holds the share, stays between 0 and 1, and is wide where little was counted."""
    low, high = Rate(97, 100).interval

    assert (round(low, 4), round(high, 4)) == (0.9155, 0.9897)
    assert Rate(0, 0).interval == (0.0, 1.0)


def case(corpus: str, key: str, cluster: str, charge: float, members: int = 1, label: Label = Label.MALICIOUS) -> Case:
    """Return a judged item."""
    item = Item(corpus, key, label, "npm", Ref("", Form.ARCHIVE, (Part("a.tgz", "/a"),)))
    judged = Judged(key, "hold" if charge >= 20 else "allow", charge, ("detector/variant",) if charge else ())
    return Case(item, judged, cluster, members)


def test_clones_count_once_and_packages_as_often_as_they_are() -> None:
    """A template under 900 names is one thing that was seen or missed; the packages are 900 all the same."""
    found = [case("c", "a", "big", 30, 900), case("c", "b", "big", 0, 900), case("c", "d", "small", 0)]

    assert (figures.per_cluster(found, Case.held).hits, figures.per_cluster(found, Case.held).total) == (0.5, 2)
    assert (figures.per_package(found, Case.held).hits, figures.per_package(found, Case.held).total) == (450, 901)


def test_the_report_names_no_sample() -> None:
    """Of what is malicious only counts are told, never a key or a name."""
    found = [case("c", "secret-key", "cluster-name", 30), case("updates", "npm:pad", "x", 0, label=Label.BENIGN)]

    text = markdown("1", [one.item for one in found], found, {}, ["that is not here"])

    assert "secret-key" not in text
    assert "cluster-name" not in text
    assert "that is not here" in text
