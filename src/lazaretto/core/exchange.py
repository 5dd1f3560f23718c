"""What comes in from others and goes out to them: the items of a feed, and the key by which an indicator is found.

A value is kept as its source gives it; its *key* is the normal form in which it is looked up, so that two spellings of
one host, address or digest meet. A kind that cannot be looked up in a release has an empty key.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TypeAlias
from urllib.parse import quote, unquote

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.core.advisory import Advisory
from lazaretto.core.intel import Campaign, Confidence, Indicator, IndicatorKind, IntrusionSet, Source, Tlp, Use


class Unread(Struct, frozen=True):
    """Something of a document that was not taken: its place and the reason.

    ``broken``: it could not be understood. Otherwise it was, and is of no use here, or is no longer held true.
    """

    place: str
    reason: str
    broken: bool = True


Item: TypeAlias = Indicator | Advisory | Campaign | IntrusionSet | Unread
"""What a feed gives: see ``feeds``."""


class Told(Struct, frozen=True):
    """What whoever imports a document says of it: it counts before what the document says of itself.

    What a document tells so that nobody is hurt stays so whatever ``use`` says, and ``tlp`` only ever makes a marking
    stricter. ``ecosystem`` is that of packages that are named without one.
    """

    source: Source
    use: Use | None = None
    confidence: Confidence | None = None
    tlp: Tlp = Tlp.CLEAR
    ecosystem: str = "npm"

    def applied(self, indicator: Indicator) -> Indicator:
        """Return an indicator as it is to be kept."""
        return replace(
            indicator,
            use=indicator.use if indicator.use in NEVER_BLOCKED else self.use or indicator.use,
            confidence=self.confidence or indicator.confidence,
            tlp=stricter(self.tlp, indicator.tlp),
            sources=indicator.sources or (self.source,),
        )


class Collection(Struct, frozen=True):
    """What goes out together: what an export renders. ``at`` is the instant that it is of; ``product`` who made it."""

    product: str
    at: datetime
    indicators: tuple[Indicator, ...] = ()
    advisories: tuple[Advisory, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    actors: tuple[IntrusionSet, ...] = ()


DIGESTS = (IndicatorKind.SHA512, IndicatorKind.SHA256, IndicatorKind.SHA1, IndicatorKind.MD5)
EXACT = frozenset((*DIGESTS, IndicatorKind.PACKAGE))
"""Kinds that name one thing and nothing beside it; a host or an address may be shared with the innocent."""

NEVER_BLOCKED = frozenset((Use.KNOWN_GOOD, Use.DO_NOT_BLOCK, Use.DO_NOT_USE))
"""What is told so that nobody is hurt by a wrong list."""

_STRICTNESS = tuple(Tlp)
_HEX = {IndicatorKind.SHA512: 128, IndicatorKind.SHA256: 64, IndicatorKind.SHA1: 40, IndicatorKind.MD5: 32}
_HOST_KINDS = (IndicatorKind.DOMAIN, IndicatorKind.IPV4, IndicatorKind.IPV6)


def stricter(one: Tlp, other: Tlp) -> Tlp:
    """Return the marking that lets fewer people see it."""
    return max(one, other, key=_STRICTNESS.index)


def usual_use(kind: IndicatorKind) -> Use:
    """Return what a value is good for where its source does not say: what is exact blocks, the rest is to be hunted."""
    return Use.BLOCK if kind in EXACT else Use.HUNT


def defanged(text: str) -> str:
    """Return a value as a machine writes it: reports spell addresses so that nobody clicks on them."""
    text = text.strip()
    if text[:4].lower() == "hxxp":
        text = "http" + text[4:]
    for sign, plain in (("[.]", "."), ("(.)", "."), ("[:]", ":"), ("[://]", "://"), ("[@]", "@"), ("[at]", "@")):
        text = text.replace(sign, plain)
    return text


def key_of(indicator: Indicator) -> str:
    """Return the key of an indicator, or nothing if it cannot be looked up. A package has the key of its project."""
    kind, value = indicator.kind, indicator.value
    if kind is IndicatorKind.PACKAGE:
        parts = package_of(value)
        return "" if parts is None else f"package:{parts[0]}/{parts[1]}"
    if kind in _HEX:
        return f"digest:{value.lower()}"
    if kind in _HOST_KINDS:
        return host_key(value)
    if kind is IndicatorKind.URL:
        return url_key(value)
    return f"email:{value.lower()}" if kind is IndicatorKind.EMAIL else ""


def host_key(text: str) -> str:
    """Return the key of a host name or address."""
    return f"host:{text.strip('[].').lower()}"


def url_key(text: str) -> str:
    """Return the key of an address with its path: the host is in lower case, and a last slash says nothing."""
    scheme, mark, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    return f"url:{scheme.lower()}{mark}{host.lower()}{slash}{path}".rstrip("/")


def package_of(purl: str) -> tuple[str, str, str] | None:
    """Return ecosystem, name and version (empty: all) of a package URL as written, or None if it is none.

    Only what a registry's client knows: a namespace is npm's scope, and qualifiers are left out.
    """
    found = _PURL.fullmatch(purl)
    if found is None:
        return None
    ecosystem, name, version = found.groups()
    return ecosystem.lower(), unquote(name), unquote(version or "")


def purl_of(ecosystem: str, name: str, version: str) -> str:
    """Return the package URL of a release; without a version that of the project."""
    at = f"@{quote(version, safe=':')}" if version else ""
    return f"pkg:{ecosystem}/{quote(name, safe='/:')}{at}"


def is_digest(kind: IndicatorKind, value: str) -> bool:
    """Whether a value can be a digest of this kind."""
    return len(value) == _HEX.get(kind) and _HEXADECIMAL.fullmatch(value) is not None


def hosts_in(text: str) -> Iterator[str]:
    """Yield every host name and IPv4 address in a text, and the names that it stands under, each in lower case."""
    for found in _HOST.findall(text.lower()):
        yield found
        if not found.rpartition(".")[2].isdigit():
            labels = found.split(".")
            for start in range(1, len(labels) - 1):
                yield ".".join(labels[start:])


def urls_in(text: str) -> Iterator[str]:
    """Yield every address with a scheme in a text."""
    yield from _URL.findall(text)


def emails_in(text: str) -> Iterator[str]:
    """Yield every e-mail address in a text, in lower case."""
    yield from (found.lower() for found in _EMAIL.findall(text))


_PURL = re.compile(r"pkg:([A-Za-z0-9.+-]+)/([^?#\s]+?)(?:@([^@/?#\s]+))?(?:[?#]\S*)?")
_HEXADECIMAL = re.compile("[0-9A-Fa-f]+")
_HOST = re.compile(r"(?<![\w.-])(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)+[a-z0-9-]{1,63}(?![\w-])")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s'\"<>`\\]+")
_EMAIL = re.compile(r"[\w.+-]{1,64}@(?:[\w-]+\.)+\w+")


SURE = frozenset((Confidence.HIGH, Confidence.MEDIUM))
"""What is sure enough to block. Everything else that is told to be blocked is for a person."""


def active(indicator: Indicator, now: datetime) -> bool:
    """Whether an indicator is held true at an instant."""
    begun = indicator.valid_from is None or indicator.valid_from <= now
    return begun and (indicator.valid_until is None or now < indicator.valid_until)
