"""``lazaretto.toml`` and the environment -> one frozen value. Unknown keys are errors, all reported at once."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from lazaretto.core.names import Digest, Purl
from lazaretto.core.policy import Attestations, Outage, Outcome, Policy, Waiver
from lazaretto.settings.parts import SettingsError, parse_duration, table_of, unknown_keys

if TYPE_CHECKING:
    from lazaretto.app.intelligence.obey import Rules
    from lazaretto.settings.firewall import FirewallSettings
    from lazaretto.settings.state import StateSettings

__all__ = ["FILE_NAME", "Settings", "SettingsError", "load", "parse_duration"]

FILE_NAME = "lazaretto.toml"
_TABLES = {"policy", "waiver", "paths", "engine", "plugins", "firewall", "state", "intelligence"}


class Settings(Struct, frozen=True):
    """Everything a run may be told. Directories are absolute; ``workers`` None: one for each processor, at most 2.

    ``firewall``, ``state`` and ``intelligence`` are None where the file does not speak of them.
    """

    policy: Policy
    cache_dir: Path
    state_dir: Path
    workers: int | None = None
    detectors: tuple[str, ...] = ()
    source: str = "defaults"
    firewall: "FirewallSettings | None" = None
    state: "StateSettings | None" = None
    intelligence: "Rules | None" = None


def load(environ: Mapping[str, str], start: Path, home: Path, explicit: Path | None = None) -> Settings:
    """Return the settings: the file named, else the nearest ``lazaretto.toml`` from ``start`` upwards.

    Raises:
        SettingsError: the file is missing, broken, or holds unknown or wrong keys.
    """
    path = explicit or next((p / FILE_NAME for p in [start, *start.parents] if (p / FILE_NAME).is_file()), None)
    document: dict[str, object] = {}
    if path is not None:
        document = _read(path)
    problems: list[str] = []
    policy = _policy(table_of(document, "policy", problems), document.get("waiver", []), problems)
    paths = table_of(document, "paths", problems)
    engine = table_of(document, "engine", problems)
    plugins = table_of(document, "plugins", problems)
    unknown_keys(document, _TABLES, "", problems)
    unknown_keys(paths, {"cache", "state"}, "paths.", problems)
    unknown_keys(engine, {"workers"}, "engine.", problems)
    unknown_keys(plugins, {"detectors"}, "plugins.", problems)
    workers = engine.get("workers")
    if workers is not None and (not isinstance(workers, int) or isinstance(workers, bool) or workers < 0):
        problems.append("engine.workers: must be a whole number, 0 or more")
        workers = None
    detectors = plugins.get("detectors", [])
    if not isinstance(detectors, list) or not all(isinstance(name, str) for name in detectors):
        problems.append("plugins.detectors: must be a list of dotted module names")
        detectors = []
    firewall = _firewall(table_of(document, "firewall", problems), problems) if "firewall" in document else None
    shared = _state(table_of(document, "state", problems), problems) if "state" in document else None
    heeded = (
        _intelligence(table_of(document, "intelligence", problems), problems) if "intelligence" in document else None
    )
    if problems:
        raise SettingsError(str(path), problems)
    cache = environ.get("LAZARETTO_CACHE_DIR") or paths.get("cache") or _xdg(environ, "XDG_CACHE_HOME", home / ".cache")
    state = (
        environ.get("LAZARETTO_STATE_DIR")
        or paths.get("state")
        or _xdg(environ, "XDG_STATE_HOME", home / ".local/state")
    )
    return Settings(
        policy=policy,
        cache_dir=Path(str(cache)).expanduser().absolute(),
        state_dir=Path(str(state)).expanduser().absolute(),
        workers=workers,
        detectors=tuple(detectors),
        source=str(path) if path else "defaults",
        firewall=firewall,
        state=shared,
        intelligence=heeded,
    )


def _firewall(table: Mapping[str, object], problems: list[str]) -> "FirewallSettings":
    from lazaretto.settings.firewall import read

    return read(table, problems)


def _state(table: Mapping[str, object], problems: list[str]) -> "StateSettings":
    from lazaretto.settings.state import read

    return read(table, problems)


def _intelligence(table: Mapping[str, object], problems: list[str]) -> "Rules":
    from lazaretto.settings.intelligence import read

    return read(table, problems)


def _xdg(environ: Mapping[str, str], variable: str, default: Path) -> str:
    return str(Path(environ.get(variable) or default) / "lazaretto")


def _read(path: Path) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(str(path), [f"cannot be read: {error.strerror}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), [f"is not TOML: {error}"]) from error


_POLICY_KEYS = {
    "hold_at",
    "block_at",
    "required",
    "cooldown",
    "early_release",
    "settled",
    "look_back",
    "outages",
    "max_edges",
    "attestations",
}


def _policy(table: Mapping[str, object], waivers: object, problems: list[str]) -> Policy:
    values: dict[str, object] = {}
    unknown_keys(table, _POLICY_KEYS, "policy.", problems)
    values |= _numbers(table, problems)
    for key in ("cooldown", "settled"):
        if key in table:
            try:
                values[key] = parse_duration(table[key])
            except ValueError as error:
                problems.append(f"policy.{key}: {error}")
    if "early_release" in table:
        if isinstance(table["early_release"], bool):
            values["early_release"] = table["early_release"]
        else:
            problems.append("policy.early_release: must be true or false")
    if "attestations" in table:
        try:
            values["attestations"] = Attestations(table["attestations"])  # type: ignore[arg-type]  # told just below
        except ValueError:
            problems.append(f"policy.attestations: must be one of {', '.join(Attestations)}")
    required = table.get("required")
    if isinstance(required, list) and all(isinstance(name, str) for name in required):
        values["required"] = frozenset(required)
    elif required is not None:
        problems.append("policy.required: must be a list of check ids")
    values["outages"] = _outages(table.get("outages", {}), problems)
    values["waivers"] = _waivers(waivers, problems)
    policy = Policy(**values)  # type: ignore[arg-type]  # each value was checked above
    if policy.hold_at > policy.block_at:
        problems.append("policy.hold_at: must not be above policy.block_at")
    return policy


def _numbers(table: Mapping[str, object], problems: list[str]) -> dict[str, float]:
    values: dict[str, float] = {}
    for key in ("hold_at", "block_at"):
        value = table.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            values[key] = float(value)
        elif value is not None:
            problems.append(f"policy.{key}: must be a number of decibans above 0")
    for key in ("look_back", "max_edges"):
        value = table.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            values[key] = value
        elif value is not None:
            problems.append(f"policy.{key}: must be a whole number, 0 or more")
    return values


def _outages(table: object, problems: list[str]) -> dict[Outage, Outcome]:
    if not isinstance(table, dict):
        problems.append("policy.outages: must be a table")
        return {}
    answers = {outcome.word: outcome for outcome in Outcome}
    known = {outage.value: outage for outage in Outage}
    found = {}
    for key, value in table.items():
        if key not in known:
            problems.append(f"policy.outages.{key}: unknown class (known: {', '.join(sorted(known))})")
        elif value not in answers:
            problems.append(f"policy.outages.{key}: must be allow, hold or block")
        else:
            found[known[key]] = answers[value]
    return found


def _waivers(items: object, problems: list[str]) -> tuple[Waiver, ...]:
    if not isinstance(items, list):
        problems.append("waiver: must be written as [[waiver]]")
        return ()
    waivers = []
    for number, item in enumerate(items, 1):
        place = f"waiver {number}"
        before = len(problems)
        unknown_keys(item, {"purl", "digest", "reason", "by", "until"}, f"{place}.", problems)
        problems.extend(f"{place}.{key}: is required" for key in ("reason", "by", "until") if not item.get(key))
        if bool(item.get("purl")) == bool(item.get("digest")):
            problems.append(f"{place}: name either a purl with its version or a digest")
        if item.get("purl") and "@" not in str(item["purl"]).rpartition("/")[2]:
            problems.append(f"{place}.purl: must name a version (a waiver is never for all versions)")
        until = item.get("until")
        if until is not None and not isinstance(until, datetime):
            problems.append(f"{place}.until: must be a date and time with its offset, such as 2026-12-31T00:00:00Z")
        elif until is not None and until.tzinfo is None:
            problems.append(f"{place}.until: has no offset; write 2026-12-31T00:00:00Z")
        if len(problems) > before:
            continue
        waivers.append(
            Waiver(
                reason=str(item["reason"]),
                by=str(item["by"]),
                until=item["until"].astimezone(UTC),
                purl=Purl(item["purl"]) if item.get("purl") else None,
                digest=Digest(item["digest"]) if item.get("digest") else None,
            )
        )
    return tuple(waivers)
