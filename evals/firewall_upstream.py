"""What stands upstream in ``make bench-firewall``: pages and artifacts of ordinary packages, recorded once.

They are got by the ordinary means of the configured registries, once, into ``.cache/bench/upstream``: npm and pip
resolve and download two projects, and Lazaretto reads what they named, so that what a reading asks for (the release
before, a new dependency) is there too. ``lay_out`` makes a folder of static files of it, for an address.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import quote, unquote
from zipfile import ZipFile

import msgspec
from msgspec import Struct

from lazaretto.app.ports import IndexPage, PortError, ReadRequest, Upstream
from lazaretto.bootstrap import App
from lazaretto.core.model import Artifact, Project
from lazaretto.core.names import ProjectName
from lazaretto.core.standing import told_digest
from lazaretto.core.view import PageView
from lazaretto.infra.clock import SystemClock
from lazaretto.settings import load

STORE = Path(__file__).parent.parent / ".cache" / "bench" / "upstream"
NPM_PROJECT = {
    "axios": "^1.7.0",
    "express": "^4.21.0",
    "highlight.js": "^11.10.0",
    "jest": "^29.7.0",
    "lodash": "^4.17.21",
    "mocha": "^10.4.0",
}
PYPI_PROJECT = ("requests", "flask", "fastapi", "httpx", "rich", "pydantic", "black", "pytest", "sphinx", "celery")
YOUNG = timedelta(days=31)
"""Younger releases are read before they are shown by a firewall with its usual horizon, and a day more."""

_NPM_QUIET = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")


class Pin(Struct, frozen=True):
    """An artifact that a client installs, and what reading it comes to."""

    ecosystem: str
    project: str
    version: str
    filename: str
    told: str
    size: int
    outcome: str


class _Recorder:
    """An upstream that keeps a copy of everything that it gives."""

    def __init__(self, inner: Upstream, app: App, ecosystem: str) -> None:
        self._inner = inner
        self._ecosystem = app.ecosystem(ecosystem)
        self._names: dict[str, str] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def project(self, name: ProjectName) -> Project:
        page = self._inner.page(name)
        _write(_page(self._ecosystem.ID, name), msgspec.msgpack.encode(page))
        project = self._ecosystem.index(name, page.body, page.media_type, page.url)
        for release in project.releases:
            self._names.update((artifact.url, name) for artifact in release.artifacts)
        return project

    def download(self, artifact: Artifact) -> bytes:
        data = self._inner.download(artifact)
        _write(_files(self._ecosystem.ID, self._names[artifact.url]) / artifact.filename, data)
        return data


def fill() -> None:
    """Record the upstream, if that was not done before."""
    done = STORE / "complete"
    if done.exists():
        return
    print("Recording the upstream, once", flush=True)
    shutil.rmtree(STORE, ignore_errors=True)
    wanted = [*_locked(), *_wheels()]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as processes:
        pins = [one for part in processes.map(_record, [wanted[n::16] for n in range(16)]) for one in part]
    (STORE / "pins.json").write_bytes(msgspec.json.encode(pins))
    done.touch()


def pins(ecosystem: str) -> list[Pin]:
    """Return what the clients of an ecosystem install."""
    found = msgspec.json.decode((STORE / "pins.json").read_bytes(), type=list[Pin])
    return [one for one in found if one.ecosystem == ecosystem]


def page_sizes() -> dict[str, int]:
    """Return the size of each npm page, as the registry sends all of it."""
    return {name: len(page.body) for name, page in _pages("npm")}


def versions(name: str) -> list[str]:
    """Return the versions of an npm package that are shown and that nothing here installs, the newest first."""
    page = next(page for known, page in _pages("npm") if known == name)
    found, now = msgspec.json.decode(page.body), SystemClock().now()
    installed = {one.version for one in pins("npm") if one.project == name}
    old = (one for one in found["versions"] if now - datetime.fromisoformat(found["time"][one]) > YOUNG)
    return [version for version in reversed(list(old)) if version not in installed]


def lock(folder: Path, registry: str, *, addresses: bool) -> None:
    """Write the npm project: its lock names every artifact's address, or leaves the client to ask the index."""
    found = json.loads((STORE / "project" / "package-lock.json").read_text())
    for path, entry in found["packages"].items():
        if path:
            del entry["resolved"]
            if addresses:
                name = _name_in(path, entry)
                entry["resolved"] = f"{registry}{name}/-/{name.rpartition('/')[2]}-{entry['version']}.tgz"
    folder.mkdir(parents=True)
    shutil.copy(STORE / "project" / "package.json", folder)
    (folder / "package-lock.json").write_text(json.dumps(found, indent=2))


