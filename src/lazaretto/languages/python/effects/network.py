"""Connections out, sockets that listen, and names that are looked up."""

from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind
from lazaretto.languages._sensitive import secret_path
from lazaretto.languages.python.effects import environment, files, runners
from lazaretto.languages.python.scope import Bound, Call, Function
from lazaretto.languages.python.values import (
    Value,
    all_taint,
    elements,
    holes,
    known,
    render,
    symbol,
    unknown,
    variants,
)

if TYPE_CHECKING:
    from lazaretto.languages.python.effects.table import Handler
    from lazaretto.languages.python.machine import Machine


def connected(vm: "Machine", call: Call, target: Value | None, data: list[Value] | None = None) -> int:
    """Note a connection to a URL, host or (host, port), with the data that flow into it."""
    if data is None:
        data = call.data()
    environment.used_whole(vm, data, call.place, call.frame)
    handle = -1
    for option in variants(target) if target is not None else (unknown(),):
        text = _address(option)
        handle = vm.sink(Kind.NET_CONNECT, text, call, data, option.via)
        if text is not None and secret_path(text):
            vm.emit(Kind.SECRET_READ, text, call.place, call.frame, option.via)
    return handle


def _address(target: Value) -> str | None:
    if target.attrs is not None and "url" in target.attrs and target.const is not None:
        inner = render(target.attrs["url"])
        if inner is not None:
            return inner
    if target.items is not None or isinstance(target.const, (tuple, list)):
        text = ":".join(holes(part) for part in (elements(target) or [])[:2])
    else:
        text = render(target) or ""
    return text if text.strip("{}:/ ") else None


