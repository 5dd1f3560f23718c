"""The arguments of every command, with examples in their help."""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

from lazaretto import __version__, _plugins
from lazaretto.bootstrap import output_names

_COLUMNS = 80

_EPILOG = """\
exit codes:
  0  allowed, and everything was checked
  1  held or blocked
  2  wrong usage or settings
  3  could not check everything
  4  nothing to check

examples:
  lazaretto scan axios@1.14.0               one npm release against the one before it
  lazaretto scan pypi:requests              the newest release on PyPI
  lazaretto diff npm axios 1.13.6 1.14.0    two named releases
  lazaretto diff before.tgz after.tgz       two local archives
  lazaretto check                           every pin of this project's lockfiles
  lazaretto inventory add ~/work            write down what is in use, where, and since when
  lazaretto exposed axios@1.14.1            who has a release, through what, and whether it ran
  lazaretto hostcheck / --campaign axios    what a campaign left behind on a machine
  lazaretto respond open NAME --release …   an incident: who, what was within reach, what to do in which order
  lazaretto attribute axios@1.14.1          whose handiwork a release is, and why
  lazaretto intel actor UNC1069             what is known of an attacker, and who says so
  lazaretto doctor                          what your installers are told, and what would be better
  lazaretto explain dependency-young        what a detector looks for, and what it misses
  lazaretto firewall run                    a gate in front of npm and PyPI registries
"""

_ELSEWHERE = {
    "firewall": "run a gate in front of npm and PyPI registries, and decide about what it holds",
    "audit": "check the record of what people decided",
}
"""Words whose arguments another surface reads (``lazaretto.__main__`` sends them there)."""


def build(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the command line; if ``only`` is a command, of that one alone: the others take time."""
    parser = argparse.ArgumentParser(
        prog="lazaretto",
        description="Keep tampered releases out: read an update of a package, and say allow, hold or block.",
        epilog=_EPILOG,
        formatter_class=_Help,
    )
    parser.add_argument("--version", action="version", version=f"lazaretto {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    builders = {"scan": _scan, "diff": _diff, "check": _check}
    builders |= {"attribute": _attribute}
    builders |= {"doctor": _doctor, "explain": _explain, "replay": _replay}
    builders |= {"inventory": _inventory, "exposed": _exposed, "graph": _graph}
    builders |= {"intel": _intel}
    builders |= {"hostcheck": _hostcheck, "respond": _respond}
    if only in builders:
        builders[only](commands)
        return parser
    for add in builders.values():
        add(commands)
    for word, summary in _ELSEWHERE.items():
        elsewhere = commands.add_parser(word, help=summary, add_help=False, formatter_class=_Help)
        elsewhere.add_argument("words", nargs=argparse.REMAINDER)
    return parser


class _Help(argparse.RawDescriptionHelpFormatter):
    """Its base without ``shutil``: one is made for each argument, whether help is wanted or not."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    """Return the width of the terminal as ``shutil.get_terminal_size`` finds it."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or _COLUMNS  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return _COLUMNS


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name


def _command(commands: Commands, name: str, summary: str, *examples: str, within: str = "") -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=_examples(f"{within} {name}".strip(), examples),
        formatter_class=_Help,
    )


def _examples(command: str, examples: Sequence[str]) -> str | None:
    """Return the end of a command's help."""
    return "\n".join(["examples:", *(f"  lazaretto {command} {one}" for one in examples)]) if examples else None


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help="settings file (default: the nearest lazaretto.toml)")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress on standard error")


def _reporting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=output_names(), default="terminal", help="how to print the report")
    parser.add_argument("-v", "--verbose", action="store_true", help="show every place, record and allowed release")
    parser.add_argument("--exit-zero", action="store_true", help="report only: exit 0 whatever the verdict")
    _common(parser)


def _sourcing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source",
        metavar="WHERE",
        help="compare with the tagged commit of its repository: a clone, an https address, or 'declared' for the one"
        " that the release names",
    )
    parser.add_argument(
        "--source-required", action="store_true", help="with --source: not fully checked if it cannot be compared"
    )


def _scan(commands: Commands) -> None:
    parser = _command(
        commands,
        "scan",
        "read one release against the one before it, and everything it newly brings",
        "axios@1.14.0",
        "axios@latest",
        "'pypi:requests>=2,<3'",
        "pkg:pypi/requests@2.32.0",
        "./plain-1.0.0.tgz",
        "axios@1.14.0 --source declared",
    )
    parser.add_argument(
        "target",
        nargs="+",
        help="NAME[@VERSION] (npm), pypi:NAME, a purl, or a local archive; a range or a tag is what a client takes now",
    )
    parser.add_argument(
        "--ecosystem", help="what a bare name or a local archive belongs to (default: npm, or by its ending)"
    )
    parser.add_argument(
        "--all-artifacts", action="store_true", help="read the sdist and every wheel, and say where they disagree"
    )
    _sourcing(parser)
    _reporting(parser)


