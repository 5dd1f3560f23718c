"""The review API: for tokens that may, with their name in the record; what cannot be carried out is told."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lazaretto.core.access import Scope, mint
from lazaretto.core.act import Act
from tests.surfaces.firewall.street import Said, Street, street

REVIEW = "/-/lazaretto/review"


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    """Return a service that holds a release."""
    with street(tmp_path, monkeypatch, patience="0s") as made:
        made.upstream.npm("thing", "1.0.0", age=400)
        made.upstream.npm("thing", "1.1.0", age=1)
        made.ask("/npm/thing")
        made.hands.answer("1.1.0", "hold", made.upstream.data["thing-1.1.0.tgz"])
        yield made


def token(town: Street, name: str, *scopes: Scope) -> str:
    """Make a token and return its text."""
    now = town.app.clock.now()
    text, made = mint(name.encode().ljust(32, b"."), name, scopes, now)
    town.app.ledger.add_token(made, Act(now, "ada", "make-token", name, ""))
    return f"Bearer {text}"


def post(town: Street, subject: str, bearer: str, **deed: Any) -> Said:
    """Post an act."""
    return town.ask(f"{REVIEW}/{subject}", "POST", json.dumps(deed).encode(), authorization=bearer)


def test_a_program_decides_under_its_own_name(town: Street) -> None:
    """The queue names what is held; the act takes it off, lets it out, and is in the chain under the token's name."""
    bot = token(town, "bot", Scope.REVIEW)
    (held,) = json.loads(town.ask(REVIEW, authorization=bot).body)
    assert (held["everyone"], held["groups"]) == (True, [])
    assert (held["project"], held["version"], held["outcome"], held["reason"]) == (
        "thing",
        "1.1.0",
        "hold",
        "read: hold",
    )
    said = post(town, held["verdict"], bot, verb="waive", reason="read by hand", until="2999-01-01T00:00:00Z")

    assert (said.status, json.loads(said.body)[0]["outcome"]) == (200, "allow")
    assert json.loads(town.ask(REVIEW, authorization=bot).body) == []
    assert town.ask("/npm/thing/-/thing-1.1.0.tgz").status == 200
    assert [entry.content["who"] for entry in town.app.ledger.acts()] == ["ada", "bot"]


def test_only_who_may_decides(town: Street) -> None:
    """Nobody without a token, and none with one that only reads."""
    reader = token(town, "reader", Scope.READ)
    assert town.ask(REVIEW).status == 401
    assert town.ask(REVIEW, authorization=reader).status == 403
    assert post(town, "pkg:npm/thing@1.1.0", reader, verb="allow", reason="x").status == 403
    assert town.ask("/npm/thing/-/thing-1.1.0.tgz").status == 403


@pytest.mark.parametrize(
    "deed",
    [
        {"verb": "allow"},
        {"verb": "open", "reason": "x"},
        {"verb": "allow", "reason": "x", "more": 1},
        {"verb": "allow", "reason": ""},
        {"verb": "waive", "reason": "x"},
        {"verb": "waive", "reason": "x", "until": "2999-01-01T00:00:00"},
        {"verb": "waive", "reason": "x", "until": "2000-01-01T00:00:00Z"},
    ],
)
def test_what_cannot_be_carried_out_is_told(town: Street, deed: dict[str, Any]) -> None:
    """With the reason, and without an act."""
    bot = token(town, "bot", Scope.REVIEW)
    said = post(town, "pkg:npm/thing@1.1.0", bot, **deed)

    assert (said.status, bool(json.loads(said.body)["error"])) == (400, True)
    assert len(list(town.app.ledger.acts())) == 1
    assert post(town, "NOTHING1", bot, verb="allow", reason="x").status == 400
