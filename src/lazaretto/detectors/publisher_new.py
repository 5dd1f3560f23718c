"""This update was published by somebody who never published this project before.

## What it detects
A publishing account that no earlier release names; a known account with another e-mail address; an account that has
not published for long and many releases; the first release by a trusted publisher; and a publisher that the registry
used to tell for this project and tells no longer.

## Why it matters
Whoever takes over an account changes its address first: both axios releases of 2026-03-31 came from the maintainer's
name with a new e-mail. New maintainers are honest as a rule, so alone this weighs little.

## What it misses
A stolen token of the usual account, or a hijacked release pipeline; registries that do not tell who publishes.

## References
- *Release-path discontinuity* in npm (arXiv 2606.22593)
- MITRE ATT&CK T1078, Valid Accounts
"""

from collections.abc import Iterator
from datetime import timedelta

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.habit import is_settled, published_earlier
from lazaretto.core.model import Provided, Publisher, Release
from lazaretto.core.question import index_place, package_json, shown
from lazaretto.core.update import Update

CARD = Card(
    id="publisher-new",
    title="Publisher new to the project",
    variants={
        "email-changed": "A known account publishes with an e-mail address that it never had.",
        "new-account": "The account never published a release of this project.",
        "withdrawn": "The registry used to tell who publishes this project, and does not for this release.",
        "returned": "The account has not published for more than a year and ten releases.",
        "trusted-publisher": "The release is the first by a trusted publisher.",
    },
    group="publisher",
    why="A taken account or token is the usual way into a package.",
    attack=("T1195.002", "T1078"),
    needs=frozenset({Provided.PUBLISHER}),
)

LONG_AGO = timedelta(days=365)
MANY_RELEASES = 10

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"}
_AFTER = {"package.json": package_json("1.0.1"), "index.js": "module.exports = 2;\n"}
_KEEPER = "keeper <keeper@mail.invalid>"


def _world(after: str, **more: object) -> dict[str, object]:
    return {
        "history": [{"version": "0.9.0", "published": "2025-06-01T00:00:00Z", "publisher": _KEEPER}],
        "before": {"publisher": _KEEPER},
        "after": {"publisher": after, **more},
    }


EXAMPLES = (
    Example(
        title="the usual account publishes with another address",
        before=_BEFORE,
        after=_AFTER,
        world=_world("keeper <keeper@proton.invalid>"),
        expect="email-changed",
        at="index:publisher:0",
    ),
    Example(
        title="an account that nobody has seen",
        before=_BEFORE,
        after=_AFTER,
        world=_world("helper <helper@mail.invalid>"),
        expect="new-account",
        at="index:publisher:0",
    ),
    Example(title="the usual account", before=_BEFORE, after=_AFTER, world=_world(_KEEPER)),
    Example(
        title="the second maintainer, who published an earlier release",
        before=_BEFORE,
        after=_AFTER,
        world={
            "history": [
                {"version": "0.9.0", "published": "2025-06-01T00:00:00Z", "publisher": "second <s@mail.invalid>"}
            ],
            "before": {"publisher": _KEEPER},
            "after": {"publisher": "second <s@mail.invalid>"},
        },
    ),
    Example(
        title="the project begins to publish from its pipeline",
        before=_BEFORE,
        after=_AFTER,
        world=_world("Pipeline <pipeline@mail.invalid>", trusted_publisher=True),
        expect="trusted-publisher",
        at="index:publisher:0",
    ),
)


def detect(update: Update) -> Iterator[Finding]:
    """Yield at most one finding; none at first contact or where no earlier publisher is known."""
    told = [release for release in published_earlier(update) if release.publisher is not None]
    known = [release for release in told if is_settled(update, release)] or told
    if update.first_contact or not known:
        return
    publisher = update.after.publisher
    last = known[0].publisher
    if publisher is None:
        if last and last.trusted and not update.after.attested:
            return  # such a publisher is known from the attestation alone, and provenance-lost asks for that
        reason = "the registry does not tell who published it, and did for earlier releases"
        message = f"This update does not say who published it: {reason}"
        yield Finding(CARD.id, "withdrawn", message, (index_place(update, "publisher", reason),))
        return
    variant = _variant(publisher, known)
    if variant:
        who = shown(f"{publisher.name} <{publisher.email}>" if publisher.email else publisher.name)
        before = shown(f"{last.name} <{last.email}>" if last and last.email else last.name if last else "")
        message = f"This update {_MESSAGES[variant]}: {who}; the release before it by {before}"
        yield Finding(CARD.id, variant, message, (index_place(update, "publisher", f"{who}, before: {before}"),))


_MESSAGES = {
    "email-changed": "was published by a known account with an e-mail address that it never had",
    "new-account": "was published by an account that never published this project",
    "returned": "was published by an account that had not published for long",
    "trusted-publisher": "is the first that a trusted publisher published",
}


def _variant(publisher: Publisher, known: list[Release]) -> str | None:
    name, email = publisher.identity
    same_name = [release for release in known if release.publisher and release.publisher.identity[0] == name]
    if not same_name:
        never_trusted = not any(release.publisher and release.publisher.trusted for release in known)
        return "trusted-publisher" if publisher.trusted and never_trusted else "new-account"
    emails = {release.publisher.identity[1] for release in same_name if release.publisher} - {""}
    if email and emails and email not in emails:
        return "email-changed"
    return "returned" if _long_absent(known, same_name[0]) else None


def _long_absent(known: list[Release], last: Release) -> bool:
    """Whether ``last``, the account's newest release, lies far back, by time and by number of releases."""
    newest = known[0].published
    if newest is None or last.published is None or newest - last.published < LONG_AGO:
        return False
    return known.index(last) >= MANY_RELEASES
