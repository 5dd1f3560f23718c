"""One bounded, redacting HTTP client. Every byte that comes from a registry comes through here.

Bounded in bytes (before and after decompression), in time (connect, read, and in total over all attempts)
and in redirects. Credentials stay with the host they were given for. What fails says what happened, to what
address (without its secrets), and what to do next.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from lazaretto.app.ports import NotFound, RegistryError, Unavailable, Untrusted
from lazaretto.infra.redact import shown, without_credentials
from lazaretto.infra.transport import Credentials, Limits, Transport

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

    from lazaretto.infra.connections import Connections
    from lazaretto.infra.guard import Resolve

MAX_REDIRECTS = 5
RETRIES = 2
MAX_RETRY_AFTER = 10.0
"""Longest pause, in seconds, that a server may ask for before another attempt."""

_CHUNK = 256 * 1024
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_RETRIED = frozenset((429, 500, 502, 503, 504))


class Answer(Struct, frozen=True):
    """An answer with its whole body. ``url`` is where it came from in the end; header names are lower case."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes
    notes: tuple[str, ...] = ()


class _Again(Exception):
    """The attempt failed in a way that another may not: ``error`` is what to raise if none is left."""

    def __init__(self, error: RegistryError, pause: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.pause = pause


class _Hop(Struct):
    """One request of a chain of redirects."""

    url: str
    headers: dict[str, str]
    credentials: Credentials | None
    deadline: float
    limits: Limits
    notes: list[str] = field(default_factory=list)
    body: bytes | None = None
    method: str | None = None  # said by whoever takes any status for an answer


class HttpClient:
    """Asks for documents. Safe to use from several threads; connections are kept alive and shared."""

    def __init__(
        self,
        transport: Transport | None = None,
        *,
        user_agent: str = "lazaretto",
        resolve: "Resolve | None" = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transport = transport or Transport()
        self._user_agent = user_agent
        self._resolve = resolve
        self._sleep = sleep

    @cached_property
    def _connections(self) -> "Connections":
        from lazaretto.infra.connections import Connections  # 50 ms that a run without questions does not pay

        return Connections(self._transport) if self._resolve is None else Connections(self._transport, self._resolve)

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        limits: Limits | None = None,
        etag: str | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Return the document at an address; with ``etag`` the status may be 304 and the body empty.

        A ``body`` is a question that is too long for an address: it is posted, and goes nowhere but there.

        Raises:
            NotFound: 404 or 410.
            Unavailable: no connection, too slow, refused, or an error of the server after all attempts.
            Untrusted: too large, truncated, badly encoded, a redirect or a certificate that policy refuses.
        """
        limits = limits or Limits()
        sent = {"user-agent": self._user_agent, "accept-encoding": "gzip", **(headers or {})}
        if etag:
            sent["if-none-match"] = etag
        hop = _Hop(without_credentials(url), sent, credentials, time.monotonic() + limits.total, limits, body=body)
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._persist(hop)
            if answer.status not in _REDIRECTS:
                return _checked(answer)
            if body is not None:
                raise Untrusted(f"{shown(url)} redirects a question ({answer.status}): name the registry's own address")
            _follow(hop, answer)
        raise Untrusted(f"{shown(url)} redirects more than {MAX_REDIRECTS} times; ask whoever runs the registry")

    def send(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        limits: Limits | None = None,
    ) -> Answer:
        """Return whatever is answered to a request that may change something, also an error with its body.

        It is sent once: nobody knows what an attempt that failed has done. A redirect is not followed: what is sent
        is for this address alone.

        Raises:
            Unavailable, Untrusted: as ``get``.
        """
        limits = limits or Limits()
        sent = {"user-agent": self._user_agent, "accept-encoding": "gzip", **(headers or {})}
        end = time.monotonic() + limits.total
        try:
            return self._attempt(_Hop(without_credentials(url), sent, credentials, end, limits, [], body, method))
        except _Again as again:
            raise again.error from None

    def _persist(self, hop: _Hop) -> Answer:
        """Return the answer of one hop, after at most ``RETRIES`` further attempts."""
        pause = 0.25
        for attempt in range(RETRIES + 1):
            try:
                return self._attempt(hop)
            except _Again as again:
                wait = min(again.pause if again.pause is not None else pause, MAX_RETRY_AFTER)
                if attempt == RETRIES or time.monotonic() + wait >= hop.deadline:
                    raise again.error from None
                self._sleep(wait)
                pause *= 4
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _attempt(self, hop: _Hop) -> Answer:
        scheme = hop.url.partition("://")[0].lower()
        if scheme not in ("http", "https"):
            raise Untrusted(f"{shown(hop.url)} is not an http or https address")
        from urllib3 import exceptions

        from lazaretto.infra.guard import NotAllowed

        left = hop.deadline - time.monotonic()
        if left <= 0:
            raise _too_slow(hop)
        watch = self._connections.watch(left)
        try:
            with watch:
                response = self._connections.open(
                    hop.url, hop.headers, hop.credentials, hop.limits, hop.body, hop.method
                )
                try:
                    answer = self._read(hop, response)
                except BaseException:
                    response.close()  # what was not read to its end cannot be used again
                    raise
                response.release_conn()
            if watch.fired:  # cut off within the headers, the rest of them reads as if it were all
                raise _too_slow(hop)
            return answer
        except _Again:
            raise
        except NotAllowed as error:
            raise Untrusted(f"{shown(hop.url)} is not asked: {error}") from None
        except exceptions.HTTPError as error:
            if watch.fired:
                raise _too_slow(hop) from None
            raise self._failure(hop, error) from None
        except (OSError, ValueError) as error:  # a proxy address that cannot be read, a file that is not there
            if watch.fired:
                raise _too_slow(hop) from None
            raise Unavailable(f"{shown(hop.url)} cannot be asked: {_plain(error)}") from None

    def _read(self, hop: _Hop, response: "BaseHTTPResponse") -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        status = response.status
        notes = self._connections.notes(hop.url)
        if status in _REDIRECTS or status == 304:
            if status == 304:
                response.drain_conn()  # it has no body, and most of a check's answers are of this kind
            else:
                response.close()
            return Answer(status, hop.url, headers, b"", (*hop.notes, *notes))
        if status in _RETRIED and hop.method is None:
            again = Unavailable(f"{shown(hop.url)} answers {status}: the registry has trouble; try again later")
            raise _Again(again, _pause(headers.get("retry-after")))
        if status >= 400 and hop.method is None:
            response.close()  # the page of an error says nothing that we would believe
            return Answer(status, hop.url, headers, b"", ())
        body = BytesIO()  # grows in place: joined pieces would be held twice, and a wheel may have 500 MB
        for piece in _decoded(hop, headers, _chunks(hop, headers, response)):
            body.write(piece)
        return Answer(status, hop.url, headers, body.getvalue(), (*hop.notes, *notes))

    def _failure(self, hop: _Hop, error: Exception) -> Exception:
        """Return what to raise for an error of the connection."""
        from http.client import IncompleteRead

        from urllib3 import exceptions

        where = shown(hop.url)
        if isinstance(error, exceptions.SSLError):
            return Untrusted(
                f"the certificate of {where} is not accepted: {_plain(error)}; "
                "if a proxy or a private authority stands in between, tell your client its CA file (cafile, cert)"
            )
        if isinstance(error, exceptions.ProxyError):
            return _Again(Unavailable(f"the proxy for {where} cannot be used: {_plain(error)}; check its settings"))
        if any(isinstance(cause, IncompleteRead) for cause in (error, *error.args)):
            return _Again(Untrusted(f"the answer of {where} is truncated: {_plain(error)}"))
        if isinstance(error, exceptions.NewConnectionError | exceptions.NameResolutionError):
            return _Again(Unavailable(f"{where} cannot be reached: {_plain(error)}; check network, proxy and registry"))
        if isinstance(error, exceptions.TimeoutError):
            return _Again(Unavailable(f"{where} does not answer in time; try again, or check proxy and network"))
        if isinstance(error, exceptions.LocationValueError | exceptions.InvalidHeader):
            return Untrusted(f"{where} cannot be asked: {_plain(error)}")
        return _Again(Unavailable(f"the connection to {where} broke: {_plain(error)}; try again, or check the network"))


def _chunks(hop: _Hop, headers: Mapping[str, str], response: "BaseHTTPResponse") -> Iterator[bytes]:
    """Yield the body as it was sent, at most ``max_bytes`` and all that ``Content-Length`` promised."""
    promised = headers.get("content-length", "")
    if promised.isdigit() and int(promised) > hop.limits.max_bytes:
        raise _too_large(hop)
    got = 0
    while True:
        chunk = response.read1(_CHUNK, decode_content=False)
        if not chunk:
            break
        got += len(chunk)
        if got > hop.limits.max_bytes:
            raise _too_large(hop)
        if time.monotonic() > hop.deadline:
            raise _too_slow(hop)
        yield chunk
    if promised.isdigit() and got < int(promised):
        raise _Again(Untrusted(f"the answer of {shown(hop.url)} is truncated: {got} of {promised} bytes came"))


def _decoded(hop: _Hop, headers: Mapping[str, str], chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the body with its content coding undone, never more than ``max_bytes`` of it."""
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding in ("identity", ""):
        yield from chunks
        return
    if coding not in ("gzip", "x-gzip"):
        raise Untrusted(f"{shown(hop.url)} answers in the coding {coding[:40]!r}, which was not asked for")
    import zlib

    total = 0
    stream: Any = zlib.decompressobj(wbits=31)
    try:
        for sent in chunks:
            data = sent
            while data:
                if stream.eof:
                    stream = zlib.decompressobj(wbits=31)  # RFC 1952: members may follow one another
                out = stream.decompress(data, _CHUNK)
                total += len(out)
                if total > hop.limits.max_bytes:
                    raise _too_large(hop)
                yield out
                data = stream.unused_data if stream.eof else stream.unconsumed_tail
        if not stream.eof:
            raise Untrusted(f"the answer of {shown(hop.url)} is truncated: its gzip stream does not end")
    except zlib.error as error:
        raise Untrusted(f"the answer of {shown(hop.url)} is no gzip stream: {error}") from None


def _checked(answer: Answer) -> Answer:
    """Return a good answer, or raise what its status means."""
    where, status = shown(answer.url), answer.status
    if status in (404, 410):
        raise NotFound(f"{where} does not exist ({status})")
    if status in (401, 403, 407):
        raise Unavailable(f"{where} refuses us ({status}); check the credentials of your client for this registry")
    if status not in (200, 304):
        raise Unavailable(f"{where} answers {status}, which is neither a document nor an error we know")
    return answer


def _follow(hop: _Hop, answer: Answer) -> None:
    """Turn a hop into the next one; credentials are dropped when the host, the port or the scheme changes."""
    from urllib.parse import urljoin, urlsplit

    location = answer.headers.get("location")
    if not location:
        raise Untrusted(f"{shown(hop.url)} redirects ({answer.status}) without saying where to")
    try:
        old, target = urlsplit(hop.url), without_credentials(urljoin(hop.url, location))
        new = urlsplit(target)
        same = (old.scheme, old.hostname, old.port) == (new.scheme, new.hostname, new.port)
    except ValueError:
        raise Untrusted(f"{shown(hop.url)} redirects to an address that cannot be read") from None
    if new.scheme not in ("http", "https") or not new.hostname:
        raise Untrusted(f"{shown(hop.url)} redirects to {shown(target)}, which is no http or https address")
    if old.scheme == "https" and new.scheme == "http":
        raise Untrusted(f"{shown(hop.url)} redirects to {shown(target)}, which is not encrypted")
    if not same:
        hop.credentials = None
        hop.headers = {name: value for name, value in hop.headers.items() if name.lower() not in _PRIVATE}
    hop.url = target.partition("#")[0]


_PRIVATE = frozenset(("authorization", "cookie", "proxy-authorization"))


def _pause(retry_after: str | None) -> float | None:
    """Return the pause a server asks for in seconds; the form with a date is left to our own pauses."""
    text = (retry_after or "").strip()
    return float(text) if text.isdigit() and len(text) < 6 else None


def _too_large(hop: _Hop) -> Untrusted:
    return Untrusted(f"the answer of {shown(hop.url)} is larger than the limit of {hop.limits.max_bytes} bytes")


def _too_slow(hop: _Hop) -> Unavailable:
    return Unavailable(f"{shown(hop.url)} took longer than {hop.limits.total:g} seconds in all; try again later")


def _plain(error: BaseException) -> str:
    """Return an error's innermost words, printable and short."""
    inner = getattr(error, "reason", None)
    while isinstance(inner, BaseException) and getattr(inner, "reason", None) not in (None, inner):
        inner = getattr(inner, "reason", None)
    text = str(inner if inner is not None else error) or type(error).__name__
    head, separator, rest = text.partition("): ")
    text = rest if separator and "host=" in head else text  # urllib3 puts the connection in front
    return "".join(character if character.isprintable() else " " for character in text)[:300]
