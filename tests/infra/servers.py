"""A real server on loopback that does as it is told, also what no server should."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Page = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Hands each request to the page of its path, and remembers it."""

    protocol_version = "HTTP/1.1"
    server: "Server"  # type: ignore[mutable-override]  # it is only ever made by one

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers.get("content-length", "0"))))
        self.do_GET()

    do_PUT = do_POST  # noqa: N815 - as the standard library has it

    def do_DELETE(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        page = self.server.pages.get(self.path.partition("?")[0])
        try:
            if page is None:
                self.answer(404, b"no such page")
            else:
                page(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing: tests look at what the client says."""

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send a whole answer; ``_`` in a header's name stands for ``-``."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """The pages by path, and the requests that came: (path, headers in lower case)."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages: dict[str, Page] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.bodies: list[bytes] = []

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up: that is what they are asked to do."""

    @property
    def url(self) -> str:
        """The address of the root, without a slash at its end."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def says(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        """Give a page a fixed answer and return its address."""
        self.pages[path] = lambda handler: handler.answer(status, body, **headers)
        return self.url + path

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [path for path, _ in self.requests]


@contextmanager
def server() -> Iterator[Server]:
    """Run a server for the length of a block."""
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()
        thread.join(5)
