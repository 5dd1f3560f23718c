"""``lazaretto intel search``: where a text stands in what is known: names, hosts, digests, packages."""

import argparse
import sys

SUMMARY = "look for a text in all that is known: names, packages, hosts, digests, techniques; 4 if it is nowhere"
EXAMPLES = ("WAVESHAPER", "T1546.018", "plain-crypto-js --format json")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the word takes."""
    parser.add_argument("text", help="what to look for; case does not matter")
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal", help="how to print it")


def run(options: argparse.Namespace) -> int:
    """Print every place where the text stands; return the exit code."""
    from lazaretto.app.rendering import encodable
    from lazaretto.app.report import EXIT_ALLOW, EXIT_NOTHING
    from lazaretto.core.inert import inert
    from lazaretto.outputs._ascii import document
    from lazaretto.surfaces.cli.common import Progress, UsageError, open_app
    from lazaretto.surfaces.cli.intel._common import known, paper
    from lazaretto.surfaces.cli.intel._sheets import Hits, search

    if not options.text.strip():
        raise UsageError("name a text to look for")
    with open_app(options, Progress(quiet=options.quiet)) as app:
        hits = search(known(app), options.text)
    if options.format == "json":
        sys.stdout.write(document(encodable(Hits(hits))))
    else:
        sheet = paper()
        for hit in hits:
            sheet.row(inert(f"{hit.sort} {hit.id}", 300), hit.field, colour="bold")
            sheet.wrap(inert(hit.text, 600), "  ")
        sheet.wrap("" if hits else f"Nothing is known of {inert(options.text, 200)}.", hang="")
        sys.stdout.write(sheet.text())
    return EXIT_ALLOW if hits else EXIT_NOTHING
