"""This update lets code that runs by itself do something that its line of releases never did there.

## What it detects
Code that runs at installation or at import and, for the first time at that reach in this line, starts a process,
connects, reads a credential, takes the whole environment, evaluates code, or fetches a second interpreter. Another
capability of a kind that the line already has at that reach is left alone, or at installation counts next to nothing.

## Why it matters
64 of 75 documented incidents join a place that runs by itself with one of these behaviours. Alone each of them also
stands in honest releases, so alone it weighs little: the weight is in what it stands beside.

## What it misses
Lines that always did it (a build tool that starts processes at import); code that waits to be called, see
capability-first-seen; what hides its arguments, see hidden-argument-added; arguments built from data that only the
running program has.

## References
- MITRE ATT&CK T1059, T1552, T1105
- Ohm et al., *Backstabber's Knife Collection* (arXiv 2005.09535)
"""

from collections.abc import Iterator, Mapping

from lazaretto.core.facts import Kind, Reach
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, harmless, package_json, runs_by_itself
from lazaretto.core.started import is_own, starts_tame
from lazaretto.core.update import ArtifactView, Placed, Update

_NAMES: Mapping[Kind, str] = {
    Kind.RUNTIME_FETCH: "runtime",
    Kind.SECRET_READ: "secret",
    Kind.PROCESS_SPAWN: "spawn",
    Kind.NET_CONNECT: "net",
    Kind.DNS_QUERY: "net",
    Kind.CODE_EVAL: "eval",
    Kind.ENV_DUMP: "env-dump",
}
_DOES: Mapping[str, str] = {
    "runtime": "fetches or starts a second interpreter",
    "secret": "reads a credential",
    "spawn": "starts a process",
    "net": "connects to the network",
    "eval": "evaluates code",
    "env-dump": "takes the whole environment",
}
_WHEN = {Reach.INSTALL: "while it is installed", Reach.IMPORT: "when it is imported"}

CARD = Card(
    id="autorun-capability-gained",
    title="Code that runs by itself gained a capability",
    variants={
        **{
            f"{name}-at-{reach.value}": f"Code that runs by itself {does} {when}, as no earlier release did."
            for name, does in _DOES.items()
            for reach, when in _WHEN.items()
        },
        "more-at-install": "Code that runs at installation does more of a kind that the line already had.",
    },
    group="capability",
    why="What runs by itself needs no mistake of the user.",
    attack=("T1195.002", "T1059", "T1552.001", "T1105"),
)

_CLI = "const { execFileSync } = require('child_process');\n"
_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}

EXAMPLES = (
    Example(
        title="the entry file begins to start a process when it is loaded",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "require('child_process').exec('whoami');\nmodule.exports = (a) => a;\n",
        },
        expect="spawn-at-import",
        at="index.js:1",
    ),
    Example(
        title="a Python package begins to send something when it is imported",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import urllib.request\nurllib.request.urlopen('http://count.invalid/hit')\nWIDTH = 2\n"
        },
        expect="net-at-import",
        at="pad/__init__.py:2",
    ),
    Example(
        title="a package that starts a process at import starts another one",
        before={"package.json": package_json("1.0.0"), "index.js": _CLI + "execFileSync('node', ['-v']);\n"},
        after={"package.json": package_json("1.0.1"), "index.js": _CLI + "execFileSync('node', ['--version']);\n"},
    ),
    Example(
        title="a function that is only called begins to start a process",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": _CLI + "module.exports = function open(page) { return execFileSync('open', [page]); };\n",
        },
    ),
    Example(
        title="the usual way to find the global object",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "var root = Function('return this')();\nmodule.exports = (a) => root && a;\n",
        },
    ),
    Example(
        title="first contact with a package that downloads its binary at installation",
        after={
            "package.json": package_json("1.0.0", scripts={"postinstall": "node install.js"}),
            "install.js": "require('https').get('https://files.invalid/pad.tgz');\n",
        },
    ),
)

_MESSAGES = {
    "more-at-install": "does more at installation of a kind that its line already did",
    **{f"{name}-at-{reach.value}": f"{does} {when}" for name, does in _DOES.items() for reach, when in _WHEN.items()},
}


def detect(update: Update) -> Iterator[Finding]:
    """Yield one finding for each variant; none at first contact, where every fact is new."""
    tally = Tally(CARD)
    for pair in update.pairs:
        if pair.before is None:
            continue
        for placed in pair.gained(*_NAMES):
            if not runs_by_itself(placed) or harmless(placed.fact) or _is_told_itself(pair.after, placed):
                continue
            if pair.is_new_kind(placed):
                tally.add(f"{_NAMES[placed.fact.kind]}-at-{placed.reach.value}", pair, placed)
            elif placed.reach is Reach.INSTALL and not _differs_in_digits_alone(pair.before, placed):
                tally.add("more-at-install", pair, placed)
    yield from tally.findings(_MESSAGES)


def _is_told_itself(view: ArtifactView, placed: Placed) -> bool:
    """Whether a script of the manifest hands a file of the release to an interpreter, or code that only loads one."""
    hands = placed.path == view.manifest.path and placed.fact.kind is Kind.PROCESS_SPAWN
    return starts_tame(view, placed) or (hands and is_own(view.tree, placed.fact.value))


def _differs_in_digits_alone(before: ArtifactView, placed: Placed) -> bool:
    """Whether the line had the same value but for a version number."""
    value = _without_digits(placed.fact.value)
    return any(kind is placed.fact.kind and _without_digits(known) == value for kind, known in before.habit)


def _without_digits(value: str | None) -> str:
    return "".join(character for character in value or "" if not character.isdigit())
