"""Lines of servers: which request each of them tells of. Shared by what reads such logs and what leaves them be."""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from lazaretto.app.inventory.ports import Disk, InventoryError

MAX_LINE = 16_384
"""Longest line that is read; of a longer one the beginning."""

_LOOKED_AT = 200
_NOBODY = frozenset({"", "-", "anonymous", "non_authenticated_user", "non_authenticated", "na"})
_COMBINED = re.compile(r'(\S{1,255}) \S+ (\S{1,255}) \[([^\]]{10,40})\] "[A-Z]{3,8} (\S{1,4000})[^"]*" (\d{3}) ')
_VERDACCIO = re.compile(
    r"(\d{3}), user: ([^\s(]{1,200})\(([^)\s]{0,200})[^)]{0,200}\), req: '[A-Z]{1,8} ([^\s']{1,4000})'"
)
_PIPED = re.compile(
    r"(\d{4}-\d\d-\d\dT[\d:.]{8,15}(?:Z|[+-]\d\d:?\d\d))\|[^|]{0,100}\|([^|]{1,255})\|([^|]{0,255})\|[A-Z]{3,8}\|([^|\s]{1,4000})"
    r"\|(\d{3})\|"
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]{2,12}Z?")


class _Request(msgspec.Struct):
    method: Any = None
    url: Any = None


class _Line(msgspec.Struct):
    request: _Request | None = None
    status: Any = None
    time: Any = None
    user: Any = None
    remote: Any = msgspec.field(default=None, name="remoteIP")


_LINE = msgspec.json.Decoder(_Line)
Asked = tuple[datetime | None, str, str, int]
"""When, by whom, what was asked for, and the status of the answer."""


def recognised(target: str, disk: Disk) -> bool:
    """Whether one of the first lines of a file is that of a server."""
    try:
        for number, raw in enumerate(disk.lines(target, MAX_LINE)):
            if asked(raw) is not None:
                return True
            if number >= _LOOKED_AT:
                return False
    except InventoryError:
        return False  # whoever reads it says what is wrong
    return False


def asked(raw: bytes) -> Asked | None:
    """Return when, by whom and what was asked for, and the answer; None if the line is no request's."""
    if raw.startswith(b"{"):
        return _json(raw)
    text = raw.decode("utf-8", "replace")
    match = _COMBINED.match(text)
    if match is not None:
        address, user, time, url, status = match.groups()
        client = address if user == "-" else f"{user} at {address}"
        return _common_time(time), client, url, int(status)
    piped = _PIPED.match(text)
    if piped is not None:
        time, address, user, url, status = piped.groups()
        client = address if user in _NOBODY else f"{user} at {address}"
        return _iso(time), client, url, int(status)
    if "req: '" not in text:
        return None
    match = _VERDACCIO.search(text)
    if match is None:
        return None
    status, user, address, url = match.groups()
    told = _INSTANT.search(text, 0, match.start())
    client = address if user in {"null", "-"} else f"{user} at {address}"
    return _iso(told.group() if told else None), client, url, int(status)


def _json(raw: bytes) -> Asked | None:
    """Return the same of a line that Verdaccio wrote as JSON."""
    try:
        line = _LINE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if line.request is None or not isinstance(line.request.url, str) or not isinstance(line.status, int):
        return None
    at = None
    if isinstance(line.time, int | float) and 0 < line.time < 4e12:
        at = datetime.fromtimestamp(line.time / 1000, UTC)
    elif isinstance(line.time, str):
        at = _iso(line.time)
    client = " at ".join(str(one) for one in (line.user, line.remote) if one)
    return at, client, line.request.url, line.status


def _common_time(text: str) -> datetime | None:
    """Return the time of a common log line, ``31/Mar/2026:00:25:12 +0000``; its months are English everywhere."""
    match = re.fullmatch(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})", text)
    if match is None or match.group(2) not in _MONTHS:
        return None
    day, month, year, time, zone = match.groups()
    return _iso(f"{year}-{_MONTHS.index(month) + 1:02}-{day}T{time}{zone}")


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _iso(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
