"""Any request on any route: what it is made of comes from the routes and the code themselves, so a new one is met too.

Whatever is asked, the answer is one that HTTP knows, it is no failure of ours, and no byte of an artifact is in it
without an allow for its digest.
"""

import ast
import json
import re
import string
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from starlette.convertors import PathConvertor
from starlette.routing import Route

from lazaretto.core.access import Scope, mint
from lazaretto.core.act import Act
from lazaretto.core.chain import verify
from lazaretto.core.names import ProjectName
from lazaretto.core.standing import Identity
from lazaretto.surfaces import firewall
from tests.surfaces.firewall.street import Street, street
from tests.surfaces.firewall.test_hostile import held

pytestmark = pytest.mark.slow

MOST_REQUESTS = 1000
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "QUERY")
ODD = (
    ".",
    "..",
    "...",
    "",
    "-",
    "@",
    "%",
    "%00",
    "%2e%2e",
    "%2f",
    "%5c",
    "%ff",
    "%C3%A4",
    "%ED%A0%80",
    " ",
    ";",
    "*",
    "+",
    "x" * 500,
)
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
"""A header's name (RFC 9110, 5.6.2), in lower case as ASGI has it."""


class Asked(Struct, frozen=True):
    """A request as a client sends it."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    client: int


class Answered(Struct):
    """What came of it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    """Return a service with what is held, what is unread, what is old and what has a scope."""
    with street(tmp_path, monkeypatch, 'trusted_proxies = ["127.0.0.9"]', patience="0s") as made:
        for publish in (made.upstream.npm, made.upstream.pypi):
            publish("thing", "1.0.0", age=400)
            publish("thing", "1.1.0", age=1, held=True)
            publish("fresh", "1.0.0", age=1)
        made.upstream.npm("@team/tool", "2.0.0", age=400)
        for path in ("/npm/thing", "/pypi/simple/thing/", "/npm/fresh", "/pypi/simple/fresh/"):
            made.ask(path)
        for request in [one for one in made.hands.futures if one.version == "1.1.0"]:
            made.hands.futures.pop(request).set_result(held(request))
        yield made


def routes(service: object) -> list[Route]:
    """Return the table of the routes, from behind whatever stands before it."""
    while not hasattr(service, "routes"):
        service = vars(service)["_app"]
    return list(service.routes)


