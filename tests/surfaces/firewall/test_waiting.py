"""For how long a page is waited for: in pieces for clients that ask again, once for the others, never for ever."""

import json
from pathlib import Path

import pytest

from lazaretto.core.names import ProjectName
from lazaretto.surfaces.firewall import waiting
from lazaretto.surfaces.firewall.waiting import AGAIN_SECONDS, KNOWN, PYPI, Bears, Piece, Waiting, bears
from tests.surfaces.firewall.street import Said, Street, street

NAME = ProjectName("thing")
PIP = KNOWN["pip"]
MOST = PIP.seconds


def test_a_client_that_asks_again_waits_in_pieces() -> None:
    """Each no longer than it bears, together no longer than the patience; the last one is answered."""
    made = Waiting(25.0)
    pieces = [made.piece("pypi", NAME, PIP, at) for at in (100.0, 111.0, 122.0)]

    assert pieces == [Piece(100 + MOST, last=False), Piece(111 + MOST, last=False), Piece(125.0, last=True)]
    made.over("pypi", NAME, PIP, 125.0)
    assert made.piece("pypi", NAME, PIP, 131.0) == Piece(131.0, last=True)
    assert made.piece("pypi", NAME, PYPI, 131.0) == Piece(131 + PYPI.seconds, last=True)
    assert made.piece("pypi", NAME, PIP, 131 + AGAIN_SECONDS) == Piece(131 + AGAIN_SECONDS + MOST, last=False)


def test_no_client_is_sent_away_more_often_than_it_asks() -> None:
    """Whatever the patience is, the answer to the last try is a page: a client that gave up would be left with none."""
    for name, borne in KNOWN.items():
        made, at = Waiting(3600.0), 0.0
        for number in range(1, borne.tries + 1):
            piece = made.piece("pypi", NAME, bears(f"{name}/26.3 (x)"), at)
            assert piece.last == (number == borne.tries)
            at = piece.end


def test_what_was_decided_or_left_is_waited_for_anew() -> None:
    """A page that came, or a client that went away, is no reason to wait for less the next time."""
    made = Waiting(30.0)
    made.piece("pypi", NAME, PIP, 100.0)
    made.done("pypi", NAME, PIP)
    assert made.piece("pypi", NAME, PIP, 200.0).end == 200 + MOST
    assert made.piece("pypi", NAME, PIP, 1000.0) == Piece(1000 + MOST, last=False)


def test_who_asks_meanwhile_makes_it_no_longer() -> None:
    """A page that is asked for all the time is waited for again after a minute; nothing stays for ever."""
    made = Waiting(10.0)
    for at in range(100, 160):
        made.over("pypi", NAME, PIP, float(at))
    assert made.piece("pypi", NAME, PIP, 160.0).end == 160 + MOST
    for number in range(1000):
        made.piece("pypi", ProjectName(f"p{number}"), PIP, 1000.0 * number)
    assert len(made._since) == 1


def test_who_asks_again() -> None:
    """Clients are known by their name alone; one that is not known is answered at once."""
    assert bears('pip/26.3 {"ci":true}') == PIP
    assert bears("uv/0.13.9").tries == bears("poetry/2.5.1 CPython/3.11").tries == 2
    assert {bears(text) for text in ("unearth/0.19.0", "pdm/2.29", "", "curl/8")} == {PYPI}


def test_a_page_insists_where_the_client_asks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 while the newest release is being read, then the page; a client that does not ask again gets it at once."""
    monkeypatch.setattr(waiting, "KNOWN", {"pip": Bears(4, 0.2)})
    monkeypatch.setattr(waiting, "PYPI", Bears(1, 0.2))

    def ask(town: Street, name: str, agent: str = "pip/26.3") -> Said:
        return town.ask(f"/pypi/simple/{name}/", user_agent=agent, accept="application/vnd.pypi.simple.v1+json")

    with street(tmp_path, monkeypatch) as town:
        town.upstream.pypi("thing", "1.0", age=400)
        town.upstream.pypi("thing", "1.1", age=1)
        told = ask(town, "thing")
        assert (told.status, told.headers["retry-after"], b"is being read" in told.body) == (503, "1", True)
        assert json.loads(ask(town, "thing", "pdm/2").body)["versions"] == ["1.0"]
        town.hands.answer("1.1", "allow", town.upstream.data["thing-1.1-py3-none-any.whl"])
        assert json.loads(ask(town, "thing").body)["versions"] == ["1.0", "1.1"]
        town.upstream.pypi("slow", "1.0", age=400)
        town.upstream.pypi("slow", "1.1", age=1)
        said = [ask(town, "slow").status for _ in range(10)]
        assert (said[0], said[-1]) == (503, 200)
        assert said == sorted(said, reverse=True)
    with street(tmp_path / "closed", monkeypatch, 'on_undecided = "hold"') as town:
        town.upstream.pypi("slow", "1.0", age=400)
        town.upstream.pypi("slow", "1.1", age=1)
        assert ask(town, "slow").status == 200
