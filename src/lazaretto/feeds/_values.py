"""The names that lists give to the kinds of indicators, and values taken apart that a list writes as one."""

import re
from collections.abc import Iterator

from lazaretto.core.exchange import DIGESTS, defanged, is_digest, package_of, purl_of
from lazaretto.core.intel import Confidence, IndicatorKind, Tlp, Use
from lazaretto.core.values import DOMAIN, EMAIL, IPV4, IPV6

KINDS: dict[str, IndicatorKind] = {
    **{kind.value: kind for kind in IndicatorKind},
    "hostname": IndicatorKind.DOMAIN,
    "host": IndicatorKind.DOMAIN,
    "fqdn": IndicatorKind.DOMAIN,
    "ip": IndicatorKind.IPV4,
    "ip-address": IndicatorKind.IPV4,
    "ipv4-port": IndicatorKind.IPV4,
    "uri": IndicatorKind.URI_PATH,
    "path": IndicatorKind.FILE_PATH,
    "filepath": IndicatorKind.FILE_PATH,
    "file": IndicatorKind.FILE_PATH,
    "filename": IndicatorKind.FILE_PATH,
    "registry": IndicatorKind.REGISTRY_VALUE,
    "registry-key": IndicatorKind.REGISTRY_VALUE,
    "process-pattern": IndicatorKind.PROCESS,
    "http-post-body": IndicatorKind.HTTP_BODY,
    "ssh-host-key-fingerprint": IndicatorKind.HOST_KEY,
    "npm-user": IndicatorKind.ACCOUNT,
    "pypi-user": IndicatorKind.ACCOUNT,
    "user": IndicatorKind.ACCOUNT,
    "email-address": IndicatorKind.EMAIL,
    "npm-package": IndicatorKind.PACKAGE,
    "pypi-package": IndicatorKind.PACKAGE,
    "purl": IndicatorKind.PACKAGE,
    "sha-512": IndicatorKind.SHA512,
    "sha-256": IndicatorKind.SHA256,
    "sha-1": IndicatorKind.SHA1,
    "av-detection-name": IndicatorKind.DETECTION_NAME,
    "cve": IndicatorKind.ADVISORY,
    "beacon": IndicatorKind.OTHER,
    "known-error": IndicatorKind.OTHER,
}
"""Names of kinds, as lists write them (spaces and underscores as hyphens, in lower case)."""

ECOSYSTEMS = {"npm-package": "npm", "pypi-package": "pypi", "python-package": "pypi"}
USES = {use.value: use for use in Use}
CONFIDENCES = {one.value: one for one in Confidence}
TLPS = {**{one.value: one for one in Tlp}, "white": Tlp.CLEAR}


def word(text: str) -> str:
    """Return the name of a kind as ``KINDS`` has it."""
    return re.sub(r"[\s_]+", "-", text.strip().lower())


def tlp_of(text: str) -> Tlp | None:
    """Return a marking by its name, with or without its prefix, or None."""
    return TLPS.get(text.strip().lower().removeprefix("tlp:").replace("_", "+"))


def purl(text: str, ecosystem: str) -> str | None:
    """Return the package URL of what a list writes: a purl, ``NAME@VERSION``, ``NAME==VERSION``, ``NAME``."""
    if text.startswith("pkg:"):
        return text if package_of(text) is not None else None
    name, mark, version = text.partition("==")
    if not mark:
        at = text.rfind("@")
        name, version = (text[:at], text[at + 1 :]) if at > 0 else (text, "")
    name, version = name.strip(), version.strip()
    if not name or not _NAME.fullmatch(name) or (version and not _VERSION.fullmatch(version)):
        return None
    return purl_of(ecosystem, name, version)


def guessed(value: str) -> IndicatorKind | None:
    """Return the kind of a value that stands alone on its line, if it can be told by its form."""
    for kind in DIGESTS:
        if is_digest(kind, value):
            return kind
    if IPV4.fullmatch(value):
        return IndicatorKind.IPV4
    if "://" in value:
        return IndicatorKind.URL
    if EMAIL.fullmatch(value):
        return IndicatorKind.EMAIL
    return IndicatorKind.DOMAIN if DOMAIN.fullmatch(value) else None


def values(kind: IndicatorKind, text: str) -> Iterator[tuple[IndicatorKind, str]]:
    """Yield what a written value stands for: an address may come with its port, which is an indicator of its own."""
    value = defanged(text) if kind in _FANGED else text
    host, mark, port = value.partition(":")
    if kind is IndicatorKind.IPV4 and mark and port.isdigit() and IPV4.fullmatch(host):
        yield kind, host
    elif kind is IndicatorKind.IPV4 and value.count(":") > 1 and IPV6.fullmatch(value):
        yield IndicatorKind.IPV6, value
    elif value:
        yield kind, value


_FANGED = frozenset(
    (
        IndicatorKind.DOMAIN,
        IndicatorKind.URL,
        IndicatorKind.IPV4,
        IndicatorKind.IPV6,
        IndicatorKind.CIDR,
        IndicatorKind.EMAIL,
    )
)
_NAME = re.compile(r"(?:@[\w.~-]+/)?[\w.~-]+", re.ASCII)
_VERSION = re.compile(r"[\w.+!~-]+", re.ASCII)
