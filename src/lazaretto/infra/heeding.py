"""Puts imported intelligence before the gate, beside the advisories."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from lazaretto.app.intelligence.obey import Pages, Rules
from lazaretto.app.intelligence.ports import Book, IntelligenceError, Named
from lazaretto.app.shelf import Advice, Advise
from lazaretto.core.names import ProjectName, Version


def advising(
    inner: Advise, book: Book, orders: Mapping[str, Named], rules: Rules | None, now: Callable[[], datetime]
) -> Advise:
    """Return what says to the gate what ``inner`` says, and what was imported.

    Where the intelligence cannot be asked, or a source that the settings want is missing or too old, nothing can be
    said of a release, as with advisories that are too old.
    """
    pages = Pages(book, orders, rules or Rules(), now)

    def advise(ecosystem: str, name: ProjectName, versions: Sequence[Version]) -> Advice:
        advice = inner(ecosystem, name, versions)
        try:
            said = pages.said(ecosystem, name, versions)
            lacking = pages.lacking()
        except IntelligenceError:
            return replace(advice, against=None)
        since = {
            **advice.since,
            **{version: max(at, advice.since.get(version, at)) for version, at in said.since.items()},
        }
        if advice.against is None or lacking:
            return replace(advice, against=None, fixes={}, since=since)
        against = dict(said.against)
        for version, reason in advice.against.items():
            against[version] = f"{reason}; {against[version]}" if version in against else reason
        # Held only where nobody blocks it.
        held = frozenset(
            version
            for version in against
            if (version not in advice.against or version in advice.held)
            and (version not in said.against or version in said.held)
        )
        fixes = {version: cure for version, cure in advice.fixes.items() if version not in said.against}
        return Advice(against, fixes, since, held)

    return advise
