"""The routes as clients use them: pages in the form that is asked for, conditions, ranges, refusals, errors."""

import asyncio
import gzip
import json
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lazaretto.infra.metrics import Metrics
from lazaretto.surfaces.firewall.desk import Desk
from lazaretto.surfaces.firewall.wiring import trimming
from tests.infra.servers import server
from tests.surfaces.firewall.street import Said, Street, street

ABBREVIATED = "application/vnd.npm.install-v1+json"
JSON = "application/vnd.pypi.simple.v1+json"
TARBALL = "/npm/old/-/old-1.0.0.tgz"


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    """Return a service in front of an old release, a young one, and the same for PyPI."""
    with street(tmp_path, monkeypatch) as made:
        made.upstream.npm("old", "1.0.0", age=400, files={"data.txt": "x" * 5000})
        made.upstream.npm("thing", "1.0.0", age=400)
        made.upstream.npm("thing", "1.1.0", age=1)
        made.upstream.npm("fresh", "1.0.0", age=1)
        made.upstream.npm("@team/tool", "2.0.0", age=400)
        made.upstream.pypi("old", "1.0", age=400)
        made.upstream.pypi("fresh", "1.0", age=1)
        yield made


def test_a_packument_in_both_forms(town: Street) -> None:
    """The full form by default, the abbreviated one for whoever asks for it; addresses are ours in both."""
    full = town.ask("/npm/thing")
    short = town.ask("/npm/thing", accept=f"{ABBREVIATED}; q=1.0, application/json; q=0.8, */*")
    page, brief = json.loads(full.body), json.loads(short.body)

    assert (full.headers["content-type"], short.headers["content-type"]) == ("application/json", ABBREVIATED)
    assert page["dist-tags"] == brief["dist-tags"] == {"latest": "1.0.0"}
    assert list(page["versions"]) == list(brief["versions"]) == ["1.0.0"]
    assert "1.1.0" not in page["time"]
    assert "modified" in brief
    assert page["versions"]["1.0.0"]["dist"]["tarball"] == "http://localhost:8790/npm/thing/-/thing-1.0.0.tgz"


@pytest.mark.parametrize("path", ["/npm/@team/tool", "/npm/@team%2ftool"])
def test_scoped_names_in_both_spellings(town: Street, path: str) -> None:
    """A server undoes the escape before it hands the path on; its addresses lead back."""
    said = town.ask(path.replace("%2f", "/"))
    tarball = json.loads(said.body)["versions"]["2.0.0"]["dist"]["tarball"].removeprefix("http://localhost:8790")

    assert town.ask(tarball).status == 200


def test_a_page_is_sent_once(town: Street) -> None:
    """Whoever has it asks with its tag and is told that it has not changed, until what may be seen has."""
    first = town.ask("/npm/thing")
    tag = first.headers["etag"]
    assert town.ask("/npm/thing", if_none_match=f'"other", W/{tag}').status == 304
    assert town.ask("/npm/thing", if_none_match='"other"').status == 200
    town.hands.answer("1.1.0", "allow", town.upstream.data["thing-1.1.0.tgz"])
    changed = town.ask("/npm/thing", if_none_match=tag)

    assert changed.status == 200
    assert json.loads(changed.body)["dist-tags"] == {"latest": "1.1.0"}


def test_large_pages_are_compressed_where_that_is_accepted(town: Street) -> None:
    """The same page with a tag of its own; who refuses gzip gets it as it is."""
    for number in range(40):
        town.upstream.npm("many", f"1.{number}.0", age=400)
    plain = town.ask("/npm/many", accept_encoding="gzip;q=0")
    zipped = town.ask("/npm/many", accept_encoding="br, gzip")

    assert "content-encoding" not in plain.headers
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == plain.body
    assert zipped.headers["etag"] != plain.headers["etag"]
    assert town.ask("/npm/many", accept_encoding="gzip", if_none_match=zipped.headers["etag"]).status == 304


def test_versions_tags_and_small_pages(town: Street) -> None:
    """Documents of one release, dist-tags, ping; a version that is hidden is not found."""
    assert json.loads(town.ask("/npm/thing/latest").body)["version"] == "1.0.0"
    assert json.loads(town.ask("/npm/thing/1.0.0").body)["version"] == "1.0.0"
    assert town.ask("/npm/thing/1.1.0").status == 404
    assert json.loads(town.ask("/npm/-/package/thing/dist-tags").body) == {"latest": "1.0.0"}
    assert json.loads(town.ask("/npm/-/ping").body) == {}
    assert town.ask("/npm/-/whoami").status == 401