def words() -> list[str]:
    """Return what the code of the firewall's surface compares requests with: every short text that stands in it."""
    found: set[str] = set()
    for path in Path(firewall.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
                text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
                if 0 < len(text) <= 40 and text.isprintable() and " " not in text:
                    found.add(text)
    return sorted(found)


def identities(town: Street) -> list[Identity]:
    """Return every artifact that the service knows."""
    ledger = town.app.ledger
    read = ledger._database.read("SELECT DISTINCT ecosystem, project FROM identity ORDER BY 1, 2")
    return [one for ecosystem, project in read for one in ledger.identities(ecosystem, ProjectName(project))]


def segments(town: Street) -> st.SearchStrategy[str]:
    """Return parts of a path: names that there are, words of the code, and what no client means well."""
    known = {part for path in town.upstream.server.pages for part in unquote(path).split("/")}
    plain = st.sampled_from(sorted({*known, *(one.verdict for one in identities(town))}))
    return st.one_of(plain, st.sampled_from(words()), st.sampled_from(ODD), st.text(max_size=6))


def escaped(text: str, *, every: bool) -> str:
    """Return a part of a path as it is sent: escaped where it must be, or everywhere."""
    safe = "" if every else string.ascii_letters + string.digits + "/@%:.,-_~+!$&'()*;="
    return "".join(sign if sign in safe else "".join(f"%{byte:02x}" for byte in _utf8(sign)) for sign in text)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def filled(route: Route, part: st.SearchStrategy[str], town: Street) -> st.SearchStrategy[str]:
    """Return addresses that a route is made for, about artifacts that there are, and some that it is not made for."""
    sent = st.builds(escaped, part, every=st.booleans())
    below = sorted({page[1:].partition("/")[2] for page in town.upstream.server.pages})

    def made(identity: Identity) -> st.SearchStrategy[str]:
        pieces = [st.just(piece) for piece in re.split(r"\{[^}]*\}", route.path)]
        places = []
        for name, convertor in route.param_convertors.items():
            fits = st.just(getattr(identity, name, ""))
            if isinstance(convertor, PathConvertor):
                fits = st.sampled_from(below)
                odd = st.lists(sent, min_size=1, max_size=5).map("/".join)
            else:
                odd = sent
            places.append(st.one_of(fits, fits, fits, odd))
        ends = st.sampled_from([*[""] * 12, "/", "//", "/.", "/../x", "%2f", ".metadata", ".provenance"])
        whole = [one for pair in zip_longest(pieces, places) for one in pair if one is not None]
        return st.tuples(*whole, ends).map("".join)

    return st.sampled_from(identities(town)).flatmap(made)


def headers(codes: list[str]) -> st.SearchStrategy[tuple[tuple[bytes, bytes], ...]]:
    """Return headers: those that the code names, with what it compares them with, or with anything at all."""
    names = [one for one in codes if TOKEN.fullmatch(one.encode("latin-1", "replace"))]
    usual = ["range", "if-range", "if-none-match", "accept", "accept-encoding", "x-forwarded-for", "x-forwarded-host"]
    name = st.one_of(st.sampled_from(usual), st.sampled_from(usual), st.sampled_from(names)).map(str.encode)
    value = st.one_of(
        st.just(b"*"),
        st.sampled_from([*codes, "*", "bytes=0-", "bytes=-1", "bytes=5-2", "q=", "a;q=x, */*;q=2", "gzip;q=1"]).map(
            lambda text: text.encode("latin-1", "replace")
        ),
        st.binary(max_size=30).map(lambda data: re.sub(rb"[\0\r\n]", b"", data)),
    )
    return st.lists(st.tuples(name, value), max_size=5).map(tuple)


def bodies(codes: list[str]) -> st.SearchStrategy[bytes]:
    """Return bodies: JSON with the fields that the code has, or anything."""
    leaf = st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(codes), st.text(max_size=5))
    fields = st.sampled_from(["verb", "reason", "until", *codes])
    verb = st.sampled_from(["allow", "block", "waive", "revoke"])
    deed = st.fixed_dictionaries({"verb": verb, "reason": st.text(max_size=5)}, optional={"until": leaf})
    tree = st.one_of(deed, st.dictionaries(fields, st.one_of(leaf, st.lists(leaf, max_size=2)), max_size=4), leaf)
    return st.one_of(tree.map(lambda value: json.dumps(value).encode()), st.binary(max_size=40))


def requests(town: Street) -> st.SearchStrategy[Asked]:
    """Return requests to every route of the table, mostly by the methods that it has, and to no route at all."""
    part, codes = segments(town), words()
    sent = st.builds(escaped, part, every=st.booleans())
    any_method = st.sampled_from(METHODS)
    known = [
        st.tuples(st.one_of(*[st.sampled_from(sorted(route.methods or METHODS))] * 4, any_method), path)
        for route in routes(town.service)
        for path in [filled(route, part, town)]
    ]
    unknown = st.tuples(any_method, st.lists(sent, max_size=5).map(lambda parts: "/" + "/".join(parts)))
    query = st.one_of(st.just(""), st.sampled_from(codes), st.builds(escaped, st.text(max_size=8), every=st.just(True)))
    rest = st.tuples(query, headers(codes), bodies(codes), st.integers(2, 250))
    return st.tuples(st.one_of(*known, unknown), rest).map(lambda pair: Asked(pair[0][0], pair[0][1], *pair[1]))


