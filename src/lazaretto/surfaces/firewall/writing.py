"""What an npm client writes: publications and log-ins, passed on where the settings say so, and refused elsewhere."""

import re
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazaretto.app.passing import NeedsCredentials, NotPassed, Passage, Reply
from lazaretto.app.ports import Ecosystem, PortError
from lazaretto.infra.redact import Secret
from lazaretto.surfaces.firewall import answers
from lazaretto.surfaces.firewall.access.middleware import viewer_of
from lazaretto.surfaces.firewall.desk import Desk

MAX_PUBLICATION = 64 << 20
"""Largest body of a publication, in bytes; it holds the tarball in base64."""

MAX_PUBLISHING = 2
"""Publications that are passed on at a time: each is in memory several times over."""

MAX_ACCOUNT = 64 << 10
"""Largest body of a log-in, in bytes."""

USER, TOKEN = "-/user/org.couchdb.user:", "-/user/token/"
_ACCOUNT = re.compile(r"-/user/org\.couchdb\.user:([^/]{1,256})(/-rev/[A-Za-z0-9-]{1,64})?")
_NAMED = re.compile(r"(?:@[^/]+/)?[^/@-][^/]*")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=:-]{5,4096}")
_OTP = re.compile(r"[A-Za-z0-9-]{1,64}")


class Writing:
    """The routes by which a client writes to a registry of npm packages."""

    def __init__(self, desk: Desk, ecosystem: Ecosystem, passage: Passage) -> None:
        self._desk = desk
        self._ecosystem = ecosystem
        self._passage = passage
        self._free = MAX_PUBLISHING

    async def whoami(self, request: Request) -> Response:
        """Answer who one is: to us by our token, or to the registry by the client's own credentials."""
        who = viewer_of(request.scope).token
        if who is not None:
            return JSONResponse({"username": who})
        try:
            reply = await self._account(request, "GET", "-/whoami", None, needed=True)
        except NotPassed:
            return answers.said(401, "no token was sent")
        except (PortError, ValueError) as error:
            return _problem(error)
        return _passed(reply)

    async def user(self, request: Request) -> Response:
        """Answer what ``npm login`` asks about a user that exists already, before it logs in to it."""
        account = _ACCOUNT.fullmatch(request.path_params["path"].strip("/"))
        try:
            if account is None or account[2] or not self._passage.logs_in:
                return answers.said(404, "the firewall has no such page")
            path = f"{USER}{quote(account[1], safe='')}?write=true"
            return _passed(await self._account(request, "GET", path, None, needed=False))
        except (PortError, ValueError) as error:
            return _problem(error)

    async def answer(self, request: Request) -> Response:
        """Answer whatever would change the registry."""
        path, method = request.path_params["path"].strip("/"), request.method
        try:
            if method == "PUT" and self._passage.logs_in and (account := _ACCOUNT.fullmatch(path)):
                return await self._login(request, account[1], account[2] or "")
            if method == "DELETE" and path.startswith(TOKEN):
                return await self._logout(request, path.removeprefix(TOKEN))
            if path == "-/v1/login" and self._passage.logs_in:
                # Where that is not known, a client asks for name and password and sends them to the address above.
                return answers.said(404, "logging in by a browser is not passed on: npm login --auth-type=legacy")
            if method == "PUT" and _NAMED.fullmatch(path):
                return await self._publish(request, path)
        except (PortError, ValueError) as error:
            return _problem(error)
        what = "log in" if path.startswith(("-/user/", "-/v1/login")) else "unpublish, deprecate and publish"
        text = f"this firewall hands out packages, and does not do that: {what} at the registry itself"
        return answers.said(405, text, {"allow": "GET, HEAD"})

    async def _publish(self, request: Request, path: str) -> Response:
        name, viewer, shown = answers.named(self._ecosystem, path), viewer_of(request.scope), _shown(request)
        self._passage.may_publish(name, viewer, shown)  # before its body is taken
        if not self._free:
            return answers.said(503, "other publications are being passed on; try again", {"retry-after": "5"})
        self._free -= 1
        try:
            body = await request.body()
            publish = self._passage.publish
            reply = await self._desk.run(publish, name, body, _otp(request), viewer, shown, self._desk.now())
        finally:
            self._free += 1
        return _passed(reply)

    async def _login(self, request: Request, user: str, revision: str) -> Response:
        body = await _small(request)
        if _User.decode(body).name != user:
            raise ValueError("the user that would log in is not the one in the address")
        path = f"{USER}{quote(user, safe='')}{revision}"
        return _passed(await self._account(request, "PUT", path, body, needed=False))

    async def _logout(self, request: Request, token: str) -> Response:
        shown = _shown(request)
        if shown is None or shown.reveal() != f"Bearer {token}" or not _TOKEN.fullmatch(token):
            raise NeedsCredentials("only the token that is shown can be given back")
        return _passed(await self._account(request, "DELETE", f"{TOKEN}{quote(token, safe='')}", None, needed=True))

    async def _account(self, request: Request, method: str, path: str, body: bytes | None, *, needed: bool) -> Reply:
        account, shown, otp = self._passage.account, _shown(request), _otp(request)

        def ask() -> Reply:
            return account(method, path, body, otp, shown, needed=needed)

        return await self._desk.run(ask)


class _Named(msgspec.Struct):
    name: str


_User = msgspec.json.Decoder(_Named)


def _shown(request: Request) -> Secret | None:
    """Return what a client shows that is no token of ours: the middleware has left nothing else in the request."""
    text = request.headers.get("authorization")
    return Secret(text) if text else None


def _otp(request: Request) -> str:
    text = request.headers.get("npm-otp", "")
    return text if _OTP.fullmatch(text) else ""


async def _small(request: Request) -> bytes:
    """Return a body that is no larger than a log-in is. Raises ValueError."""
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > MAX_ACCOUNT:
            raise ValueError(f"a log-in has at most {MAX_ACCOUNT} bytes")
    return b"".join(parts)


def _passed(reply: Reply) -> Response:
    """Return a registry's answer as ours: its status and its JSON, and nothing else of it."""
    if not 200 <= reply.status < 300 and not 400 <= reply.status < 600:
        return answers.said(502, f"the registry answered {reply.status}, which is not passed on")
    headers = {"www-authenticate": "OTP"} if reply.one_time else {}
    if reply.media_type != "application/json":
        return answers.said(reply.status, f"the registry answered {reply.status}", headers)
    sent = {"content-type": "application/json", "cache-control": "no-store", **headers}
    return Response(reply.body, reply.status, sent)


def _problem(error: PortError | ValueError) -> Response:
    if isinstance(error, NotPassed):
        return answers.said(405, str(error), {"allow": "GET, HEAD"})
    if isinstance(error, NeedsCredentials):
        return answers.said(401, str(error))
    if isinstance(error, ValueError):
        return answers.said(400, str(error))
    return answers.problem(error)
