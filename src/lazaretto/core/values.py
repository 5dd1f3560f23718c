"""Whether a value can be what its kind says, and which may stand where a machine blocks.

What is none is told where it comes in, and never leaves as a pattern: whoever reads the export may be less strict.
"""

import re
from collections.abc import Iterator, Mapping

from lazaretto.core.exchange import (
    DIGESTS,
    NEVER_BLOCKED,
    SURE,
    Collection,
    active,
    is_digest,
    key_of,
    package_of,
)
from lazaretto.core.intel import Indicator, IndicatorKind, Use

IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}", re.ASCII)
IPV6 = re.compile(r"(?=.*:.*:)[0-9A-Fa-f:]{2,39}(?:\.\d{1,3}){0,3}", re.ASCII)
DOMAIN = re.compile(r"(?:\*\.)?(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})\.)+[A-Za-z][A-Za-z0-9-]{1,62}\.?", re.ASCII)
EMAIL = re.compile(r"[\w.+-]{1,64}@(?:[\w-]+\.)+\w+", re.ASCII)
_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{1,15}://)?[^\s'\"<>`\\]+")
_CIDR = re.compile(r"[0-9A-Fa-f.:]{2,43}/\d{1,3}", re.ASCII)

_FORMS: Mapping[IndicatorKind, tuple[re.Pattern[str], str]] = {
    IndicatorKind.IPV4: (IPV4, "is no IPv4 address"),
    IndicatorKind.IPV6: (IPV6, "is no IPv6 address"),
    IndicatorKind.CIDR: (_CIDR, "is no network"),
    IndicatorKind.DOMAIN: (DOMAIN, "is no name of a host"),
    IndicatorKind.EMAIL: (EMAIL, "is no e-mail address"),
    IndicatorKind.URL: (_URL, "is no address"),
}


def refused(kind: IndicatorKind, value: str, use: Use) -> str:
    """Return why an indicator is not taken, or nothing: what is told as a widely copied error may well be none."""
    return "" if use in NEVER_BLOCKED else wrong(kind, value)


def wrong(kind: IndicatorKind, value: str) -> str:
    """Return why a value cannot be of its kind, or nothing."""
    if kind in DIGESTS:
        return "" if is_digest(kind, value) else f"is no {kind}"
    if kind is IndicatorKind.PACKAGE:
        return "" if package_of(value) is not None else "is no package URL"
    if kind in _FORMS:
        form, reason = _FORMS[kind]
        return "" if form.fullmatch(value) else reason
    return ""


def blockable(collection: Collection) -> Iterator[Indicator]:
    """Yield what may stand in a list that a machine blocks by, each value once.

    It is told to be blocked, by somebody who is sure, now, and by nobody to be good.
    """
    good = {_identity(one) for one in collection.indicators if one.use in NEVER_BLOCKED}
    seen: set[str] = set()
    for one in sorted(collection.indicators, key=lambda one: (one.kind, one.value)):
        key = _identity(one)
        sure = one.use is Use.BLOCK and one.confidence in SURE and active(one, collection.at)
        if sure and not wrong(one.kind, one.value) and key not in good and key not in seen:
            seen.add(key)
            yield one


def _identity(indicator: Indicator) -> str:
    parts = package_of(indicator.value) if indicator.kind is IndicatorKind.PACKAGE else None
    own = f"{indicator.kind}:{indicator.value}" if parts is None else "@".join(parts)
    return own if parts is not None else key_of(indicator) or own
