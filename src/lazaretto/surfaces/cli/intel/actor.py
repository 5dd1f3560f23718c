"""``lazaretto intel actor``: what is known of an intrusion set, under any of the names that somebody gave it."""

import argparse

SUMMARY = "show what is known of an attacker, by any of its names; aliases and claims are told by vendor"
EXAMPLES = ("UNC1069", '"Sapphire Sleet" --format json', "TeamPCP")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the word takes."""
    parser.add_argument("name", help="an id, a name or an alias of an intrusion set")
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal", help="how to print it")


def run(options: argparse.Namespace) -> int:
    """Print every set that is called so; return the exit code."""
    from lazaretto.surfaces.cli.common import Progress, open_app
    from lazaretto.surfaces.cli.intel._common import known, show, unknown
    from lazaretto.surfaces.cli.intel._sheets import Actors, actor, actor_sheet

    with open_app(options, Progress(quiet=options.quiet)) as app:
        knowledge = known(app)
    sets = knowledge.called(options.name)
    if not sets:
        raise unknown("intrusion set", options.name, knowledge.by_alias)
    found = tuple(actor(one, knowledge) for one in sets)
    show(options.format, Actors(found), found, actor_sheet)
    return 0
