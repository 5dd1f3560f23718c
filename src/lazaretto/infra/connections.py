"""Pools of connections by proxy and trust, and a watch that ends a connection when its time is over."""

import socket
import ssl
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from lazaretto.infra.guard import Guard, Resolve
from lazaretto.infra.redact import Secret
from lazaretto.infra.transport import Credentials, Limits, Transport

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

_POOLS = 16
_CONNECTIONS = 8
_LINGER = 1.0
_busy = threading.local()


class Watch:
    """Shuts the socket of this thread's request when its time is over.

    A read limit alone does not bound an answer whose headers, or handshake, come one byte at a time.
    """

    def __init__(self, keeper: "Timekeeper", seconds: float) -> None:
        self.fired = False
        self.seconds = seconds
        self.until = 0.0
        self._keeper = keeper
        self._connection: HTTPConnection | None = None

    def __enter__(self) -> Self:
        _busy.watch = self
        self._keeper.begin(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keeper.end(self)
        _busy.watch = None

    def take(self, connection: HTTPConnection) -> None:
        """Note the connection that the request goes over."""
        self._connection = connection

    def fire(self) -> None:
        """Shut the socket: whoever reads from it is told that there is no more."""
        self.fired = True
        sock = getattr(self._connection, "sock", None)
        if sock is not None:
            try:
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not SSLSocket's: no farewell to a server that stalls
            except OSError:
                return  # already closed


class Timekeeper:
    """One thread for all watches: one for each would take longer to start than many an answer to come."""

    def __init__(self) -> None:
        self._running: set[Watch] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._next = 0.0

    def begin(self, watch: Watch) -> None:
        """Fire this watch when its time is over."""
        watch.until = time.monotonic() + watch.seconds
        with self._changed:
            self._running.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="timekeeper", daemon=True)
                self._thread.start()
            elif watch.until < self._next:
                self._changed.notify()

    def end(self, watch: Watch) -> None:
        """Fire it no more: the connection may already serve another request."""
        with self._changed:
            self._running.discard(watch)

    def _run(self) -> None:
        with self._changed:
            idle = False
            while self._running or not idle:
                idle = not self._running
                now = time.monotonic()
                for watch in [watch for watch in self._running if watch.until <= now]:
                    self._running.discard(watch)
                    watch.fire()
                self._next = min([watch.until for watch in self._running] + [now + _LINGER])
                self._changed.wait(max(0.0, self._next - now))
            self._thread = None


def _noted(connection: HTTPConnection) -> None:
    watch: Watch | None = getattr(_busy, "watch", None)
    if watch is not None:
        watch.take(connection)


class _Plain(HTTPConnection):
    def connect(self) -> None:
        _noted(self)
        super().connect()

    def putrequest(
        self,
        method: str,
        url: str,
        skip_host: bool = False,  # noqa: FBT001, FBT002 - urllib3's signature
        skip_accept_encoding: bool = False,  # noqa: FBT001, FBT002 - the same
    ) -> None:
        _noted(self)
        super().putrequest(method, url, skip_host, skip_accept_encoding)


class _Encrypted(HTTPSConnection):
    def connect(self) -> None:
        _noted(self)
        super().connect()

    def putrequest(
        self,
        method: str,
        url: str,
        skip_host: bool = False,  # noqa: FBT001, FBT002 - urllib3's signature
        skip_accept_encoding: bool = False,  # noqa: FBT001, FBT002 - the same
    ) -> None:
        _noted(self)
        super().putrequest(method, url, skip_host, skip_accept_encoding)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain  # type: ignore[mutable-override]  # urllib3's documented way


class _EncryptedPool(HTTPSConnectionPool):
    ConnectionCls = _Encrypted  # type: ignore[mutable-override]  # the same


_POOL_CLASSES: dict[str, type[HTTPConnectionPool]] = {"http": _PlainPool, "https": _EncryptedPool}


