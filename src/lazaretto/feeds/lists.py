"""Lists of indicators as people keep them: CSV with a header, JSON, or one value on each line.

The columns are told by their names, so that the layouts of DataDog (``type,indicator,context``;
``package_name,package_version``; ``artifact_type,name,affected_versions``; one column for each kind), of
``ECOSYSTEM:NAME:VERSION`` lines and our own (``type,value,use,confidence,…``) are one. What a list does not say of a
value's use is what its kind is usually good for: what is exact blocks, everything else is to be hunted.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from lazaretto.core.advisory import FeedError
from lazaretto.core.exchange import Told, Unread, usual_use
from lazaretto.core.intel import Confidence, Indicator, IndicatorKind, Source, Tlp
from lazaretto.core.values import refused
from lazaretto.feeds._json import MAX_FEED, MAX_VALUE, day, decoded, fields, instant, items, plain, printable, text
from lazaretto.feeds._values import CONFIDENCES, ECOSYSTEMS, KINDS, USES, guessed, purl, tlp_of, values, word

URL = "https://github.com/DataDog/indicators-of-compromise"
LICENCE = "of each list: Apache-2.0 (DataDog)"
MAX_AGE = timedelta(days=7)

MAX_ROWS = 2_000_000
_VALUE = ("value", "indicator", "ioc", "name", "artifact")
_TYPE = ("type", "artifact_type", "indicator_type", "ioc_type", "kind")
_PACKAGE = ("package_name", "package", "npm_package")
_VERSIONS = ("package_versions", "package_version", "affected_versions", "versions", "version")
_CONTEXT = ("context", "comment", "description", "notes", "sources")
_LINE = re.compile(r"(?:([a-z]+):)?(@?[\w.~/-]+):([\w.+!~-]+)\s*(?:#.*)?", re.ASCII)
_EXACT_VERSION = re.compile(r"v?\d[\w.+!~-]*", re.ASCII)

Row = Mapping[str, str]


def claims(data: bytes) -> int:
    """Return a little for any text: a list has no other sign."""
    return 1 if b"\0" not in data[:4096] and not data.startswith(b"PK") else 0


def read(data: bytes, told: Told) -> Iterator[Indicator | Unread]:
    """Yield the indicators of a list, and what of it was not taken.

    Raises:
        FeedError: it is too large, no text, or JSON without a list.
    """
    if len(data) > MAX_FEED:
        raise FeedError("document", f"is larger than {MAX_FEED} bytes")
    try:
        whole = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FeedError("document", f"is no UTF-8: {plain(error)}") from None
    if whole.lstrip()[:1] in ("[", "{"):
        yield from _from_json(decoded(data), told)
    elif (header := _header(whole)) is not None:
        yield from _from_csv(whole, header, told)
    else:
        yield from _from_lines(whole, told)


def _from_json(document: object, told: Told) -> Iterator[Indicator | Unread]:
    found = document if isinstance(document, list) else fields(document).get("indicators")
    if not isinstance(found, list):
        raise FeedError("document", "is neither a list nor an object with a list of indicators")
    for number, one in enumerate(found[:MAX_ROWS], 1):
        place = f"indicator {number}"
        if not isinstance(one, dict):
            yield Unread(place, "is no object")
            continue
        flat = {str(key).lower(): value for key, value in one.items() if isinstance(value, str)}
        yield from _indicators(place, flat, told, tuple(_sources(one, told)))
        for kind, key in ((IndicatorKind.SHA256, "sha256_tgz"), (IndicatorKind.SHA1, "sha1")):
            if isinstance(one.get(key), str):  # the digests of the package that the indicator names
                yield from _indicators(place, {**flat, "type": kind.value, "value": one[key]}, told, ())


def _sources(one: Mapping[str, Any], told: Told) -> Iterator[Source]:
    """Yield the sources of an indicator: named as such, or by the addresses where it is reported."""
    for item in map(fields, items(one.get("sources"))):
        if text(item.get("name")):
            licence = text(item.get("licence"))
            yield Source(text(item.get("name")), text(item.get("url")), day(item.get("published")), licence)
    for address in [one.get("source_url"), *items(one.get("also_reported_by"))]:
        if text(address):
            yield Source(told.source.name, text(address), None, told.source.licence)


def _header(whole: str) -> list[str] | None:
    """Return the names of the columns; None if the first line is no header."""
    first = next((line for line in whole.splitlines() if line.strip() and not line.startswith("#")), "")
    try:
        names = [name.strip().lower().replace(" ", "_") for name in next(csv.reader([first], strict=True), [])]
    except csv.Error:
        return None
    known = {*_VALUE, *_TYPE, *_PACKAGE, *(kind.replace("-", "_") for kind in KINDS)}
    return names if names and names[0] in known else None


def _from_csv(whole: str, header: list[str], told: Told) -> Iterator[Indicator | Unread]:
    lines = (line for line in io.StringIO(whole, newline="") if line.strip() and not line.startswith("#"))
    rows = csv.reader(lines, strict=True)
    number = 1
    try:
        next(rows, None)
        for number, cells in enumerate(rows, 2):
            if number > MAX_ROWS:
                yield Unread(f"row {number}", f"the list has more than {MAX_ROWS} rows")
                return
            if len(cells) > len(header):
                yield Unread(f"row {number}", f"has {len(cells)} cells where the header has {len(header)}")
                continue
            row = {name: _cell(cell) for name, cell in zip(header, cells, strict=False)}
            yield from _indicators(f"row {number}", row, told, tuple(_cell_source(row, told)))
    except csv.Error as error:
        yield Unread(f"row {number + 1}", f"is no CSV, and what follows was not read: {plain(error)}")


def _cell(text: str) -> str:
    """Return what a cell says: a formula was made inert by an apostrophe, as our own export does."""
    text = text.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in tuple("=+-@\t\r'") else text


def _cell_source(row: Row, told: Told) -> Iterator[Source]:
    name, address = row.get("source", ""), row.get("source_url", "")
    if name or address:
        licence = row.get("licence", "") or told.source.licence
        yield Source(name or told.source.name, address, day(row.get("published")), licence)


def _from_lines(whole: str, told: Told) -> Iterator[Indicator | Unread]:
    for number, line in enumerate(whole.splitlines(), 1):
        place, bare = f"line {number}", line.strip()
        if not bare or bare.startswith("#"):
            continue
        if number > MAX_ROWS:
            yield Unread(place, f"the list has more than {MAX_ROWS} lines")
            return
        found = _LINE.fullmatch(bare)
        if found is not None and "://" not in bare:
            ecosystem, name, version = found.groups()
            yield from _package(place, ecosystem or told.ecosystem, name, version, {}, told, ())
            continue
        bare = bare.partition(" #")[0].strip()
        kinds = [(kind, value) for kind, value in values(IndicatorKind.DOMAIN, bare)]
        guess = guessed(kinds[0][1]) if kinds else None
        if guess is None:
            yield Unread(place, f"cannot be told for anything: {printable(bare[:60])!r}")
        else:
            yield from _indicators(place, {"type": guess.value, "value": bare}, told, ())


def _indicators(place: str, row: Row, told: Told, sources: tuple[Source, ...]) -> Iterator[Indicator | Unread]:
    """Yield what one row says: of a value, or of the versions of a package."""
    named = word(next((row[name] for name in _TYPE if row.get(name)), ""))
    package = next((row[name] for name in _PACKAGE if row.get(name)), "")
    versions = next((row[name] for name in _VERSIONS if row.get(name)), "")
    if package:
        ecosystem = row.get("ecosystem", "").lower() or told.ecosystem
        yield from _package(place, ecosystem, package, versions, row, told, sources)
        return
    value = next((row[name] for name in _VALUE if row.get(name)), "")
    kind = KINDS.get(named)
    if not named and not value:  # one column for each kind
        column = next((name for name in row if word(name) in KINDS and row[name]), "")
        kind, value = KINDS.get(word(column)), row.get(column, "")
    if not value:
        yield Unread(place, "names no value")
    elif kind is None:
        yield Unread(place, f"is of a kind that has no use here: {printable(named[:60])!r}", broken=not named)
    elif kind is IndicatorKind.PACKAGE and versions:
        yield from _package(place, ECOSYSTEMS.get(named, told.ecosystem), value, versions, row, told, sources)
    elif kind is IndicatorKind.PACKAGE:
        found = purl(value, ECOSYSTEMS.get(named, told.ecosystem))
        yield Unread(place, "names no package") if found is None else _made(kind, found, row, told, sources)
    else:
        for one, plain_value in values(kind, value):
            made = _made(one, plain_value, row, told, sources)
            reason = refused(one, plain_value, made.use)
            yield Unread(place, f"{printable(plain_value[:60])!r} {reason}") if reason else made


def _package(
    place: str, ecosystem: str, name: str, versions: str, row: Row, told: Told, sources: tuple[Source, ...]
) -> Iterator[Indicator | Unread]:
    """Yield an indicator for each version; one for all of them only where the list says so by naming none."""
    if ecosystem not in ("npm", "pypi"):
        yield Unread(place, f"is of the ecosystem {printable(ecosystem[:40])!r}, which is of no use here", broken=False)
        return
    listed = [version.strip() for version in re.split(r"[,;|]", versions) if version.strip()] or [""]
    for version in listed:
        found = purl(f"{name}=={version}" if version else name, ecosystem)
        if found is None or (version and not _EXACT_VERSION.fullmatch(version)):
            yield Unread(place, f"names no version of a package: {printable(f'{name} {version}'[:80])!r}")
        else:
            yield _made(IndicatorKind.PACKAGE, found, row, told, sources)


def _made(kind: IndicatorKind, value: str, row: Row, told: Told, sources: tuple[Source, ...]) -> Indicator:
    return told.applied(
        Indicator(
            kind=kind,
            value=value[:MAX_VALUE],
            use=USES.get(row.get("use", "").lower(), usual_use(kind)),
            confidence=CONFIDENCES.get(row.get("confidence", "").lower(), Confidence.UNKNOWN),
            context=text(next((row[name] for name in _CONTEXT if row.get(name)), "")),
            campaign=text(row.get("campaign", "")),
            sources=sources,
            tlp=tlp_of(row.get("tlp", "")) or Tlp.CLEAR,
            valid_from=instant(row.get("valid_from")),
            valid_until=instant(row.get("valid_until")),
        )
    )
