"""``lazaretto intel export``: pass on what lies here, in a form that others read."""

import argparse
import sys

SUMMARY = "pass on what was imported and what ships, as STIX, MISP, OSV, block lists or rules; 4 if there is nothing"
EXAMPLES = (
    "--format stix",
    "--format hosts --source datadog",
    "--format misp --tlp amber",
    "--format navigator --source lazaretto",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the word."""
    from lazaretto._plugins import names
    from lazaretto.core.intel import Tlp

    parser.add_argument("--format", choices=names("lazaretto.sharing"), default="stix", help="how to write it")
    told = "only what this source says (lazaretto: what ships)"
    parser.add_argument("--source", action="append", default=[], metavar="NAME", help=told)
    parser.add_argument("--campaign", metavar="ID", help="only what belongs to this campaign")
    parser.add_argument(
        "--tlp", choices=[one.value for one in Tlp], default="green", help="the strictest marking that may leave"
    )


def run(options: argparse.Namespace) -> int:
    """Export; return the exit code."""
    from lazaretto import __version__
    from lazaretto._plugins import load
    from lazaretto.app.intelligence.pass_on import passed_on, shipped_too
    from lazaretto.app.intelligence.ports import SHIPPED
    from lazaretto.app.report import EXIT_ALLOW, EXIT_NOTHING
    from lazaretto.core.intel import Tlp
    from lazaretto.infra.knowledge import shipped
    from lazaretto.outputs._paper import plural
    from lazaretto.surfaces.cli.common import Progress, UsageError, open_app

    with open_app(options, Progress(quiet=options.quiet)) as app:
        known = {one.source: one.at for one in app.book.sources() if one.source != SHIPPED}
        unknown = [name for name in options.source if name not in {*known, SHIPPED}]
        if unknown:
            raise UsageError(f"nothing was imported of {unknown[0]!r}: lazaretto intel feeds lists what was")
        asked = [name for name in options.source or known if name != SHIPPED]
        # As of when it was taken, so that exporting again gives the same bytes.
        at = max((known[name] for name in asked), default=None)
        whole = app.book.collection(asked, f"lazaretto {__version__}", at or app.clock.now()) if asked else None
        if not options.source or SHIPPED in options.source:
            whole = shipped_too(whole, shipped(), f"lazaretto {__version__}")
        assert whole is not None  # a source that is asked for is one or the other
        leaves = passed_on(whole, app.clock.now(), Tlp(options.tlp), options.campaign or "")
    module = load(f"lazaretto.sharing.{options.format}", ("MEDIA_TYPE", "SUMMARY", "render"))
    sys.stdout.write(module.render(leaves.collection))
    for why, count in leaves.kept_back.items():
        sys.stderr.write(f"lazaretto: {plural(count, 'indicator')} kept back: {why}\n")
    return EXIT_ALLOW if leaves.collection.indicators or leaves.collection.actors else EXIT_NOTHING
