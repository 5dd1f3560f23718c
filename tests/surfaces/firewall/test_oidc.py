"""Tokens of other issuers at the door: readers of a group, under their own name, and never more than readers."""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lazaretto.core.act import Act
from lazaretto.infra import oidc
from tests.infra import mint
from tests.infra.mint import claims, public, rsa_key, token
from tests.infra.servers import Server, server
from tests.surfaces.firewall.street import Street, street

PAGE = "/npm/thing"
SETTINGS = """
anonymous = false
[[firewall.issuer]]
name = "forge"
url = "{url}"
audience = "lazaretto"
group = "ci"
claims = {{ repository = ["ours/*"] }}
[firewall.groups.ci]
mode = "observe"
"""


@pytest.fixture
def issuer() -> Iterator[Server]:
    """Return an issuer on loopback."""
    with server() as made:
        for path, data in mint.documents(made.url).items():
            made.says(path, data)
        yield made


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, issuer: Server) -> Iterator[Street]:
    """Return a firewall that needs tokens, and takes the issuer's."""
    with street(tmp_path, monkeypatch, SETTINGS.format(url=issuer.url)) as made:
        made.upstream.npm("thing", "1.0.0", age=400)
        made.upstream.npm("thing", "1.1.0", age=1)
        yield made


def good(issuer: Server, **changes: object) -> str:
    """Return a token that is good now."""
    return token(claims(issuer.url, datetime.now(UTC), **changes))


def test_a_reader_of_a_group(town: Street, issuer: Server) -> None:
    """By Bearer as npm sends it and by Basic as pip does, with the group's policy, written down under its own name."""
    text = good(issuer)
    basic = b64encode(f"__token__:{text}".encode()).decode()
    assert town.ask(PAGE).status == 401
    for authorization in (f"Bearer {text}", f"Basic {basic}"):
        said = town.ask(PAGE, authorization=authorization)
        assert (said.status, list(json.loads(said.body)["versions"])) == (200, ["1.0.0", "1.1.0"])
    town.ask("/npm/thing/-/thing-1.0.0.tgz", authorization=f"Bearer {text}")
    rows = town.app.ledger._database.read("SELECT client, client_group FROM served", ())

    assert rows == [("token:oidc:forge:repo:ours/app:ref:refs/heads/main", "ci")]
    assert issuer.paths() == ["/.well-known/openid-configuration", "/keys"]
    assert all("authorization" not in headers for _, headers in town.upstream.server.requests)
    assert json.loads(town.ask("/npm/-/whoami", authorization=f"Bearer {text}").body)["username"].startswith("oidc:")


def test_never_more_than_a_reader(town: Street, issuer: Server) -> None:
    """Whatever it claims: deciding and publishing need a token of ours."""
    text = f"Bearer {good(issuer, scope='admin review publish', scopes=['admin'])}"

    assert town.ask("/-/lazaretto/review", authorization=text).status == 403
    assert town.ask("/-/lazaretto/review/X", "POST", b"{}", authorization=text).status == 403
    assert town.ask(PAGE, "PUT", b"{}", authorization=text).status == 405


def test_what_was_issued_can_be_revoked(town: Street, issuer: Server) -> None:
    """At once, also where it was just taken; what is issued to the same holder later counts."""
    now = datetime.now(UTC)
    old = token(claims(issuer.url, now - timedelta(minutes=20), exp=int(now.timestamp()) + 600))
    assert town.ask(PAGE, authorization=f"Bearer {old}").status == 200
    holder = "oidc:forge:repo:ours/app:ref:refs/heads/main"
    town.app.ledger.end_token(holder, Act(now - timedelta(minutes=5), "ada", "revoke-token", holder, "leaked"))

    said = town.ask(PAGE, authorization=f"Bearer {old}")
    assert (said.status, b"was revoked" in said.body) == (401, True)
    assert town.ask(PAGE, authorization=f"Bearer {good(issuer)}").status == 200


def test_what_is_not_taken_is_told_without_its_content(town: Street, issuer: Server) -> None:
    """Another repository, another audience, no signature: 401, with the reason; and another issuer's is nobody's."""
    for changes in ({"repository": "evil/secret-name"}, {"aud": "another"}, {"exp": 1}):
        said = town.ask(PAGE, authorization=f"Bearer {good(issuer, **changes)}")
        assert said.status == 401
        assert "www-authenticate" in said.headers
        assert b"secret-name" not in said.body
    unsigned = mint.forged(claims(issuer.url, datetime.now(UTC)), {"alg": "none"})
    assert town.ask(PAGE, authorization=f"Bearer {unsigned}").status == 401
    other = token(claims("https://other.invalid", datetime.now(UTC)))
    assert b"a token is needed" in town.ask(PAGE, authorization=f"Bearer {other}").body


def test_a_new_key_is_found_and_a_stranger_asks_for_nothing(
    town: Street, issuer: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys rotate while the firewall runs; a flood of unknown keys has the issuer asked once a minute."""
    assert town.ask(PAGE, authorization=f"Bearer {good(issuer)}").status == 200
    issuer.says("/keys", json.dumps({"keys": [public(rsa_key(1), "two")]}).encode())
    rotated = token(claims(issuer.url, datetime.now(UTC)), rsa_key(1), kid="two")
    for _ in range(5):
        assert town.ask(PAGE, authorization=f"Bearer {rotated}").status == 401
    assert len(issuer.requests) == 2
    monkeypatch.setattr(oidc, "KEYS_AGAIN", timedelta())

    assert town.ask(PAGE, authorization=f"Bearer {rotated}").status == 200


def test_an_issuer_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, issuer: Server) -> None:
    """Without its keys nothing is taken, and it is not asked again for each request."""
    issuer.pages = {}
    with street(tmp_path, monkeypatch, SETTINGS.format(url=issuer.url)) as town:
        for _ in range(3):
            said = town.ask(PAGE, authorization=f"Bearer {good(issuer)}")
            assert (said.status, said.headers["retry-after"]) == (503, "30")
        assert len(issuer.requests) == 1
        assert town.ask("/healthz").status == 200


def test_where_reading_is_open_another_issuers_token_is_no_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, issuer: Server
) -> None:
    """A registry's own tokens may have this form: they are passed by, as they were; a bad one of ours is refused."""
    settings = SETTINGS.format(url=issuer.url).replace("anonymous = false", "anonymous = true")
    with street(tmp_path, monkeypatch, settings) as town:
        town.upstream.npm("thing", "1.0.0", age=400)
        other = token(claims("https://other.invalid", datetime.now(UTC)))
        assert town.ask(PAGE, authorization=f"Bearer {other}").status == 200
        assert town.ask(PAGE, authorization=f"Bearer {good(issuer, aud='another')}").status == 401


def test_what_is_remembered_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, issuer: Server) -> None:
    """A token that was verified a moment ago is not verified anew, and is not taken after its end."""
    now = [datetime.now(UTC)]
    monkeypatch.setattr("lazaretto.infra.clock.SystemClock.now", lambda _: now[0])
    with street(tmp_path, monkeypatch, SETTINGS.format(url=issuer.url)) as town:
        town.upstream.npm("thing", "1.0.0", age=400)
        bearer = f"Bearer {good(issuer)}"
        assert town.ask(PAGE, authorization=bearer).status == 200
        issuer.pages = {}
        now[0] += timedelta(minutes=4)
        assert town.ask(PAGE, authorization=bearer).status == 200
        now[0] += timedelta(minutes=2, seconds=1)
        assert town.ask(PAGE, authorization=bearer).status == 401
