"""What an npm client writes: refused, unless the settings pass it on; then to one registry, with one credential."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any

import pytest

from lazaretto.core.access import Scope
from tests.e2e.street import Upstream
from tests.ecosystems.test_npm_publication import document
from tests.infra.servers import Server, server
from tests.surfaces.firewall.street import Said, Street, street
from tests.surfaces.firewall.test_api import token

THEIRS = "Bearer npm_theirs0123456789"
OURS = "registry-token-of-the-firewall"
PACKAGE = "/npm/@team/tool"
USER = "/npm/-/user/org.couchdb.user:ada"
LOGIN = json.dumps({"_id": "org.couchdb.user:ada", "name": "ada", "password": "geheim"}).encode()


@pytest.fixture
def private() -> Iterator[Server]:
    """Return a second registry, for the names of a team."""
    with server() as made:
        made.says("/npm/@team%2Ftool", b'{"ok": true}', 201, Content_Type="application/json", Set_Cookie="a=b")
        yield made


def firewall(
    folder: Path,
    patch: pytest.MonkeyPatch,
    private: Server,
    publish: str,
    public: str = 'publish = "refuse"',
    ours: str = OURS,
) -> Any:
    """Run a firewall in front of a public registry and that of a team."""
    patch.setenv("TEAM_TOKEN", ours)
    team = (
        f'[[firewall.upstream]]\necosystem = "npm"\nurl = "{private.url}/npm/"\nscopes = ["@team/*"]\n'
        f'token_env = "TEAM_TOKEN"\n{publish}\n'
    )
    return street(folder, patch, npm=f"{public}\n{team}")


def published(town: Street, path: str = PACKAGE, **headers: str) -> Said:
    """Publish a version of a package."""
    return town.ask(path, "PUT", json.dumps(document()).encode(), **headers)


def acts(town: Street) -> list[tuple[str, str]]:
    """Return what is in the chain: (what, by whom)."""
    return [(one.content["what"], one.content["who"]) for one in town.app.ledger.acts()]  # type: ignore[misc]


def test_nothing_is_passed_on_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is sent, with whatever credentials: the registry hears nothing of it, and the client is told why."""
    with street(tmp_path, monkeypatch) as town:
        for path, body in ((PACKAGE, json.dumps(document()).encode()), (USER, LOGIN), ("/npm/-/v1/login", b"{}")):
            said = town.ask(path, "PUT" if "v1" not in path else "POST", body, authorization=THEIRS)
            assert (said.status, b"at the registry itself" in said.body) == (405, True)
        assert town.ask("/npm/-/whoami", authorization=THEIRS).status == 401
        uploaded = town.ask("/pypi/simple/", "POST", b"x" * (5 << 20), content_length=str(5 << 20))

        assert (uploaded.status, b"upload to the index itself" in uploaded.body) == (405, True)
        assert town.upstream.server.requests == []
        assert acts(town) == []


def test_a_publication_goes_to_the_registry_of_its_name_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private: Server
) -> None:
    """With the client's own credentials, once; what the registry answers arrives, and the act is in the chain."""
    with firewall(tmp_path, monkeypatch, private, 'publish = "pass"') as town:
        assert published(town).status == 401  # nobody is anonymous at a registry because of us
        said = published(town, authorization=THEIRS, npm_otp="123456", cookie="c=d", x_other="1")
        ((path, sent),) = private.requests
        body = json.loads(private.bodies[0])

        assert (said.status, json.loads(said.body)) == (201, {"ok": True})
        assert "set-cookie" not in said.headers
        assert (path, sent["authorization"], sent["npm-otp"]) == ("/npm/@team%2Ftool", THEIRS, "123456")
        assert "cookie" not in sent
        assert "x-other" not in sent
        assert body["versions"]["1.2.0"]["dist"]["tarball"].startswith(private.url)
        assert town.upstream.server.requests == []
        assert acts(town) == [("publish", "127.0.0.1")]
        assert published(town, "/npm/thing", authorization=THEIRS).status == 405
        assert town.ask(f"{PACKAGE}/-rev/1", "DELETE", authorization=THEIRS).status == 405
        assert town.upstream.server.requests == []


