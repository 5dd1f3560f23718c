"""This update names no source commit, though the releases before it did.

## What it detects
A release without the commit (`gitHead`) that the npm client records when it publishes from a Git work tree, where at
least three releases in a row before it had one.

## Why it matters
Someone who repacks an archive with a stolen token has no work tree. Some 51 of 75 documented incidents had no matching
tag or commit.

## What it misses
Lines that never recorded it; attackers who publish from a clone. Tools that pack first and publish the archive lose
it in good faith, so alone this weighs little.

## References
- npm documentation, *npm publish*
- MITRE ATT&CK T1195.002
"""

from collections.abc import Iterator

from lazaretto.core.finding import Card, Example, Finding
from lazaretto.core.habit import earlier
from lazaretto.core.model import Provided
from lazaretto.core.question import index_place, package_json
from lazaretto.core.update import Update

CARD = Card(
    id="git-head-lost",
    title="Source commit no longer named",
    variants={"lost": "Three or more releases in a row before it name their commit, and this one names none."},
    group="provenance",
    why="Who repacks an archive has no commit to name.",
    attack=("T1195.002",),
    needs=frozenset({Provided.GIT_HEAD}),
)

HABIT = 3

_BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"}
_AFTER = {"package.json": package_json("1.0.1"), "index.js": "module.exports = 2;\n"}


def _world(*, habit: bool, after: bool) -> dict[str, object]:
    history = [{"version": v, "published": "2025-06-01T00:00:00Z", "git_head": habit} for v in ("0.8.0", "0.9.0")]
    return {"history": history, "before": {"git_head": habit}, "after": {"git_head": after}}


EXAMPLES = (
    Example(
        title="the fourth release of a line names no commit",
        before=_BEFORE,
        after=_AFTER,
        world=_world(habit=True, after=False),
        expect="lost",
        at="index:git-head:0",
    ),
    Example(
        title="the same with nothing but the manifest changed",
        before=_BEFORE,
        after={**_BEFORE, "package.json": _AFTER["package.json"]},
        world=_world(habit=True, after=False),
        expect="lost",
        at="index:git-head:0",
    ),
    Example(title="a line that never named one", before=_BEFORE, after=_AFTER, world=_world(habit=False, after=False)),
    Example(title="a line that names its commits", before=_BEFORE, after=_AFTER, world=_world(habit=True, after=True)),
)


def detect(update: Update) -> Iterator[Finding]:
    """Yield at most one finding; none at first contact."""
    habit = earlier(update)[:HABIT]
    if update.first_contact or update.after.git_head or len(habit) < HABIT or not all(r.git_head for r in habit):
        return
    told = f"no source commit is named; the {HABIT} releases before it name theirs"
    message = f"This update comes from no known commit: {told}"
    yield Finding(CARD.id, "lost", message, (index_place(update, "git-head", told),))
