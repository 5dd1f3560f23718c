"""The firewall beside Verdaccio, devpi and the upstream itself, in one run: ``make bench-firewall``.

Everything is on loopback and started here. The upstream ("direct") is nginx with static files, pages compressed ahead:
pages and artifacts of ordinary packages, recorded once (``firewall_upstream``); it is also the ceiling of what a
server can do. Every peer has it behind itself, and has been warmed. Runs alternate, caches of clients are fresh,
medians are quoted, and every ratio is one of pairs of the same round. Load is made by wrk, a process of its own.
Every peer may take a page that it has for the newest for an hour: none asks the upstream again meanwhile.
"Per core" is per processor second that the server used, which does not depend on what else the machine does.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from urllib.request import ProxyHandler, Request, build_opener

import msgspec
from msgspec import Struct

from evals import firewall_upstream as upstream
from evals.firewall_peers import Firewall, Peer, devpi, nginx, verdaccio
from evals.measure import Run, run
from tests.clients.rig import environment, free_port, program

ROOT = Path(__file__).parent.parent
ABBREVIATED = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"
ANY = "*/*"
WARMING = 40
"""Installs that may fail while what they install is read for the first time."""
SETTLING = 1200
"""Seconds after which everything must have been read."""

_HTTP = re.compile(r"http fetch GET (\d+) (\S+) (?:attempt \d+ \S+ )?(\d+)ms")


class Load(Struct, frozen=True):
    """What wrk says of a run, and what the server used for it."""

    requests: int
    seconds: float
    bytes: int
    failed: int
    p50: float
    p99: float
    cpu: float = 0.0

    @property
    def per_core(self) -> float:
        """Requests for each processor second of the server."""
        return self.requests / max(self.cpu, 0.01)


class Bench:
    """The run: its scratch folder, its peers, and the rows that it has come to."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder = folder
        self.runs: int = options.runs
        self.seconds: float = options.seconds
        self.soak_seconds: float = options.soak
        self.only: str | None = options.only
        self.rows: list[str] = []
        self.failed = False
        self._number = 0

    def wants(self, what: str) -> bool:
        """Whether a part was asked for."""
        return self.only is None or what in self.only.split(",")

    def part(self, name: str, measured: Callable[..., None], *arguments: object) -> None:
        """Run a part if it was asked for."""
        if not self.wants(name):
            return
        try:
            measured(self, *arguments)
        except (RuntimeError, subprocess.SubprocessError, OSError) as error:
            self.failed = True
            self.row(name, f"NOT MEASURED: {' '.join(str(error).split())[:500]}")

    def row(self, what: str, figures: str, reach: str = "") -> None:
        """Keep a row of the table, and show it."""
        load = os.getloadavg()[0]
        self.rows.append(f"| {what} | {figures} | {reach} | {load:.1f} |")
        print(self.rows[-1], flush=True)

    def place(self) -> Path:
        """Return a folder that is not there yet."""
        self._number += 1
        return self.folder / f"run{self._number}"

    def npm_ci(self, peer: Peer, *, addresses: bool, log: Path | None = None) -> Run:
        """Install the npm project with a fresh cache. Raises RuntimeError if npm fails."""
        place = self.place()
        upstream.lock(place / "project", peer.npm, addresses=addresses)
        words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--no-progress"]
        words += ["--loglevel=http", f"--registry={peer.npm}"]
        words += [f"--cache={place / 'cache'}", f"--prefix={place / 'project'}"]
        return self._install([program("npm"), *words], place, log)

    def pip_install(self, peer: Peer) -> Run:
        """Install the wheels without a cache. Raises RuntimeError if pip fails."""
        place = self.place()
        place.mkdir()
        wanted = place / "wanted.txt"
        wanted.write_text("".join(f"{one.project}=={one.version}\n" for one in upstream.pins("pypi")))
        words = ["--isolated", "--disable-pip-version-check", "-q", "install", "--no-deps", "--no-cache-dir"]
        words += ["--no-compile", "--only-binary=:all:", f"--target={place / 'target'}", f"--index-url={peer.pypi}"]
        return self._install([program("pip"), *words, f"--requirement={wanted}"], place, None)

    def load(self, peer: Peer, asked: Sequence[tuple[str, str]], connections: int, seconds: float) -> Load:
        """Ask a peer (Accept, path below its npm registry) in turn, over and over. Raises RuntimeError if any fail."""
        root = peer.npm.removesuffix("/")
        base = "/".join(root.split("/")[:3])
        lines = self.folder / "asked.txt"
        lines.write_text("".join(f"{accept}\t{root.removeprefix(base)}/{path}\n" for accept, path in asked))
        script = str(Path(__file__).with_suffix("").with_name("firewall_load.lua"))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout=30s", "--latency", "-s", script]
        before = peer.cpu()
        done = subprocess.run([*command, base, "--", str(lines)], check=True, capture_output=True, text=True)
        cpu = peer.cpu() - before
        found = msgspec.json.decode(done.stdout.strip().rpartition("\n")[2], type=Load)
        if found.failed:
            raise RuntimeError(f"{peer.name}: {found.failed} of {found.requests} requests failed")
        return msgspec.structs.replace(found, cpu=cpu)

    def _install(self, command: Sequence[str], place: Path, log: Path | None) -> Run:
        said = log or place / "log"
        done = run(command, environment(place), said)
        if done.code:
            raise RuntimeError(f"{command[0]} failed: {said.read_text(errors='replace')[-3000:]}")
        shutil.rmtree(place)
        return done