def _diff(commands: Commands) -> None:
    parser = _command(
        commands,
        "diff",
        "read one release or archive against another that you name",
        "npm axios 1.13.6 1.14.0",
        "pypi requests 2.32.4 2.32.5",
        "before.tgz after.tgz",
    )
    parser.add_argument("what", nargs="+", metavar="ARG", help="ECOSYSTEM NAME BEFORE AFTER, or BEFORE_FILE AFTER_FILE")
    parser.add_argument("--ecosystem", help="what local archives belong to (default: by their ending)")
    parser.add_argument(
        "--all-artifacts", action="store_true", help="read the sdist and every wheel, and say where they disagree"
    )
    _sourcing(parser)
    _reporting(parser)


def _check(commands: Commands) -> None:
    parser = _command(
        commands,
        "check",
        "read every pin of a project's lockfiles",
        "",
        "--since origin/main",
        "--staged --recursive",
        "path/to/uv.lock",
    )
    parser.add_argument("path", nargs="?", default=".", help="project folder or lockfile (default: here)")
    compared = parser.add_mutually_exclusive_group()
    compared.add_argument("--since", metavar="REV", help="only pins that changed since this git revision")
    compared.add_argument("--staged", action="store_true", help="only pins that the next commit would change")
    parser.add_argument("-r", "--recursive", action="store_true", help="the lockfiles of every folder below as well")
    parser.add_argument(
        "--refresh", action="store_true", help="ask for every index page (default: not again within five minutes)"
    )
    _reporting(parser)


def _attribute(commands: Commands) -> None:
    parser = _command(
        commands,
        "attribute",
        "say whose handiwork a release is, with reasons for and against; unknown is an answer, and the usual one",
        "axios@1.14.1",
        "suspect-1.0.1.tgz --format json",
        "report.json",
        "7Q2K9M4D",
    )
    parser.add_argument(
        "target", help="NAME@VERSION (npm), pypi:NAME@VERSION, a purl, an archive, a report (.json), or a verdict id"
    )
    parser.add_argument("--ecosystem", help="what a bare name or a local archive belongs to (default: npm)")
    parser.add_argument("--journal", action="store_true", help="take the last verdict written down; ask no registry")
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal", help="how to print it")
    parser.add_argument("-v", "--verbose", action="store_true", help="show every reason, and all that was seen")
    _common(parser)


def _doctor(commands: Commands) -> None:
    parser = _command(
        commands,
        "doctor",
        "say how your installers are set up, and what would be better; 0 nothing to do, 1 something, 3 could not look",
        "",
        "path/to/project --verbose",
        "--online",
        "--format json",
    )
    parser.add_argument("path", nargs="?", default=".", help="project folder (default: here, or the next one upwards)")
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal", help="how to print it")
    parser.add_argument(
        "--online",
        action="store_true",
        help="ask public registries whether private names are taken: they see the names",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="show what is well, too")
    parser.add_argument("--exit-zero", action="store_true", help="exit 0 whatever there is to do")
    _common(parser)


def _explain(commands: Commands) -> None:
    parser = _command(
        commands, "explain", "say what a detector or a finding means", "dependency-young", "self-deletion/unlink"
    )
    parser.add_argument("id", nargs="?", help="a detector, or DETECTOR/VARIANT; without one, list them all")
    _common(parser)


def _replay(commands: Commands) -> None:
    parser = _command(
        commands, "replay", "put documented incidents back on a registry and ask for a verdict", "replays/"
    )
    parser.add_argument("path", nargs="+", help="a replay folder, or a folder of them")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the report of each replay")
    parser.add_argument(
        "--cooldown", metavar="DURATION", default="7d", help="the cooldown of the second run (default: 7d)"
    )
    _common(parser)


def _inventory(commands: Commands) -> None:
    parser = _command(
        commands,
        "inventory",
        "write down which releases are in use, where and since when; ask it with `lazaretto exposed`",
        "add ~/work /srv/git/app.git ~/.npm",
        "add --name build-7 /mnt/build-7",
        "add https://git.example.invalid/team/app.git image.tar",
        "list",
        "status",
    )
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    add = _command(acts, "add", "look at places and write down what they say; 3 if something could not be read")
    add.add_argument(
        "path", nargs="+", help="folders, files and addresses of repositories: projects, trees, images, SBOMs, logs"
    )
    add.add_argument("--name", help="what the path is called in the inventory, for instance a machine's name")
    listed = _command(acts, "list", "list every place, and what of it could not be read; 4 if there is none")
    counted = _command(acts, "status", "count places, releases, entries and problems; 4 if there are no places")
    for act in (add, listed, counted):
        act.add_argument("--format", choices=("terminal", "json"), default="terminal", help="how to print it")
        _common(act)


