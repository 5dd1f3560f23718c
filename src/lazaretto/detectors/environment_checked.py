"""This update looks where it runs before code that runs by itself does something new.

## What it detects
A variable that tells a build machine (`CI` and its kin) or the user's language, read for the first time by code that
runs by itself, in a file that at the same reach newly starts a process, connects, evaluates, decrypts, persists or
fetches a second interpreter.

## Why it matters
Payloads stay silent where they are watched (build machines, the wrong country) or act only there. Honest code asks
for the build machine too, to be quiet or to skip a download: so this says little alone.

## What it misses
The place told by host names, clocks, processes or hardware; a check in another file than the act.

## References
- MITRE ATT&CK T1480, Execution Guardrails; T1497, Virtualization/Sandbox Evasion; T1614.001, System Language Discovery
"""

from collections.abc import Iterator

from lazaretto.core.facts import Kind
from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.question import Tally, package_json, runs_by_itself
from lazaretto.core.update import Pair, Placed, Update

CARD = Card(
    id="environment-checked",
    title="Looks where it runs before it acts",
    variants={
        "language": "The user's language is read where code that runs by itself newly acts.",
        "build-machine": "It is asked for a build machine where code that runs by itself newly acts.",
    },
    group="guardrail",
    why="What acts only where nobody watches has a reason to.",
    attack=("T1195.002", "T1480", "T1497"),
)

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = (a) => a;\n"}
_QUIET = "if (!process.env.CI) {\n  require('child_process').execSync('%s');\n}\nmodule.exports = (a) => a;\n"

EXAMPLES = (
    Example(
        title="the entry file starts a process unless it is on a build machine",
        before=_BEFORE,
        after={"package.json": package_json("1.0.1"), "index.js": _QUIET % "whoami"},
        expect="build-machine",
        at="index.js:1",
    ),
    Example(
        title="a Python package connects at import unless the user speaks a certain language",
        ecosystem="pypi",
        before={"pad/__init__.py": "WIDTH = 2\n"},
        after={
            "pad/__init__.py": "import os, urllib.request\nif not os.environ.get('LANG', '').startswith('xx'):\n"
            "    urllib.request.urlopen('https://count.invalid/hit')\nWIDTH = 2\n"
        },
        expect="language",
        at="pad/__init__.py:2",
    ),
    Example(
        title="the colours of a terminal depend on the build machine",
        before=_BEFORE,
        after={
            "package.json": package_json("1.0.1"),
            "index.js": "const colours = !process.env.CI;\nmodule.exports = (a) => colours ? a : '';\n",
        },
    ),
    Example(
        title="a program that always asked before it started its process",
        before={"package.json": package_json("1.0.0"), "index.js": _QUIET % "whoami"},
        after={"package.json": package_json("1.0.1"), "index.js": _QUIET % "id"},
    ),
)

_MESSAGES = {
    "language": "reads the user's language where code that runs by itself newly acts",
    "build-machine": "asks for a build machine where code that runs by itself newly acts",
}
_ACTS = (
    Kind.PROCESS_SPAWN, Kind.NET_CONNECT, Kind.DNS_QUERY, Kind.CODE_EVAL, Kind.DECRYPT, Kind.PERSIST,
    Kind.RUNTIME_FETCH, Kind.FS_DELETE,
)  # fmt: skip
_LANGUAGES = frozenset(("lang", "language", "lc_all", "lc_messages", "lc_ctype"))
_MACHINES = frozenset(
    "ci continuous_integration build_number github_actions github_run_id gitlab_ci jenkins_url travis circleci "
    "buildkite tf_build codebuild_build_id teamcity_version bitbucket_build_number appveyor drone codespaces".split()
)


def detect(update: Update) -> Iterator[Finding]:
    """Yield at most one finding for each variant; none at first contact, where every check is new."""
    tally = Tally(CARD)
    for pair in update.pairs:
        if pair.before is None:
            continue
        checks = [placed for placed in pair.gained(Kind.ENV_READ) if runs_by_itself(placed) and _variant(placed)]
        acting = {one.path for one in pair.gained(*_ACTS) if runs_by_itself(one) and pair.is_new_kind(one)}
        had = {_sort(value) for kind, value in pair.before.habit if kind is Kind.ENV_READ} if checks else set()
        for placed in checks:
            if placed.path in acting and _variant(placed) not in had:
                tally.add(_variant(placed) or "", pair, placed, *_first_act(pair, placed.path))
    yield from tally.findings(_MESSAGES)


def _first_act(pair: Pair, path: str) -> list[Placed]:
    acts = (one for one in pair.gained(*_ACTS) if one.path == path and runs_by_itself(one) and pair.is_new_kind(one))
    return [*acts][:1]


def _variant(placed: Placed) -> str | None:
    return _sort(placed.fact.value)


def _sort(variable: str | None) -> str | None:
    name = (variable or "").lower()
    return "language" if name in _LANGUAGES else "build-machine" if name in _MACHINES else None
