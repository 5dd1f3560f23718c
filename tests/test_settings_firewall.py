"""The table ``[firewall]``: what it means, and that every defect of it is told at once."""

from datetime import timedelta
from pathlib import Path

import pytest

from lazaretto.core.access import Passing
from lazaretto.core.firewall_policy import Disruption, FirewallPolicy, Mode, Undecided
from lazaretto.core.identity_token import Algorithm, Issuer
from lazaretto.core.policy import Outcome
from lazaretto.settings import FILE_NAME, SettingsError, load
from lazaretto.settings.firewall import FirewallSettings
from lazaretto.settings.sources import UpstreamSetting


def read(folder: Path, text: str) -> FirewallSettings:
    """Return the firewall's settings from a file with this text."""
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    found = load({}, folder, folder).firewall
    assert found is not None
    return found


def test_nothing_said_is_closed_and_on_loopback(tmp_path: Path) -> None:
    """The defaults enforce, wait half a minute, and listen on this machine alone."""
    settings = read(tmp_path, "[firewall]\n")

    assert settings == FirewallSettings()
    assert (settings.loopback, settings.anonymous) == (True, None)
    assert settings.policy == FirewallPolicy()
    assert [settings.policy.on(one) for one in Disruption] == [Outcome.ALLOW, Outcome.HOLD, Outcome.HOLD]


