"""A record of OSV 1.7 about a release that was made to do harm, as outputs and exports write it.

Its number begins with ``x_``, which the schema keeps for databases that are not registered: a record of ours must not
look like one of a database that others have reviewed.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256

SCHEMA_VERSION = "1.7.5"
PREFIX = "x_lazaretto-"

_ECOSYSTEMS = {"npm": "npm", "pypi": "PyPI"}


def record(
    ecosystem: str,
    name: str,
    versions: Sequence[str],
    *,
    modified: datetime,
    summary: str,
    details: str,
    references: Iterable[str] = (),
    specific: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Return a record about versions of a project; none: about all of them.

    ``specific`` is what only we say (``database_specific``).
    """
    from lazaretto.core.exchange import purl_of

    affected: dict[str, object] = {
        "package": {"ecosystem": _ECOSYSTEMS[ecosystem], "name": name, "purl": purl_of(ecosystem, name, "")},
        "database_specific": {"cwes": [{"cweId": "CWE-506", "name": "Embedded Malicious Code"}]},
    }
    if versions:
        affected["versions"] = sorted(set(versions))
    else:
        affected["ranges"] = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]
    said: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "id": number(ecosystem, name, versions),
        "modified": modified.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "summary": summary[:120],
        "details": details,
        "affected": [affected],
    }
    listed = [{"type": "WEB", "url": url} for url in dict.fromkeys(references)]
    if listed:
        said["references"] = listed
    if specific:
        said["database_specific"] = dict(specific)
    return said


def number(ecosystem: str, name: str, versions: Iterable[str]) -> str:
    """Return the number of a record: the same for the same releases, whoever writes it."""
    whole = "\n".join((ecosystem, name, *sorted(set(versions))))
    return PREFIX + sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def known(ecosystem: str) -> bool:
    """Whether OSV has a name for an ecosystem of ours."""
    return ecosystem in _ECOSYSTEMS
