"""This update installs a command under the name of one that every machine has.

## What it detects
A command (npm `bin`, a console script, a script of a wheel) whose name is that of a shell, an interpreter, a package
manager or another everyday tool, new to the line, in a project of another name.

## Why it matters
Who types `git` or `pip` in the environment of the package runs the package's program instead. No hook is needed, and
no code has to be imported.

## What it misses
Names of tools that are not on its list; commands that a lifecycle script puts in place; a project that has taken the
tool's own name.

## References
- MITRE ATT&CK T1574.007, Path Interception by PATH Environment Variable
- Y. Gelb and E. Shmueli, *Command-Jacking* (2024): entry points that take the names of everyday commands
"""

from collections.abc import Iterator

from lazaretto.core.facts import Span
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, package_json, span_place
from lazaretto.core.update import ArtifactView, Update

CARD = Card(
    id="command-shadowed",
    title="Everyday command replaced",
    variants={"added": "A new command has the name of an everyday tool."},
    group="install-hook",
    why="The user types a name that they have typed for years.",
    attack=("T1195.002", "T1574.007"),
)

_TOOLS = frozenset(
    """apt aws awk az bash brew bun cargo cat chmod chown cp curl cut deno df diff dig docker env find gcc gcloud gem gh
    git go gpg grep helm java kill kubectl less ls make mkdir mv nano node npm npx openssl perl php pip pip3 pipx
    pnpm podman poetry powershell ps pwsh py python python3 rm rsync ruby rustc scp sed sh ssh su sudo svn tail
    tar terraform touch twine uv uvx vi vim wget which xargs yarn zip zsh""".split()
)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}

EXAMPLES = (
    Example(
        title="a padding package installs a command named git",
        before=_BEFORE,
        after={**_BEFORE, "package.json": package_json("1.0.1", bin={"git": "cli.js"}), "cli.js": "console.log(1);\n"},
        expect="added",
        at="package.json:6",
    ),
    Example(
        title="a wheel installs a console script named pip",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "WIDTH = 2\n",
            "pad/cli.py": "def main():\n    print(1)\n",
            "example_package-1.0.1.dist-info/entry_points.txt": "[console_scripts]\npip = pad.cli:main\n",
            "example_package-1.0.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: pad\nVersion: 1.0.1\n",
        },
        expect="added",
        at="example_package-1.0.1.dist-info/entry_points.txt:2",
    ),
    Example(
        title="a package installs a command of its own",
        before=_BEFORE,
        after={**_BEFORE, "package.json": package_json("1.0.1", bin={"pad": "cli.js"}), "cli.js": "console.log(1);\n"},
    ),
    Example(
        title="the wrapper of a tool that always installed it",
        before={
            **_BEFORE,
            "package.json": package_json("1.0.0", bin={"node": "cli.js"}),
            "cli.js": "console.log(1);\n",
        },
        after={**_BEFORE, "package.json": package_json("1.0.1", bin={"node": "cli.js"}), "cli.js": "console.log(2);\n"},
    ),
)

_MESSAGES = {"added": "installs a command under the name of an everyday tool"}
_START = Span(1, 0, 0, 0)


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding; none at first contact, where a distribution of the tool itself looks the same."""
    tally = Tally(CARD)
    for pair in update.pairs:
        had = {name for name, _, _ in _commands(pair.before)} if pair.before else None
        if had is None:
            continue
        for name, path, span in _commands(pair.after):
            if name in _TOOLS and name not in had and name != str(update.after.project):
                tally.say("added", name, span_place(pair, path, span, decoded_value=name))
    yield from tally.findings(_MESSAGES)


def _commands(view: ArtifactView) -> Iterator[tuple[str, str, Span]]:
    """Yield the name of each command that an artifact installs, and where it is declared."""
    manifest = view.manifest
    for key, (_value, span) in manifest.fields.items():
        if key.startswith("bin."):
            yield key[4:], manifest.path, span
    for path, blob in view.tree.files.items():
        folder, _, name = path.rpartition("/")
        if folder.endswith(".data/scripts"):
            yield name.removesuffix(".exe").removesuffix(".py"), path, _START
        elif name == "entry_points.txt" and folder.endswith((".dist-info", ".egg-info")):
            yield from _scripts(path, blob.data)


def _scripts(path: str, data: bytes) -> Iterator[tuple[str, str, Span]]:
    group = ""
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n")[:10_000], 1):
        text = line.strip()
        if text.startswith("["):
            group = text.strip("[] ")
        elif group in ("console_scripts", "gui_scripts") and "=" in text:
            yield text.partition("=")[0].strip(), path, Span(number, 0, 0, 0)
