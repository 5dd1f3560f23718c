"""From the text of a lockfile or an SBOM to entries: what its pins fix, and by which path each of them comes in."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from lazaretto.app.inventory.formats import Format
from lazaretto.app.pins import LockfileFormat
from lazaretto.core.dependency_paths import PROJECT, shortest
from lazaretto.core.inventory import Entry, Proof, Sign, Unread
from lazaretto.core.pin import LockfileError, Pin, PinSource

MAX_LOCKFILE = 64 << 20
"""Largest lockfile or SBOM in bytes."""


def entries(form: Format, text: str, include: Callable[[str], str], first: datetime | None) -> Iterator[Entry | Unread]:
    """Yield the entries of a text, those nearest to the project first, then what of it could not be read."""
    pins, problems = pins_of(form.module, text, include)
    needed = needs(form.module, text, pins)
    order = sorted(range(len(pins)), key=lambda number: (needed.via[number] is None, number))
    for number in order:
        made = entry(form, pins[number], number, needed, first)
        if made is not None:
            yield made
            yield from _exactly(made, len(pins) + number)
    yield from problems


_EXACT = {
    "npm": re.compile(r"[=v\s]*(\d+\.\d+\.\d+(?:[-+][\w.+-]+)?)", re.ASCII),
    "pypi": re.compile(r"(?:\[[^\]]*\])?\s*={2,3}\s*([\w.!+-]+)", re.ASCII),
}


def _exactly(open_one: Entry, number: int) -> Iterator[Entry]:
    """Yield what a manifest fixes by itself: a range that only one version satisfies.

    It stays a range as well, because what that version needs is found from there.
    """
    pattern = _EXACT.get(open_one.ecosystem) if open_one.proof is Proof.OPEN else None
    match = pattern.fullmatch(open_one.note.strip()) if pattern else None
    if match is not None:
        note = "the manifest asks for exactly this version, and no lockfile lies beside it"
        yield replace(open_one, version=match[1], proof=Proof.FIXED, number=number, note=note)


def pins_of(form: LockfileFormat, text: str, include: Callable[[str], str]) -> tuple[list[Pin], list[Unread]]:
    """Return the pins of a text, and what of it could not be read."""
    pins: list[Pin] = []
    problems: list[Unread] = []
    try:
        for pin in form.parse(text, include):
            pins.append(pin)
            if pin.problem is not None:
                problems.append(Unread(pin.line, f"{pin.name or pin.path or 'an entry'}: {pin.problem}"))
    except LockfileError as error:
        problems.append(Unread(error.line, f"cannot be read as a whole: {error.reason}"))
    except (OSError, ValueError) as error:
        problems.append(Unread(1, f"cannot be read as a whole: {error}"))
    return pins, problems


class Needed(NamedTuple):
    """Of each pin: which other leads to it by the shortest path (``core.dependency_paths``), and all that need it."""

    via: tuple[int | None, ...]
    owners: tuple[tuple[int, ...], ...]


def needs(form: LockfileFormat, text: str, pins: Sequence[Pin]) -> Needed:
    """Return who needs each pin, by its number; PROJECT stands for the project itself."""
    numbers = {pin.path: number for number, pin in enumerate(pins)}
    links: list[tuple[int, int]] = []
    told = getattr(form, "links", None)
    if told is not None:
        try:
            for owner, one in told(text):
                needs, needed = (numbers.get(owner) if owner else PROJECT), numbers.get(one)
                if needs is not None and needed is not None:
                    links.append((needs, needed))
        except LockfileError:
            pass  # the reading of the pins says what is wrong with the text
    direct = [number for number, pin in enumerate(pins) if pin.direct]
    via = shortest(len(pins), links, direct)
    owners: list[set[int]] = [{PROJECT} if one == PROJECT else set() for one in via]
    for owner, one in links:
        owners[one].add(owner)
    return Needed(via, tuple(tuple(sorted(those)) for those in owners))


def entry(form: Format, pin: Pin, number: int, needed: Needed, first: datetime | None) -> Entry | None:
    """Return the entry of a pin; None if it fixes no release of a registry."""
    if pin.source is not PinSource.REGISTRY or not pin.name or not (pin.version or pin.requirement):
        return None
    fixed = Proof.LISTED if form.sbom else Proof.FIXED
    return Entry(
        ecosystem=pin.ecosystem,
        name=pin.name,
        version=pin.version or "",
        proof=fixed if pin.version else Proof.OPEN,
        number=number,
        line=pin.line,
        via=needed.via[number] if pin.version else PROJECT,
        first=first,
        signs=Sign.DEVELOPMENT if pin.dev else Sign.NONE,
        note="" if pin.version else (pin.requirement or ""),
        owners=needed.owners[number] if pin.version else (PROJECT,),
    )
