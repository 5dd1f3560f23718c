"""The arguments of ``lazaretto hostcheck`` and ``lazaretto respond``."""

import argparse
from collections.abc import Callable
from typing import Any, TypeAlias

from lazaretto._plugins import names

Parser: TypeAlias = argparse.ArgumentParser


def hostcheck(make: Callable[..., Parser]) -> Parser:
    """Return the parser of ``lazaretto hostcheck``."""
    parser = make(
        "hostcheck",
        "sweep a machine or a mounted disk for what a campaign leaves behind; 0 nothing, 1 something, 3 not all read",
        "/ --campaign axios",
        "/mnt/build-7 --campaign 2026-03-axios --format json --output build-7.json",
    )
    parser.add_argument("root", nargs="?", default="/", help="where the disk is mounted (default: this machine's own)")
    parser.add_argument("--campaign", help="id of the campaign, or a word of it (default: the only one that is known)")
    _known(parser)
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal", help="how to print it")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="show all that was not read, and what is not sought"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write it there")
    parser.add_argument("--exit-zero", action="store_true", help="exit 0 whatever is found")
    return parser


def _known(parser: Parser) -> None:
    parser.add_argument(
        "--intel", metavar="FILE", help="campaigns and indicators of yours (JSON), in place of those that ship"
    )


def respond(commands: Any, make: Callable[..., Parser]) -> tuple[Parser, ...]:  # noqa: ANN401 - it has no public name
    """Return the parsers of the acts of ``lazaretto respond``."""
    parser = make(
        commands,
        "respond",
        "answer an incident: who took a release, what was within reach, what to do in which order",
        "open axios --release axios@1.14.1 --release axios@0.30.4 --campaign axios",
        "add axios --disk build-7=/mnt/build-7 --host-report build-7.json --note 'network cut'",
        "add axios --done general/isolate-machines",
        "show axios --format html --output axios.html",
        "close axios --reason 'all steps done'",
    )
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    opened = make(acts, "open", "open an incident with what the inventory says; 1 somebody is exposed")
    added = make(acts, "add", "add what is new, and ask the inventory and the disks again")
    shown = make(acts, "show", "print the answer, or write it into a file")
    closed = make(acts, "close", "close an incident, and say which steps are still open")
    listed = make(acts, "list", "list the incidents; 4 if there is none")
    for act in (opened, added, shown, closed):
        act.add_argument("name", help="what the incident is called: letters, digits, dots, hyphens")
        _known(act)
        act.add_argument("--playbooks", metavar="FOLDER", help="playbooks of yours (TOML), besides those that ship")
    for act in (opened, added):
        _incident(act)
    for act in (opened, added, closed):
        act.add_argument("--by", help="who does this (default: your user name)")
    for act in (opened, added, shown):
        formats = names("lazaretto.outputs._incident")
        act.add_argument("--format", choices=formats, default="terminal", help="how to print it")
        act.add_argument("-v", "--verbose", action="store_true", help="everything, on a terminal")
        act.add_argument("-o", "--output", metavar="FILE", help="write it there")
    opened.add_argument("--title", help="one line for people")
    added.add_argument("--no-look", action="store_true", help="do not ask the inventory and the disks again")
    closed.add_argument("--reason", required=True, help="why, for whoever reads it later")
    return opened, added, shown, closed, listed


def _incident(act: Parser) -> None:
    many: dict[str, Any] = {"action": "append", "default": []}
    act.add_argument("--release", **many, metavar="RELEASE", help="NAME@VERSION (npm), pypi:NAME@VERSION, or a purl")
    act.add_argument("--campaign", help="id of the campaign, or a word of it")
    act.add_argument("--payload", **many, metavar="CLASS", help="what it does: RAT, worm, wiper, credential theft, …")
    act.add_argument("--window", metavar="FROM/TO", help="when it could be had (ISO 8601, UTC)")
    act.add_argument("--good", **many, metavar="RELEASE", help="the version to go back to")
    act.add_argument(
        "--disk", **many, metavar="NAME=PATH", help="where the disk lies here that the inventory calls NAME"
    )
    act.add_argument("--host-report", **many, metavar="FILE", help="what `lazaretto hostcheck --format json` wrote")
    act.add_argument("--note", **many, metavar="TEXT", help="what was done or learned, for the timeline")
    act.add_argument("--done", **many, metavar="STEP", help="mark a step as done, by its id")
