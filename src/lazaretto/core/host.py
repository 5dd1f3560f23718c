"""A sweep of one machine for what a campaign leaves behind: which indicators can be looked for, and how. Pure.

How an indicator may be used decides what it is good for: ``block`` and ``hunt`` are looked for, ``do_not_block`` is
told where it is met (a file of the system under another name), and the others are never sought.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from fnmatch import fnmatchcase
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from msgspec import Struct

from lazaretto.core.hive.spots import NoSpot, Spot, spots, starts
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
    """Where a file would lie: the parts of its path below the root, each a shell pattern; ``deep``: anywhere below.

    ``fold``: it is a path of a system that takes large and small letters for the same; ``windows``: of that system.
    """

    indicator: Indicator
    parts: tuple[str, ...]
    deep: bool = False
    folder: bool = False
    fold: bool = False
    windows: bool = False


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

_PROFILES = ("Users/*", "Windows/System32/config/systemprofile", "Windows/ServiceProfiles/*")
_LOCAL = tuple(f"{one}/AppData/Local" for one in _PROFILES)
_ROAMING = tuple(f"{one}/AppData/Roaming" for one in _PROFILES)
_TEMP = (*(f"{one}/Temp" for one in _LOCAL), "Windows/Temp")
_PROGRAMS = ("Program Files", "Program Files (x86)")

HAUNTS = (
    *TEMPORARY,
    *_TEMP,
    "ProgramData",
    *_ROAMING,
    *_LOCAL,
    "Users/Public",
    "Library/Caches",
    "Library/LaunchAgents",
    "Library/LaunchDaemons",
    "private/var/folders/*/*/T",
    "Users/*/Library/Caches",
    "Users/*/Library/LaunchAgents",
    "run/user/*",
    "root/.cache",
    "home/*/.cache",
)
"""Folders whose files are hashed: what is dropped is dropped here."""

_WINDOWS_VARIABLES = {
    "programdata": ("ProgramData",),
    "allusersprofile": ("ProgramData",),
    "temp": _TEMP,
    "tmp": _TEMP,
    "localappdata": _LOCAL,
    "appdata": _ROAMING,
    "userprofile": _PROFILES,
    "homepath": _PROFILES,
    "public": ("Users/Public",),
    "windir": ("Windows",),
    "systemroot": ("Windows",),
    "programfiles": _PROGRAMS,
    "programfiles(x86)": _PROGRAMS[1:],
    "programw6432": _PROGRAMS[:1],
    "commonprogramfiles": tuple(f"{one}/Common Files" for one in _PROGRAMS),
    "systemdrive": ("",),
    "homedrive": ("",),
}
_VARIABLES = {
    "$tmpdir": ("tmp", "var/tmp", "private/tmp", "private/var/folders/*/*/T"),
    "~": HOMES,
    "$home": HOMES,
    "$xdg_cache_home": tuple(f"{home}/.cache" for home in HOMES),
    "$xdg_config_home": tuple(f"{home}/.config" for home in HOMES),
    "$xdg_data_home": tuple(f"{home}/.local/share" for home in HOMES),
    "$xdg_runtime_dir": ("run/user/*",),
}
_MAC_FOLDERS = frozenset({"applications", "library", "private", "system", "users", "volumes"})
_MAC_LINKS = frozenset({"etc", "tmp", "var"})
"""What macOS keeps below ``private``, with a link of the old name to it."""

_SPELLINGS = (
    (re.compile(r"(?i)^%homedrive%(?=%homepath%)"), ""),
    (re.compile(r"(?i)^(?:\$env:|\$\{env:)(\w+(?:\(x86\))?)\}?"), r"%\1%"),
    (re.compile(r"^\$\{(\w+)\}"), r"$\1"),
    (re.compile(r"^(?:\\\\[?.]\\|\\\?\?\\)"), ""),
)
"""How shells and the kernel write what is meant by a variable, or by a drive."""

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
            registry += _started(one)
            if not patterns:
                left[f"{one.kind} {one.value}: {_why_nowhere(one)}"] = None
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


def _started(one: Indicator) -> Iterator[tuple[tuple[Spot, ...], Indicator]]:
    """Yield a program of Windows with where it would be started from: that stays when the program itself is gone."""
    path = _plain(one.value)
    if {"<", "*"}.isdisjoint(path) and any(found.windows and not found.deep for found in where_it_lies(one)):
        yield starts(path), one


def where_it_lies(one: Indicator) -> Iterator[PathPattern]:
    """Yield where a file of this path would lie below a root."""
    text = _plain(one.value)
    windows = "\\" in text
    text = _PLACEHOLDER.sub("*", text).replace("\\", "/")
    folder = text.endswith("/")
    parts = [part for part in text.split("/") if part not in {"", "."}]
    if not parts or ".." in parts or len(re.sub(r"[^0-9A-Za-z]", "", parts[-1])) < _MIN_LITERAL:
        return
    head = parts[0].lower()
    windows = windows or head[0] == "%" or _DRIVE.fullmatch(head) is not None
    if head[0] in "%$" or head == "~":
        for start in _stands_for(head):
            above = start.split("/") if start else []
            yield PathPattern(one, (*above, *parts[1:]), folder=folder, fold=windows, windows=windows)
    elif _DRIVE.fullmatch(head):
        yield PathPattern(one, tuple(parts[1:]), folder=folder, fold=True, windows=True)
    elif text.startswith("/"):
        yield PathPattern(one, tuple(parts), folder=folder, fold=windows or head in _MAC_FOLDERS, windows=windows)
        if head in _MAC_LINKS:
            yield PathPattern(one, ("private", *parts), folder=folder, fold=True)
    else:
        yield PathPattern(one, tuple(parts), deep=True, folder=folder, fold=windows, windows=windows)


def _plain(path: str) -> str:
    """Return a path with its variable as the tables here name it."""
    path = path.strip()
    for spelling, plain in _SPELLINGS:
        path = spelling.sub(plain, path)
    return path


def _stands_for(head: str) -> tuple[str, ...]:
    """Return the folders that a variable stands for; none if that is not known."""
    return _WINDOWS_VARIABLES.get(head.strip("%"), ()) if head[0] == "%" else _VARIABLES.get(head, ())


def _why_nowhere(one: Indicator) -> str:
    """Return why a path is not looked for."""
    written, plain = (re.split(r"[\\/]", text)[0] for text in (one.value.strip(), _plain(one.value)))
    unknown = plain[:1] in {"%", "$"} and not _stands_for(plain.lower())
    return f"what {written} stands for is not known" if unknown else "would fit too much"


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


def lies_at(pattern: PathPattern, path: str) -> bool:
    """Whether a path is one that a pattern means, or lies in a folder that it means."""
    parts = [part for part in (path.casefold() if pattern.fold else path).split("/") if part]
    wanted = [part.casefold() if pattern.fold else part for part in pattern.parts]
    room = len(parts) - len(wanted)
    if room < 0:
        return False
    for start in range(room + 1) if pattern.deep else (0,):
        end = start + len(wanted)
        whole = end < len(parts) if pattern.folder else end == len(parts)
        if whole and all(map(fnmatchcase, parts[start:end], wanted)):
            return True
    return False


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
