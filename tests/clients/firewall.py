"""The firewall as a person runs it: a process of its own, between real clients and real upstreams."""

import select
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from tests.clients.rig import Run, environment, free_port, run, serving

SRC = Path(__file__).resolve().parents[2] / "src"

_SETTINGS = """\
[firewall]
listen = "127.0.0.1:{port}"
mode = "{mode}"
patience = "{patience}"
analysts = 1

[[firewall.upstream]]
ecosystem = "npm"
url = "{npm}"
{npm_more}

[[firewall.upstream]]
ecosystem = "pypi"
url = "{pypi}"
"""

READING_SECONDS = 60.0
"""How long a reading may take on a busy machine."""

NOWHERE = "http://127.0.0.1:9/"


class Firewall:
    """A firewall with its settings, its state and its address, which it keeps when it is started anew."""

    def __init__(self, folder: Path, npm: str = NOWHERE, pypi: str = NOWHERE, npm_more: str = "") -> None:
        """``npm_more``: what else the settings say of npm's upstream."""
        self._folder = folder
        self._npm, self._pypi, self._npm_more = npm, pypi, npm_more
        self._running = ExitStack()
        self._port = free_port()
        self._settings = folder / "lazaretto.toml"
        self._env = environment(folder, LAZARETTO_STATE_DIR=str(folder / "state"), PYTHONPATH=str(SRC))
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def npm(self) -> str:
        """The registry that an npm client is told."""
        return f"http://127.0.0.1:{self._port}/npm/"

    @property
    def pypi(self) -> str:
        """The index that a Python client is told."""
        return f"http://127.0.0.1:{self._port}/pypi/simple/"

    def start(self, mode: str = "enforce", patience: str = "60s") -> None:
        """Start it, or start it anew in another mode."""
        self.stop()
        told = {"npm": self._npm, "npm_more": self._npm_more, "pypi": self._pypi}
        text = _SETTINGS.format(port=self._port, mode=mode, patience=patience, **told)
        self._settings.write_text(text, encoding="utf-8")
        ready = f"http://127.0.0.1:{self._port}/readyz"
        self._running.enter_context(serving(self._command("run"), ready, self._folder, self._env))

    def stop(self) -> None:
        """End it, if it runs."""
        self._running.close()

    def shows(self, url: str, text: str, *, shown: bool = True) -> None:
        """Ask for a page until it shows a text, or no longer shows it: readings go on while clients wait.

        Raises:
            AssertionError: it did not come to that in time.
        """
        opener = build_opener(ProxyHandler({}))
        deadline = time.monotonic() + READING_SECONDS
        page = ""
        while time.monotonic() < deadline:
            with suppress(HTTPError), opener.open(url, timeout=READING_SECONDS) as answer:
                page = f"{answer.headers}{answer.read().decode()}"
                if (text in page) == shown:
                    return
            time.sleep(0.1)
        raise AssertionError(f"{url} did not come to {'show' if shown else 'hide'} {text!r}: {page[-2000:]}")

    @property
    def log(self) -> str:
        """Everything that it has printed."""
        return (self._folder / "server.log").read_text(encoding="utf-8", errors="replace")

    def does(self, *words: str) -> Run:
        """Run another command of ``lazaretto firewall`` beside it."""
        return run(self._command(*words), self._folder, self._env)

    def audits(self) -> Run:
        """Have the chain of acts checked beside it."""
        command = [sys.executable, "-m", "lazaretto", "audit", "verify", "--config", str(self._settings)]
        return run(command, self._folder, self._env)

    def _command(self, *words: str) -> Sequence[str]:
        return [sys.executable, "-m", "lazaretto", "firewall", *words, "--config", str(self._settings)]


@contextmanager
def firewall(
    folder: Path,
    npm: str = NOWHERE,
    pypi: str = NOWHERE,
    mode: str = "enforce",
    patience: str = "60s",
    npm_more: str = "",
) -> Iterator[Firewall]:
    """Run a firewall in front of two upstreams for the length of a block."""
    made = Firewall(folder, npm, pypi, npm_more)
    try:
        made.start(mode, patience)
        yield made
    finally:
        made.stop()


class Line:
    """A line to an upstream that can be cut: whoever asks through it then finds nobody there."""

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("//")
        target, _, path = rest.partition("/")
        host, _, port = target.partition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.url = f"{scheme}//127.0.0.1:{self._listener.getsockname()[1]}/{path}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End the line, and every connection that goes through it."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in tuple(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with suppress(OSError), near, socket.create_connection(self._target) as far:
            self._open |= {near, far}
            other = {near: far, far: near}
            while True:
                for ready in select.select([near, far], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    other[ready].sendall(data)
