"""What a fuzzer found once holds for ever: the targets of ``evals/fuzz`` on their seeds, and on every kept finding.

A finding lies in ``tests/data/found/<target>/``, as the bytes that the target was given.
"""

import pytest

from evals.fuzz.targets import FOUND, Target, targets

TARGETS = targets()
KEPT = sorted(path for path in FOUND.glob("*/*") if path.is_file())


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_targets_hold_on_their_seeds(target: Target) -> None:
    """Every parser has a target that can be run: what it asks holds of ordinary input and of none."""
    assert target.seeds
    for data in (b"", b"\0", *target.seeds[:20]):
        target.check(data)


def test_what_was_found_is_mended() -> None:
    """An input that broke a parser once does not break it again."""
    for path in KEPT:
        TARGETS[path.parent.name].check(path.read_bytes())


def test_every_plug_in_is_fuzzed() -> None:
    """No language, lockfile, output, feed or ecosystem is without a target: they are found, not listed."""
    kinds = {"archive", "language", "lockfile", "output", "feed", "page", "versions", "manifest"}

    assert kinds <= {name.partition("-")[0] for name in TARGETS}
