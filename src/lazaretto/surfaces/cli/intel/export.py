"""``lazaretto intel export``: pass on what lies here, in a form that others read."""

import argparse
import sys

SUMMARY = "pass on what was imported, as STIX, MISP, OSV, block lists or rules; 4 if there is nothing to pass on"
EXAMPLES = (
    "--format stix",
    "--format hosts --source datadog",
    "--format misp --tlp amber",
    "--format yara --campaign axios-2026-03",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the word."""
    from lazaretto._plugins import names
    from lazaretto.core.intel import Tlp

    parser.add_argument("--format", choices=names("lazaretto.sharing"), default="stix", help="how to write it")
    parser.add_argument("--source", action="append", default=[], metavar="NAME", help="only what this source says")
    parser.add_argument("--campaign", metavar="ID", help="only what belongs to this campaign")
    parser.add_argument(
        "--tlp", choices=[one.value for one in Tlp], default="green", help="the strictest marking that may leave"
    )


def run(options: argparse.Namespace) -> int:
    """Export; return the exit code."""
    from lazaretto import __version__
    from lazaretto._plugins import load
    from lazaretto.app.intelligence.pass_on import passed_on
    from lazaretto.app.report import EXIT_ALLOW, EXIT_NOTHING
    from lazaretto.core.intel import Tlp
    from lazaretto.outputs._paper import plural
    from lazaretto.surfaces.cli.common import Progress, UsageError, open_app

    with open_app(options, Progress(quiet=options.quiet)) as app:
        known = {one.source: one.at for one in app.book.sources()}
        unknown = [name for name in options.source if name not in known]
        if unknown:
            raise UsageError(f"nothing was imported of {unknown[0]!r}: lazaretto intel feeds lists what was")
        # As of when it was taken: exporting again gives the same bytes.
        asked = [known[name] for name in options.source] or list(known.values())
        at = max(asked, default=app.clock.now())
        whole = app.book.collection(options.source, f"lazaretto {__version__}", at)
        leaves = passed_on(whole, app.clock.now(), Tlp(options.tlp), options.campaign or "")
    module = load(f"lazaretto.sharing.{options.format}", ("MEDIA_TYPE", "SUMMARY", "render"))
    sys.stdout.write(module.render(leaves.collection))
    for why, count in leaves.kept_back.items():
        sys.stderr.write(f"lazaretto: {plural(count, 'indicator')} kept back: {why}\n")
    return EXIT_ALLOW if leaves.collection.indicators or leaves.collection.actors else EXIT_NOTHING
