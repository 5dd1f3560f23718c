r"""Where an indicator of the registry would lie on a disk: in which hives, under which names.

Lists write ``HKCU\Software\…\Run\Name``, ``HKEY_USERS\S-1-5-21-…``, ``HKLM:\…`` or what a kernel calls it
(``\REGISTRY\MACHINE``); the last name may be that of a key or of a value, and data may follow (``…\Run\Name|data``, as
MISP's ``regkey|value``). What such a text leaves open is all looked for: no two of its readings lie at one place.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

MAX_NAMES = 64
"""Names of one path of the registry that are followed."""


class HiveKind(StrEnum):
    """One hive of Windows, by what it is loaded as: the value is the key at its root, as people write it."""

    SOFTWARE = r"HKLM\SOFTWARE"
    SYSTEM = r"HKLM\SYSTEM"
    SAM = r"HKLM\SAM"
    SECURITY = r"HKLM\SECURITY"
    USER = "HKCU"
    CLASSES = r"HKCU\Software\Classes"
    DEFAULT = r"HKU\.DEFAULT"
    LOCAL_SERVICE = r"HKU\S-1-5-19"
    NETWORK_SERVICE = r"HKU\S-1-5-20"


FILES: Mapping[HiveKind, tuple[str, ...]] = {
    HiveKind.SOFTWARE: ("Windows/System32/config/SOFTWARE",),
    HiveKind.SYSTEM: ("Windows/System32/config/SYSTEM",),
    HiveKind.SAM: ("Windows/System32/config/SAM",),
    HiveKind.SECURITY: ("Windows/System32/config/SECURITY",),
    HiveKind.DEFAULT: ("Windows/System32/config/DEFAULT",),
    HiveKind.LOCAL_SERVICE: ("Windows/ServiceProfiles/LocalService/NTUSER.DAT",),
    HiveKind.NETWORK_SERVICE: ("Windows/ServiceProfiles/NetworkService/NTUSER.DAT",),
    HiveKind.USER: ("Users/*/NTUSER.DAT", "Documents and Settings/*/NTUSER.DAT"),
    HiveKind.CLASSES: (
        "Users/*/AppData/Local/Microsoft/Windows/UsrClass.dat",
        "Documents and Settings/*/Local Settings/Application Data/Microsoft/Windows/UsrClass.dat",
    ),
}
"""Where each lies below the root of a disk, whatever the case of its letters."""

ACCOUNTS = (HiveKind.USER, HiveKind.DEFAULT, HiveKind.LOCAL_SERVICE, HiveKind.NETWORK_SERVICE)
"""What *current user* can mean: somebody, or one of the accounts of the system itself."""


class Spot(Struct, frozen=True):
    """One place: in hives of this kind, these names from the root on (each a shell pattern), and data if it matters."""

    hive: HiveKind
    names: tuple[str, ...]
    data: str = ""


class NoSpot(ValueError):
    """Nothing can be looked for: the message says why."""


_NOWHERE = "names no key below a root of the registry that lies on a disk"
_ROOTS = {
    "hkey_local_machine": "hklm",
    "hkey_current_user": "hkcu",
    "hkey_users": "hku",
    "hkey_classes_root": "hkcr",
    "hkey_current_config": "hkcc",
    r"registry\machine": "hklm",
    r"registry\user": "hku",
}
_BESIDE = re.compile(r"(?i)^(?:my computer|computer|registry::?|microsoft\.powershell\.core\\registry::)\\*")
_PLACEHOLDER = re.compile(r"<[^<>]{1,40}>")
_NAME_OPTION = re.compile(r"(?i)\s+/v\s+(?=\S)")
_DATA = "|"
_SIGNS = (_DATA, " = ", " -> ")
_MIN_LITERAL = 3
"""Fewest letters and digits of a last name with a star in it: less would fit everything."""

_DEFAULT_NAMES = frozenset({"(default)", "@"})
_SYSTEM_ACCOUNTS = {
    ".default": HiveKind.DEFAULT,
    "s-1-5-18": HiveKind.DEFAULT,
    "s-1-5-19": HiveKind.LOCAL_SERVICE,
    "s-1-5-20": HiveKind.NETWORK_SERVICE,
}
_MACHINE = {
    "software": HiveKind.SOFTWARE,
    "system": HiveKind.SYSTEM,
    "sam": HiveKind.SAM,
    "security": HiveKind.SECURITY,
}
_STARTS = (
    *(
        rf"{root}\Software\Microsoft\Windows\CurrentVersion\{name}"
        for root in ("HKCU", "HKLM")
        for name in ("Run", "RunOnce")
    ),
    r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon",
    r"HKLM\SYSTEM\CurrentControlSet\Services\*\ImagePath",
)
"""What names the programs that Windows starts by itself."""

_RUN = "software|microsoft|windows|currentversion"
_EVERYWHERE = frozenset(
    (
        *(
            f"{_RUN}|{name}"
            for name in ("run", "runonce", "policies", "policies|system", "policies|explorer", "explorer")
        ),
        "software|microsoft|windows nt|currentversion|winlogon",
        "software|microsoft|windows nt|currentversion|image file execution options",
        "software|microsoft|windows nt|currentversion|windows",
        "software|classes|clsid",
        "software|microsoft|command processor",
        "system|currentcontrolset|services",
        "system|currentcontrolset|control|lsa",
        "system|currentcontrolset|control|session manager",
        "environment",
    )
)
"""Keys that every Windows has: one that is named alone says where to look, and not what for."""


def spots(value: str) -> tuple[Spot, ...]:
    """Return where an indicator would lie, each place once. Raises NoSpot."""
    text = _BESIDE.sub("", value.strip().strip('"'))
    text = _NAME_OPTION.sub(lambda _: "\\", text)
    found: dict[Spot, None] = {}
    reasons = []
    for path, data in ((text, ""), *(_parted(text, sign) for sign in _SIGNS if sign in text)):
        try:
            found.update(dict.fromkeys(_of_path(path, data)))
        except NoSpot as reason:
            reasons.append(reason)
    if not found:
        raise reasons[-1] if reasons else NoSpot(_NOWHERE)
    return tuple(found)


def starts(path: str) -> tuple[Spot, ...]:
    """Return where a program of this path would be started from, under whatever name."""
    return tuple(spot for place in _STARTS for spot in _of_path(place, path))


def written(key: str, name: str = "", data: str = "") -> str:
    """Return a key, a value of it and the value's data as one text, which ``spots`` reads."""
    whole = "\\".join(filter(None, (key.rstrip("\\"), name)))
    return f"{whole}{_DATA}{data}" if data else whole


