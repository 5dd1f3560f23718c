"""``lazaretto explain``: what a detector or a finding means."""

import argparse
import inspect
import sys

from lazaretto.bootstrap import App
from lazaretto.core.finding import Detector
from lazaretto.core.weight import row_key
from lazaretto.surfaces.cli.common import Progress, UsageError, open_app


def run(options: argparse.Namespace) -> int:
    """Print the page of a detector, or the list of all; return the exit code."""
    with open_app(options, Progress(quiet=True)) as app:
        if options.id is None:
            width = max(len(detector.CARD.id) for detector in app.detectors)
            lines = [f"{detector.CARD.id:{width}}  {detector.CARD.title}" for detector in app.detectors]
            sys.stdout.write("\n".join(lines) + "\n")
            return 0
        sys.stdout.write(page(app, options.id))
    return 0


def page(app: App, text: str) -> str:
    """Return the page of ``DETECTOR`` or ``DETECTOR/VARIANT``.

    Raises:
        UsageError: there is no such detector or variant; near names are offered.
    """
    name, _, variant = text.partition("/")
    known = {detector.CARD.id: detector for detector in app.detectors}
    if name not in known:
        import difflib

        near = difflib.get_close_matches(name, known, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; `lazaretto explain` lists them"
        raise UsageError(f"there is no detector {name!r}{hint}")
    detector = known[name]
    if variant and variant not in detector.CARD.variants:
        raise UsageError(f"{name} has no variant {variant!r} (it has: {', '.join(sorted(detector.CARD.variants))})")
    return _page(app, detector, variant)


def _page(app: App, detector: Detector, only: str) -> str:
    card = detector.CARD
    table = app.rules.table
    lines = [
        f"{card.id}: {card.title}",
        "",
        inspect.cleandoc(detector.__doc__ or ""),
        "",
        "## Variants and weights",
        "",
    ]
    for variant, meaning in card.variants.items():
        if not only or variant == only:
            row = table.weights[row_key(card.id, variant)]
            lines.append(f"- {variant} (+{row.weight:g} dB, group {row.group}): {meaning}")
    lines += ["", f"Weight table {table.version} of {table.date}: {table.status}."]
    if card.attack:
        lines.append(f"ATT&CK: {', '.join(card.attack)}")
    if card.needs:
        lines.append(f"Asked only where the registry tells: {', '.join(sorted(card.needs))}")
    return "\n".join(lines) + "\n"
