"""The repairs alone, as one patch to apply with ``patch -p1`` or ``git apply`` from the root of the paths in it.

A name that would steer a terminal is spelled out; the patch of that file will then not apply, which is better.
"""

from lazaretto.app.rendering import Format, RenderOptions
from lazaretto.app.respond.response import Response
from lazaretto.core.inert import inert

FORMAT = Format(name="patch", media_type="text/x-diff")


def render(response: Response, options: RenderOptions) -> str:
    """Return the patches, one after another; what must be done by hand stands before them, as comments."""
    del options
    hand = [
        f"# by hand: {inert(one.place, 1000)}: {inert(one.by_hand, 600)}" for one in response.repairs if one.by_hand
    ]
    lines = [_line(line) for one in response.repairs for line in one.patch.split("\n")[:-1]]
    return "".join(f"{line}\n" for line in (*hand, *lines))


def _line(line: str) -> str:
    return "\t".join(inert(part) for part in line.split("\t"))  # a tab is part of many manifests, and harmless