def test_what_was_published_is_looked_for_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private: Server
) -> None:
    """The page that was seen before counts no longer, and of no other package."""
    team = Upstream(private)
    team.npm("@team/tool", "1.0.0", age=400)
    team.npm("@team/other", "1.0.0", age=400)
    with firewall(tmp_path, monkeypatch, private, 'publish = "pass"') as town:
        for name in ("@team/tool", "@team/other", "@team/tool"):
            assert town.ask(f"/npm/{name}").status == 200
        assert len(private.requests) == 2
        team.npm("@team/tool", "1.2.0", age=400)
        assert published(town, authorization=THEIRS).status == 200
        assert list(json.loads(town.ask(PACKAGE).body)["versions"]) == ["1.0.0", "1.2.0"]
        town.ask("/npm/@team/other")
        assert private.paths()[2:] == ["/npm/@team%2Ftool"] * 2


def test_our_credentials_take_the_place_of_the_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private: Server
) -> None:
    """For a token with the scope to publish, and for no other; what else a client shows goes nowhere."""
    with firewall(tmp_path, monkeypatch, private, 'publish = "replace"') as town:
        assert published(town).status == 401
        assert published(town, authorization=THEIRS).status == 401
        assert published(town, authorization=token(town, "reader", Scope.READ)).status == 401
        assert published(town, authorization=token(town, "boss", Scope.ADMIN)).status == 401
        assert private.requests == []
        said = published(town, authorization=token(town, "ci", Scope.PUBLISH))

        assert said.status == 201
        assert private.requests[0][1]["authorization"] == f"Bearer {OURS}"
        assert ("publish", "token:ci") in acts(town)


def test_without_a_token_of_ours_nothing_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private: Server
) -> None:
    """A variable that is not set does not make us anonymous."""
    with firewall(tmp_path, monkeypatch, private, 'publish = "replace"', ours="") as town:
        said = published(town, authorization=token(town, "ci", Scope.PUBLISH))

        assert (said.status, b"set the variable" in said.body) == (503, True)
        assert private.requests == []


def test_what_is_not_written_down_is_not_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private: Server
) -> None:
    """The chain comes first; a publication that came to nothing is in it twice."""
    with firewall(tmp_path, monkeypatch, private, 'publish = "pass"') as town:
        private.says("/npm/@team%2Ftool", b'{"error": "taken"}', 409, Content_Type="application/json")
        refused = published(town, authorization=THEIRS)
        assert (refused.status, json.loads(refused.body)) == (409, {"error": "taken"})
        assert [what for what, _ in acts(town)] == ["publish", "publish-failed"]
        private.says("/npm/@team%2Ftool", b"", 302, Location="http://127.0.0.1:1/")
        assert published(town, authorization=THEIRS).status == 502
        private.says("/npm/@team%2Ftool", b"<h1>", 500, Content_Type="text/html")
        said = published(town, authorization=THEIRS)
        assert (said.status, json.loads(said.body)) == (500, {"error": "the registry answered 500"})
        private.says("/npm/@team%2Ftool", b"{}", 401, WWW_Authenticate="OTP", Content_Type="application/json")
        assert published(town, authorization=THEIRS).headers["www-authenticate"] == "OTP"
        count = len(private.requests)
        monkeypatch.setattr(type(town.app.ledger), "act", _unwritable)
        assert published(town, authorization=THEIRS).status == 503
        assert len(private.requests) == count == 4


def test_a_registry_that_is_away_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private: Server) -> None:
    """Nobody knows whether it arrived: both are in the chain, and it is never sent a second time."""

    def breaks(handler: Any) -> None:
        handler.connection.shutdown(SHUT_RDWR)  # to close it alone would leave it open: the handler has copies of it

    private.pages["/npm/@team%2Ftool"] = breaks
    with firewall(tmp_path, monkeypatch, private, 'publish = "pass"') as town:
        assert published(town, authorization=THEIRS).status in (502, 503)
        assert [what for what, _ in acts(town)] == ["publish", "publish-failed"]
        assert len(private.requests) == 1
        assert town.ask("/npm/-/whoami").status == 401


