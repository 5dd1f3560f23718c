"""What is to be done after a release was taken, as data: playbooks, credentials, clients. Pure: text in, values out.

A playbook serves every incident, a class of payload or a campaign. The order of phases is the order of an answer: what
still comes in is stopped first, machines are isolated and what reacts to a revocation is removed *before* anything is
revoked (some payloads wipe the disk when the token that they stole stops working), and only then is it tidied.
"""

import tomllib
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import Struct

SCHEMA = 1


class Phase(StrEnum):
    """A part of the answer. The order here is the order in which it is done."""

    BLOCK = "block"
    ISOLATE = "isolate"
    PRESERVE = "preserve"
    DISARM = "disarm"
    REVOKE = "revoke"
    PURGE = "purge"
    REPAIR = "repair"
    REBUILD = "rebuild"
    NOTIFY = "notify"
    WATCH = "watch"


ORDER = tuple(Phase)


class When(StrEnum):
    """When a step makes sense: always; if it ran or may have; if credentials were near; if a registry served it."""

    ALWAYS = "always"
    RAN = "ran"
    CREDENTIALS = "credentials"
    MIRROR = "mirror"


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing to do: what, why it is done here and not later, how, and commands to copy.

    ``id`` is unique within its playbook; with the playbook's in front of it, it is what ``--done`` takes.
    """

    id: str
    phase: Phase
    title: str
    why: str = ""
    how: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    when: When = When.ALWAYS


class Playbook(Struct, frozen=True, forbid_unknown_fields=True):
    """Steps for every incident (``always``), for classes of payload, or for campaigns: exactly one of the three.

    ``trap`` says that what is installed reacts to a revocation, so that an order other than ours does harm.
    """

    schema: int
    id: str
    title: str
    summary: str
    steps: tuple[Step, ...] = ()
    always: bool = False
    payloads: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    trap: bool = False
    notification: str = ""
    unknown: tuple[str, ...] = ()


class CredentialKind(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of credential: how it is rotated, what is looked at afterwards, and by which names of variables it goes.

    The order of the file is that of the rotation: what publishes to others first, what only reads last.
    """

    kind: str
    revoke: str
    check: str
    names: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


class ClientCare(Struct, frozen=True, forbid_unknown_fields=True):
    """How the caches of a client, or a mirror, are emptied, and how its lockfile is made anew after a repair."""

    client: str
    ecosystems: tuple[str, ...]
    purge: tuple[str, ...]
    relock: str = ""
    mirror: bool = False
    note: str = ""


class CredentialTable(Struct, frozen=True, forbid_unknown_fields=True):
    """The file of credentials."""

    schema: int
    credentials: tuple[CredentialKind, ...]


class ClientTable(Struct, frozen=True, forbid_unknown_fields=True):
    """The file of clients and mirrors."""

    schema: int
    clients: tuple[ClientCare, ...]


class PlaybookError(ValueError):
    """A file of playbooks cannot be used: what is wrong with it, and where."""


FIELDS = frozenset({"releases", "names", "window", "campaign", "title", "places", "machines", "good"})
"""What a playbook's text may name in braces."""

File = TypeVar("File", Playbook, CredentialTable, ClientTable)


def decode(text: str, kind: type[File]) -> File:
    """Return a file as its type says, strictly. Raises PlaybookError."""
    try:
        found = msgspec.convert(tomllib.loads(text), kind, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PlaybookError(str(error)) from error
    if found.schema != SCHEMA:
        raise PlaybookError(f"schema {found.schema}: this version of Lazaretto reads schema {SCHEMA}")
    if isinstance(found, Playbook):
        _coherent(found)
    return found


def _coherent(book: Playbook) -> None:
    if sum((book.always, bool(book.payloads), bool(book.campaigns))) != 1:
        raise PlaybookError("say one of: always, payloads, campaigns")
    ids = [step.id for step in book.steps]
    if len(set(ids)) != len(ids):
        raise PlaybookError("two steps have the same id")
    texts = [book.notification, *(text for step in book.steps for text in (*step.how, *step.commands))]
    for text in texts:
        try:
            text.format_map(dict.fromkeys(FIELDS, ""))
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            raise PlaybookError(f"{text[:60]!r}: braces hold {', '.join(sorted(FIELDS))}, nothing else") from error


def classes(payload: str) -> tuple[str, ...]:
    """Return the classes that a payload is of: the record says ``worm + wiper``, ``wiper / protestware``."""
    return tuple(part.strip() for part in payload.replace("/", "+").split("+") if part.strip())


def chosen(books: tuple[Playbook, ...], campaign: str, payloads: tuple[str, ...]) -> tuple[Playbook, ...]:
    """Return the playbooks that an incident calls for: of its campaign, of its payloads, and the one for all."""
    wanted = {one.casefold() for payload in payloads for one in classes(payload)}
    of_campaign = [book for book in books if campaign and campaign in book.campaigns]
    of_payload = [book for book in books if wanted & {one.casefold() for one in book.payloads}]
    return (*of_campaign, *of_payload, *(book for book in books if book.always))
