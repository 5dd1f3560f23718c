"""The table ``[firewall]``: what it means, and that every defect of it is told at once."""

from datetime import timedelta
from pathlib import Path

import pytest

from lazaretto.core.firewall_policy import Disruption, FirewallPolicy, Mode, Undecided
from lazaretto.core.policy import Outcome
from lazaretto.settings import FILE_NAME, SettingsError, load
from lazaretto.settings.firewall import FirewallSettings, UpstreamSetting


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
        page_age = "5m"
        [[firewall.upstream]]
        ecosystem = "npm"
        url = "https://registry.example.invalid/"
        scopes = ["@ours/*"]
        priority = 1
        token_env = "TOKEN"
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
    assert settings.page_age == timedelta(minutes=5)
    assert settings.upstreams == (
        UpstreamSetting("npm", "https://registry.example.invalid/", ("@ours/*",), 1, "TOKEN"),
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
