"""``lazaretto intel feeds``: what was imported, how old it is, and what of it was not read."""

import argparse
import sys

SUMMARY = "list what was imported, how old it is, what of it was not read; 3 if a source is too old, 4 if there is none"
EXAMPLES = ("", "--unread", "--format json")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the word."""
    parser.add_argument("--unread", action="store_true", help="show every place that was not read")
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal", help="how to print it")


def run(options: argparse.Namespace) -> int:
    """List the sources; return the exit code."""
    from lazaretto.app.intelligence.obey import Rules
    from lazaretto.app.rendering import encodable
    from lazaretto.app.report import EXIT_ALLOW, EXIT_INCOMPLETE, EXIT_NOTHING
    from lazaretto.core.inert import inert
    from lazaretto.outputs._ascii import document
    from lazaretto.surfaces.cli.common import Progress, open_app
    from lazaretto.surfaces.cli.intel._sources import Listed, ListedSource, counted

    with open_app(options, Progress(quiet=options.quiet)) as app:
        now, rules = app.clock.now(), app.settings.intelligence or Rules()
        taken = app.book.sources()
        unread = {one.source: app.book.unread(one.source) for one in taken}
    listed = [
        ListedSource(one, one.stale(now, rules.max_age if one.source in rules.sources else None), unread[one.source])
        for one in taken
    ]
    missing = tuple(name for name in rules.sources if name not in unread)
    if options.format == "json":
        sys.stdout.write(document(encodable(Listed(tuple(listed), missing))))
    else:
        for item in listed:
            one = item.taken
            age = "STALE" if item.stale else "current"
            sys.stdout.write(
                f"{inert(one.source, 80)}  {one.at:%Y-%m-%d %H:%MZ}  {age}  {counted(one)}; tlp {one.tlp}\n"
            )
            if one.unread:
                sys.stdout.write(f"  {one.unread} not read\n")
            for place in item.unread if options.unread else ():
                word = "not read" if place.broken else "passed over"
                sys.stdout.write(f"  {word}: {inert(place.place, 200)}: {inert(place.reason, 300)}\n")
        for name in missing:
            sys.stdout.write(f"{inert(name, 80)}  MISSING: lazaretto intel import … --source {inert(name, 80)}\n")
        if not listed and not missing:
            sys.stdout.write("nothing was imported: lazaretto intel import FILE\n")
    if missing or any(item.stale for item in listed):
        return EXIT_INCOMPLETE
    return EXIT_ALLOW if listed else EXIT_NOTHING