def lay_out(site: Path, npm: str, pypi: str) -> None:
    """Make a site of what was recorded, whose pages name these addresses (each with a slash at its end).

    ``npm/<name>/full.json`` and ``abbreviated.json``, ``pypi/simple/<name>/index.json``, each also compressed, and the
    artifacts where the pages say.
    """
    shutil.rmtree(site, ignore_errors=True)
    with App(load({}, site, site)) as app:
        for name, page in _pages("npm"):
            place = site / "npm" / name
            view = _view(app, "npm", name, page, lambda filename, name=name: f"{npm}{name}/-/{filename}")  # type: ignore[misc]
            for form in ("full", "abbreviated"):
                body = app.ecosystem("npm").render(name, page.body, page.media_type, view, form)
                _write(place / f"{form}.json", body)
                _write(place / f"{form}.json.gz", gzip.compress(body, 6))
            _link(_files("npm", name), place / "-")
        for name, page in _pages("pypi"):
            view = _view(app, "pypi", name, page, lambda filename, name=name: f"{pypi}files/{name}/{filename}")  # type: ignore[misc]
            body = app.ecosystem("pypi").render(name, page.body, page.media_type, view, "json")
            _write(site / "pypi" / "simple" / name / "index.json", body)
            _write(site / "pypi" / "simple" / name / "index.json.gz", gzip.compress(body, 6))
            _link(_files("pypi", name), site / "pypi" / "files" / name)
    listed = {"meta": {"api-version": "1.0"}, "projects": [{"name": name} for name, _ in _pages("pypi")]}
    _write(site / "pypi" / "simple" / "index.json", json.dumps(listed).encode())
    for wheel in (site / "pypi" / "files").glob("*/*.whl"):
        _write(wheel.with_name(f"{wheel.name}.metadata"), _metadata(wheel))


def _view(app: App, ecosystem: str, name: ProjectName, page: IndexPage, address: Callable[[str], str]) -> PageView:
    """Show what is old, and what was recorded: what is young and cannot be had is held, and tried again and again."""
    project = app.ecosystem(ecosystem).index(name, page.body, page.media_type, page.url)
    folder, now = _files(ecosystem, name), app.clock.now()
    recorded = {one.name for one in folder.iterdir()} if folder.is_dir() else set()
    shown = {
        one.filename: release.version
        for release in project.releases
        for one in release.artifacts
        if one.filename in recorded or now - (one.uploaded or release.published or now) > YOUNG
    }
    newest = next((one.version for one in reversed(project.releases) if one.version in shown.values()), None)
    tags = {tag: to if to in shown.values() else newest for tag, to in project.tags.items()}
    return PageView(shown, address, {tag: to for tag, to in tags.items() if to is not None})


def _locked() -> Iterator[tuple[str, str, str]]:
    """Yield (ecosystem, project, file name) of what npm resolves the project to."""
    folder = STORE / "project"
    folder.mkdir(parents=True)
    about = {"name": "bench", "version": "1.0.0", "private": True, "dependencies": NPM_PROJECT}
    (folder / "package.json").write_text(json.dumps(about))
    command = ["npm", "install", "--package-lock-only", "--omit-lockfile-registry-resolved=false", *_NPM_QUIET]
    subprocess.run([*command, "--cache", str(STORE / "npm-cache")], cwd=folder, check=True)
    entries: Mapping[str, dict[str, str]] = json.loads((folder / "package-lock.json").read_text())["packages"]
    yield from dict.fromkeys(
        ("npm", _name_in(path, entry), entry["resolved"].rpartition("/")[2]) for path, entry in entries.items() if path
    )


def _wheels() -> Iterator[tuple[str, str, str]]:
    """Yield (ecosystem, project, file name) of what pip resolves the other project to."""
    folder = STORE / "wheels"
    pip = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", "download", "--only-binary=:all:"]
    subprocess.run([*pip, "--dest", str(folder), *PYPI_PROJECT], check=True)
    for wheel in sorted(folder.iterdir()):
        yield "pypi", wheel.name.split("-")[0].lower().replace("_", "-").replace(".", "-"), wheel.name


def _record(wanted: Sequence[tuple[str, str, str]]) -> list[Pin]:
    """Read artifacts through upstreams that keep copies; return those that the indexes list."""
    home = STORE / "work"
    environ = {**os.environ, "LAZARETTO_CACHE_DIR": str(home / "cache"), "LAZARETTO_STATE_DIR": str(home / "state")}
    found = []
    with App(load(environ, home, home)) as app:
        recorders = {one: _Recorder(app.upstream(one), app, one) for one in ("npm", "pypi")}
        app._upstreams.update(recorders)  # type: ignore[arg-type]  # noqa: SLF001 - stands in front of the network
        for ecosystem, text, filename in wanted:
            name = app.ecosystem(ecosystem).name(text)
            try:
                project = recorders[ecosystem].project(name)
            except PortError as error:
                print(f"left out: {name}: {error}", flush=True)
                continue
            for release in project.releases:
                for artifact in release.artifacts:
                    if artifact.filename == filename:
                        told = told_digest(artifact)
                        answer = app.appraise(ReadRequest(ecosystem, name, release.version, filename, told))
                        if answer.outcome != "allow":
                            print(f"{answer.outcome}: {name} {release.version}: {answer.reason[:200]}", flush=True)
                        size = (_files(ecosystem, name) / filename).stat().st_size
                        found.append(Pin(ecosystem, name, release.version, filename, told, size, answer.outcome))
    return found


def _name_in(path: str, entry: Mapping[str, str]) -> str:
    return entry.get("name") or path.rpartition("node_modules/")[2]


def _pages(ecosystem: str) -> Iterator[tuple[ProjectName, IndexPage]]:
    for path in sorted((STORE / "pages" / ecosystem).iterdir()):
        yield ProjectName(unquote(path.name)), msgspec.msgpack.decode(path.read_bytes(), type=IndexPage)


def _page(ecosystem: str, name: str) -> Path:
    return STORE / "pages" / ecosystem / quote(name, safe="")


def _files(ecosystem: str, name: str) -> Path:
    return STORE / "files" / ecosystem / quote(name, safe="")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(data)
    draft.replace(path)


def _link(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    files: Iterable[Path] = source.iterdir() if source.is_dir() else ()
    for one in files:
        os.link(one, target / one.name)


def _metadata(wheel: Path) -> bytes:
    with ZipFile(wheel) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA")))