def opened(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """A URL or host in the first argument; the answer carries what was received."""
    target = call.arg(0, "url", "host", "address", "uri")
    return _answer(call, connected(vm, call, target))


def session(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """A connection object made for a host: what its methods are given goes there."""
    target = call.arg(0, "host", "url", "uri", "address", "server", "endpoint_uri")
    handle = connected(vm, call, target)
    made = symbol(f"{call.sym}()")
    made.mark = frozenset((handle,))
    for name, value in call.keywords.items():
        if name.startswith("on_") and isinstance(value.ref, (Function, Bound)):
            runners.told(vm, value, [made], unknown(frozenset((handle,))), call)
    return made


def socket_connect(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``socket.connect((host, port))``: the socket is a connection from here on."""
    handle = connected(vm, call, call.arg(0, "address", "hostname"))
    if receiver is not None:
        receiver.mark |= {handle}
    return unknown(frozenset((handle,)))


def sent_to(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``socket.sendto(data, address)``."""
    handle = connected(vm, call, call.args[-1] if call.args else None)
    return unknown(frozenset((handle,)))


def retrieved(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``urlretrieve(url, path)``, ``Repo.clone_from(url, path)``: from the network into a file, or a folder of them."""
    handle = connected(vm, call, call.arg(0, "url"), call.args[:1])
    made = unknown(frozenset((handle,)))
    path = call.arg(1, "filename", "out", "to_path")
    if path is None:
        path = unknown()
    files.writing(vm, path, call, [made])
    result = Value()
    result.kind = "tuple"
    result.items = [path, made]
    return result


def request(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``urllib.request.Request(url, data)``: a connection in waiting."""
    environment.used_whole(vm, call.data(), call.place, call.frame)
    made = symbol(f"{call.sym}()", all_taint(call.data()))
    url = call.arg(0, "url")
    if url is not None:
        made.attrs = {"url": url}
    return made


def prepared(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``requests.Request(method, url, data=...)``: whatever sends it connects there."""
    environment.used_whole(vm, call.data(), call.place, call.frame)
    url = call.arg(1, "url")
    handle = vm.sink(Kind.NET_CONNECT, render(url) if url is not None else None, call)
    return symbol(f"{call.sym}()", frozenset((handle,)))


def listening(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """A socket that others connect to."""
    target = call.arg(1 if call.sym.endswith(("start_server", "serve")) else 0, "address", "server_address", "host")
    vm.emit(Kind.NET_LISTEN, _address(target) if target is not None else None, call.place, call.frame)
    return symbol(f"{call.sym}()")


def resolved(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """A host name is looked up; data can leave inside the name."""
    name = call.arg(0, "host", "hostname", "qname")
    text = render(name) if name is not None else None
    taint = all_taint([name]) if name is not None else frozenset()
    if text is None and not taint:
        return unknown()
    handle = vm.sink(
        Kind.DNS_QUERY, text, call, [name] if name is not None else [], name.via if name is not None else ()
    )
    return unknown(frozenset((handle,)))


_VERBS = frozenset(
    "get post put patch delete head options request stream urlopen request_url send fetch ws_connect connect_ws".split()
)
LIBRARIES = frozenset(
    (
        "requests",
        "httpx",
        "aiohttp",
        "urllib3",
        "treq",
        "httplib2",
        "requests_toolbelt",
        "curl_cffi",
        "niquests",
        "grequests",
    )
)
_TYPES = frozenset(
    (
        "Session",
        "Client",
        "AsyncClient",
        "ClientSession",
        "PoolManager",
        "ProxyManager",
        "HTTPConnectionPool",
        "HTTPSConnectionPool",
        "Http",
        "session",
        "HTTPTransport",
        "AsyncHTTPTransport",
    )
)


def by_shape(sym: str) -> "Handler | None":
    """Return the handler for a verb of an HTTP library (``httpx.Client().post``)."""
    root, _, rest = sym.partition(".")
    if root not in LIBRARIES or not rest:
        return None
    last = rest.rpartition(".")[2]
    if last not in _VERBS:
        return None
    owner = sym[: -len(last) - 1]
    if owner in (root, f"{root}.api", f"{root}.request") or (
        owner.endswith("()") and owner[:-2].rpartition(".")[2] in _TYPES
    ):
        return _verb
    return None


def may_lead(sym: str, *, called: bool) -> bool:
    """Whether a name of an HTTP library may lead to one of its verbs; what is called and neither cannot."""
    root, _, rest = sym.partition(".")
    last = rest.rpartition(".")[2].removesuffix("()")
    return root in LIBRARIES and (last in _VERBS or last in _TYPES or (not called and not last[:1].isupper()))


def _verb(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    last = call.sym.rpartition(".")[2]
    at = 1 if last in ("request", "stream", "urlopen") and len(call.args) > 1 else 0
    target = call.arg(at, "url")
    if receiver is not None and receiver.attrs and "url" in receiver.attrs and target is None:
        target = receiver.attrs["url"]
    return _answer(call, connected(vm, call, target))


def _answer(call: Call, handle: int) -> Value:
    made = symbol(f"{call.sym}()", frozenset((handle,)))
    made.mark = frozenset()
    return made


def with_base(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``httpx.Client(base_url=...)``: told when a verb is used; a fixed base is an address already."""
    base = call.keywords.get("base_url")
    made = symbol(f"{call.sym}()")
    if base is not None and known(base):
        made.attrs = {"base_url": base}
    return made


_OPENED = (
    "urllib.request.urlopen urllib.request.build_opener().open urllib.request.OpenerDirector().open "
    "pycurl.Curl().setopt"
)
_SESSIONS = (
    "http.client.HTTPConnection http.client.HTTPSConnection ftplib.FTP ftplib.FTP_TLS smtplib.SMTP "
    "smtplib.SMTP_SSL telnetlib.Telnet "
    "poplib.POP3 poplib.POP3_SSL imaplib.IMAP4 imaplib.IMAP4_SSL nntplib.NNTP xmlrpc.client.ServerProxy "
    "websockets.connect "
    "websockets.client.connect websocket.create_connection websocket.WebSocketApp socket.create_connection "
    "asyncio.open_connection "
    "paramiko.Transport socketio.Client().connect pymongo.MongoClient redis.Redis grpc.insecure_channel "
    "telethon.TelegramClient web3.Web3.HTTPProvider web3.HTTPProvider web3.providers.HTTPProvider "
    "web3.AsyncHTTPProvider web3.AsyncWeb3.AsyncHTTPProvider"
)
_LISTENERS = (
    "socket.socket().bind http.server.HTTPServer http.server.ThreadingHTTPServer socketserver.TCPServer "
    "socketserver.UDPServer "
    "socketserver.ThreadingTCPServer asyncio.start_server websockets.serve xmlrpc.server.SimpleXMLRPCServer "
    "socket.create_server"
)
_NAMES = (
    "socket.gethostbyname socket.gethostbyname_ex socket.getaddrinfo socket.gethostbyaddr dns.resolver.resolve "
    "dns.resolver.query "
    "dns.resolver.Resolver().resolve dns.resolver.Resolver().query aiodns.DNSResolver().query"
)
HANDLERS: "dict[str, Handler]" = {
    **dict.fromkeys(_OPENED.split(), opened),
    **dict.fromkeys(_SESSIONS.split(), session),
    **dict.fromkeys(_LISTENERS.split(), listening),
    **dict.fromkeys(_NAMES.split(), resolved),
    "urllib.request.urlretrieve": retrieved,
    "urllib.request.URLopener().retrieve": retrieved,
    "wget.download": retrieved,
    "git.Repo.clone_from": retrieved,
    "git.repo.Repo.clone_from": retrieved,
    "git.Git().clone": retrieved,
    "urllib.request.Request": request,
    "requests.Request": prepared,
    **dict.fromkeys(("webbrowser.open", "webbrowser.open_new", "webbrowser.open_new_tab"), opened),
    "socket.socket().connect": socket_connect,
    "socket.socket().connect_ex": socket_connect,
    "ssl.SSLContext().wrap_socket": lambda vm, call, receiver: call.args[0] if call.args else unknown(),
    "ssl.wrap_socket": lambda vm, call, receiver: call.args[0] if call.args else unknown(),
    "ssl.create_default_context().wrap_socket": lambda vm, call, receiver: call.args[0] if call.args else unknown(),
    "socket.socket().sendto": sent_to,
    "smtplib.SMTP().connect": socket_connect,
    "ftplib.FTP().connect": socket_connect,
    "paramiko.SSHClient().connect": socket_connect,
    "httpx.Client": with_base,
    "httpx.AsyncClient": with_base,
    "aiohttp.ClientSession": with_base,
}