async def answered(town: Street, asked: Asked, token: str = "") -> Answered:
    """Return the answer to a request, which reaches the service as the server would hand it on."""
    said, ended = Answered(0, [], b""), False
    given = [(b"host", b"localhost:8790"), *asked.headers]
    if token:
        given.append((b"authorization", f"Bearer {token}".encode()))
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": unquote(asked.path),
        "raw_path": asked.path.encode(),
        "root_path": "",
        "query_string": asked.query.encode("latin-1", "replace"),
        "headers": given,
        "client": (f"127.0.0.{asked.client}", 50000),
        "server": ("127.0.0.1", 8790),
        "state": {},
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": asked.body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal ended
        assert not ended
        if message["type"] == "http.response.start":
            assert not said.status
            said.status, said.headers = message["status"], list(message["headers"])
        else:
            assert said.status
            said.body += message.get("body", b"")
            ended = not message.get("more_body", False)

    await town.service(scope, receive, send)
    assert ended
    return said


def check(asked: Asked, said: Answered) -> None:
    """Assert that an answer is one, and tells nothing of what is inside."""
    assert 200 <= said.status < 600
    assert said.status not in (500, 501), said
    for name, value in said.headers:
        assert TOKEN.fullmatch(name), said
        assert not re.search(rb"[\0\r\n]", value), said
    lengths = [int(value) for name, value in said.headers if name == b"content-length"]
    if asked.method != "HEAD" and said.status not in (204, 304):
        assert lengths == [len(said.body)], said
    if said.status == 304:
        assert not said.body
    kinds = [value for name, value in said.headers if name == b"content-type"]
    encoded = [value for name, value in said.headers if name == b"content-encoding"]
    if said.body and not encoded and any(kind.endswith(b"json") for kind in kinds):
        json.loads(said.body)
    assert b"Traceback" not in said.body


def test_nothing_undecided_is_in_any_answer(town: Street) -> None:
    """To whoever may read and no more: neither a held artifact nor an unread one, nor what stands beside it."""
    shut = [data for name, data in town.upstream.data.items() if "1.1.0" in name or name.startswith("fresh")]
    met: Counter[int] = Counter()

    @settings(max_examples=MOST_REQUESTS, suppress_health_check=list(HealthCheck))
    @given(asked=requests(town))
    def ask(asked: Asked) -> None:
        said = town.run(answered(town, asked))
        check(asked, said)
        met[said.status] += 1
        body = b"" if asked.method == "HEAD" else said.body
        assert not any(data in body for data in shut)
        assert b"Version: 1.1.0" not in body

    ask()
    digests = {f"sha256:{sha256(data).hexdigest()}" for data in shut}
    served = town.app.ledger._database.read("SELECT sha256, outcome FROM served")
    assert not [row for row in served if row[0] in digests or row[1] != "allow"]
    assert town.app.ledger.counts()["acts"] == 0
    assert {200, 403, 404, 405} <= met.keys()  # the requests reach what they are meant to reach


def test_whoever_may_decide_breaks_nothing(town: Street) -> None:
    """With a token that may do anything: each act has its decisions, and each artifact that went out its allow."""
    now = town.app.clock.now()
    text, token = mint(bytes(range(32)), "ada", [Scope.ADMIN], now)
    town.app.ledger.add_token(token, Act(now, "ada", "make-token", "ada", "a test"))

    @settings(max_examples=MOST_REQUESTS // 3, suppress_health_check=list(HealthCheck))
    @given(asked=requests(town))
    def ask(asked: Asked) -> None:
        plain = [pair for pair in asked.headers if pair[0] != b"authorization"]
        asked = Asked(asked.method, asked.path, asked.query, tuple(plain), asked.body, asked.client)
        check(asked, town.run(answered(town, asked, text)))

    ask()
    read = town.app.ledger._database.read
    allowed = {row[0] for row in read("SELECT sha256 FROM decision WHERE outcome = 'allow'")}
    assert {row[0] for row in read("SELECT sha256 FROM served WHERE outcome = 'allow'")} <= allowed
    acts = {row[0] for row in read("SELECT at FROM act WHERE what <> 'make-token'")}
    assert acts == {row[0] for row in read("SELECT decided_at FROM decision WHERE basis = 'review'")}
    assert verify(town.app.ledger.acts()) is None
