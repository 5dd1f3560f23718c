"""The table ``[state]``: where several firewalls keep together what one keeps in its folder."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from lazaretto.settings.parts import unknown_keys

_KEYS = ("journal", "password_file", "blobs", "endpoint", "region")


class StateSettings(Struct, frozen=True):
    """What is shared; what is empty is in the state folder.

    ``journal`` is the address of a PostgreSQL server and database, without a password: that is in ``password_file``,
    or where the server's own clients look for it. ``blobs`` is ``s3://bucket/prefix``; ``endpoint`` and ``region``
    are those of the store, if the usual variables do not tell them.
    """

    journal: str = ""
    password_file: Path | None = None
    blobs: str = ""
    endpoint: str = ""
    region: str = ""


def read(table: Mapping[str, object], problems: list[str]) -> StateSettings:
    """Return the settings; every defect goes to ``problems``."""
    unknown_keys(table, set(_KEYS), "state.", problems)
    problems.extend(f"state.{key}: must be a text" for key in _KEYS if not isinstance(table.get(key, ""), str))
    journal, file, blobs, endpoint, region = (str(table.get(key, "")) for key in _KEYS)
    if journal:
        _check_journal(journal, problems)
    if blobs and (not blobs.startswith("s3://") or not blobs.removeprefix("s3://").partition("/")[0]):
        problems.append("state.blobs: must be an address such as s3://bucket/prefix")
    if endpoint and not endpoint.startswith(("https://", "http://")):
        problems.append("state.endpoint: must begin with https:// or http://")
    return StateSettings(journal, Path(file).expanduser().absolute() if file else None, blobs, endpoint, region)


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