def with_data(value: str) -> tuple[str, str]:
    """Return the path that such a text names, and the data if it names any."""
    path, _, data = value.partition(_DATA)
    return path.strip(), data.strip()


def _parted(text: str, sign: str) -> tuple[str, str]:
    path, _, data = text.partition(sign)
    return path.strip(), data.strip()


def _of_path(path: str, data: str) -> Iterator[Spot]:
    parts = [
        part for part in _PLACEHOLDER.sub("*", path if "\\" in path else path.replace("/", "\\")).split("\\") if part
    ]
    root, names = _rooted(parts)
    if not names or len(names) > MAX_NAMES:
        raise NoSpot(_NOWHERE)
    if names[-1].casefold() in _DEFAULT_NAMES:
        names = [*names[:-1], ""]
    elif not data and _told_alone(names):
        raise NoSpot("names a key that every Windows has, and nothing in it")
    elif not data and "*" in names[-1] and len(re.sub(r"[^0-9A-Za-z]", "", names[-1])) < _MIN_LITERAL:
        raise NoSpot("would fit too much")
    patterns = tuple(_escaped(name, names[number - 1] if number else root) for number, name in enumerate(names))
    for hive, below in _hives(root, patterns):
        for one in _views(hive, below):
            if one:
                yield Spot(hive, one, data)


def _rooted(parts: list[str]) -> tuple[str, list[str]]:
    """Return the short name of the root that a path begins with, and the names below it."""
    for taken in (2, 1):
        named = "\\".join(parts[:taken]).casefold().rstrip(":")
        root = _ROOTS.get(named, named if taken == 1 else "")
        if root in {"hklm", "hkcu", "hku", "hkcr", "hkcc"}:
            return root, parts[taken:]
    head = parts[0].casefold() if parts else ""
    if head == "software":
        return "", parts
    return ("hklm", parts) if head in _MACHINE else ("none", [])


def _told_alone(names: list[str]) -> bool:
    plain = "|".join(name.casefold() for name in names if name.casefold() != "wow6432node")
    return plain in _EVERYWHERE or any(one.startswith(f"{plain}|") for one in _EVERYWHERE)


def _escaped(name: str, before: str) -> str:
    """Return a name as a shell pattern: a star stands for anything, but where a key is called so."""
    called_so = name == "*" and before.casefold() in {"classes", "hkcr"}
    pattern = re.sub(r"([\[?])", r"[\1]", name)
    return "[*]" if called_so else pattern


def _hives(root: str, names: tuple[str, ...]) -> Iterator[tuple[HiveKind, tuple[str, ...]]]:
    """Yield the hives in which a path lies, and the names from their roots on."""
    head, rest = names[0].casefold(), names[1:]
    if root in {"hklm", ""} and head in _MACHINE:
        yield _MACHINE[head], rest
    if root == "hkcr":
        yield HiveKind.SOFTWARE, ("Classes", *names)
        yield from _user(("Software", "Classes", *names), ACCOUNTS)
    elif root == "hkcc":
        yield HiveKind.SYSTEM, ("CurrentControlSet", "Hardware Profiles", "Current", *names)
    elif root == "hku":
        account = _SYSTEM_ACCOUNTS.get(head)
        if head.endswith("_classes"):
            yield HiveKind.CLASSES, rest
        else:
            yield from _user(rest, (account,) if account else ACCOUNTS[:1])
    elif root in {"hkcu", ""}:
        yield from _user(names, ACCOUNTS)


def _user(names: tuple[str, ...], accounts: tuple[HiveKind, ...]) -> Iterator[tuple[HiveKind, tuple[str, ...]]]:
    for account in accounts:
        yield account, names
    if HiveKind.USER in accounts and tuple(name.casefold() for name in names[:2]) == ("software", "classes"):
        yield HiveKind.CLASSES, names[2:]


def _views(hive: HiveKind, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the names as a program of 64 bits sees them, and where one of 32 bits would have put the same."""
    yield names
    plain = tuple(name.casefold() for name in names)
    if "wow6432node" in plain or not names:
        return
    if hive is HiveKind.SOFTWARE:
        yield ("Wow6432Node", *names)
        if plain[0] == "classes":
            yield (names[0], "Wow6432Node", *names[1:])
    elif hive is HiveKind.CLASSES:
        yield ("Wow6432Node", *names)
    elif hive is not HiveKind.SYSTEM and plain[0] == "software" and len(names) > 1:
        yield (names[0], "Wow6432Node", *names[1:])
