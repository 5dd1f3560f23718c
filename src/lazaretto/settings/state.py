"""The table ``[state]``: where several firewalls keep together what one keeps in its folder."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from lazaretto.settings.parts import parse_size, unknown_keys

_KEYS = ("journal", "password_file", "blobs", "endpoint", "region")

DEFAULT_KEEP = 200 << 30
"""Bytes of artifacts that several firewalls keep in their store."""


class StateSettings(Struct, frozen=True):
    """What is shared; what is empty is in the state folder.

    ``journal`` is the address of a PostgreSQL server and database, without a password: that is in ``password_file``,
    or where the server's own clients look for it. ``blobs`` is ``s3://bucket/prefix``; ``endpoint`` and ``region``
    are those of the store, if the usual variables do not tell them. ``keep`` bounds its artifacts, in bytes; 0: nothing
    is ever removed, which is so where the ledger is not shared, because nobody knows then who else uses the store.
    """

    journal: str = ""
    password_file: Path | None = None
    blobs: str = ""
    endpoint: str = ""
    region: str = ""
    keep: int = 0


def read(table: Mapping[str, object], problems: list[str]) -> StateSettings:
    """Return the settings; every defect goes to ``problems``."""
    unknown_keys(table, {*_KEYS, "keep"}, "state.", problems)
    problems.extend(f"state.{key}: must be a text" for key in _KEYS if not isinstance(table.get(key, ""), str))
    journal, file, blobs, endpoint, region = (str(table.get(key, "")) for key in _KEYS)
    if journal:
        _check_journal(journal, problems)
    if blobs and (not blobs.startswith("s3://") or not blobs.removeprefix("s3://").partition("/")[0]):
        problems.append("state.blobs: must be an address such as s3://bucket/prefix")
    if endpoint and not endpoint.startswith(("https://", "http://")):
        problems.append("state.endpoint: must begin with https:// or http://")
    keep = _keep(table, problems) if journal and blobs else 0
    if "keep" in table and not (journal and blobs):
        problems.append("state.keep: bounds a store that is shared together with a ledger: name journal and blobs too")
    return StateSettings(journal, Path(file).expanduser().absolute() if file else None, blobs, endpoint, region, keep)


def _keep(table: Mapping[str, object], problems: list[str]) -> int:
    if "keep" not in table:
        return DEFAULT_KEEP
    try:
        return parse_size(table["keep"])
    except ValueError as error:
        problems.append(f"state.keep: {error}")
        return DEFAULT_KEEP


def _check_journal(address: str, problems: list[str]) -> None:
    from urllib.parse import parse_qs, urlsplit

    try:
        parts = urlsplit(address)
        secret = parts.password is not None or "password" in parse_qs(parts.query)
    except ValueError:
        problems.append("state.journal: is no address")
        return
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        problems.append("state.journal: must be an address such as postgresql://user@host:5432/database")
    if secret:
        problems.append(
            "state.journal: must not hold a password; write it into a file and name that as state.password_file, "
            "or set PGPASSWORD or PGPASSFILE"
        )