def test_a_search_shows_what_a_page_would_show(town: Street) -> None:
    """What is held is never named: the version is that of the page, and a package without one is left out.

    A search is passed on with the parameters that it has and no others, and never finds without bounds.
    """

    def find(name: str, version: str) -> dict[str, object]:
        told = {"name": name, "version": version, "description": f"of {version}", "maintainers": [{"username": "m"}]}
        return {"package": told, "score": {"final": 1}}

    names = (("thing", "1.1.0"), ("old", "1.0.0"), ("fresh", "1.0.0"), ("missing", "1.0.0"), ("@team/tool", "2.0.0"))
    body = json.dumps({"objects": [find(*one) for one in names], "total": 5}).encode()
    town.upstream.server.says("/npm/-/v1/search", body)
    said = town.ask("/npm/-/v1/search?text=thing&size=2000&evil=1")
    objects = {one["package"]["name"]: one["package"] for one in json.loads(said.body)["objects"]}

    assert "/npm/-/v1/search?text=thing&size=50" in town.upstream.server.paths()
    assert {name: one["version"] for name, one in objects.items()} == {
        "thing": "1.0.0",
        "old": "1.0.0",
        "@team/tool": "2.0.0",
    }
    assert objects["old"]["description"] == "of 1.0.0"
    assert "description" not in objects["thing"]
    assert town.hands.asked == []  # a search has nothing read
    for broken in (b"[]", b'{"objects": [{}]}', b"{"):
        town.upstream.server.says("/npm/-/v1/search", broken)
        assert town.ask("/npm/-/v1/search?text=thing").status == 502
    odd = [find(".bad", "1.0.0"), {"package": {"name": "old"}}, {"package": {"name": 7, "version": 7}}]
    town.upstream.server.says("/npm/-/v1/search", json.dumps({"objects": odd}).encode())
    (only,) = json.loads(town.ask("/npm/-/v1/search?text=x").body)["objects"]
    assert only["package"] == {"name": "old", "version": "1.0.0"}


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("PUT", "/npm/thing", 405, "publish at the registry itself"),
        ("PUT", "/npm/-/user/org.couchdb.user:ada", 405, "log in at the registry itself"),
        ("DELETE", "/npm/thing/-rev/1", 405, "publish at the registry itself"),
        ("POST", "/npm/-/npm/v1/security/other", 404, "no such page"),
        ("POST", "/npm/-/npm/v1/security/audits", 404, "does not exist"),
        ("GET", "/npm/missing", 404, "has it"),
        ("GET", "/npm/thing/-/other.tgz", 404, "has no file other.tgz"),
        ("GET", "/npm/a/b/c/d", 404, "no such page"),
        ("GET", "/npm/.bad", 404, "not an npm package name"),
        ("GET", "/pypi/simple/missing/", 404, "has it"),
        ("GET", "/pypi/files/old/other.whl", 404, "has no file other.whl"),
        ("GET", "/pypi/files/old/old-1.0-py3-none-any.whl.provenance", 404, "tells no provenance"),
    ],
)
def test_what_is_not_there_is_told(town: Street, method: str, path: str, status: int, words: str) -> None:
    """Every error is one that a client of a registry reads."""
    said = town.ask(path, method)

    assert (said.status, words in json.loads(said.body)["error"]) == (status, True), said.body


def test_an_audit_is_passed_on(town: Street) -> None:
    """As it was sent, compressed or not, to the one registry that there is."""
    town.upstream.server.says("/npm/-/npm/v1/security/advisories/bulk", b'{"thing": []}')
    said = town.ask("/npm/-/npm/v1/security/advisories/bulk", "POST", b"asked", content_encoding="gzip", cookie="no")
    path, headers = town.upstream.server.requests[-1]

    assert (said.status, said.body) == (200, b'{"thing": []}')
    assert (path, town.upstream.server.bodies) == ("/npm/-/npm/v1/security/advisories/bulk", [b"asked"])
    assert headers["content-encoding"] == "gzip"
    assert "cookie" not in headers


