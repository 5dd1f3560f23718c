"""The table ``[firewall]``: where it listens, whom it asks, what it hides, how long it lets a client wait."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from ipaddress import ip_network

from msgspec import Struct

from lazaretto.core.access import Passing
from lazaretto.core.firewall_policy import Disruption, FirewallPolicy, Group, Mode, Undecided
from lazaretto.core.identity_token import Issuer
from lazaretto.core.names import Digest
from lazaretto.core.policy import Outcome
from lazaretto.core.ruling import AdvisoryPolicy
from lazaretto.settings import sources
from lazaretto.settings.parts import one_of, parse_duration, parse_size, table_of, text_of, texts_of, unknown_keys
from lazaretto.settings.sources import AdvisorySetting, UpstreamSetting

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8790
DEFAULT_KEEP = 20 << 30
"""Bytes of artifacts that stay on this machine, unless the settings name another bound."""

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
    "issuer",
    "keep",
    "outages",
    "traces",
    "traces_token_env",
}
"""Everything that the table may hold."""


class FirewallSettings(Struct, frozen=True):
    """Everything the firewall may be told.

    ``public_url`` is how clients see it, if not as they asked. ``anonymous``: whether reading needs no token; None:
    only where it listens on loopback alone. ``artifact_hosts`` are hosts beside the registries that artifacts may come
    from (with a port: also inside); None: any with a public address. ``page_age`` is how old an index page may be
    before its registry is asked again, ``advisory_age`` how old a source may be, and ``vulnerabilities`` what one that
    is no malware means for a release. ``keep`` bounds the bytes of artifacts that stay on this machine. ``issuers`` are
    those whose tokens are taken for reading. ``traces`` is where a collector takes them (OTLP over HTTP), and
    ``traces_token_env`` the variable that holds a bearer token for it.
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
    keep: int = DEFAULT_KEEP
    issuers: tuple[Issuer, ...] = ()
    traces: str = ""
    traces_token_env: str = ""

    @property
    def open(self) -> bool:
        """Whether reading needs no token."""
        return self.loopback if self.anonymous is None else self.anonymous

    @property
    def ruling(self) -> AdvisoryPolicy:
        """What an advisory means for a release."""
        stale = self.policy.on(Disruption.FEED_STALE)
        return AdvisoryPolicy(vulnerability=self.vulnerabilities, stale=stale, max_age=self.advisory_age)

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
        public = text_of(self._table, "public_url", "firewall.", self._problems)
        if public and not public.startswith(("http://", "https://")):
            self._problems.append("firewall.public_url: must begin with http:// or https://")
        made = FirewallSettings(
            host=host,
            port=port,
            policy=self._policy(),
            public_url=public.rstrip("/"),
            trusted_proxies=texts_of(self._table, "trusted_proxies", "firewall.", self._problems),
            anonymous=self._flag("anonymous", default=False) if "anonymous" in self._table else None,
            artifact_hosts=texts_of(self._table, "artifact_hosts", "firewall.", self._problems) if hosts else None,
            analysts=self._whole("analysts", 2, 1, MAX_ANALYSTS),
            page_age=self._duration(self._table, "page_age", "firewall.", timedelta(seconds=60)) or timedelta(),
            upstreams=sources.upstreams(self._table, self._problems),
            advisories=sources.advisories(self._table, self._problems),
            advisory_age=self._duration(self._table, "advisory_age", "firewall.", timedelta(hours=24)) or timedelta(),
            vulnerabilities=self._outcome("vulnerabilities", Outcome.ALLOW),
            keep=self._keep(),
            issuers=sources.issuers(self._table, self._problems),
            traces=self._traces(),
            traces_token_env=text_of(self._table, "traces_token_env", "firewall.", self._problems),
        )
        if not made.open and any(Passing.THROUGH in (one.publish, one.login) for one in made.upstreams):
            self._problems.append(
                "firewall.upstream: publish or login = pass needs anonymous reading: a client shows one credential, "
                "the registry's or ours; use publish = replace"
            )
        return made

    def _keep(self) -> int:
        try:
            return parse_size(self._table.get("keep", "20 GiB"))
        except ValueError as error:
            self._problems.append(f"firewall.keep: {error}")
            return DEFAULT_KEEP

    def _traces(self) -> str:
        address = text_of(self._table, "traces", "firewall.", self._problems)
        if address and not address.startswith(("http://", "https://")):
            self._problems.append("firewall.traces: must be an address such as http://127.0.0.1:4318/v1/traces")
        if "@" in address.partition("://")[2].partition("/")[0]:
            self._problems.append("firewall.traces: must not hold a password; name a variable as traces_token_env")
        return address

    def _policy(self) -> FirewallPolicy:
        allowed = texts_of(self._table, "allow", "firewall.", self._problems)
        self._problems.extend(
            f"firewall.allow: {one!r} is no digest (write sha256:…)" for one in allowed if ":" not in one
        )
        return FirewallPolicy(
            mode=one_of(self._table, "mode", Mode, "firewall.", self._problems) or Mode.ENFORCE,
            horizon=self._duration(self._table, "horizon", "firewall.", timedelta(days=30)) or timedelta(),
            patience=self._duration(self._table, "patience", "firewall.", timedelta(seconds=30)) or timedelta(),
            on_undecided=one_of(self._table, "on_undecided", Undecided, "firewall.", self._problems) or Undecided.RETRY,
            cooldown=self._duration(self._table, "cooldown", "firewall.", None),
            early_release=self._flag("early_release", default=True),
            allowed=frozenset(Digest(one.lower()) for one in allowed),
            groups=tuple(self._groups()),
            disruptions=self._disruptions(),
        )

    def _listen(self) -> tuple[str, int]:
        text = text_of(self._table, "listen", "firewall.", self._problems) or f"{DEFAULT_HOST}:{DEFAULT_PORT}"
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
            networks = texts_of(value, "networks", place, self._problems)
            for network in networks:
                try:
                    ip_network(network)
                except ValueError as error:
                    self._problems.append(f"{place}networks: {error}")
            groups.append(
                Group(
                    name=name,
                    networks=networks,
                    mode=one_of(value, "mode", Mode, place, self._problems),
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

    def _outcome(self, key: str, default: Outcome) -> Outcome:
        words = {outcome.word: outcome for outcome in Outcome}
        word = text_of(self._table, key, "firewall.", self._problems) or default.word
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
