"""``lazaretto intel campaign``: what is known of one campaign: what it shipped and did, and who says who did it."""

import argparse

SUMMARY = "show what is known of a campaign: packages, behaviour, indicators with their use, claims by vendor"
EXAMPLES = ("2026-03-axios", "2026-03-axios --format json", "axios")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the word takes."""
    parser.add_argument("id", help="the id of a campaign, or what follows its date")
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal", help="how to print it")


def run(options: argparse.Namespace) -> int:
    """Print every campaign that is meant; return the exit code."""
    from lazaretto.surfaces.cli.common import Progress, open_app
    from lazaretto.surfaces.cli.intel._common import known, show, unknown
    from lazaretto.surfaces.cli.intel._sheets import Campaigns, campaign, campaign_sheet

    with open_app(options, Progress(quiet=options.quiet)) as app:
        knowledge = known(app)
    wanted = options.id.casefold()
    named = [one for one in knowledge.campaigns if wanted in {one.id, one.id[len("2026-03-") :], one.name.casefold()}]
    if not named:
        raise unknown("campaign", options.id, (one.id for one in knowledge.campaigns))
    found = tuple(campaign(one, knowledge) for one in named)
    show(options.format, Campaigns(found), found, campaign_sheet)
    return 0
