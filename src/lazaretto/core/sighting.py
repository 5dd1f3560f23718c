"""What was seen in a release: from its findings, and from what the update newly can do and carries.

Sightings say what was there, not what it means. They are bounded, sorted, and each is told once.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from lazaretto.core.facts import Kind, Reach
from lazaretto.core.finding import Card, Evidence, Finding
from lazaretto.core.intel import Sighting, SightingKind
from lazaretto.core.locality import locality
from lazaretto.core.model import Publisher, Release
from lazaretto.core.names import ProjectName, Purl, Version
from lazaretto.core.shape import shape
from lazaretto.core.update import ChangeStatus, Edge, Update

MAX_SIGHTINGS = 2000
"""Sightings that are kept of one release."""

MAX_SEEN = 500
"""Longest value of a sighting, in characters."""

MAX_SHAPES = 40
"""Changed files of one release that a fingerprint is made of, the smallest first."""

_SHORTEST_STRING = 6
_DECOY_WITHIN = timedelta(days=30)
_MAIL = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}\b", re.IGNORECASE)
_URL = re.compile(r"\b(?:https?|wss?|ftp)://([^\s\"'<>\\]{3,400})", re.IGNORECASE)
_ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}", re.IGNORECASE)
_REGISTRY = re.compile(r"\b(?:HKCU|HKLM|HKEY_[A-Z_]+)[:\\/][\\\w /.-]{3,200}")
_MUTEX = re.compile(r"\b(?:Global|Local)\\{1,2}[\w{}.-]{4,100}")
_AGENT = re.compile(r"\bmozilla/\d.{3,200}", re.IGNORECASE)
_WALLET = re.compile(r"\b(?:0x[0-9a-fA-F]{40}|bc1[02-9ac-hj-np-z]{39,59}|[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93})\b")
_KEY = re.compile(r"-----BEGIN [A-Z ]*PUBLIC KEY-----[^-]{20,2000}|\bssh-(?:rsa|ed25519) [A-Za-z0-9+/=]{40,800}")
_PATH = re.compile(r"(?:[A-Za-z]:|~|%\w+%|\$\w+|\.{1,2})?(?:[\\/][\w.@+-]{1,80}){1,12}")
_HOOK = re.compile(r'"(preinstall|install|postinstall|prepare)"\s*:')
_FILES = frozenset(
    "bat cjs cmd css dll exe gz html js json jsx lock log map md mjs node php pl png ps1 pth py pyc pyd rb rs sh so "
    "sql svg tar tgz toml ts tsx txt vbs wasm wav whl xml yaml yml zip".split()
)
"""Last parts of names that a word without a scheme has for its being a file, although some are domains as well."""

_PLAIN = (
    (_MAIL, SightingKind.EMAIL),
    (_REGISTRY, SightingKind.REGISTRY_VALUE),
    (_MUTEX, SightingKind.MUTEX),
    (_AGENT, SightingKind.USER_AGENT),
    (_WALLET, SightingKind.WALLET),
    (_KEY, SightingKind.KEY),
    (_ADDRESS, SightingKind.ADDRESS),
)
_ACTS = (
    Kind.PROCESS_SPAWN, Kind.NET_CONNECT, Kind.DNS_QUERY, Kind.FS_WRITE, Kind.FS_DELETE, Kind.PERSIST, Kind.DECODE,
    Kind.RUNTIME_FETCH, Kind.SECRET_READ, Kind.LITERAL_URL, Kind.LITERAL_DOMAIN, Kind.LITERAL_IP, Kind.LITERAL_PATH,
    Kind.LITERAL_EMAIL, Kind.LITERAL_COMMAND,
)  # fmt: skip
_RANGES = {"^": "caret", "~": "tilde", ">": "open", "*": "open", "=": "exact"}


def settled(sightings: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """Return each (kind, value) once, at its first place, in a fixed order, and at most ``MAX_SIGHTINGS``."""
    first: dict[tuple[SightingKind, str], Sighting] = {}
    for one in sorted(sightings):
        first.setdefault((one.kind, one.value), one)
    # Where there are too many, what is found in every program goes first.
    order = sorted(first.values(), key=lambda one: (one.kind in (SightingKind.STRING, SightingKind.FILE_PATH), one))
    return tuple(sorted(order[:MAX_SIGHTINGS]))


def told_in(text: str, path: str = "", line: int = 0, via: str = "plain") -> Iterator[Sighting]:
    """Yield what stands in a text that was recovered: hosts, addresses, paths, keys; or else the text itself."""
    text = text[: 4 * MAX_SEEN]
    found = list(dict.fromkeys(_values(text)))
    whole = text.strip()
    if len(whole) >= _SHORTEST_STRING and whole not in {value for _, value in found}:
        found.append((SightingKind.COMMAND if " " in whole else SightingKind.STRING, whole))
    for kind, value in found:
        yield Sighting(kind, value[:MAX_SEEN], path, line, via)


def _values(text: str) -> Iterator[tuple[SightingKind, str]]:
    rest = text
    for pattern, kind in _PLAIN:
        for match in pattern.finditer(rest):
            yield kind, match[0]
        rest = pattern.sub(" ", rest) if kind in (SightingKind.EMAIL, SightingKind.USER_AGENT) else rest
    for match in _URL.finditer(rest):
        yield SightingKind.URL, match[0]
        authority, slash, tail = match[1].partition("/")
        host = authority.rpartition("@")[2].partition(":")[0]
        if _HOST.fullmatch(host) and not _ADDRESS.fullmatch(host):
            yield SightingKind.HOST, host.lower()
        if slash and tail:
            yield SightingKind.URI_PATH, "/" + tail
    rest = _URL.sub(" ", rest)
    bare = rest.strip().partition(":")[0].lower()
    if _HOST.fullmatch(bare) and bare.rpartition(".")[2] not in _FILES:
        yield SightingKind.HOST, bare
    for match in _PATH.finditer(rest):
        yield SightingKind.FILE_PATH, match[0]


def of_evidence(evidence: Evidence) -> Iterator[Sighting]:
    """Yield what one piece of evidence shows: what was decoded, else the line as published."""
    text = evidence.decoded if evidence.decoded is not None else evidence.text
    yield from told_in(text, evidence.path, evidence.line, evidence.via)
    if evidence.via not in ("", "plain"):
        yield _habit("hidden-by", chain(evidence.via), evidence.path, evidence.line)
    hook = _HOOK.search(evidence.text)
    if hook is not None:
        yield _habit("hook", hook[1], evidence.path, evidence.line)
    if evidence.reach is Reach.IMPORT:
        yield _habit("runs-at-import", "yes", evidence.path, evidence.line)


def chain(via: str) -> str:
    """Return the steps of a decode chain in their order, each once, without those that every program takes."""
    steps = [step for step in via.split(">") if step not in ("char-codes", "concat", "join", "split", "plain")]
    return ">".join(dict.fromkeys(steps)) or "plain"


def of_finding(
    finding: str, variant: str, attack: Iterable[str], evidence: Iterable[Evidence], habits: Mapping[str, str]
) -> Iterator[Sighting]:
    """Yield what a finding shows. ``habits`` maps a detector, or ``detector/variant``, to ``name=value``."""
    places = tuple(evidence)
    path, line = (places[0].path, places[0].line) if places else ("", 0)
    for technique in attack:
        yield Sighting(SightingKind.TECHNIQUE, technique, path, line)
    habit = habits.get(f"{finding}/{variant}", habits.get(finding))
    if habit is not None:
        yield Sighting(SightingKind.HABIT, habit, path, line)
    for place in places:
        yield from of_evidence(place)


def of_edge(requirement: str, purl: Purl | None) -> Iterator[Sighting]:
    """Yield what a new dependency shows: what it is, and how its range is written."""
    yield _habit("new-dependency", "yes", "index:dependencies")
    text = requirement.strip()
    yield _habit("range", _RANGES.get(text[:1], "exact" if text else "open"), "index:dependencies")
    if purl is not None:
        yield Sighting(SightingKind.PACKAGE, purl, "index:dependencies")


PurlOf = Callable[[ProjectName, Version], Purl]
"""How an ecosystem names a release."""


def of_update(
    update: Update, purl: PurlOf, findings: Iterable[Finding], cards: Mapping[str, Card], habits: Mapping[str, str]
) -> tuple[Sighting, ...]:
    """Return everything that was seen in one update: findings, new acts, new files, publishing habits."""
    return settled(_all(update, purl, findings, cards, habits))


def _all(
    update: Update, purl: PurlOf, findings: Iterable[Finding], cards: Mapping[str, Card], habits: Mapping[str, str]
) -> Iterator[Sighting]:
    yield Sighting(SightingKind.PACKAGE, purl(update.after.project, update.after.version))
    for finding in findings:
        attack = cards[finding.detector].attack
        yield from of_finding(finding.detector, finding.variant, attack, finding.evidence, habits)
    for _, placed in update.gained(*_ACTS):
        if placed.fact.value and placed.reach is not Reach.UNREACHED:
            yield from told_in(placed.fact.value, placed.path, placed.fact.span.line, placed.fact.via)
            if placed.fact.via != "plain":
                yield _habit("hidden-by", chain(placed.fact.via), placed.path, placed.fact.span.line)
    yield from _files(update)
    yield from _published(update)
    for edge in update.edges:
        yield from _edge(purl, edge)


def _files(update: Update) -> Iterator[Sighting]:
    for artifact in (pair.after.artifact for pair in update.pairs):
        for name, digest in artifact.digests.items():
            yield Sighting(SightingKind.DIGEST, f"{name}:{digest}", artifact.filename)
    changes = [(one.after, one) for pair in update.pairs for one in pair.changes.values() if one.after is not None]
    shapes = 0
    for blob, change in sorted(changes, key=lambda one: (one[0].size, one[1].path)):
        yield Sighting(SightingKind.DIGEST, blob.digest, change.path)
        if change.status is ChangeStatus.ADDED:
            yield Sighting(SightingKind.FILE_PATH, change.path, change.path)
        if shapes < MAX_SHAPES and _runs(update, change.path):
            shapes += 1
            for found in filter(None, (shape(blob.data), locality(blob.data))):
                yield Sighting(SightingKind.SHAPE, found, change.path)


def _runs(update: Update, path: str) -> bool:
    """Whether a file is reached: what nothing loads is text, and has no shape to speak of."""
    reaches = (pair.after.reaches.get(path, Reach.UNREACHED) for pair in update.pairs)
    return any(reach is not Reach.UNREACHED for reach in reaches)


def _published(update: Update) -> Iterator[Sighting]:
    yield _habit("ecosystem", update.ecosystem, "index:ecosystem")
    after = update.after
    if after.published is not None:
        yield _habit("hours", _quarter(after.published), "index:time")
    known = {publisher.identity for publisher in _publishers(update)}
    if after.publisher is not None and after.publisher.identity not in known:
        yield from _publisher(after.publisher)


def _publishers(update: Update) -> Iterator[Publisher]:
    for release in (update.before, *update.history, *update.releases):
        if release is not None and release.publisher is not None and release.version != update.after.version:
            yield release.publisher


def _publisher(publisher: Publisher) -> Iterator[Sighting]:
    yield Sighting(SightingKind.ACCOUNT, publisher.name, "index:publisher")
    if publisher.email:
        yield Sighting(SightingKind.EMAIL, publisher.email.lower(), "index:publisher")
        yield _habit("mail", publisher.email.rpartition("@")[2].lower(), "index:publisher")


def _edge(purl: PurlOf, edge: Edge) -> Iterator[Sighting]:
    resolved = edge.resolved
    yield from of_edge(edge.dependency.requirement, purl(resolved.project, resolved.version) if resolved else None)
    if resolved is not None and edge.project is not None:
        if resolved.publisher is not None:
            yield from _publisher(resolved.publisher)
        if _decoy(resolved, edge.project.releases):
            yield _habit("decoy-first", "yes", "index:dependencies")


def _decoy(resolved: Release, releases: Iterable[Release]) -> bool:
    """Whether an earlier release of a project that is weeks old at most stands before the one that is installed."""
    if resolved.published is None:
        return False
    times = [one.published for one in releases if one.published is not None and one.published < resolved.published]
    return bool(times) and resolved.published - min(times) <= _DECOY_WITHIN


def _quarter(instant: datetime) -> str:
    start = instant.hour // 6 * 6
    return f"{start:02d}-{start + 6:02d}"


def _habit(name: str, value: str, path: str = "", line: int = 0) -> Sighting:
    return Sighting(SightingKind.HABIT, f"{name}={value}", path, line)
