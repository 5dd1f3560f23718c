"""Runs real programs where they can do no harm: a home of their own, no settings but ours, no way out of the machine.

`make clients` installs the programs; the versions are those of ``package-lock.json`` and ``requirements/clients.txt``.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from msgspec import Struct

CLIENTS = Path(__file__).resolve().parents[2] / ".cache" / "clients"
NODE_MODULES = CLIENTS / "node" / "node_modules"
PYTHON_BIN = CLIENTS / "python" / "bin"

START_SECONDS = 60.0
"""How long a server may take until it answers, on a busy machine with few cores."""

END_SECONDS = 10.0
"""How long a server may take to end when it is asked to."""

RUN_SECONDS = 60.0
"""How long one run of a client may take: less than a test may."""


class Run(Struct, frozen=True):
    """What a program said: its exit code, and what it printed to either stream."""

    code: int
    output: str


def program(name: str) -> str:
    """Return the path of an installed client or upstream.

    Raises:
        FileNotFoundError: it is not installed.
    """
    found = next((path for path in _places(name) if path.is_file()), None)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: run `make clients`")
    return str(found)


def _places(name: str) -> Iterator[Path]:
    """Yield where a program may lie. Some are taken as their package ships them: no script of it put them anywhere."""
    inside = {
        "bun": "@oven/bun-linux-*/bin/bun",
        "deno": "@deno/linux-*/deno",
        "yarn": "yarn/bin/yarn.js",  # berry has a program of the same name
        "pnpm": "@pnpm/exe.linux-*/pnpm",
        "berry": "@yarnpkg/cli-dist/bin/yarn.js",
    }
    if name in inside:
        yield from sorted(NODE_MODULES.glob(inside[name]))
    else:
        yield NODE_MODULES / ".bin" / name
        yield PYTHON_BIN / name


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return what a program may know of the machine: where programs are, a home, and no way out."""
    node = shutil.which("node")
    folders = ([str(Path(node).parent)] if node else []) + ["/usr/local/bin", "/usr/bin", "/bin"]
    nowhere = "http://127.0.0.1:9"  # the discard port: whoever tries to leave the machine fails at once
    return {
        "PATH": os.pathsep.join(dict.fromkeys(folders)),
        "HOME": str(home),
        "TMPDIR": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
        "LANG": "C.UTF-8",
        "CI": "true",
        "NO_COLOR": "1",
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "http_proxy": nowhere,
        "https_proxy": nowhere,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        **more,
    }


def run(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> Run:
    """Run a program to its end and return what it said.

    Raises:
        subprocess.TimeoutExpired: it did not end in time; it was killed, with all that it started.
    """
    with subprocess.Popen(
        command,
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return Run(process.returncode, output)


def free_port() -> int:
    """Return a port of loopback on which nobody listens at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    command: Sequence[str], url: str, folder: Path, env: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for the length of a block: from when it answers, until it is ended by its own id.

    Raises:
        RuntimeError: it ended by itself, or did not answer in time; with what it printed.
    """
    log = folder / "server.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
        try:
            _until_it_answers(process, url, log)
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and whatever it started: what is called node may be a wrapper that leaves its child behind."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not _lives(process):
            return
        os.killpg(process.pid, number)
        deadline = time.monotonic() + END_SECONDS
        while _lives(process) and time.monotonic() < deadline:
            time.sleep(0.02)


def _lives(process: subprocess.Popen[bytes]) -> bool:
    """Whether anything is left of the session that was started for a process."""
    process.poll()  # who has ended is here until we have heard of it
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            opener.open(url, timeout=5).close()
        except HTTPError as error:
            error.close()  # an answer all the same
            return
        except (URLError, OSError):
            time.sleep(0.05)
        else:
            return
    said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(
        f"{Path(process.args[0]).name if isinstance(process.args, list) else ''} does not answer: {said}"
    )