def _graph(commands: Commands) -> None:
    parser = _command(
        commands,
        "graph",
        "say who depends on what, how far a release or an account reaches, and which few accounts reach most",
        "import npm.jsonl.gz axios.json",
        "dependents 'axios@^1.14.0' --at 2026-03-31T00:21Z",
        "blast axios@1.14.1 --format svg",
        "blast --maintainer jdoe",
        "dependents axios@1.14.1 --of inventory",
        "chokepoints -n 3 --by project",
    )
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    taken = _command(acts, "import", "take releases from JSON lines, packuments of npm or project pages (PEP 691)")
    taken.add_argument("path", nargs="+", help="*.jsonl and *.jsonl.gz: a release a line; anything else: an index page")
    taken.add_argument("--ecosystem", default="npm", help="of lines that name none (default: npm)")
    _common(taken)
    needing = _command(
        acts,
        "dependents",
        "list who depends on a project, or on those releases that a range admits",
        "axios@1.14.1 --of inventory --format json",
        "'axios@^1.14.0' --at 2026-03-31T00:21Z",
        within="graph",
    )
    needing.add_argument("target", help="NAME, NAME@VERSION or NAME@RANGE (npm), pypi:NAME@..., or a purl")
    needing.add_argument("--direct", action="store_true", help="only who asks for it, not who asks for these")
    blast = _command(
        acts, "blast", "list what one release, or all that an account keeps, would reach; places of ours too"
    )
    blast.add_argument("target", nargs="?", help="NAME@VERSION (npm), pypi:NAME@VERSION, or a purl")
    blast.add_argument("--maintainer", metavar="ACCOUNT", help="everything that this account keeps")
    words = "list the few accounts or projects that together would reach most of us"
    choke = _command(acts, "chokepoints", words, "--by project --of inventory", within="graph")
    choke.add_argument("-n", dest="number", type=int, default=3, help="how many (default: 3)")
    choke.add_argument(
        "--by", choices=("account", "project"), default="account", help="look for what (default: accounts)"
    )
    whom = "whom to ask: our own places, or what was imported (default: the latter if it knows the release)"
    reached = "reach what (default: the inventory, if there is one)"
    for act in (needing, blast, choke):
        act.add_argument("--of", choices=("inventory", "graph"), help=reached if act is choke else whom)
        act.add_argument("--at", metavar="INSTANT", help="as of when (ISO 8601, UTC; default: now)")
        forms = ("terminal", "json", "svg", "dot")
        act.add_argument("--format", choices=forms, default="terminal", help="how to print it")
        act.add_argument(
            "--limit", type=int, default=50, help="how many dependents and places are listed (default: 50)"
        )
        _common(act)


def _exposed(commands: Commands) -> None:
    parser = _command(
        commands,
        "exposed",
        "say who has a release, by the inventory; 0 nobody, 1 somebody, 3 not all could be read, 4 no inventory",
        "axios@1.14.1 axios@0.30.4",
        "pypi:litellm@1.82.7 --format json",
        "--advisory MAL-2026-2307 --feed osv.zip",
        "--campaign axios --indicators bundle.json",
        "axios@1.14.1 --window 2026-03-31T00:21Z/2026-03-31T03:20Z --packument axios.json",
    )
    parser.add_argument("target", nargs="*", help="NAME@VERSION (npm), pypi:NAME@VERSION, or a purl")
    parser.add_argument("--advisory", action="append", default=[], metavar="ID", help="every release that it names")
    parser.add_argument("--campaign", action="append", default=[], metavar="NAME", help="every release of a campaign")
    parser.add_argument(
        "--indicators",
        action="append",
        default=[],
        metavar="FILE",
        help="every release that STIX, MISP or a list names",
    )
    parser.add_argument("--feed", metavar="FILE", help="OSV records to find advisories in (default: those held here)")
    parser.add_argument("--window", metavar="FROM/TO", help="only what was there in this time (ISO 8601, UTC)")
    parser.add_argument(
        "--packument",
        action="append",
        default=[],
        metavar="FILE",
        help="an index page with times: what ranges would have resolved to in the window",
    )
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal", help="how to print it")
    parser.add_argument("-v", "--verbose", action="store_true", help="show every reason, and all that was not read")
    parser.add_argument("--exit-zero", action="store_true", help="exit 0 whoever is exposed")
    _common(parser)


def _intel(commands: Commands) -> None:
    package = "lazaretto.surfaces.cli.intel"
    parser = _command(commands, "intel", "ask what is known of attackers and their campaigns, and what was seen here")
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    for word in _plugins.names(package):
        module = _plugins.load(f"{package}.{word}", ("SUMMARY", "EXAMPLES", "arguments", "run"))
        said = word.rstrip("_")  # a module cannot be called what is a word of Python's
        one = _command(words, said, module.SUMMARY)
        one.epilog = _examples(f"intel {said}", module.EXAMPLES)
        one.set_defaults(module=word)
        module.arguments(one)
        _common(one)


def _hostcheck(commands: Commands) -> None:
    from lazaretto.surfaces.cli import response_arguments

    _common(response_arguments.hostcheck(partial(_command, commands)))


def _respond(commands: Commands) -> None:
    from lazaretto.surfaces.cli import response_arguments

    for act in response_arguments.respond(commands, _command):
        _common(act)