def main() -> int:
    """Print the table; return 0 if everything ran as it should."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--runs", type=int, default=5, help="rounds of installs (default: 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="seconds of each load (default: 3)")
    parser.add_argument("--soak", type=float, default=600.0, help="seconds of the soak (default: 600)")
    parser.add_argument("--only", help="parts, with commas: first,npm,pip,artifact,page,soak")
    parser.add_argument("--out", type=Path, default=ROOT / "evals" / "out" / "firewall.md")
    options = parser.parse_args()
    for tool in ("nginx", "wrk"):
        if shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
            print(f"{tool} is not installed (on Debian and Ubuntu: apt-get install nginx-light wrk)", file=sys.stderr)
            return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started here ends as well
    upstream.fill()
    with TemporaryDirectory(prefix="firewall-", dir=upstream.STORE.parent) as scratch, ExitStack() as peers:
        bench = Bench(Path(scratch), options)
        measure(bench, peers)
    head = f"{os.cpu_count()} processors, Python {sys.version.split()[0]}. {len(upstream.pins('npm'))} npm packages, "
    head += f"{len(upstream.pins('pypi'))} wheels."
    table = ["| measure | figures | reach | load |", "|---|---|---|---|", *bench.rows]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("\n".join([__doc__ or "", head, "", *table]) + "\n")
    return int(bench.failed)


def measure(bench: Bench, peers: ExitStack) -> None:
    """Start everything and run each part; one that fails is told, and the others are run all the same."""
    port, site = free_port(), bench.folder / "site"
    base = f"http://127.0.0.1:{port}/"
    upstream.lay_out(site, f"{base}npm/", f"{base}pypi/")
    direct = peers.enter_context(nginx(site, bench.folder / "nginx", port))
    allowed = tuple(one.told for one in (*upstream.pins("npm"), *upstream.pins("pypi")) if one.outcome != "allow")
    firewall = Firewall(bench.folder / "firewall", direct, free_port(), allowed)
    bench.part("first", first_ever, firewall, direct)
    ours = peers.enter_context(firewall.running())
    theirs = peers.enter_context(verdaccio(direct, bench.folder / "verdaccio"))
    if any(map(bench.wants, ("npm", "artifact", "page", "soak"))):
        bench.npm_ci(ours, addresses=True)  # what was not read yet is read now: no page shows an undecided head
        for peer in (ours, theirs, direct):  # asks for every page and every artifact
            bench.npm_ci(peer, addresses=False)
        settled(ours)
    bench.part("npm", everything_known, ours, theirs, direct)
    if bench.wants("pip"):
        bench.part("pip", wheels, ours, peers.enter_context(devpi(direct, bench.folder / "devpi")), direct)
    bench.part("artifact", artifact, ours, theirs, direct)
    bench.part("soak", soak, ours)
    bench.part("page", page, firewall, ours, theirs)  # the last: it has versions blocked


def settled(ours: Peer) -> None:
    """Wait until nothing is being read: what was handed out on its identity is read in the background."""
    numbers = f"{ours.npm.removesuffix('npm/')}metrics"
    quiet = 0
    for _ in range(SETTLING):
        with build_opener(ProxyHandler({})).open(numbers, timeout=30) as answer:
            waiting = re.search(rb"^lazaretto_readings_waiting (\d+)", answer.read(), re.MULTILINE)
        quiet = quiet + 1 if waiting is not None and waiting[1] == b"0" else 0
        if quiet > 1:
            return
        time.sleep(1)
    raise RuntimeError("the firewall does not come to an end of its readings")


def first_ever(bench: Bench, firewall: Firewall, direct: Peer) -> None:
    """Install what nobody has read, with a state of its own each time: every package is read before it goes out."""
    ratios, walls, work, took = [], [], [], []
    for number in range((bench.runs + 1) // 2):
        shutil.rmtree(firewall.folder, ignore_errors=True)
        log = bench.folder / f"first{number}.log"
        with firewall.running(horizon="0d") as ours:  # what is read the last time is known to everything that follows
            before = bench.npm_ci(direct, addresses=True)
            first = bench.npm_ci(ours, addresses=True, log=log)
            after = bench.npm_ci(direct, addresses=True)
            work.append(ours.cpu())
        walls.append(first.wall)
        ratios.append(first.wall / ((before.wall + after.wall) / 2))
        took += [int(ms) / 1000 for _, _, ms in _HTTP.findall(log.read_text(errors="replace"))]
    bench.row(
        f"first-ever `npm ci`, {len(took) // len(walls)} packages read (horizon 0), {len(walls)} times",
        f"{median(walls):.1f} s [{min(walls):.1f}-{max(walls):.1f}]: {median(ratios):.2f} x direct "
        f"[{min(ratios):.2f}-{max(ratios):.2f}]; per package p50 {median(took):.2f} s, "
        f"p95 {quantiles(took, n=20)[18]:.2f} s; {median(work):.0f} CPU s",
        "≤ 4 x direct",
    )


def everything_known(bench: Bench, ours: Peer, theirs: Peer, direct: Peer) -> None:
    """Install what has been read: with a lock that names addresses, and with one that leaves them to the index."""
    for addresses, lock in ((True, "lock with addresses"), (False, "lock without addresses, pages are asked for")):

        def install(peer: Peer, addresses: bool = addresses) -> Run:  # noqa: FBT001 - bound to this turn of the loop
            return bench.npm_ci(peer, addresses=addresses)

        compare(bench, f"`npm ci`, everything known, {lock}", install, (direct, ours, theirs), "≤ Verdaccio, ≤ 1.10 x")


def wheels(bench: Bench, ours: Peer, theirs: Peer, direct: Peer) -> None:
    """Install the wheels."""
    for _ in range(WARMING):  # an undecided head is not on a page: whoever comes before its reading does not find it
        with suppress(RuntimeError):
            bench.pip_install(ours)
            break
        time.sleep(1)
    settled(ours)
    bench.pip_install(theirs)
    compare(bench, "`pip install`", bench.pip_install, (direct, ours, theirs), "≤ 1.15 x direct, ≤ devpi")


def compare(
    bench: Bench, what: str, install: Callable[[Peer], Run], peers: tuple[Peer, Peer, Peer], reach: str
) -> None:
    """Run an install through each peer in turn, in an order that turns round, and put the figures in a row."""
    direct, ours, theirs = (peer.name for peer in peers)
    walls: dict[str, list[float]] = {peer.name: [] for peer in peers}
    work: dict[str, list[float]] = {peer.name: [] for peer in peers}
    for number in range(bench.runs):
        for peer in peers[number % 3 :] + peers[: number % 3]:
            before = peer.cpu()
            done = install(peer)
            walls[peer.name].append(done.wall)
            work[peer.name].append(done.cpu + peer.cpu() - before)
    figures = ", ".join(
        f"{name} {median(walls[name]):.2f} s [{min(walls[name]):.2f}-{max(walls[name]):.2f}], "
        f"{median(work[name]):.2f} CPU s of client and server"
        for name in walls
    )
    bench.row(
        what,
        f"{figures}: {_ratio(walls, ours, direct):.2f} x direct, {_ratio(walls, ours, theirs):.2f} x {theirs} "
        f"(work {_ratio(work, ours, direct):.2f} x, {_ratio(work, ours, theirs):.2f} x)",
        reach,
    )


def artifact(bench: Bench, ours: Peer, theirs: Peer, direct: Peer) -> None:
    """Hand out one artifact of about a megabyte, again and again."""
    one = min(upstream.pins("npm"), key=lambda pin: abs(pin.size - 1_000_000))
    rates = loads(bench, (direct, ours, theirs), [(ANY, f"{one.project}/-/{one.filename}")], connections=16)
    bench.row(
        f"cached artifact of {one.size / 1e6:.2f} MB ({one.project}), requests/s per core",
        f"{_shown(rates)}: {_over(rates, ours, theirs):.2f} x Verdaccio, {_over(rates, ours, direct):.0%} of nginx",
        "≥ 2 x Verdaccio, ≥ 60 % of nginx",
    )


def page(bench: Bench, firewall: Firewall, ours: Peer, theirs: Peer) -> None:
    """Hand out a page of about 650 kB: from cache, and at once after what is said of one version has changed."""
    known, sizes = {one.project for one in upstream.pins("npm")}, upstream.page_sizes()
    name = min(known, key=lambda one: abs(sizes[one] - 650_000))
    slow: dict[str, float] = {}
    for form, accept in (("as npm asks", ABBREVIATED), ("in full", "application/json")):
        rates = loads(bench, (ours, theirs), [(accept, name)], connections=16)
        slow[accept] = median(1 / one.per_core for one in rates[theirs.name])
        bench.row(
            f"packument of {sizes[name] / 1e3:.0f} kB ({name}) {form}, from cache, requests/s per core",
            f"{_shown(rates)}: {_over(rates, ours, theirs):.1f} x Verdaccio",
            "≥ 30 x Verdaccio",
        )
    versions = iter(upstream.versions(name))
    for form, accept in (("as npm asks", ABBREVIATED), ("in full", "application/json")):
        mine, other = [], []
        for version in islice(versions, max(8, 3 * bench.runs)):  # each another one: no such page was printed before
            purl = f"pkg:npm/{name.replace('@', '%40')}@{version}"
            firewall.does("block", purl, "--reason", "a measurement")
            mine.append(_once(f"{ours.npm}{name}", accept))
            other.append(_once(f"{theirs.npm}{name}", accept))
        bench.row(
            f"the same {form}, first request after one version changed",
            f"firewall {median(mine) * 1e3:.1f} ms, Verdaccio {median(other) * 1e3:.1f} ms: "
            f"{median(other) / median(mine):.1f} x Verdaccio",
            "≥ 3 x Verdaccio",
        )


def soak(bench: Bench, ours: Peer) -> None:
    """Ask for everything of the project as two hundred clients at once, and watch the memory."""
    pins = upstream.pins("npm")
    asked = [(ABBREVIATED, one.project) for one in pins] + [(ANY, f"{one.project}/-/{one.filename}") for one in pins]
    begun, figures, requests, installs = time.monotonic(), [ours.memory()], 0, 0.0
    step = max(10.0, bench.soak_seconds / 20)
    while time.monotonic() - begun < bench.soak_seconds:
        done = bench.load(ours, asked, 200, step)
        requests += done.requests
        figures.append(ours.memory())
    installs = requests / len(asked)
    late = figures[len(figures) // 2 :]
    bench.row(
        f"memory, 200 clients at once, {time.monotonic() - begun:.0f} s",
        f"{requests} requests ({installs:.0f} installs' worth); RSS MiB {' '.join(f'{one:.0f}' for one in figures)}; "
        f"second half {min(late):.0f}-{max(late):.0f}",
        "flat",
    )


def loads(
    bench: Bench, peers: Sequence[Peer], asked: Sequence[tuple[str, str]], connections: int
) -> Mapping[str, list[Load]]:
    """Put the same load on each peer in turn."""
    found: dict[str, list[Load]] = {peer.name: [] for peer in peers}
    for peer in peers:
        bench.load(peer, asked, connections, 1.0)
    for _ in range(max(3, bench.runs)):
        for peer in peers:
            found[peer.name].append(bench.load(peer, asked, connections, bench.seconds))
    return found


def _shown(rates: Mapping[str, list[Load]]) -> str:
    return ", ".join(
        f"{'nginx' if name == 'direct' else name} {median(one.per_core for one in loads_of):.0f} "
        f"(wall {median(one.requests / one.seconds for one in loads_of):.0f}/s, "
        f"p99 {median(one.p99 for one in loads_of) * 1e3:.0f} ms)"
        for name, loads_of in rates.items()
    )


def _over(rates: Mapping[str, list[Load]], one: Peer, other: Peer) -> float:
    return median(a.per_core / b.per_core for a, b in zip(rates[one.name], rates[other.name], strict=True))


def _ratio(walls: Mapping[str, list[float]], one: str, other: str) -> float:
    return median(a / b for a, b in zip(walls[one], walls[other], strict=True))


def _once(url: str, accept: str) -> float:
    request = Request(url, headers={"Accept": accept, "Accept-Encoding": "gzip, deflate"})  # noqa: S310 - our own http address
    opener = build_opener(ProxyHandler({}))
    begun = time.perf_counter()
    with opener.open(request, timeout=30) as answer:
        answer.read()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
