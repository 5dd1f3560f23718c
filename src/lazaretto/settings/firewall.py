"""The table ``[firewall]``: where it listens, whom it asks, what it hides, how long it lets a client wait."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import Enum
from ipaddress import ip_network
from typing import TypeVar

from msgspec import Struct

from lazaretto.core.firewall_policy import Disruption, FirewallPolicy, Group, Mode, Undecided
from lazaretto.core.names import Digest
from lazaretto.core.policy import Outcome
from lazaretto.settings.parts import parse_duration, table_of, unknown_keys

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8790
MAX_ANALYSTS = 64
"""Most analysts that one firewall may be told to run."""

KEYS = {
    "listen",
    "mode",
    "horizon",
    "patience",
    "on_undecided",
    "cooldown",
    "early_release",
    "allow",
    "public_url",
    "trusted_proxies",
    "anonymous",
    "artifact_hosts",
    "analysts",
    "page_age",
    "upstream",
    "advisories",
    "advisory_age",
    "vulnerabilities",
    "groups",
    "outages",
}
"""Everything that the table may hold."""
_ECOSYSTEMS = ("npm", "pypi")
_T = TypeVar("_T", bound=Enum)


class UpstreamSetting(Struct, frozen=True):
    """A registry to ask. ``scopes`` are patterns of the names that are asked for here and nowhere else.

    Of several that fit, that of the lowest ``priority`` is asked first. ``token_env`` names the environment variable
    that holds a bearer token for it.
    """

    ecosystem: str
    url: str
    scopes: tuple[str, ...] = ()
    priority: int = 0
    token_env: str = ""


class AdvisorySetting(Struct, frozen=True):
    """A source of advisories: a file or an address, and the feed that reads it. ``token_env`` as of a registry."""

    name: str
    place: str
    feed: str = "osv"
    token_env: str = ""


class FirewallSettings(Struct, frozen=True):
    """Everything the firewall may be told.

    ``public_url`` is how clients see it, if not as they asked. ``anonymous``: whether reading needs no token; None:
    only where it listens on loopback alone. ``artifact_hosts`` are hosts beside the registries that artifacts may come
    from (with a port: also inside); None: any with a public address. ``page_age`` is how
    old an index page may be before its registry is asked again, ``advisory_age`` how old a source may be, and
    ``vulnerabilities`` what one that is no malware means for a release.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    policy: FirewallPolicy = FirewallPolicy()
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    anonymous: bool | None = None
    artifact_hosts: tuple[str, ...] | None = None
    analysts: int = 2
    page_age: timedelta = timedelta(seconds=60)
    upstreams: tuple[UpstreamSetting, ...] = ()
    advisories: tuple[AdvisorySetting, ...] = ()
    advisory_age: timedelta = timedelta(hours=24)
    vulnerabilities: Outcome = Outcome.ALLOW

    @property
    def loopback(self) -> bool:
        """Whether it listens on this machine alone."""
        return self.host == "localhost" or self.host.startswith("127.") or self.host == "::1"


def read(table: Mapping[str, object], problems: list[str]) -> FirewallSettings:
    """Return what the table says; whatever is wrong is added to ``problems``."""
    return _Reader(table, problems).settings()


