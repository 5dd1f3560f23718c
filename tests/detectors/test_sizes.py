"""Sizes and costs: what counts as a leap, and what explains one."""

from lazaretto.core.facts import Reach
from lazaretto.detectors import import_cost_grown, size_out_of_habit
from tests.detectors.updates import update, view

HELPER = "module.exports = 1;\n"
WORDS = "words and words\n" * 400_000
PROGRAM = "exports.a = 1;\n" * 40_000


def test_a_package_that_grew_tenfold() -> None:
    """A package is told by its largest file; one that was large already may grow."""
    small, large = view({"index.js": HELPER}), view({"index.js": HELPER, "words.txt": WORDS})
    found = list(size_out_of_habit.detect(update(small, large)))

    assert [finding.variant for finding in found] == ["package-grown"]
    assert [one.path for one in found[0].evidence] == ["words.txt"]
    assert list(size_out_of_habit.detect(update(large, view({"index.js": HELPER, "words.txt": WORDS * 2})))) == []


def test_a_file_at_the_top_that_something_accounts_for() -> None:
    """A bundle that moved, one that the line's code outweighs, and one inside a folder are left alone."""
    bundle = {"index.js": HELPER, "bundle.js": PROGRAM}

    assert [f.variant for f in size_out_of_habit.detect(update(view({"index.js": HELPER}), view(bundle)))] == [
        "file-at-the-top"
    ]
    for before in ({"index.js": HELPER, "old.js": PROGRAM}, {"index.js": HELPER, "lib/all.js": PROGRAM + PROGRAM}):
        kept = {path: text for path, text in before.items() if path != "old.js"}
        assert list(size_out_of_habit.detect(update(view(before), view({**kept, "bundle.js": PROGRAM})))) == []
    assert list(size_out_of_habit.detect(update(view({"index.js": HELPER}), view({"dist/bundle.js": PROGRAM})))) == []


def test_only_what_is_loaded_costs() -> None:
    """The same program costs nothing where no import leads to it."""
    after = {"index.js": HELPER, "lib/all.js": PROGRAM}
    for reach, expected in ((Reach.IMPORT, ["tenfold"]), (Reach.CALL, []), (Reach.UNREACHED, [])):
        found = import_cost_grown.detect(update(view({"index.js": HELPER}), view(after, reaches={"lib/all.js": reach})))
        assert [finding.variant for finding in found] == expected