def test_an_audit_is_told_to_one_registry_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are several, none may learn the names of another's packages."""
    other = '[[firewall.upstream]]\necosystem = "npm"\nurl = "http://127.0.0.1:1/"\nscopes = ["@ours/*"]'
    with street(tmp_path, monkeypatch, other) as town:
        said = town.ask("/npm/-/npm/v1/security/advisories/bulk", "POST", b"{}")
    assert (said.status, "point npm audit at the registry itself" in said.body.decode()) == (404, True)


def test_parts_of_an_artifact(town: Street) -> None:
    """One range is answered with its part; one that cannot be, with the whole or that it is none."""
    whole = town.ask(TARBALL)
    data = whole.body
    assert data == town.upstream.data["old-1.0.0.tgz"]
    for wanted, status, body in (
        ("bytes=0-9", 206, data[:10]),
        ("bytes=10-", 206, data[10:]),
        ("bytes=-5", 206, data[-5:]),
        ("bytes=0-999999", 206, data),
        ("bytes=999999-", 416, b""),
        ("bytes=5-2", 200, data),
        ("bytes=0-1,4-5", 200, data),
        ("lines=0-1", 200, data),
        ("bytes=x-", 200, data),
    ):
        said = town.ask(TARBALL, range=wanted)
        assert (wanted, said.status, said.body) == (wanted, status, body)
    part = town.ask(TARBALL, range="bytes=0-9", if_range=whole.headers["etag"])
    assert part.headers["content-range"] == f"bytes 0-9/{len(data)}"
    assert town.ask(TARBALL, range="bytes=0-9", if_range='"other"').status == 200
    assert town.ask(TARBALL, if_none_match=whole.headers["etag"]).status == 304


def test_a_head_request_hands_nothing_out(town: Street) -> None:
    """Whoever only asks is not written down as someone who was served."""
    assert town.ask(TARBALL, "HEAD").headers["content-length"] == str(len(town.upstream.data["old-1.0.0.tgz"]))
    assert town.app.ledger.counts()["handed out"] == 0
    town.ask(TARBALL)
    assert town.app.ledger.counts()["handed out"] == 1


def test_whoever_waits_gets_it_once_it_is_read(town: Street) -> None:
    """A young release is read at its request, once for all who ask, and handed out as it was read."""
    said = town.at_once(*["/npm/fresh/-/fresh-1.0.0.tgz"] * 5)

    assert {(one.status, one.body) for one in said} == {(200, town.upstream.data["fresh-1.0.0.tgz"])}
    assert len({request for request, _ in town.hands.asked}) == 1


def test_a_page_waits_a_moment_for_its_newest_release(town: Street) -> None:
    """Whoever pins it exactly finds it there once it is allowed; a longer reading is not waited for again."""
    (page,) = town.at_once("/npm/thing")
    assert list(json.loads(page.body)["versions"]) == ["1.0.0", "1.1.0"]
    town.upstream.npm("slow", "1.0.0", age=400)
    town.upstream.npm("slow", "1.1.0", age=1)
    for least, most in ((0.9, 5.0), (0.0, 0.9)):
        begun = time.monotonic()
        assert list(json.loads(town.ask("/npm/slow").body)["versions"]) == ["1.0.0"]
        assert least <= time.monotonic() - begun < most


def test_a_page_with_nothing_on_it_waits(town: Street) -> None:
    """Where nothing would be left the page waits for the reading; else it does not."""
    (page,) = town.at_once("/npm/fresh")
    assert list(json.loads(page.body)["versions"]) == ["1.0.0"]


@pytest.mark.parametrize("path", ["/npm/fresh", "/npm/fresh/-/fresh-1.0.0.tgz", "/pypi/simple/fresh/"])
def test_patience_ends(town: Street, path: str) -> None:
    """Undecided after the patience: try again, and when."""
    said = town.ask(path)

    assert (said.status, said.headers["retry-after"]) == (503, "5")


def test_a_reading_that_cannot_be_written_down_is_told_at_once(town: Street) -> None:
    """Whoever waits for it learns why; a page with something on it is shown without what waits to be read."""
    paths = ("/npm/fresh", "/npm/fresh/-/fresh-1.0.0.tgz", "/npm/thing")

    async def asked() -> list[Said]:
        waiting = [asyncio.ensure_future(town.asked(path)) for path in paths]
        for _ in range(100):  # until each has asked for its reading
            await asyncio.sleep(0.01)
            if len(town.hands.asked) >= len(paths):
                break
        for version in ("1.0.0", "1.1.0"):
            town.hands.answer(version, "", reason="the journal is locked")
        return [await one for one in waiting]

    page, tarball, other = town.run(asked())
    for said in (page, tarball):
        assert (said.status, said.headers["retry-after"]) == (503, "30")
        assert json.loads(said.body)["error"] == "the journal is locked"
    assert list(json.loads(other.body)["versions"]) == ["1.0.0"]


