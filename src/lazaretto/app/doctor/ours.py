"""What protects our own reading, how old our knowledge is, and whether our firewall stands in front of the clients."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field

from lazaretto.app.doctor.client import origin
from lazaretto.app.doctor.cooldown import Said
from lazaretto.app.doctor.machine import Machine
from lazaretto.app.doctor.settings import Value, first, ini, npmrc, toml, variable
from lazaretto.core.posture import Advice, Severity, Standing, spoken
from lazaretto.core.ruling import FeedState

SUBJECT = "lazaretto"


class Ourselves(Struct, frozen=True):
    """What a surface knows of this installation.

    ``in_force`` and ``absent`` are the layers around a reader, ``unconfined`` why there is none at all. ``feeds`` are
    the sources of advisories that the settings name, ``feed_age`` how old one may be. ``gates`` are the addresses
    (scheme, host, port) at which the firewall of these settings is reached.
    """

    in_force: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    unconfined: str = ""
    feeds: tuple[FeedState, ...] = ()
    feed_age: timedelta = timedelta(hours=24)
    gates: tuple[str, ...] = ()


def examine(machine: Machine, ours: Ourselves, used: frozenset[str], now: datetime) -> Iterator[Said]:
    """Yield what is to be said of ourselves; ``used`` are the clients that are used here."""
    yield from _confinement(ours)
    yield from _feeds(ours, now)
    yield from _gate(machine, ours, used)


def _confinement(ours: Ourselves) -> Iterator[Said]:
    if ours.unconfined:
        message = f"packages are read without confinement: {ours.unconfined}"
        remedy = "set engine.workers to 1 or more, on a Linux that has seccomp and Landlock"
        yield Advice("sandbox-off", SUBJECT, Severity.HIGH, message, remedy)
        return
    for layer, why in sorted(ours.absent.items()):
        message = f"a layer around our readers is missing: {layer} ({why})"
        remedy = "use a kernel that has it (Linux 5.13 or later), outside a container that forbids it"
        yield Advice("sandbox-partial", SUBJECT, Severity.MEDIUM, message, remedy)
    if ours.in_force:
        yield Standing(SUBJECT, f"packages are read behind: {', '.join(sorted(ours.in_force))}")


def _feeds(ours: Ourselves, now: datetime) -> Iterator[Said]:
    if not ours.feeds:
        message = "no advisories are asked: what is known to be malware is found by its content only"
        remedy = "name a source below [[firewall.advisories]] of lazaretto.toml"
        yield Advice("feeds-none", SUBJECT, Severity.LOW, message, remedy)
    for feed in ours.feeds:
        age = feed.age(now)
        if age is None:
            message = f"the advisories of {feed.source} were never fetched"
        elif age > ours.feed_age:
            message = f"the advisories of {feed.source} are {spoken(age)} old: more than {spoken(ours.feed_age)}"
        else:
            yield Standing(SUBJECT, f"advisories of {feed.source}: {feed.records} records, {spoken(age)} old")
            continue
        remedy = "start lazaretto firewall run, which fetches them, and look at what it says"
        yield Advice("feeds-stale", SUBJECT, Severity.MEDIUM, message, remedy)


def _gate(machine: Machine, ours: Ourselves, used: frozenset[str]) -> Iterator[Said]:
    for client, value, remedy in _asked(machine):
        if client not in used:
            continue
        address = origin(value.text) if value is not None else ""
        places = (value.place,) if value is not None else ()
        if address in ours.gates:
            yield Standing(SUBJECT, f"the firewall is in front of {client}", places)
        else:
            message = f"no firewall is in front of {client}: it installs releases that nobody has read"
            yield Advice("firewall-absent", SUBJECT, Severity.LOW, message, remedy, places)


def _asked(machine: Machine) -> Iterator[tuple[str, Value | None, str]]:
    """Yield each client that the firewall can serve, with the address that it asks first."""
    run = "run lazaretto firewall run, and set"
    npm = first(
        variable(machine, "npm_config_registry"),
        variable(machine, "NPM_CONFIG_REGISTRY"),
        npmrc(machine, ".npmrc").get("registry"),
        npmrc(machine, "~/.npmrc").get("registry"),
    )
    yield "npm", npm, f"{run} registry= to the address that it prints"
    pip = first(
        variable(machine, "PIP_INDEX_URL"),
        ini(machine, "~/.config/pip/pip.conf").get("global", "index-url"),
        ini(machine, "~/.pip/pip.conf").get("global", "index-url"),
        ini(machine, "/etc/pip.conf").get("global", "index-url"),
    )
    yield "pip", pip, f"{run} index-url to the address that it prints"
    files = [toml(machine, "uv.toml"), toml(machine, "pyproject.toml").part("tool", "uv")]
    files.append(toml(machine, "~/.config/uv/uv.toml"))
    named = [value for one in files for path, value in one.under("index") if path[-1] == "url"]
    uv = first(
        variable(machine, "UV_DEFAULT_INDEX"),
        variable(machine, "UV_INDEX_URL"),
        *(one.get("index-url") for one in files),
        *named,
    )
    yield "uv", uv, f"{run} UV_DEFAULT_INDEX to the address that it prints"
