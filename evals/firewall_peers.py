"""Who takes part in ``make bench-firewall``, each a process of its own on loopback, and what it costs the machine."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from getpass import getuser
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

from msgspec import Struct

from tests.clients.rig import environment, free_port, program, run, serving

_NGINX = """\
user {user}; daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; gzip_static on; types {{}}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  map $http_accept $form {{ default full; "~application/vnd.npm.install-v1" abbreviated; }}
  server {{
    listen 127.0.0.1:{port} backlog=2048; root {site}; default_type application/octet-stream;
    location = /npm/-/ping {{ return 200 "{{}}"; }}
    location ~ ^/npm/.+/-/ {{ }}
    location /npm/ {{ default_type application/json; try_files $uri/$form.json =404; }}
    location /pypi/simple/ {{ default_type application/vnd.pypi.simple.v1+json; index index.json; }}
  }}
}}
"""
_VERDACCIO = """\
storage: ./storage
uplinks: {{upstream: {{url: "{npm}", maxage: 60m}}}}
packages: {{"@*/*": &everyone {{access: $all, proxy: upstream}}, "**": *everyone}}
log: {{type: stdout, format: json, level: warn}}
web: {{enable: false}}
server: {{keepAliveTimeout: 60}}
listen: 127.0.0.1:{port}
"""
_FIREWALL = """\
[firewall]
listen = "127.0.0.1:{port}"
horizon = "{horizon}"
patience = "120s"
analysts = {analysts}
page_age = "60m"
trusted_proxies = ["127.0.0.1"]
allow = [{allowed}]

[[firewall.upstream]]
ecosystem = "npm"
url = "{npm}"

[[firewall.upstream]]
ecosystem = "pypi"
url = "{pypi}"
"""


class Peer(Struct, frozen=True):
    """A server: its npm registry and its Python index, each with a slash at its end, and its process."""

    name: str
    npm: str
    pypi: str
    process: int

    def cpu(self) -> float:
        """Return the processor seconds of its processes so far, those that have ended included."""
        return sum(map(_seconds, self.processes()))

    def memory(self) -> float:
        """Return the resident MiB of its main process, with the files that it keeps in memory."""
        pages = int(Path(f"/proc/{self.process}/statm").read_text().split()[1])
        kept = 0
        for one in Path(f"/proc/{self.process}/fd").iterdir():
            with suppress(OSError):
                kept += one.stat().st_blocks * 512 if str(one.readlink()).startswith("/memfd:") else 0
        return (pages * os.sysconf("SC_PAGE_SIZE") + kept) / 2**20

    def processes(self) -> list[int]:
        """Return the ids of its process and of those that it started."""
        found = [self.process]
        for one in found:
            for children in Path(f"/proc/{one}/task").glob("*/children"):  # each thread has those that it started
                with suppress(OSError):
                    found += [int(child) for child in children.read_text().split()]
        return found


def _seconds(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    own = sum(map(int, fields[11:15]))  # user, system, and both of children that were waited for
    return own / os.sysconf("SC_CLK_TCK")


@contextmanager
def nginx(site: Path, folder: Path, port: int) -> Iterator[Peer]:
    """Serve a folder of static files: what stands upstream, and the ceiling of what a server can do."""
    folder.mkdir(parents=True)
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(user=getuser(), folder=folder, site=site, port=port))
    base = f"http://127.0.0.1:{port}/"
    command = ["/usr/sbin/nginx", "-c", str(config), "-e", str(folder / "error.log")]
    with serving(command, f"{base}npm/-/ping", folder, environment(folder)) as process:
        yield Peer("direct", f"{base}npm/", f"{base}pypi/simple/", process.pid)


@contextmanager
def verdaccio(upstream: Peer, folder: Path) -> Iterator[Peer]:
    """Serve npm packages through Verdaccio."""
    folder.mkdir(parents=True)
    port = free_port()
    (folder / "config.yaml").write_text(_VERDACCIO.format(port=port, npm=upstream.npm))
    url = f"http://127.0.0.1:{port}/"
    command = [program("verdaccio"), "--config", str(folder / "config.yaml")]
    env = environment(folder, NODE_ENV="production")
    with serving(command, f"{url}-/ping", folder, env) as process:
        yield Peer("Verdaccio", url, "", process.pid)


@contextmanager
def devpi(upstream: Peer, folder: Path) -> Iterator[Peer]:
    """Serve Python packages through a caching index of devpi, which knows the upstream alone."""
    folder.mkdir(parents=True)
    state, env, port = str(folder / "state"), environment(folder), free_port()
    made = run([program("devpi-init"), "--serverdir", state, "--no-root-pypi"], folder, env)
    if made.code:
        raise RuntimeError(f"devpi-init: {made.output}")
    root = f"http://127.0.0.1:{port}"
    command = [program("devpi-server"), "--serverdir", state, "--host", "127.0.0.1", "--port", str(port)]
    with serving(command, f"{root}/+api", folder, env) as process:
        token = _put(f"{root}/+login", {"user": "root", "password": ""}, "", "POST")["result"]["password"]
        mirror = {"type": "mirror", "mirror_url": upstream.pypi, "mirror_cache_expiry": 3600, "volatile": False}
        _put(f"{root}/root/bench", mirror, token)
        yield Peer("devpi", "", f"{root}/root/bench/+simple/", process.pid)


def _put(url: str, body: object, token: str, method: str = "PUT") -> dict[str, dict[str, str]]:
    from base64 import b64encode

    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["X-Devpi-Auth"] = b64encode(f"root:{token}".encode()).decode()
    request = Request(url, json.dumps(body).encode(), headers, method=method)  # noqa: S310 - our own http address
    with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
        found: dict[str, dict[str, str]] = json.load(answer)
        return found


class Firewall(Struct, frozen=True):
    """A firewall that can be started several times on the same state."""

    folder: Path
    upstream: Peer
    port: int
    allowed: tuple[str, ...] = ()

    @contextmanager
    def running(self, horizon: str = "30d") -> Iterator[Peer]:
        """Serve through the firewall."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = _FIREWALL.format(
            port=self.port,
            horizon=horizon,
            analysts=os.cpu_count(),
            allowed=", ".join(f'"{digest}"' for digest in self.allowed),
            npm=self.upstream.npm,
            pypi=self.upstream.pypi,
        )
        (self.folder / "lazaretto.toml").write_text(text)
        base = f"http://127.0.0.1:{self.port}/"
        with serving(self._command("run"), f"{base}readyz", self.folder, self._environment()) as process:
            yield Peer("firewall", f"{base}npm/", f"{base}pypi/simple/", process.pid)

    def does(self, *words: str) -> str:
        """Carry out a command of ``lazaretto firewall`` beside it, and return what it said."""
        done = subprocess.run(
            self._command(*words), cwd=self.folder, env=self._environment(), check=True, capture_output=True, text=True
        )
        return done.stdout

    def _command(self, *words: str) -> list[str]:
        config = str(self.folder / "lazaretto.toml")
        return [sys.executable, "-m", "lazaretto", "firewall", *words, "--config", config]

    def _environment(self) -> dict[str, str]:
        stores = {"LAZARETTO_STATE_DIR": self.folder / "state", "LAZARETTO_CACHE_DIR": self.folder / "cache"}
        return environment(self.folder, **{name: str(place) for name, place in stores.items()})