def test_patience_may_end_in_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the policy says so, what is undecided is held: the page is empty, the file refused."""
    with street(tmp_path, monkeypatch, 'on_undecided = "hold"') as town:
        town.upstream.npm("fresh", "1.0.0", age=1)
        assert json.loads(town.ask("/npm/fresh").body)["versions"] == {}
        assert town.ask("/npm/fresh/-/fresh-1.0.0.tgz").status == 403


def test_a_refusal_says_why(town: Street) -> None:
    """With the verdict id and the reason, in the body and in the header that npm prints."""
    town.ask("/npm/thing")
    town.hands.answer("1.1.0", "block", reason="charges of 63 dB\x1b[31m reach the threshold")
    said = town.ask("/npm/thing/-/thing-1.1.0.tgz")
    verdict = said.headers["x-lazaretto-verdict"]

    assert said.status == 403
    assert json.loads(said.body)["verdict"] == verdict
    assert "charges of 63 dB" in said.headers["npm-notice"]
    assert "\x1b" not in said.headers["npm-notice"]
    assert f"lazaretto firewall review {verdict}" in json.loads(said.body)["error"]
    page = town.ask("/npm/thing")
    assert page.headers["npm-notice"].startswith("lazaretto: thing 1.1.0 is withheld")
    assert page.headers["cache-control"] == "no-store"


def test_an_index_of_python_packages(town: Street) -> None:
    """HTML for whoever does not say, JSON for whoever asks; names lead to their normal form."""
    html = town.ask("/pypi/simple/old/")
    page = town.ask(
        "/pypi/simple/old/", accept=f"application/vnd.pypi.simple.latest+json, {JSON};q=0.9, text/html;q=0.1"
    )
    moved = town.ask("/pypi/simple/Old")

    assert html.headers["content-type"] == "text/html"
    assert b'href="http://localhost:8790/pypi/files/old/old-1.0-py3-none-any.whl' in html.body
    assert page.headers["content-type"] == JSON
    assert json.loads(page.body)["files"][0]["url"].endswith("/pypi/files/old/old-1.0-py3-none-any.whl")
    assert (moved.status, moved.headers["location"]) == (301, "/pypi/simple/old/")


def test_metadata_beside_a_wheel(town: Street) -> None:
    """What the index names by digest is passed on and kept; other bytes are not believed."""
    path = "/pypi/files/old/old-1.0-py3-none-any.whl.metadata"
    assert b"Version: 1.0" in town.ask(path).body
    town.upstream.server.says("/files/old-1.0-py3-none-any.whl.metadata", b"other")
    assert b"Version: 1.0" in town.ask(path).body
    town.upstream.pypi("aged", "1.0", age=400)
    town.upstream.server.says("/files/aged-1.0-py3-none-any.whl.metadata", b"other")

    said = town.ask("/pypi/files/aged/aged-1.0-py3-none-any.whl.metadata")
    assert (said.status, "not those that the index names" in json.loads(said.body)["error"]) == (502, True)


def test_provenance_is_passed_on(town: Street) -> None:
    """As the index gives it."""
    town.upstream.pypi("other", "1.0", age=400)
    told = town.upstream.server.says("/provenance", b'{"version": 1}')
    town.upstream._projects["other"][0]["provenance"] = told
    town.upstream.pypi("other", "1.1", age=400)
    said = town.ask("/pypi/files/other/other-1.0-py3-none-any.whl.provenance")

    assert (said.status, json.loads(said.body)) == (200, {"version": 1})


def test_a_withheld_wheel_leads_to_its_reason(town: Street) -> None:
    """Of a refusal pip shows nothing but the address that refused."""
    town.ask("/pypi/files/fresh/fresh-1.0-py3-none-any.whl.metadata")
    town.ask("/pypi/simple/fresh/")
    town.hands.answer("1.0", "block")
    said = town.ask("/pypi/files/fresh/fresh-1.0-py3-none-any.whl")
    assert said.status == 303
    assert said.headers["location"].endswith("/pkg:pypi/fresh@1.0-read:-block")
    reason = town.ask(said.headers["location"])

    assert reason.status == 403
    assert "withheld: pkg:pypi/fresh@1.0" in json.loads(reason.body)["error"]


def test_health_and_numbers(town: Street) -> None:
    """Alive, ready, and counted."""
    town.ask("/npm/thing")
    assert town.ask("/healthz").body == b"ok\n"
    assert town.ask("/readyz").body == b"ready\n"
    assert b"lazaretto_readings_waiting" in town.ask("/metrics").body


def test_an_upstream_that_fails(town: Street) -> None:
    """Down without a page that was seen: 503 and when to ask again; a page that is none: 502."""
    town.upstream.server.says("/npm/down", b"", 500)
    assert town.ask("/npm/down").headers["retry-after"] == "30"
    town.upstream.server.says("/npm/torn", b"<html>", Content_Type="text/html")
    assert town.ask("/npm/torn").status == 502


def test_strangers_are_not_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another host is not ours; and where it is not open, a token is needed."""
    with street(tmp_path, monkeypatch, "anonymous = false") as town:
        town.upstream.npm("old", "1.0.0", age=400)
        assert town.ask("/npm/old", host="evil.invalid").status == 421
        assert town.ask("/npm/old").status == 401
        assert town.ask("/healthz").status == 200


