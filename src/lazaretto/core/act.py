"""What people and the firewall itself did, each act sealed to the one before it: a chain that shows what is missing.

The seal of an act is a SHA-256 over all its fields and the seal before it. Whoever changes, leaves out or puts in an
act afterwards must write every later seal anew; whoever kept the last seal elsewhere sees that.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.structs import replace

FIRST = "0" * 64
"""What stands before the first act."""


class Act(Struct, frozen=True):
    """One act: who did what, to what, why, until when. ``previous`` and ``seal`` are hexadecimal SHA-256."""

    at: datetime
    who: str
    what: str
    subject: str
    reason: str
    until: datetime | None = None
    previous: str = ""
    seal: str = ""


def sealed(act: Act, previous: str) -> Act:
    """Return an act with its place in the chain."""
    placed = replace(act, previous=previous, seal="")
    return replace(placed, seal=_seal(placed))


def broken_at(acts: Iterable[Act]) -> tuple[int, str] | None:
    """Return the number of the first act (from 1) that is not as it was written, and why; None if all are."""
    previous = FIRST
    for number, act in enumerate(acts, 1):
        if act.previous != previous:
            return number, "it does not follow the act before it: one was removed, put in, or changed"
        if act.seal != _seal(replace(act, seal="")):
            return number, "it was changed after it was written"
        previous = act.seal
    return None


def _seal(act: Act) -> str:
    return sha256(msgspec.json.encode(act, order="deterministic")).hexdigest()
