"""A sweep of one machine for what a campaign leaves behind: which indicators can be looked for, and how. Pure.

How an indicator may be used decides what it is good for: ``block`` and ``hunt`` are looked for, ``do_not_block`` is
told where it is met (a file of the system under another name), and the others are never sought.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from msgspec import Struct

from lazaretto.core.hive.spots import NoSpot, Spot, spots
from lazaretto.core.intel import Confidence, Indicator, IndicatorKind, Use

SCHEMA = "1"


class RegistryEntry(Struct, frozen=True):
    """A key of a registry, or a value of it (``value`` is its name, empty for the default one; None: the key itself).

    ``written`` is when the key was last changed, in UTC; None if it does not say.
    """

    key: str
    value: str | None
    written: datetime | None


class Found(Struct, frozen=True):
    """One thing that was found: where, what it is there, and the indicator that it fits.

    ``known`` says that it is told and no reason to act: a harmless file that is met beside such things. ``registry``
    is what was found in the registry, whose hive ``where`` is.
    """

    where: str
    kind: IndicatorKind
    value: str
    use: Use
    confidence: Confidence
    what: str
    context: str = ""
    known: bool = False
    registry: RegistryEntry | None = None


class HostReport(Struct, frozen=True):
    """What a sweep found, what it was not able to look at, and what it does not look for."""

    schema: str
    product: str
    root: str
    campaign: str
    looked: datetime
    indicators: int
    files: int
    processes: int
    connections: int
    found: tuple[Found, ...]
    not_sought: tuple[str, ...]
    unread: tuple[str, ...]
    notes: tuple[str, ...]
    hives: int = 0


class PathPattern(Struct, frozen=True):
    """Where a file would lie: the parts of its path below the root, each a shell pattern; ``deep``: anywhere below."""

    indicator: Indicator
    parts: tuple[str, ...]
    deep: bool = False
    folder: bool = False


class Sought(Struct, frozen=True):
    """What one sweep looks for."""

    paths: tuple[PathPattern, ...]
    digests: dict[str, Indicator]
    networks: tuple[tuple[IPv4Network | IPv6Network, int | None, Indicator], ...]
    words: tuple[tuple[re.Pattern[str], Indicator], ...]
    registry: tuple[tuple[tuple[Spot, ...], Indicator], ...]
    not_sought: tuple[str, ...]


DIGESTS = {IndicatorKind.SHA512: 128, IndicatorKind.SHA256: 64, IndicatorKind.SHA1: 40, IndicatorKind.MD5: 32}
"""Kinds of digests, and how many hexadecimal digits each has."""

HOMES = ("root", "home/*", "Users/*", "Documents and Settings/*", "var/root")
"""Where homes lie, on any system whose disk may be mounted here."""

TEMPORARY = ("tmp", "var/tmp", "dev/shm", "private/tmp", "private/var/tmp", "Windows/Temp", "Temp")
"""Where every program may write."""

HAUNTS = (
    *TEMPORARY,
    "ProgramData",
    "Library/Caches",
    "private/var/folders/*/*/T",
    "Users/*/AppData/Local/Temp",
    "Users/*/Library/Caches",
)
"""Folders whose files are hashed: what is dropped is dropped here."""

_VARIABLES = {
    "%programdata%": ("ProgramData",),
    "%allusersprofile%": ("ProgramData",),
    "%temp%": ("Users/*/AppData/Local/Temp", "Windows/Temp"),
    "%tmp%": ("Users/*/AppData/Local/Temp", "Windows/Temp"),
    "%localappdata%": ("Users/*/AppData/Local",),
    "%appdata%": ("Users/*/AppData/Roaming",),
    "%userprofile%": ("Users/*",),
    "%public%": ("Users/Public",),
    "%windir%": ("Windows",),
    "%systemroot%": ("Windows",),
    "%programfiles%": ("Program Files", "Program Files (x86)"),
    "$tmpdir": ("tmp", "var/tmp", "private/tmp", "private/var/folders/*/*/T"),
    "~": HOMES,
    "$home": HOMES,
}
_PLACEHOLDER = re.compile(r"<[^<>]{1,40}>")
_DRIVE = re.compile(r"(?i)[a-z]:")
_MIN_LITERAL = 3
"""Fewest letters and digits that the last part of a path must have to be looked for: less would fit everything."""

_WORD_KINDS = {
    IndicatorKind.DOMAIN,
    IndicatorKind.URL,
    IndicatorKind.IPV4,
    IndicatorKind.IPV6,
    IndicatorKind.HTTP_BODY,
    IndicatorKind.STRING,
    IndicatorKind.MUTEX,
    IndicatorKind.FILE_PATH,
}
_MIN_WORD = 6


def sought(indicators: Iterable[Indicator], at: datetime) -> Sought:
    """Return what of the indicators a sweep looks for, and in words what it does not, and why."""
    paths: list[PathPattern] = []
    digests: dict[str, Indicator] = {}
    networks: list[tuple[IPv4Network | IPv6Network, int | None, Indicator]] = []
    words: list[tuple[re.Pattern[str], Indicator]] = []
    registry: list[tuple[tuple[Spot, ...], Indicator]] = []
    left: dict[str, None] = {}
    for one in indicators:
        if one.use not in {Use.BLOCK, Use.HUNT, Use.DO_NOT_BLOCK}:
            continue
        if (one.valid_until and one.valid_until < at) or (one.valid_from and one.valid_from > at):
            left[f"{one.kind} {one.value}: not valid at this time"] = None
            continue
        if one.kind in DIGESTS:
            if len(one.value) == DIGESTS[one.kind] and re.fullmatch(r"[0-9a-fA-F]+", one.value):
                digests[one.value.lower()] = one
            else:
                left[f"{one.kind} {one.value}: has not the length of one"] = None
            continue
        if one.use is Use.DO_NOT_BLOCK:
            continue
        if one.kind is IndicatorKind.FILE_PATH:
            patterns = tuple(where_it_lies(one))
            paths += patterns
            if not patterns:
                left[f"{one.kind} {one.value}: would fit too much"] = None
        elif one.kind is IndicatorKind.REGISTRY_VALUE:
            registry += _in_registry(one, left)
        elif one.kind is IndicatorKind.PROCESS and "->" in one.value:
            left[f"{one.kind} {one.value}: described in words, which nothing is compared with"] = None
        networks += _networks(one)
        pattern = _word(one)
        if pattern is not None:
            words.append((pattern, one))
    return Sought(tuple(paths), digests, tuple(networks), tuple(words), tuple(registry), tuple(left))


def _in_registry(one: Indicator, left: dict[str, None]) -> Iterator[tuple[tuple[Spot, ...], Indicator]]:
    """Yield an indicator with where it would lie in a registry, or write down that it would nowhere."""
    try:
        yield spots(one.value), one
    except NoSpot as reason:
        left[f"{one.kind} {one.value}: {reason}"] = None


def where_it_lies(one: Indicator) -> Iterator[PathPattern]:
    """Yield where a file of this path would lie below a root."""
    text = _PLACEHOLDER.sub("*", one.value.strip()).replace("\\", "/")
    folder = text.endswith("/")
    parts = [part for part in text.split("/") if part not in {"", "."}]
    if not parts or ".." in parts or len(re.sub(r"[^0-9A-Za-z]", "", parts[-1])) < _MIN_LITERAL:
        return
    head = parts[0].lower()
    if head in _VARIABLES:
        for start in _VARIABLES[head]:
            yield PathPattern(one, (*start.split("/"), *parts[1:]), folder=folder)
    elif _DRIVE.fullmatch(head) and len(parts) > 1:
        yield PathPattern(one, tuple(parts[1:]), folder=folder)
    elif text.startswith("/"):
        yield PathPattern(one, tuple(parts), folder=folder)
        if head in {"tmp", "var"}:  # where macOS keeps what these names link to
            yield PathPattern(one, ("private", *parts), folder=folder)
    elif not head.startswith(("%", "$")):
        yield PathPattern(one, tuple(parts), deep=True, folder=folder)


def _networks(one: Indicator) -> Iterator[tuple[IPv4Network | IPv6Network, int | None, Indicator]]:
    """Yield the addresses that a connection to would be of interest: hosts, ranges, and those within a URL."""
    text, port = one.value.strip(), None
    if one.kind is IndicatorKind.URL:
        text = text.partition("://")[2] or text
        text = text.partition("/")[0]
    elif one.kind not in {IndicatorKind.IPV4, IndicatorKind.IPV6, IndicatorKind.CIDR}:
        return
    if text.count(":") == 1:
        text, _, number = text.partition(":")
        port = int(number) if number.isdecimal() else None
    try:
        yield ip_network(text.strip("[]"), strict=False), port, one
    except ValueError:
        return


def _word(one: Indicator) -> re.Pattern[str] | None:
    """Return what finds the indicator in the words of a command, whole: no piece of a longer name."""
    text = one.value.strip().rstrip("/")
    if one.kind is IndicatorKind.PROCESS:
        if "->" in text or len(text) < _MIN_WORD:
            return None
        return re.compile(re.escape(text), re.IGNORECASE)
    plain = not ({"<", "*", "%", "$", "~"} & set(text))
    if one.kind not in _WORD_KINDS or not plain or len(text) < _MIN_WORD:
        return None
    if one.kind is IndicatorKind.FILE_PATH and not text.startswith("/"):
        return None
    before = r"[\w-]" if one.kind is IndicatorKind.DOMAIN else r"[\w.-]"  # a host below the domain is the domain's
    return re.compile(rf"(?<!{before}){re.escape(text)}(?![\w-])", re.IGNORECASE)


def fits(pattern: PathPattern, where: str, what: str) -> Found:
    """Return what it means that something lies at the path of a pattern."""
    one = pattern.indicator
    return Found(where, one.kind, one.value, one.use, one.confidence, what, one.context)


def entry_fits(where: str, entry: RegistryEntry, one: Indicator) -> Found:
    """Return what it means that a hive has this key or value. Its data is not told: there may be a password in it."""
    thing = "the key" if entry.value is None else f"the value {entry.value or '(default)'} of"
    since = f", last written {entry.written:%Y-%m-%dT%H:%M:%SZ}" if entry.written is not None else ""
    what = f"{thing} {entry.key}{since}"
    return Found(where, one.kind, one.value, one.use, one.confidence, what, one.context, registry=entry)


def order(found: Found) -> tuple[str, ...]:
    """Return by what findings are sorted: where, then what."""
    return found.where, found.kind, found.value, found.use, found.confidence, found.what, found.context


def digest_fits(where: str, digest: str, known: dict[str, Indicator]) -> Found | None:
    """Return what it means that a file has a digest; None if nothing is known of it."""
    one = known.get(digest)
    if one is None:
        return None
    harmless = one.use is Use.DO_NOT_BLOCK
    what = "a file with this digest, which is not to be blocked" if harmless else "a file with this digest"
    return Found(where, one.kind, one.value, one.use, one.confidence, what, one.context, known=harmless)


def address_fits(address: str, port: int, sought: Sought) -> Iterator[Indicator]:
    """Yield the indicators that a connection to this address fits."""
    try:
        peer = ip_address(address)
    except ValueError:
        return
    mapped = getattr(peer, "ipv4_mapped", None)
    peer = mapped or peer
    for network, wanted, one in sought.networks:
        if peer.version == network.version and peer in network and wanted in {None, port}:
            yield one
