"""What people and the firewall itself did, as the content of an entry of the chain (``core.chain``)."""

from datetime import UTC, datetime

from msgspec import Struct

from lazaretto.core.chain import Content


class Act(Struct, frozen=True):
    """One act: who did what, to what, why, and until when it counts."""

    at: datetime
    who: str
    what: str
    subject: str
    reason: str
    until: datetime | None = None


def content(act: Act) -> Content:
    """Return what the chain seals: texts alone, times in UTC. What cannot be written in UTF-8 is replaced."""
    return {
        "at": _instant(act.at),
        "who": _text(act.who),
        "what": _text(act.what),
        "subject": _text(act.subject),
        "reason": _text(act.reason),
        "until": _instant(act.until) if act.until is not None else None,
    }


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")
