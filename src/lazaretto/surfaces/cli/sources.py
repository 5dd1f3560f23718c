"""``--source``: the repository that the user wants a release to be compared with."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lazaretto.app.ask import Asker


def against(asker: "Asker", options: argparse.Namespace) -> "Asker":
    """Return the asker, told to compare with the repository if the options name one."""
    if options.source is None:
        return asker
    from lazaretto.app.sourced import Sourcer
    from lazaretto.infra.source_git import GitSource

    return asker.against(Sourcer(GitSource(), options.source, required=options.source_required))