def test_everything_can_be_said(tmp_path: Path) -> None:
    """Each key arrives where it belongs."""
    settings = read(
        tmp_path,
        """
        [firewall]
        listen = "[::]:9000"
        mode = "observe"
        horizon = "0s"
        patience = "5s"
        on_undecided = "hold"
        cooldown = "7d"
        early_release = false
        allow = ["SHA256:AA"]
        public_url = "https://gate.example.invalid/"
        anonymous = true
        analysts = 3
        keep = "500 MiB"
        traces = "http://127.0.0.1:4318/v1/traces"
        page_age = "5m"
        [[firewall.upstream]]
        ecosystem = "npm"
        url = "https://registry.example.invalid/"
        scopes = ["@ours/*"]
        priority = 1
        token_env = "TOKEN"
        publish = "replace"
        login = "pass"
        [firewall.groups.lab]
        networks = ["192.0.2.0/24"]
        mode = "enforce"
        [firewall.outages]
        upstream-down = "hold"
        """,
    )
    policy = settings.policy

    assert (settings.host, settings.port, settings.loopback) == ("::", 9000, False)
    assert (settings.public_url, settings.anonymous, settings.analysts) == ("https://gate.example.invalid", True, 3)
    assert (settings.keep, settings.traces) == (500 << 20, "http://127.0.0.1:4318/v1/traces")
    assert settings.page_age == timedelta(minutes=5)
    assert settings.upstreams == (
        UpstreamSetting(
            "npm", "https://registry.example.invalid/", ("@ours/*",), 1, "TOKEN", Passing.REPLACE, Passing.THROUGH
        ),
    )
    assert (policy.mode, policy.horizon, policy.patience) == (Mode.OBSERVE, timedelta(0), timedelta(seconds=5))
    assert (policy.on_undecided, policy.cooldown, policy.early_release) == (Undecided.HOLD, timedelta(days=7), False)
    assert policy.allowed == {"sha256:aa"}
    assert policy.of("lab").mode is Mode.ENFORCE
    assert policy.on(Disruption.UPSTREAM_DOWN) is Outcome.HOLD


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("unknown = 1", "firewall.unknown: unknown key"),
        ('listen = "8790"', "firewall.listen: must be an address and a port"),
        ('listen = "127.0.0.1:99999"', "firewall.listen: must be an address and a port"),
        ("listen = 8790", "firewall.listen: must be a text"),
        ('mode = "off"', "firewall.mode: must be observe or enforce"),
        ("horizon = 30", "firewall.horizon: 30 is not a duration"),
        ('early_release = "yes"', "firewall.early_release: must be true or false"),
        ('allow = ["abc"]', "firewall.allow: 'abc' is no digest"),
        ('allow = "sha256:aa"', "firewall.allow: must be a list of texts"),
        ('public_url = "gate"', "firewall.public_url: must begin with"),
        ("analysts = 0", "firewall.analysts: must be a whole number from 1 to 64"),
        ("upstream = 1", "firewall.upstream: must be written as [[firewall.upstream]]"),
        ('upstream = [{ecosystem = "gem", url = "x", priority = "a"}]', "firewall.upstream 1.ecosystem: must be npm"),
        ('upstream = [{ecosystem = "npm", url = "x"}]', "firewall.upstream 1.url: must begin with"),
        (
            'upstream = [{ecosystem = "npm", url = "http://x/", priority = true}]',
            "firewall.upstream 1.priority: must be a whole number",
        ),
        (
            'upstream = [{ecosystem = "npm", url = "http://x/", publish = "yes"}]',
            "firewall.upstream 1.publish: must be refuse or pass or replace",
        ),
        (
            'upstream = [{ecosystem = "npm", url = "http://x/", publish = "replace"}]',
            "firewall.upstream 1.publish: replace needs token_env",
        ),
        (
            'upstream = [{ecosystem = "npm", url = "http://x/", login = "replace"}]',
            "firewall.upstream 1.login: must be refuse or pass",
        ),
        (
            'upstream = [{ecosystem = "pypi", url = "http://x/", publish = "pass"}]',
            "firewall.upstream 1.publish, login: only npm's",
        ),
        (
            'upstream = [{ecosystem="npm",url="http://x/",publish="pass"},{ecosystem="npm",url="http://y/",login="pass"}]',
            "firewall.upstream: only one may have",
        ),
        (
            'anonymous = false\nupstream = [{ecosystem = "npm", url = "http://x/", login = "pass"}]',
            "firewall.upstream: publish or login = pass needs anonymous reading",
        ),
        ('traces = "collector:4318"', "firewall.traces: must be an address such as"),
        ('traces = "http://a:b@collector.invalid/v1/traces"', "firewall.traces: must not hold a password"),
        ('keep = "20"', "firewall.keep: '20' is not a size with its unit"),
        ("keep = 20", "firewall.keep: 20 is not a size with its unit"),
        ('issuer = [{name = "x"}]', "firewall.issuer 1.url: is missing"),
        (
            'issuer = [{name = "x", url = "https://i.invalid", audience = "a"}]',
            "firewall.issuer 1.claims: must name at least one claim",
        ),
        (
            'issuer = [{name = "x", url = "https://i.invalid", audience = "a", claims = {sub = []}}]',
            "firewall.issuer 1.claims: must name at least one claim",
        ),
        (
            'issuer = [{name = "x", url = "http://i.invalid", audience = "a", claims = {sub = ["y"]}}]',
            "firewall.issuer 1.url: must begin with https://",
        ),
        (
            'issuer = [{name = "x", url = "https://i.invalid", audience = "a", algorithms = ["HS256"]}]',
            "firewall.issuer 1.algorithms: 'HS256' is none of RS256",
        ),
        ("groups = {lab = 1}", "firewall.groups.lab: must be a table"),
        ('groups = {lab = {networks = ["x"]}}', "firewall.groups.lab.networks: 'x' does not appear to be"),
        ('outages = {feed-stale = "block"}', "firewall.outages.feed-stale: must be allow or hold"),
        ("outages = 1", "firewall.outages: must be a table"),
    ],
)
def test_a_defect_is_told_with_its_key(tmp_path: Path, line: str, problem: str) -> None:
    """What cannot be used is an error, never left out."""
    with pytest.raises(SettingsError) as error:
        read(tmp_path, f"[firewall]\n{line}\n")

    assert any(one.startswith(problem) for one in error.value.problems), error.value.problems


def test_an_issuer_of_tokens(tmp_path: Path) -> None:
    """Each key arrives where it belongs."""
    settings = read(
        tmp_path,
        """
        [[firewall.issuer]]
        name = "forge"
        url = "https://issuer.example.invalid"
        audience = "lazaretto"
        algorithms = ["ES256"]
        group = "ci"
        keys = "https://keys.example.invalid/set"
        [firewall.issuer.claims]
        repository = ["ours/*"]
        """,
    )

    assert settings.issuers == (
        Issuer(
            name="forge",
            url="https://issuer.example.invalid",
            audience="lazaretto",
            claims={"repository": ("ours/*",)},
            algorithms=(Algorithm.ES256,),
            group="ci",
            keys="https://keys.example.invalid/set",
        ),
    )
