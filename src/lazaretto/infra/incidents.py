"""Incidents as files, one each, readable by their owner alone; written whole or not at all."""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from lazaretto.app.respond.incident import SCHEMA, Incident
from lazaretto.app.respond.ports import IncidentError

MAX_INCIDENT = 256 << 20
"""Largest file of an incident, in bytes."""

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")


class IncidentFiles:
    """``app.respond.ports.Incidents`` in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, bytes] = {}

    def names(self) -> Sequence[str]:
        """Return their names, sorted."""
        try:
            return sorted(path.stem for path in self._folder.glob("*.json"))
        except OSError as error:
            raise IncidentError(f"{self._folder}: {error.strerror}") from error

    def path(self, name: str) -> Path:
        """Return the file of an incident. Raises IncidentError if this cannot be a name."""
        if not _NAME.fullmatch(name):
            raise IncidentError(f"{name!r} cannot be the name of an incident: letters, digits, dots and hyphens can")
        return self._folder / f"{name}.json"

    def read(self, name: str) -> Incident:
        """Return one."""
        path = self.path(name)
        try:
            if path.stat().st_size > MAX_INCIDENT:
                raise IncidentError(f"{path}: larger than {MAX_INCIDENT} bytes")
            raw = self._seen[name] = path.read_bytes()
            schema = msgspec.json.decode(raw, type=_Versioned).schema
            if schema != SCHEMA:
                raise IncidentError(f"{path}: schema {schema!r}; this version of Lazaretto reads schema {SCHEMA!r}")
            return msgspec.json.decode(raw, type=Incident)
        except FileNotFoundError:
            known = ", ".join(self.names()) or "there is none yet: `lazaretto respond open NAME --release …`"
            raise IncidentError(f"there is no incident {name} (known: {known})") from None
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise IncidentError(f"{path}: {error}") from error

    def write(self, incident: Incident, *, new: bool) -> None:
        """Write one, all or nothing; not over what somebody else wrote since it was read."""
        path = self.path(incident.name)
        if new and path.exists():
            raise IncidentError(
                f"there is an incident {incident.name} already: `lazaretto respond add {incident.name}`"
            )
        if not new and path.exists() and path.read_bytes() != self._seen.get(incident.name):
            raise IncidentError(f"somebody else changed the incident {incident.name} meanwhile: run it again")
        raw = msgspec.json.format(msgspec.json.encode(incident), indent=1)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(raw + b"\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except OSError as error:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise IncidentError(f"{path}: cannot be written: {error.strerror}") from error


class _Versioned(msgspec.Struct):
    schema: str = ""