class _Reader:
    """Reads one table, and notes every defect with its key."""

    def __init__(self, table: Mapping[str, object], problems: list[str]) -> None:
        self._table = table
        self._problems = problems

    def settings(self) -> FirewallSettings:
        unknown_keys(self._table, KEYS, "firewall.", self._problems)
        host, port = self._listen()
        hosts = "artifact_hosts" in self._table
        public = self._text(self._table, "public_url", "firewall.")
        if public and not public.startswith(("http://", "https://")):
            self._problems.append("firewall.public_url: must begin with http:// or https://")
        return FirewallSettings(
            host=host,
            port=port,
            policy=self._policy(),
            public_url=public.rstrip("/"),
            trusted_proxies=self._texts(self._table, "trusted_proxies", "firewall."),
            anonymous=self._flag("anonymous", default=False) if "anonymous" in self._table else None,
            artifact_hosts=self._texts(self._table, "artifact_hosts", "firewall.") if hosts else None,
            analysts=self._whole("analysts", 2, 1, MAX_ANALYSTS),
            page_age=self._duration(self._table, "page_age", "firewall.", timedelta(seconds=60)) or timedelta(),
            upstreams=tuple(self._upstreams()),
            advisories=tuple(self._advisories()),
            advisory_age=self._duration(self._table, "advisory_age", "firewall.", timedelta(hours=24)) or timedelta(),
            vulnerabilities=self._outcome("vulnerabilities", Outcome.ALLOW),
        )

    def _policy(self) -> FirewallPolicy:
        allowed = self._texts(self._table, "allow", "firewall.")
        self._problems.extend(
            f"firewall.allow: {one!r} is no digest (write sha256:…)" for one in allowed if ":" not in one
        )
        return FirewallPolicy(
            mode=self._one_of(self._table, "mode", Mode, "firewall.") or Mode.ENFORCE,
            horizon=self._duration(self._table, "horizon", "firewall.", timedelta(days=30)) or timedelta(),
            patience=self._duration(self._table, "patience", "firewall.", timedelta(seconds=30)) or timedelta(),
            on_undecided=self._one_of(self._table, "on_undecided", Undecided, "firewall.") or Undecided.RETRY,
            cooldown=self._duration(self._table, "cooldown", "firewall.", None),
            early_release=self._flag("early_release", default=True),
            allowed=frozenset(Digest(one.lower()) for one in allowed),
            groups=tuple(self._groups()),
            disruptions=self._disruptions(),
        )

    def _listen(self) -> tuple[str, int]:
        text = self._text(self._table, "listen", "firewall.") or f"{DEFAULT_HOST}:{DEFAULT_PORT}"
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            self._problems.append("firewall.listen: must be an address and a port, such as 127.0.0.1:8790")
            return DEFAULT_HOST, DEFAULT_PORT
        return host.strip("[]"), int(port)

    def _groups(self) -> "list[Group]":
        groups = []
        for name, value in table_of(self._table, "groups", self._problems, "firewall.").items():
            place = f"firewall.groups.{name}."
            if not isinstance(value, dict):
                self._problems.append(f"firewall.groups.{name}: must be a table")
                continue
            unknown_keys(value, {"networks", "mode", "horizon", "cooldown"}, place, self._problems)
            networks = self._texts(value, "networks", place)
            for network in networks:
                try:
                    ip_network(network)
                except ValueError as error:
                    self._problems.append(f"{place}networks: {error}")
            groups.append(
                Group(
                    name=name,
                    networks=networks,
                    mode=self._one_of(value, "mode", Mode, place),
                    horizon=self._duration(value, "horizon", place, None),
                    cooldown=self._duration(value, "cooldown", place, None),
                )
            )
        return groups

    def _disruptions(self) -> dict[Disruption, Outcome]:
        table = table_of(self._table, "outages", self._problems, "firewall.")
        unknown_keys(table, {one.value for one in Disruption}, "firewall.outages.", self._problems)
        words = {"allow": Outcome.ALLOW, "hold": Outcome.HOLD}
        found = {}
        for one in Disruption:
            word = table.get(one.value)
            if word in words:
                found[one] = words[str(word)]
            elif word is not None:
                self._problems.append(f"firewall.outages.{one.value}: must be allow or hold")
        return found

    def _upstreams(self) -> "list[UpstreamSetting]":
        items = self._table.get("upstream", [])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            self._problems.append("firewall.upstream: must be written as [[firewall.upstream]]")
            return []
        found = []
        for number, item in enumerate(items, 1):
            place = f"firewall.upstream {number}."
            unknown_keys(item, {"ecosystem", "url", "scopes", "priority", "token_env"}, place, self._problems)
            if item.get("ecosystem") not in _ECOSYSTEMS:
                self._problems.append(f"{place}ecosystem: must be npm or pypi")
            url = self._text(item, "url", place)
            if not url.startswith(("http://", "https://")):
                self._problems.append(f"{place}url: must begin with http:// or https://")
            priority = item.get("priority", 0)
            if not isinstance(priority, int) or isinstance(priority, bool):
                self._problems.append(f"{place}priority: must be a whole number")
                priority = 0
            scopes, token = self._texts(item, "scopes", place), self._text(item, "token_env", place)
            found.append(UpstreamSetting(str(item.get("ecosystem")), url, scopes, priority, token))
        return found

    def _advisories(self) -> "list[AdvisorySetting]":
        items = self._table.get("advisories", [])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            self._problems.append("firewall.advisories: must be written as [[firewall.advisories]]")
            return []
        found: list[AdvisorySetting] = []
        for number, item in enumerate(items, 1):
            place = f"firewall.advisories {number}."
            unknown_keys(item, {"name", "place", "feed", "token_env"}, place, self._problems)
            texts = {key: self._text(item, key, place) for key in ("name", "place", "feed", "token_env")}
            self._problems.extend(f"{place}{key}: is missing" for key in ("name", "place") if not texts[key])
            if texts["name"] in {one.name for one in found}:
                self._problems.append(f"{place}name: another source has the same")
            texts["feed"] = texts["feed"] or "osv"
            found.append(AdvisorySetting(**texts))
        return found

    def _outcome(self, key: str, default: Outcome) -> Outcome:
        words = {outcome.word: outcome for outcome in Outcome}
        word = self._text(self._table, key, "firewall.") or default.word
        if word not in words:
            self._problems.append(f"firewall.{key}: must be allow, hold or block")
        return words.get(word, default)

    def _duration(
        self, table: Mapping[str, object], key: str, prefix: str, default: timedelta | None
    ) -> timedelta | None:
        if key not in table:
            return default
        return self._tried(lambda: parse_duration(table[key]), f"{prefix}{key}", default)

    def _tried(self, make: Callable[[], timedelta], place: str, default: timedelta | None) -> timedelta | None:
        try:
            return make()
        except ValueError as error:
            self._problems.append(f"{place}: {error}")
            return default

    def _one_of(self, table: Mapping[str, object], key: str, kind: type[_T], prefix: str) -> _T | None:
        known = {one.value: one for one in kind}
        value = table.get(key)
        if value is not None and value not in known:
            self._problems.append(f"{prefix}{key}: must be {' or '.join(map(str, known))}")
        return known.get(value)

    def _flag(self, key: str, *, default: bool) -> bool:
        value = self._table.get(key, default)
        if not isinstance(value, bool):
            self._problems.append(f"firewall.{key}: must be true or false")
            return default
        return value

    def _whole(self, key: str, default: int, least: int, most: int) -> int:
        value = self._table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self._problems.append(f"firewall.{key}: must be a whole number from {least} to {most}")
            return default
        return value

    def _text(self, table: Mapping[str, object], key: str, prefix: str) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            self._problems.append(f"{prefix}{key}: must be a text")
            return ""
        return value

    def _texts(self, table: Mapping[str, object], key: str, prefix: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self._problems.append(f"{prefix}{key}: must be a list of texts")
            return ()
        return tuple(value)
