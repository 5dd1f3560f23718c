"""What is known of attackers and their tools, and what was seen in a release: indicators, campaigns, sightings.

The words and their relations are those of STIX 2.1 (OASIS, 2021): an *indicator* is a pattern to look for, a
*sighting* says that something was seen, a *campaign* is a set of acts, an *intrusion set* those who are thought to be
behind several. What a vendor says stays a claim of that vendor: names are never merged into one truth.
"""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct


class Confidence(StrEnum):
    """How sure a source is of what it says."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"


class Use(StrEnum):
    """What an indicator is good for. A wrong use of one does harm: a shared host blocks the innocent."""

    BLOCK = "block"
    HUNT = "hunt"
    KNOWN_GOOD = "known_good"
    DO_NOT_BLOCK = "do_not_block"
    DO_NOT_USE = "do_not_use"
    REFERENCE = "reference"


class Tlp(StrEnum):
    """To whom it may be passed on (FIRST, Traffic Light Protocol 2.0)."""

    CLEAR = "clear"
    GREEN = "green"
    AMBER = "amber"
    AMBER_STRICT = "amber+strict"
    RED = "red"


class IndicatorKind(StrEnum):
    """What an indicator's value is."""

    DOMAIN = "domain"
    URL = "url"
    URI_PATH = "uri-path"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    CIDR = "cidr"
    PORT = "port"
    EMAIL = "email"
    ACCOUNT = "account"
    SHA512 = "sha512"
    SHA256 = "sha256"
    SHA1 = "sha1"
    MD5 = "md5"
    FILE_PATH = "file-path"
    REGISTRY_VALUE = "registry-value"
    PROCESS = "process"
    MUTEX = "mutex"
    USER_AGENT = "user-agent"
    HTTP_BODY = "http-body"
    STRING = "string"
    PACKAGE = "package"
    WALLET = "wallet"
    PUBLIC_KEY = "public-key"
    HOST_KEY = "host-key"
    CAMPAIGN_ID = "campaign-id"
    ADVISORY = "advisory"
    DETECTION_NAME = "detection-name"
    OTHER = "other"


class Source(Struct, frozen=True):
    """Who says it, where and when. ``url`` is empty for a source without an address, ``licence`` if it names none."""

    name: str
    url: str = ""
    published: date | None = None
    licence: str = ""


class Indicator(Struct, frozen=True):
    """One pattern to look for. ``value`` is as the source gives it (a package is a purl).

    ``campaign`` is the id of the campaign that it belongs to, or empty. Outside ``valid_from`` to ``valid_until`` it
    is no longer held true; both are in UTC, None is open.
    """

    kind: IndicatorKind
    value: str
    use: Use
    confidence: Confidence = Confidence.UNKNOWN
    context: str = ""
    campaign: str = ""
    sources: tuple[Source, ...] = ()
    tlp: Tlp = Tlp.CLEAR
    valid_from: datetime | None = None
    valid_until: datetime | None = None


class Alias(Struct, frozen=True, order=True):
    """What one vendor calls it. ``vendor`` is empty where the name is everybody's."""

    name: str
    vendor: str = ""


class Claim(Struct, frozen=True):
    """What one vendor says of who is behind it: quoted, dated, and never merged with another's."""

    vendor: str
    actor: str
    confidence: Confidence
    source: Source
    said: date | None = None
    text: str = ""


class IntrusionSet(Struct, frozen=True):
    """Those who are thought to be behind several campaigns. ``techniques`` are MITRE ATT&CK ids."""

    id: str
    name: str
    aliases: tuple[Alias, ...] = ()
    since: str = ""
    motives: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    malware: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    note: str = ""


class Campaign(Struct, frozen=True):
    """A set of acts with one purpose: usually one incident of the record, with what it shipped and did.

    ``packages`` are purls with their bad versions. ``marks`` are recovered values that are told in the record (names
    of files, strings, constants); ``habits`` maps a publishing habit to its value (``range`` to ``caret``).
    """

    id: str
    name: str
    first_seen: date
    last_seen: date | None = None
    ecosystem: str = ""
    packages: tuple[str, ...] = ()
    vector: str = ""
    payload: str = ""
    behaviours: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    habits: Mapping[str, str] = {}
    claims: tuple[Claim, ...] = ()
    sources: tuple[Source, ...] = ()
    confidence: Confidence = Confidence.UNKNOWN
    note: str = ""


class SightingKind(StrEnum):
    """What was seen in a release, or in the way it was published."""

    HOST = "host"
    ADDRESS = "address"
    URL = "url"
    URI_PATH = "uri-path"
    FILE_PATH = "file-path"
    REGISTRY_VALUE = "registry-value"
    MUTEX = "mutex"
    EMAIL = "email"
    ACCOUNT = "account"
    USER_AGENT = "user-agent"
    WALLET = "wallet"
    KEY = "key"
    STRING = "string"
    COMMAND = "command"
    PACKAGE = "package"
    DIGEST = "digest"
    SHAPE = "shape"
    TECHNIQUE = "technique"
    HABIT = "habit"


class Sighting(Struct, frozen=True, order=True):
    """One thing that was seen. ``path`` and ``line`` say where in the artifact (0: the whole file, or its index page).

    A SHAPE is a fingerprint of changed code, written ``minhash:…`` or ``tlsh:…``; a HABIT is ``name=value``.
    """

    kind: SightingKind
    value: str
    path: str = ""
    line: int = 0
    via: str = "plain"
