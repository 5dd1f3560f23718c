"""The arguments of every command, with examples in their help."""

import argparse
import os
import sys
from typing import TypeAlias

from lazaretto import __version__
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
    builders |= {"doctor": _doctor, "explain": _explain, "replay": _replay}
    builders |= {"inventory": _inventory, "exposed": _exposed}
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


def _command(commands: Commands, name: str, summary: str, *examples: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog="\n".join(["examples:", *(f"  lazaretto {name} {example}" for example in examples)])
        if examples
        else None,
        formatter_class=_Help,
    )


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
        "pkg:pypi/requests@2.32.0",
        "./plain-1.0.0.tgz",
        "axios@1.14.0 --source declared",
    )
    parser.add_argument("target", nargs="+", help="NAME[@VERSION] (npm), pypi:NAME, a purl, or a local archive")
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
    _reporting(parser)


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
        "list",
        "status",
    )
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    add = _command(acts, "add", "look at places and write down what they say; 3 if something could not be read")
    add.add_argument("path", nargs="+", help="folders and files: projects, repositories, trees, caches, SBOMs, logs")
    add.add_argument("--name", help="what the path is called in the inventory, for instance a machine's name")
    listed = _command(acts, "list", "list every place, and what of it could not be read; 4 if there is none")
    counted = _command(acts, "status", "count places, releases, entries and problems; 4 if there are no places")
    for act in (add, listed, counted):
        act.add_argument("--format", choices=("terminal", "json"), default="terminal", help="how to print it")
        _common(act)


def _exposed(commands: Commands) -> None:
    parser = _command(
        commands,
        "exposed",
        "say who has a release, by the inventory; 0 nobody, 1 somebody, 3 not all could be read, 4 no inventory",
        "axios@1.14.1 axios@0.30.4",
        "pypi:litellm@1.82.7 --format json",
        "--advisory MAL-2026-2307 --feed osv.zip",
        "axios@1.14.1 --window 2026-03-31T00:21Z/2026-03-31T03:20Z --packument axios.json",
    )
    parser.add_argument("target", nargs="*", help="NAME@VERSION (npm), pypi:NAME@VERSION, or a purl")
    parser.add_argument("--advisory", action="append", default=[], metavar="ID", help="every release that it names")
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
