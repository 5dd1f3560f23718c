"""``lazaretto intel clusters``: held and blocked releases of the journal that seem to be one hand's work."""

import argparse
import sys

SUMMARY = "group what was held or blocked here by what it shares, named or not; 4 if nothing hangs together"
EXAMPLES = ("", "--format json", "--last 200")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the word takes."""
    parser.add_argument(
        "--last", type=int, default=500, metavar="N", help="how many releases to compare (default: 500)"
    )
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal", help="how to print it")


def run(options: argparse.Namespace) -> int:
    """Print every group; return the exit code."""
    import msgspec

    from lazaretto.app.attribute import of_report
    from lazaretto.app.rendering import encodable
    from lazaretto.app.report import EXIT_ALLOW, EXIT_NOTHING, UpdateReport
    from lazaretto.core.attribution import Attributor
    from lazaretto.core.clusters import MAX_DETECTIONS, Detection, clusters
    from lazaretto.infra.knowledge import scale
    from lazaretto.outputs._ascii import document
    from lazaretto.surfaces.cli.common import Progress, UsageError, open_app
    from lazaretto.surfaces.cli.intel._common import known, paper
    from lazaretto.surfaces.cli.intel._sheets import Clusters, cluster_sheet

    if not 0 < options.last <= MAX_DETECTIONS:
        raise UsageError(f"--last takes a number from 1 to {MAX_DETECTIONS}")
    with open_app(options, Progress(quiet=options.quiet)) as app:
        attributor = Attributor(known(app), scale())
        reports = [msgspec.json.decode(one, type=UpdateReport) for one in app.stores.journal.refused(options.last)]
    brought = {edge.update.purl for one in reports for edge in one.edges if edge.update is not None}
    detections = [
        Detection(one.purl, of_report(one, scale().habits)) for one in reports if one.purl not in brought
    ]  # what another brought is told with it
    found = clusters(detections, attributor)
    if options.format == "json":
        sys.stdout.write(document(encodable(Clusters(found))))
    else:
        sheet = paper()
        for one in found:
            cluster_sheet(one, sheet)
        sheet.wrap(f"{len(found)} groups among {len(detections)} releases that were held or blocked.", hang="")
        sys.stdout.write(sheet.text())
    return EXIT_ALLOW if found else EXIT_NOTHING
