"""The harness that reads corpora: where samples lie, what counts as a clone, and how a share is told."""

import io
import json
import os
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from evals.corpora import figures, layouts
from evals.corpora.beside import Beside, sample
from evals.corpora.beside_page import beside
from evals.corpora.development import HELD_OUT, recorded_day, registry_of_pypi
from evals.corpora.diff_reports import sides
from evals.corpora.disputed import disputed
from evals.corpora.figures import Case, Rate
from evals.corpora.git import Git, MissingError
from evals.corpora.items import RECORDED_DAY, Form, Item, Label, Part, Ref
from evals.corpora.judge import Judged, Surveyed
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
    tree = unpack(ArtifactKind.TARBALL, packed({".DS_Store": b"-", "index.js": b"1"}, item), Limits())
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


def test_disputed_labels_are_told_beside_the_rate_as_labelled() -> None:
    """A label that reading does not bear out leaves the second rate, whether its release is held or not."""
    corpus, key = next(iter(disputed()))
    found = [case("c", "a", "one", 30), case("c", "b", "two", 0), case(corpus, key, "three", 0)]

    plain = markdown("1", [], found[:2], {}, [])
    without, held = (
        markdown("1", [], [*found[:2], case(corpus, key, "three", charge)], {}, []) for charge in (0.0, 30.0)
    )

    assert "without disputed labels" not in plain
    assert _row(without, "npm") == ["1 of 3", "1 of 2"]
    assert _row(held, "npm") == ["2 of 3", "1 of 2"]


def _row(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return re.findall(r"\d+ of \d+", line)


def test_the_report_names_no_sample() -> None:
    """Of what is malicious only counts are told, never a key or a name."""
    found = [case("c", "secret-key", "cluster-name", 30), case("updates", "npm:pad", "x", 0, label=Label.BENIGN)]

    text = markdown("1", [one.item for one in found], found, {}, ["that is not here"])

    assert "secret-key" not in text
    assert "cluster-name" not in text
    assert "that is not here" in text


REPORT = """# Comparing `tmp/pad-1.0.tar.gz` & `tmp/pad-1.1.tar.gz`

## filetype from file(1)

```diff
@@ -1 +1 @@
-gzip compressed data, was "pad-1.0.tar"
+gzip compressed data, was "pad-1.1.tar"
```

## Comparing `pad-1.0.tar` & `pad-1.1.tar`

### file list

```diff
@@ -1,2 +1,2 @@
--rw-rw-r--   0 a (1000) a (1000)        1 2023-07-27 11:14:06.000000 pad-1.0/pad.py
+-rw-rw-r--   0 a (1000) a (1000)        1 2023-07-27 11:53:10.000000 pad-1.1/pad.py
```

### Comparing `pad-1.0/PKG-INFO` & `pad-1.1/PKG-INFO`

```diff
@@ -1 +1 @@
-Version: 1.0
+Version: 1.1
```

### Comparing `pad-1.0/LICENSE` & `pad-1.1/LICENSE`

 * *Files identical despite different names*

### Comparing `pad-1.0/pad.py` & `pad-1.1/pad.py`

```diff
@@ -1,2 +1,2 @@
 import os
-WIDTH = 1
+WIDTH = 2
@@ -40,2 +40,3 @@
         a = 1
+        os.system(a)
         return a
@@ -60,2 +61,2 @@
     def more(self):
-        return 1
+        return 2
```
"""


def test_a_report_shows_pieces_of_both_sides() -> None:
    """What is compared as text is told, pieces of functions as functions; lists of files and manifests are not."""
    shown = sides(REPORT)

    assert (shown.wheel, sorted(shown.before), sorted(shown.after)) == (False, ["pad.py"], ["pad.py"])
    assert shown.after["pad.py"].splitlines() == [
        "import os",
        "WIDTH = 2",
        "",
        "class _:",
        "    def _(self, *_):",
        "        a = 1",
        "        os.system(a)",
        "        return a",
        "",
        "class _:",
        "    def more(self):",
        "        return 2",
    ]
    assert "os.system" not in shown.before["pad.py"]
    assert sides("").after == {}


def test_a_day_of_reports_is_a_day_of_updates(repository: Path) -> None:
    """Both sides are made again from the report, as releases that can be told apart."""
    wheel = REPORT.replace("tmp/pad-1.1.tar.gz", "tmp/pad-1.1-py3-none-any.whl.zip")
    files = {"p__pad__1.0-1.1__diff.md": REPORT.encode(), "p__dap__1.0-1.1__diff.md": wheel.encode(), "README": b"-"}
    last = commit(repository, "2023-07-27", **files)

    found = {item.name: item for item in recorded_day(Git(repository / ".git"), last)}

    stores = Stores()
    assert found.keys() == {"pad", "dap"}
    assert found["pad"].before is not None
    before, after = (stores.source(found["pad"], ref) for ref in (found["pad"].before, found["pad"].after))
    stores.close()
    assert b"WIDTH = 1" in unpack(ArtifactKind.SDIST, before.data, Limits()).files["pad.py"].data
    assert b"Version: 1.1" in unpack(ArtifactKind.SDIST, after.data, Limits()).files["PKG-INFO"].data
    tree = unpack(ArtifactKind.WHEEL, stores.source(found["dap"], found["dap"].after).data, Limits())
    assert "dap-1.1.dist-info/METADATA" in tree.files
    stores.close()


def test_a_recorded_day_counts_by_charges_alone() -> None:
    """What a piece of a file leaves open is no false hold, and stands in no other figure."""
    held = case(RECORDED_DAY, "a", "x", 22, label=Label.BENIGN)
    open_ = case(RECORDED_DAY, "b", "y", 0, label=Label.BENIGN)

    text = markdown("1", [held.item, open_.item], [held, open_], {}, [])

    assert figures.sides([held, open_]) == ([], [], [])
    assert "50.00 %" in text.partition("## The recorded day")[2]


def test_both_are_asked_about_whole_releases_of_both_sides() -> None:
    """In turn, so that a run that is cut short is a sample of both; what was cut down is not asked about."""
    bad, good = case("c", "a", "x", 30).item, case("newest", "b", "y", 0, label=Label.BENIGN).item
    cut, unknown = case("c", "d", "z", 30).item, case("c", "e", "z", 30).item
    surveyed = {"a": Surveyed("a"), "d": Surveyed("d", manifest=False)}

    assert sample([cut, unknown, bad, good, good], surveyed, 5) == [bad, good]


def test_both_answers_stand_beside_each_other() -> None:
    """With what each of them took; a release on which the other said nothing is counted as that."""
    found = [case("c", "a", "x", 30), case("newest", "b", "y", 0, label=Label.BENIGN)]
    compared = [
        Beside("a", "1", 8.0, "hold", 30, False, 0.1, 0.05, (1.0, 2.0), (0.5, 1.0), (50.0, 90.0)),
        Beside("b", "1", -1.0, "allow", 0, False, 0.1, 0.05, (1.0, 2.0), (0.5, 1.0), (50.0, 90.0)),
    ]

    text = beside(found, compared)

    assert "| malicious | 1 | 100.00 % (20.65 to 100.00; 1 of 1) | 100.00 % (20.65 to 100.00; 1 of 1) | 0 |" in text
    assert "| benign | 1 | 0.00 % (0.00 to 79.35; 0 of 1) | 0.00 % (0.00 to 79.35; 0 of 1) | 1 |" in text
    assert "| processor time, s | 0.50, 0.50, 0.50 | 1.00, 1.00, 1.00 | 0.50 |" in text
    assert beside(found, []) == ""