def test_traces_go_to_the_collector_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One span for each request, with the number that is in its answer, and the token that its variable holds."""
    monkeypatch.setenv("COLLECTOR", "collector-token")
    monkeypatch.setattr("lazaretto.infra.traces.SEND_SECONDS", 1.0)
    with server() as collector:
        address = collector.says("/v1/traces", b"{}")
        with street(tmp_path, monkeypatch, f'traces = "{address}"\ntraces_token_env = "COLLECTOR"') as town:
            said = town.ask("/npm/-/ping")
            deadline = time.monotonic() + 20
            while not collector.requests and time.monotonic() < deadline:
                time.sleep(0.01)
            assert b"\nlazaretto_spans_dropped_total 0\n" in town.ask("/metrics").body

    path, headers = collector.requests[0]  # a slow machine may have sent the next span too
    (spans,) = [one["scopeSpans"][0]["spans"] for one in json.loads(collector.bodies[0])["resourceSpans"]]
    numbers = [one["value"]["stringValue"] for one in spans[0]["attributes"] if one["key"] == "lazaretto.request"]
    assert (path, headers["authorization"]) == ("/v1/traces", "Bearer collector-token")
    assert [one["name"] for one in spans] == ["GET /npm"]
    assert numbers == [said.headers["x-request-id"]]


def test_numbers_that_only_grow_are_counters(town: Street) -> None:
    """Prometheus computes rates of counters alone; their names end in _total, and no other's does."""
    lines = town.ask("/metrics").body.decode().splitlines()
    kinds = {line.split()[2]: line.split()[3] for line in lines if line.startswith("# TYPE ")}

    assert kinds["lazaretto_readings_total"] == kinds["lazaretto_analysts_replaced_total"] == "counter"
    assert {name for name, kind in kinds.items() if kind == "counter"} == {
        name for name in kinds if name.endswith("_total")
    }


def test_what_is_kept_stays_within_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service looks by itself; reports stay; numbers say what is left."""
    with street(tmp_path, monkeypatch, 'keep = "1 MiB"') as town:
        blobs, metrics = town.app.stores.here, Metrics()
        town.upstream.npm("thing", "1.0.0", age=1)
        town.ask("/npm/thing")
        report = blobs.put(b'{"a": "report"}')
        town.hands.answer("1.0.0", "hold", town.upstream.data["thing-1.0.0.tgz"], report=report)
        large = blobs.put(b"x" * (2 << 20))
        for digest in (large, report):
            os.utime(blobs.path(digest), (0, 0))

        async def a_moment() -> None:
            desk = Desk(town.app.gate(), town.app.firewall.policy, town.app.clock)
            task = asyncio.ensure_future(trimming(town.app, desk, metrics, logging.getLogger("lazaretto")))
            for _ in range(2000):
                if b"blobs_bytes 15" in metrics.text():
                    break
                await asyncio.sleep(0.01)
            task.cancel()
            desk.close()

        asyncio.run(asyncio.wait_for(a_moment(), 20))

        assert (blobs.get(large), blobs.get(report)) == (None, b'{"a": "report"}')
        assert b"\nlazaretto_blobs_removed_total 1\n" in metrics.text()
