"""Answers as HTTP wants them: tags, conditions, ranges, compression, and refusals that a client shows."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response

from lazaretto.app.item import Refused
from lazaretto.app.ports import BlobError, Ecosystem, JournalError, LedgerError, NotFound, PortError, Unavailable
from lazaretto.core.inert import inert
from lazaretto.core.names import ProjectName
from lazaretto.core.standing import Standing
from lazaretto.surfaces.firewall.access.refusal import ASGIScope, Message, Receive, Send
from lazaretto.surfaces.firewall.access.zero_copy import EXTENSION, FOLLOWED
from lazaretto.surfaces.firewall.desk import NotDecided
from lazaretto.surfaces.firewall.press import Printed
from lazaretto.surfaces.firewall.sealed import Sealed

MAX_NOTICE = 400
"""Longest notice in a header, in characters."""

_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", re.IGNORECASE)

_CONDITIONS = frozenset((b"if-none-match", b"range"))
"""Headers that ask for less than the whole."""

ARTIFACT_CACHING = "private, no-cache"
"""A client may keep an artifact, and asks whether it still stands before it uses it again."""


class Whole(Response):
    """The answer with everything in it, made of headers as they are sent: the framework's own takes twice the time."""

    def __init__(self, body: bytes | Sealed, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self.status_code = 200
        self._body = body
        self._lines = [(b"content-length", b"%d" % len(body)), *headers]

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Send it; a file by the server that can do so."""
        body = self._body if scope["method"] != "HEAD" else b""
        start: Message = {"type": "http.response.start", "status": 200, "headers": self._lines}
        if isinstance(body, Sealed) and EXTENSION in scope.get("extensions", ()):
            start[FOLLOWED] = True
            await send(start)
            await send({"type": EXTENSION, "file": body, "offset": 0, "count": len(body)})
        else:
            await send(start)
            await send({"type": "http.response.body", "body": body[:]})


def page(request: Request, printed: Printed, media_type: str, headers: Mapping[str, str]) -> Response:
    """Answer with a page, or that it has not changed (RFC 9110, 13.1.2)."""
    zipped = bool(printed.zipped) and _accepts_gzip(request.headers.get("accept-encoding", ""))
    etag = f'"{printed.etag}{"-gz" if zipped else ""}"'
    sent = {"etag": etag, "vary": "Accept, Accept-Encoding", "cache-control": "private, no-cache", **headers}
    if _names(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=sent)
    sent["content-type"] = media_type
    if zipped:
        sent["content-encoding"] = "gzip"
    return Whole(
        printed.zipped if zipped else printed.body, [(k.encode(), v.encode("latin-1")) for k, v in sent.items()]
    )


def artifact(request: Request, digest: str, data: bytes | Sealed, media_type: str) -> Response:
    """Answer with an artifact or a part of it (RFC 9110, 14.2: one range; several are answered with the whole)."""
    if not any(name in _CONDITIONS for name, _ in request.scope["headers"]):  # nearly every one
        return Whole(data, _of_artifact(digest, media_type))
    etag = f'"{digest}"'
    sent = {"etag": etag, "cache-control": ARTIFACT_CACHING, "accept-ranges": "bytes"}
    if _names(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=sent)
    sent["content-type"] = media_type
    wanted = request.headers.get("range")
    if wanted is not None and request.headers.get("if-range", etag) == etag:
        found = _range(wanted, len(data))
        if found is not None and found[0] >= found[1]:
            return Response(status_code=416, headers={**sent, "content-range": f"bytes */{len(data)}"})
        if found is not None:
            first, end = found
            sent["content-range"] = f"bytes {first}-{end - 1}/{len(data)}"
            return Response(data[first:end], status_code=206, headers=sent)
    return Whole(data, _of_artifact(digest, media_type))


@lru_cache(maxsize=4096)
def _of_artifact(digest: str, media_type: str) -> Sequence[tuple[bytes, bytes]]:
    """Return the headers of a whole artifact."""
    sent = {"etag": f'"{digest}"', "cache-control": ARTIFACT_CACHING, "accept-ranges": "bytes"}
    return [(name.encode(), value.encode("latin-1")) for name, value in {**sent, "content-type": media_type}.items()]


def base(request: Request) -> str:
    """Return the address under which the client knows us."""
    # What stands before the gate has left one host in the request, and one that is ours.
    return str(request.app.state.public_url or f"{request.scope['scheme']}://{request.headers['host']}")


def named(ecosystem: Ecosystem, text: str) -> ProjectName:
    """Return the name that an address spells. Raises NotFound: no registry can have it, so none need be asked."""
    try:
        return ecosystem.name(text)
    except ValueError as error:
        raise NotFound(str(error)) from None


def problem(error: PortError | ValueError) -> Response:
    """Answer with what went wrong, as every client of a registry reads it: ``{"error": …}``."""
    if isinstance(error, Refused):
        return refusal(error)
    if isinstance(error, NotFound):
        return said(404, str(error))
    if isinstance(error, NotDecided):
        return said(503, str(error), {"retry-after": str(error.after)})
    if isinstance(error, Unavailable | LedgerError | JournalError | BlobError):
        return said(503, str(error), {"retry-after": "30"})
    return said(502, str(error))


def refusal(refused: Refused) -> Response:
    """Answer that an artifact is withheld: why, under which verdict id, and how a person may change it."""
    stands = refused.standing
    text = f"lazaretto: {refused} {pointer(stands.verdict)}"
    return said(403, text, {"npm-notice": notice(text), "x-lazaretto-verdict": stands.verdict}, verdict=stands.verdict)


def said(status: int, text: str, headers: Mapping[str, str] | None = None, **more: str) -> Response:
    """Answer with a sentence."""
    body = json.dumps({"error": inert(text), **more}).encode()
    sent = {"content-type": "application/json", "cache-control": "no-store", **(headers or {})}
    return Response(body, status_code=status, headers=sent)


def pointer(verdict: str) -> str:
    """Return where a person finds the evidence, and may decide otherwise."""
    return f"[verdict {verdict}; to see the evidence: lazaretto firewall review {verdict}]"


def withheld(stands: Standing) -> str:
    """Return a line about a release that is not on a page."""
    return f"{stands.version} is withheld ({stands.verdict}): {stands.reason}"


def notice(text: str) -> str:
    """Return a text fit for a header: one line of printable ASCII."""
    plain = "".join(sign if " " <= sign <= "~" else "?" for sign in inert(text))
    return plain if len(plain) <= MAX_NOTICE else f"{plain[: MAX_NOTICE - 3]}..."


def negotiated(accept: str, forms: Mapping[str, str]) -> str:
    """Return the form that a client likes best (RFC 9110, 12.5.1); the first of ``forms`` where it does not say.

    ``application/vnd.pypi.simple.latest+json`` is another name for version 1 (PEP 691).
    """
    best = _best if len(accept) <= MAX_NOTICE else _best.__wrapped__
    return tuple(forms)[best(accept, tuple(forms.values()))]


@lru_cache(maxsize=512)  # clients say it with each request, and there are few clients
def _best(accept: str, media_types: tuple[str, ...]) -> int:
    """Return which of the media types is liked best; the first where none is."""
    likes: dict[str, float] = {}
    for part in accept.lower().replace(".latest+", ".v1+").split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((one[2:].strip() for one in parameters if one.startswith("q=")), "1")
        try:
            likes[media] = float(quality)
        except ValueError:
            likes[media] = 0.0
    general = likes.get("*/*", likes.get("text/*", 0.0))
    scored = [likes.get(media, 0.0 if number else general) for number, media in enumerate(media_types)]
    return scored.index(max(scored))


def _names(header: str | None, etag: str) -> bool:
    if header is None:
        return False
    named = [one.strip().removeprefix("W/") for one in header.split(",")]
    return etag in named or "*" in named


def _accepts_gzip(header: str) -> bool:
    for part in header.lower().split(","):
        coding, _, quality = part.strip().partition(";")
        if coding.strip() in ("gzip", "x-gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _range(header: str, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one after the last; None if the header is to be ignored."""
    found = _RANGE.fullmatch(header)
    first, last = found.groups() if found is not None else ("", "")
    if not first + last:
        return None
    if not first:
        return max(0, size - int(last)), size
    end = min(size, int(last) + 1) if last else size
    return None if last and int(last) < int(first) else (int(first), end)
