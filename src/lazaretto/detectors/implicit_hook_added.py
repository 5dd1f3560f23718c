"""This update adds something that runs at installation without a lifecycle script.

## What it detects
The first `binding.gyp` (npm then runs node-gyp, and its `<!(...)` expansions run commands); a line of a `.pth` file
that Python executes at every start; a `sitecustomize` or `usercustomize` module; a `setup.py` or build backend in
a line of source distributions that had none.

## Why it matters
Tools that look at `scripts` alone do not see them. A start-up line in a wheel runs in every Python process of the
machine, imported or not. Eight of 75 documented incidents used one; six of them in 2026.

## What it misses
What a build that was always there begins to do: autorun-capability-gained asks that. A build backend that is a package
of its own is a new dependency and is read as such.

## References
- Python documentation, module `site`: path configuration files
- npm documentation, *scripts*: "If there is a `binding.gyp` file in the root of your package"
- PEP 517, PEP 518; MITRE ATT&CK T1546.018, Python Startup Hooks
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind, Reach
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.manifest import Hook, HookKind
from lazaretto.core.question import ACTS, Tally, decoded, hidden, hook_place, package_json, shown
from lazaretto.core.update import HookChange, Pair, Update

CARD = Card(
    id="implicit-hook-added",
    title="Something that runs without a script added",
    variants={
        "startup": "A line that Python executes at every start is new or changed.",
        "gyp-command": "A new binding.gyp runs a command while it is configured.",
        "gyp": "A binding.gyp is new to the line.",
        "gyp-changed": "A binding.gyp that was there before runs another command.",
        "build": "The source distribution has a build script that its line never had.",
        "first-contact": "There is no earlier release; the start-up or build code acts on hidden text.",
    },
    group="install-hook",
    why="It runs at installation, or at every start of the interpreter, and no script names it.",
    attack=("T1195.002", "T1546.018", "T1546.016"),
)

_WHEEL = {"pad/__init__.py": "WIDTH = 2\n"}
_SETUP = "from setuptools import setup\nsetup(name='example-pad', version='1.0.0', packages=['pad'])\n"
EXAMPLES = (
    Example(
        title="a wheel gains a start-up file that runs a command in every Python process",
        ecosystem="pypi",
        before=_WHEEL,
        after={**_WHEEL, "pad_init.pth": "import os; os.system('echo started')\n"},
        expect="startup",
        at="pad_init.pth:1",
    ),
    Example(
        title="a pure JavaScript package gains a binding.gyp that runs a command",
        before={"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"},
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "module.exports = 1;\n",
            "binding.gyp": '{"targets": [{"target_name": "pad", "sources": ["<!(node pad.js)"]}]}\n',
            "pad.js": "console.log('pad.c');\n",
        },
        expect="gyp-command",
        at="binding.gyp:1",
    ),
    Example(
        title="a wheel gains a start-up file that only adds a folder to the path",
        ecosystem="pypi",
        before=_WHEEL,
        after={**_WHEEL, "pad_paths.pth": "vendored\n"},
    ),
    Example(
        title="a native package changes the sources in its binding.gyp",
        before={
            "package.json": package_json("1.0.0"),
            "binding.gyp": '{"targets": [{"target_name": "pad", "sources": ["a.cc"]}]}\n',
        },
        after={
            "package.json": package_json("1.0.1"),
            "binding.gyp": '{"targets": [{"target_name": "pad", "sources": ["a.cc", "b.cc"]}]}\n',
        },
    ),
    Example(
        title="a native package asks another version of Node.js in its binding.gyp",
        before={
            "package.json": package_json("1.0.0"),
            "binding.gyp": '{"targets": [{"target_name": "pad", "sources": ["<!(node -p 1)"]}]}\n',
        },
        after={
            "package.json": package_json("1.0.1"),
            "binding.gyp": '{"targets": [{"target_name": "pad", "sources": ["<!(node -p 2)"]}]}\n',
        },
        expect="gyp-changed",
        at="binding.gyp:1",
    ),
    Example(
        title="a setup.py that was always there changes a line",
        ecosystem="pypi",
        sdist=True,
        before={"setup.py": _SETUP, **_WHEEL},
        after={"setup.py": _SETUP.replace("packages", "zip_safe=False, packages"), **_WHEEL},
    ),
)

_MESSAGES = {
    "startup": "adds or changes a line that Python executes at every start",
    "gyp-command": "adds a binding.gyp that runs a command",
    "gyp": "adds a binding.gyp, so that npm runs node-gyp",
    "gyp-changed": "lets its binding.gyp run another command",
    "build": "adds a build script to the source distribution",
    "first-contact": "runs at installation code that acts on hidden text",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant, with the values that the hooks hide."""
    tally = Tally(CARD)
    for change in update.hooks_changed():
        if change.hook.kind is not HookKind.SCRIPT:
            pair, hook = change.pair, change.hook
            variant = _variant(change)
            if variant:
                tally.say(variant, shown(hook.command) or hook.path, hook_place(pair, hook))
                tally.explain(variant, decoded(pair, hook.path))
    yield from tally.findings(_MESSAGES)


def _variant(change: HookChange) -> str | None:
    pair, hook = change.pair, change.hook
    if pair.before is None:
        return "first-contact" if _acts_on_hidden_text(pair, hook) else None
    if hook.kind is HookKind.STARTUP:
        return "startup"
    if hook.kind is HookKind.IMPLICIT and change.before is None:
        if hook.path in pair.before.tree:
            return "gyp-changed" if hook.name != hook.path else None
        return "gyp-command" if _expands(pair, hook) else "gyp"
    had_a_build = any(known.kind is HookKind.BUILD for known in pair.before.manifest.hooks)
    return "build" if hook.kind is HookKind.BUILD and not had_a_build else None


def _acts_on_hidden_text(pair: Pair, hook: Hook) -> bool:
    return any(
        (hidden(placed.fact) and placed.fact.kind in ACTS) or placed.fact.kind is Kind.OBFUSCATED
        for placed in pair.after.placed
        if placed.path == hook.path and placed.reach is Reach.INSTALL
    )


def _expands(pair: Pair, hook: Hook) -> bool:
    """Whether gyp itself runs a command while it reads the file, or the build has a step of its own."""
    blob = pair.after.tree.get(hook.path)
    return blob is not None and any(sign in blob.data for sign in (b"<!(", b"<!@(", b"'action'", b'"action"'))
