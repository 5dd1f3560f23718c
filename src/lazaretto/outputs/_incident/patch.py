"""The repairs alone, as one patch to apply with ``patch -p1`` or ``git apply`` from the root of the paths in it.

A name that would steer a terminal is spelled out; the patch of that file will then not apply, which is better.
"""

from lazaretto.app.rendering import Format, RenderOptions
from lazaretto.app.respond.response import Response
from lazaretto.core.inert import inert
from lazaretto.outputs._incident._words import plain

FORMAT = Format(name="patch", media_type="text/x-diff")


def render(response: Response, options: RenderOptions) -> str:
    """Return the patches, one after another; what must be done by hand stands before them, as comments."""
    del options
    hand = [plain(f"# by hand: {inert(one.place)}: {inert(one.by_hand)}") for one in response.repairs if one.by_hand]
    lines = [plain(line) for one in response.repairs for line in one.patch.split("\n")[:-1]]
    return "".join(f"{line}\n" for line in (*hand, *lines))