def _guarded(guard: Guard) -> dict[str, type[HTTPConnectionPool]]:
    """Return pools whose connections go to addresses that the guard has checked, and to no others."""

    def new_connection(self: HTTPConnection) -> socket.socket:
        error: Exception | None = None
        try:
            for address in guard.addresses(self.host, self.port):
                try:
                    return urllib3.util.connection.create_connection(
                        (address, self.port),
                        self.timeout,
                        source_address=self.source_address,
                        socket_options=self.socket_options,
                    )
                except OSError as failed:
                    error = failed
        except socket.gaierror as failed:
            raise urllib3.exceptions.NameResolutionError(self.host, self, failed) from None
        except OSError as failed:
            error = failed
        raise urllib3.exceptions.NewConnectionError(self, f"Failed to establish a new connection: {error}") from None

    plain = type("_GuardedPlain", (_Plain,), {"_new_conn": new_connection})
    encrypted = type("_GuardedEncrypted", (_Encrypted,), {"_new_conn": new_connection})
    return {
        "http": type("_GuardedPlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("_GuardedEncryptedPool", (HTTPSConnectionPool,), {"ConnectionCls": encrypted}),
    }


class Connections:
    """Opens requests over pools that are shared by threads; one manager for each proxy, trust and certificate."""

    def __init__(self, transport: Transport, resolve: Resolve = socket.getaddrinfo) -> None:
        self._transport = transport
        self._guard = None if transport.allowed is None else Guard(transport.allowed, resolve)
        self._managers: dict[tuple[Secret | None, bool, tuple[str, str] | None], PoolManager] = {}
        self._lock = threading.Lock()
        self._keeper = Timekeeper()

    def watch(self, seconds: float) -> Watch:
        """Return a watch over one request of this thread, not yet running."""
        return Watch(self._keeper, seconds)

    def open(
        self,
        url: str,
        headers: Mapping[str, str],
        credentials: Credentials | None,
        limits: Limits,
        body: bytes | None = None,
        method: str | None = None,
    ) -> "BaseHTTPResponse":
        """Send a request and return the answer, its body still to be read. One with a body is a POST, if not said.

        Raises:
            urllib3.exceptions.HTTPError, OSError, ValueError: it could not be sent, or no answer came.
            NotAllowed: it would go where the transport does not allow it.
        """
        parsed = urllib3.util.parse_url(url)
        host, scheme = parsed.host or "", parsed.scheme or ""
        port = parsed.port or (443 if scheme == "https" else 80)
        proxy = self._transport.proxies.of(scheme, host, port)
        if self._guard is not None:
            self._guard.check_host(scheme, host, port, proxied=proxy is not None)
        sent = dict(headers)
        if credentials is not None and credentials.authorization is not None:
            sent["authorization"] = credentials.authorization.reveal()
        key = (
            proxy,
            self._verified(host, port),
            credentials.certificate if credentials is not None else None,
        )
        with self._lock:
            manager = self._managers.get(key) or self._managers.setdefault(key, self._manager(*key))
        timeout = urllib3.Timeout(connect=limits.connect, read=limits.read)
        return manager.request(
            method or ("GET" if body is None else "POST"),
            url,
            body=body,
            headers=sent,
            timeout=timeout,
            retries=False,
            redirect=False,
            preload_content=False,
        )

    def notes(self, url: str) -> tuple[str, ...]:
        """Return what a reader must know of the way an address was asked."""
        parsed = urllib3.util.parse_url(url)
        port = parsed.port or (443 if parsed.scheme == "https" else 80)
        if parsed.scheme == "https" and not self._verified(parsed.host or "", port):
            return (f"the certificate of {parsed.host} was not verified, as your client's configuration asks",)
        return ()

    def _verified(self, host: str, port: int) -> bool:
        insecure = self._transport.insecure_hosts
        return self._transport.verify and host not in insecure and f"{host}:{port}" not in insecure

    def _manager(self, proxy: Secret | None, verified: bool, certificate: tuple[str, str] | None) -> "PoolManager":  # noqa: FBT001 - part of the key
        options: dict[str, Any] = {"num_pools": _POOLS, "maxsize": _CONNECTIONS, "block": False}
        options["ssl_context"] = context = self._context(verified=verified)
        if not verified:
            options["cert_reqs"] = ssl.CERT_NONE
            options["assert_hostname"] = False
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the result itself says so
        if certificate is not None:
            context.load_cert_chain(*certificate)
        manager: PoolManager
        if proxy is None:
            manager = urllib3.PoolManager(**options)
        else:
            address, headers = _proxy(proxy)
            manager = urllib3.ProxyManager(address, proxy_headers=headers, **options)
        # A proxy is the user's own word, and resolves names itself.
        guard = self._guard if proxy is None else None
        manager.pool_classes_by_scheme = _POOL_CLASSES if guard is None else _guarded(guard)
        return manager

    def _context(self, *, verified: bool) -> ssl.SSLContext:
        transport = self._transport
        if not verified:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        if transport.ca_files or transport.ca_data:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            for path in transport.ca_files:
                _load(context, path)
            if transport.ca_data:
                context.load_verify_locations(cadata=transport.ca_data)
        else:
            context = ssl.create_default_context()
        for path in transport.extra_ca_files:
            _load(context, path)
        return context


def _load(context: ssl.SSLContext, path: str) -> None:
    """Trust the authorities of a file, or of a folder of hashed names. Raises OSError that names it."""
    from os.path import isdir

    try:
        context.load_verify_locations(capath=path) if isdir(path) else context.load_verify_locations(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise OSError(f"the CA file {path} of your client's configuration cannot be read: {error}") from None


def _proxy(proxy: Secret) -> tuple[str, dict[str, str]]:
    """Return a proxy's address and the headers it wants."""
    from urllib.parse import unquote

    text = proxy.reveal()
    parsed = urllib3.util.parse_url(text if "://" in text else f"http://{text}")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError("the proxy of your client's configuration is no http or https address")
    headers = urllib3.make_headers(proxy_basic_auth=unquote(parsed.auth)) if parsed.auth else {}
    port = f":{parsed.port}" if parsed.port else ""
    return f"{parsed.scheme}://{parsed.host}{port}", dict(headers)
