"""``lazaretto intel import``: bring in what others know, so that scan and gate obey it."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lazaretto.app.intelligence.ports import Taken
    from lazaretto.core.exchange import Unread

SUMMARY = "bring in STIX, MISP, OSV or a list of indicators; 0 taken, 3 something was not read, 4 nothing in it"
EXAMPLES = (
    "bundle.json",
    "iocs.csv --source datadog --confidence high --licence Apache-2.0",
    "https://intel.example.org/taxii2/api/collections/91a7b528/ --source partner --tlp amber",
    "compromised-packages.txt --as block --confidence medium",
)

_SHOWN = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the word."""
    from lazaretto.core.intel import Confidence, Tlp

    parser.add_argument("place", nargs="+", metavar="FILE|URL", help="a document, or a TAXII 2.1 collection's address")
    parser.add_argument("--source", metavar="NAME", help="who says it (default: the name of the first file)")
    parser.add_argument("--form", metavar="FEED", help="how it is written (default: told by its looks)")
    parser.add_argument(
        "--as",
        dest="use",
        choices=("block", "hunt", "reference"),
        help="what every value is good for, whatever it says",
    )
    parser.add_argument("--confidence", choices=[one.value for one in Confidence], help="how sure you take it to be")
    parser.add_argument("--tlp", choices=[one.value for one in Tlp], default="clear", help="the least marking of all")
    parser.add_argument("--licence", default="", metavar="TEXT", help="under which it may be used")
    parser.add_argument("--ecosystem", choices=("npm", "pypi"), default="npm", help="of packages named without one")
    parser.add_argument("--max-age", metavar="TIME", help="for how long it counts, such as 7d (default: for ever)")
    parser.add_argument(
        "--token-env", metavar="VARIABLE", help="the variable that holds a bearer token for the address"
    )
    parser.add_argument(
        "--format", choices=("terminal", "json"), default="terminal", help="how to print what was taken"
    )


def run(options: argparse.Namespace) -> int:
    """Import; return the exit code."""
    from lazaretto.app.intelligence.bring import bring, spare
    from lazaretto.app.intelligence.ports import SHIPPED
    from lazaretto.app.rendering import encodable
    from lazaretto.app.report import EXIT_ALLOW, EXIT_INCOMPLETE, EXIT_NOTHING
    from lazaretto.core.exchange import Told
    from lazaretto.core.intel import Confidence, Source, Tlp, Use
    from lazaretto.infra.knowledge import shipped
    from lazaretto.outputs._ascii import document
    from lazaretto.settings import parse_duration
    from lazaretto.surfaces.cli.common import Progress, UsageError, open_app
    from lazaretto.surfaces.cli.intel._sources import documents, feeds, source_name

    try:
        age = parse_duration(options.max_age) if options.max_age else None
    except ValueError as error:
        raise UsageError(f"--max-age: {error}") from None
    name = options.source or source_name(options.place[0])
    if name == SHIPPED:
        raise UsageError(f"{name} is the name of what ships: give the source another one with --source NAME")
    first = options.place[0] if "://" in options.place[0] else ""
    told = Told(
        source=Source(name=name, url=first, licence=options.licence),
        use=Use(options.use) if options.use else None,
        confidence=Confidence(options.confidence) if options.confidence else None,
        tlp=Tlp(options.tlp),
        ecosystem=options.ecosystem,
    )
    token = os.environ.get(options.token_env, "") if options.token_env else ""
    if options.token_env and not token:
        raise UsageError(f"--token-env: the variable {options.token_env} is empty")
    progress = Progress(quiet=options.quiet)
    with open_app(options, progress) as app:
        brought = list(documents(options.place, token, progress))
        now = app.clock.now()
        taken = bring(brought, feeds(), app.book, told, now, wanted=options.form, max_age=age)
        spare(app.book, shipped().indicators, now)
        progress.done()
        unread = app.book.unread(taken.source)
    if options.format == "json":
        from lazaretto.surfaces.cli.intel._sources import Imported

        sys.stdout.write(document(encodable(Imported(taken, unread))))
    else:
        _tell(taken, unread)
    if taken.unread:
        return EXIT_INCOMPLETE
    return EXIT_ALLOW if taken.items else EXIT_NOTHING


def _tell(taken: "Taken", unread: "tuple[Unread, ...]") -> None:
    from lazaretto.core.inert import inert
    from lazaretto.surfaces.cli.intel._sources import counted

    broken = [one for one in unread if one.broken]
    for one in broken[:_SHOWN]:
        sys.stdout.write(f"not read: {inert(one.place, 200)}: {inert(one.reason, 300)}\n")
    if taken.unread > len(broken[:_SHOWN]):
        sys.stdout.write(f"and {taken.unread - len(broken[:_SHOWN])} more: lazaretto intel feeds --unread\n")
    passed = [one for one in unread if not one.broken]
    for one in passed[:_SHOWN]:
        sys.stdout.write(f"passed over: {inert(one.place, 200)}: {inert(one.reason, 300)}\n")
    sys.stdout.write(f"{inert(taken.source, 80)}: {counted(taken)} taken as {taken.feed}; {taken.unread} not read.\n")
