"""Puts imported intelligence before the gate, beside the advisories."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from lazaretto.app.intelligence.obey import Pages, Rules
from lazaretto.app.intelligence.ports import Book, IntelligenceError, Named
from lazaretto.app.shelf import Advice, Advise
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.policy import Outcome
from lazaretto.core.standing import Decision, Identity, Known


class _Heeding(Advice, frozen=True, kw_only=True):
    """Advice that looks at digests, too, where what the ledger says of a project's artifacts is put beside it."""

    pages: Pages

    def known(self, identities: Sequence[Identity], decisions: Sequence[Decision]) -> Known:
        """Return it together with what the ledger says: a version one of whose artifacts is named is refused."""
        known = super().known(identities, decisions)
        versions = [(one.told, one.version) for one in identities]
        versions += [(one.sha256, one.version) for one in decisions if one.sha256 is not None]
        try:
            said = self.pages.bytes_said({digest for digest, _ in versions})
        except IntelligenceError:
            return replace(known, advised=None)
        if not said or known.advised is None:
            return known
        advised, held, since = dict(known.advised), set(known.held), dict(known.since)
        for digest, version in sorted(versions):
            if digest not in said:
                continue
            if said[digest].demand is Outcome.HOLD and version not in advised:
                held.add(version)
            elif said[digest].demand is Outcome.BLOCK:
                held.discard(version)
            advised.setdefault(version, "; ".join(said[digest].demands))
            if (latest := self.pages.latest) is not None:
                since[version] = max(latest, since.get(version, latest))
        fixes = {version: cure for version, cure in known.fixes.items() if version not in advised}
        return replace(known, advised=advised, held=frozenset(held), since=since, fixes=fixes)


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
            return Advice(None, {}, since)
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
        return _Heeding(against, fixes, since, held, pages=pages)

    return advise
