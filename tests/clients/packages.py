"""Small inert packages for the upstreams of the tests: made here, or taken from a replay's world."""

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

OLD = datetime(2020, 1, 1, tzinfo=UTC)
"""When a package was published that nobody thought of dating."""

EMPTY: Mapping[str, bytes] = {}

MAX_INSTALLED = 32 * 1024 * 1024
"""Bytes of the largest real package that is served again."""

_EPOCH = (1980, 1, 1, 0, 0, 0)


class NpmPackage(Struct, frozen=True):
    """One version of an npm package: its manifest, its tarball, and when it was published."""

    manifest: Mapping[str, object]
    tarball: bytes
    published: datetime = OLD

    @property
    def name(self) -> str:
        return str(self.manifest["name"])

    @property
    def version(self) -> str:
        return str(self.manifest["version"])

    @property
    def filename(self) -> str:
        return f"{self.name.rpartition('/')[2]}-{self.version}.tgz"


class File(Struct, frozen=True):
    """One distribution of a Python project."""

    filename: str
    data: bytes


def npm(name: str, version: str, published: datetime = OLD, code: str = "", **manifest: object) -> NpmPackage:
    """Return a package that exports its own version."""
    fields = {"name": name, "version": version, "main": "index.js", "license": "MIT", **manifest}
    files = {
        "package.json": json.dumps(fields, indent=2).encode(),
        "index.js": (code or f"module.exports = {json.dumps(version)};\n").encode(),
    }
    return NpmPackage(fields, _tar(files, "package/"), published)


def npm_tree(folder: Path, version: str, published: datetime = OLD) -> NpmPackage:
    """Return the package whose files lie in a folder, as a replay keeps those of its incident."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
    manifest = json.loads(files["package.json"]) | {"version": version}
    files["package.json"] = json.dumps(manifest, indent=2).encode()
    return NpmPackage(manifest, _tar(files, "package/"), published)


def npm_installed(folder: Path, published: datetime = OLD) -> NpmPackage | None:
    """Return a real package, packed anew from where it is installed; None for one whose files are large programs."""
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "node_modules" not in path.parts[len(folder.parts) :]
    ]
    if sum(path.stat().st_size for path in paths) > MAX_INSTALLED:
        return None
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return NpmPackage(json.loads(files["package.json"]), _tar(files, "package/"), published)


def packument(packages: Sequence[NpmPackage], latest: str = "") -> dict[str, object]:
    """Return what Verdaccio keeps of a package: the full packument, with what is attached."""
    name = packages[0].name
    versions = {
        one.version: {**one.manifest, "_id": f"{name}@{one.version}", "dist": _dist(one), "readmeFilename": ""}
        for one in packages
    }
    times = {one.version: _instant(one.published) for one in packages}
    return {
        "_id": name,
        "name": name,
        "_rev": "1-lazaretto",
        "dist-tags": {"latest": latest or packages[-1].version},
        "versions": versions,
        "time": {"created": min(times.values()), "modified": max(times.values()), **times},
        "_attachments": {one.filename: {"shasum": hashlib.sha1(one.tarball).hexdigest()} for one in packages},
        "_distfiles": {},
        "_uplinks": {},
        "users": {},
        "readme": "",
    }


def wheel(name: str, version: str, requires: Sequence[str] = (), beside: Mapping[str, bytes] = EMPTY) -> File:
    """Return a wheel of one module that knows its version, with other files ``beside`` it."""
    stem = f"{name.replace('-', '_')}-{version}"
    files = {
        f"{name.replace('-', '_')}/__init__.py": f"VERSION = {version!r}\n".encode(),
        **beside,
        f"{stem}.dist-info/METADATA": _metadata(name, version, requires),
        f"{stem}.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_record(data)},{len(data)}\n" for path, data in files.items())
    files[f"{stem}.dist-info/RECORD"] = f"{record}{stem}.dist-info/RECORD,,\n".encode()
    return File(f"{stem}-py3-none-any.whl", _zip(files))


def sdist(name: str, version: str, requires: Sequence[str] = ()) -> File:
    """Return a source distribution that is its own build backend: to build it, nothing else must be fetched."""
    made = wheel(name, version, requires)
    stem = f"{name.replace('-', '_')}-{version}"
    backend = (
        "import base64, pathlib\n"
        f"NAME, DATA = {made.filename!r}, {b64encode(made.data).decode()!r}\n"
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n"
        "    pathlib.Path(wheel_directory, NAME).write_bytes(base64.b64decode(DATA))\n"
        "    return NAME\n"
        "def get_requires_for_build_wheel(config_settings=None):\n"
        "    return []\n"
    )
    files = {
        "PKG-INFO": _metadata(name, version, requires),
        "pyproject.toml": b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": backend.encode(),
    }
    return File(f"{stem}.tar.gz", _tar(files, f"{stem}/"))


def _dist(one: NpmPackage) -> dict[str, object]:
    return {
        "integrity": "sha512-" + b64encode(hashlib.sha512(one.tarball).digest()).decode(),
        "shasum": hashlib.sha1(one.tarball).hexdigest(),
        "tarball": f"http://verdaccio.invalid/{one.name}/-/{one.filename}",
    }


def _metadata(name: str, version: str, requires: Sequence[str]) -> bytes:
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {r}" for r in requires),
    ]
    return "\n".join([*lines, "", ""]).encode()


def _record(data: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _tar(files: Mapping[str, bytes], folder: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(folder + path)
            entry.size = len(data)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), mtime=0)


def _zip(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
