"""What follows from an incident, as it is printed and written: flat, in words, in the order in which it is done."""

from datetime import datetime

from msgspec import Struct

from lazaretto.app.respond.incident import Closed, Ground, Repair, Seen
from lazaretto.core.exposure import Window
from lazaretto.core.host import HostReport
from lazaretto.core.playbook import Phase

SCHEMA = "1"


class Event(Struct, frozen=True, order=True):
    """Something that happened, in UTC. ``day`` says that only the day is known."""

    at: datetime
    what: str
    day: bool = False


class Rotation(Struct, frozen=True):
    """Where credentials of one kind were within reach: names, and where each lies."""

    kind: str
    names: tuple[str, ...]
    where: tuple[str, ...]


class Task(Struct, frozen=True):
    """One step, with who did it, if somebody did."""

    id: str
    phase: Phase
    title: str
    why: str = ""
    how: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    done: str = ""


class Rule(Struct, frozen=True):
    """Something to block: what it is, and the text for it."""

    title: str
    lines: tuple[str, ...]


class Response(Struct, frozen=True):
    """The whole answer. ``trap``: what was installed reacts to a revocation, so that the order matters most."""

    schema: str
    product: str
    name: str
    title: str
    state: str
    opened: datetime
    by: str
    looked: datetime
    places: int
    releases: tuple[str, ...]
    window: Window | None
    campaign: str
    campaign_name: str
    payloads: tuple[str, ...]
    claims: tuple[str, ...]
    playbooks: tuple[str, ...]
    trap: bool
    summary: tuple[str, ...]
    timeline: tuple[Event, ...]
    exposures: tuple[Seen, ...]
    outside: tuple[str, ...]
    grounds: tuple[Ground, ...]
    credentials: tuple[Rotation, ...]
    tasks: tuple[Task, ...]
    repairs: tuple[Repair, ...]
    rules: tuple[Rule, ...]
    notification: str
    hosts: tuple[HostReport, ...]
    told: tuple[str, ...]
    unknown: tuple[str, ...]
    closed: Closed | None