def _unwritable(*_: object) -> None:
    from lazaretto.app.ports import LedgerError

    raise LedgerError("the disk is full")


def test_a_name_of_several_registries_is_nobodys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private: Server
) -> None:
    """Which of them a publication is for cannot be known; so it is for none."""
    public = f'publish = "refuse"\n[[firewall.upstream]]\necosystem = "npm"\nurl = "{private.url}/npm/"\n'
    with firewall(tmp_path, monkeypatch, private, 'publish = "refuse"', f'{public}publish = "pass"') as town:
        assert published(town, "/npm/thing", authorization=THEIRS).status == 405
        assert private.requests == []


def test_what_is_no_publication_of_that_name_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private: Server
) -> None:
    """Another name inside than in the address would be published under the other one."""
    with firewall(tmp_path, monkeypatch, private, 'publish = "pass"') as town:
        other = json.dumps(document(name="@team/other")).encode()
        said = town.ask(PACKAGE, "PUT", other, authorization=THEIRS)

        assert (said.status, b"not @team/tool" in said.body) == (400, True)
        assert private.requests == []
        assert acts(town) == []


def test_logging_in_asking_who_one_is_and_logging_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """All three reach the registry of the credentials alone, and neither password nor token is ever logged."""
    caplog.set_level(logging.INFO)
    private.says("/npm/-/user/org.couchdb.user%3Aada", b'{"token": "tok-1"}', 201, Content_Type="application/json")
    private.pages["/npm/-/user/org.couchdb.user:ada"] = private.pages["/npm/-/user/org.couchdb.user%3Aada"]
    private.says("/npm/-/whoami", b'{"username": "ada"}', Content_Type="application/json")
    private.says("/npm/-/user/token/tok-1", b'{"ok": true}', Content_Type="application/json")
    with firewall(tmp_path, monkeypatch, private, 'login = "pass"') as town:
        logging.getLogger("lazaretto").addHandler(caplog.handler)
        assert town.ask("/npm/-/v1/login", "POST", b"{}").status == 404
        assert json.loads(town.ask(USER, "PUT", LOGIN).body) == {"token": "tok-1"}
        assert json.loads(town.ask("/npm/-/whoami", authorization="Bearer tok-1").body) == {"username": "ada"}
        assert town.ask("/npm/-/whoami").status == 401
        assert town.ask(USER).status == 201
        assert town.ask(f"{USER}/-rev/1").status == 404
        assert town.ask("/npm/-/user/token/tok-1", "DELETE", authorization="Bearer other").status == 401
        assert town.ask("/npm/-/user/token/tok-1", "DELETE", authorization="Bearer tok-1").status == 200
        assert town.ask("/npm/-/user/token/..", "DELETE", authorization="Bearer ..").status == 401
        assert town.ask("/npm/-/user/org.couchdb.user:eve", "PUT", LOGIN).status == 400
        assert town.ask(USER, "PUT", b"x" * (65 << 10)).status == 400
        assert town.ask(USER, "PUT", b"{").status == 400
        assert published(town, authorization="Bearer tok-1").status == 405
        town.ask("/npm/@team/tool", authorization="Bearer tok-1")
        town.ask("/npm/thing", authorization="Bearer tok-1")
        logged = [repr(getattr(one, "fields", {})) for one in caplog.records]
        logging.getLogger("lazaretto").removeHandler(caplog.handler)

    shown = [headers.get("authorization") for path, headers in private.requests if "-/" in path]
    assert shown == [None, "Bearer tok-1", None, "Bearer tok-1"]
    assert all("authorization" not in headers for _, headers in town.upstream.server.requests)
    assert [headers["authorization"] for path, headers in private.requests if "-/" not in path] == [f"Bearer {OURS}"]
    assert logged
    assert not any("tok-1" in line or "geheim" in line for line in logged)
    assert any("/-/user/token/***" in line for line in logged)
