"""From a place in a corpus to an archive in memory, as a registry would have served it. Nothing is written to disk."""

import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from evals.corpora.diff_reports import sides
from evals.corpora.git import Git
from evals.corpora.items import Form, Item, Ref
from lazaretto.app.opened import Source
from lazaretto.core.model import Artifact, ArtifactKind

MAX_BYTES = 512 << 20
"""Largest file of a corpus, and largest content of a sealed one, in bytes."""

_PASSWORD = b"infected"
"""What everyone seals samples with, so that no mail filter and no careless hand opens them."""


class UnusableError(Exception):
    """The corpus does not hold what it says, or not as it says: counted, and never judged."""


class Stores:
    """The places that bytes are read from; a git directory is opened once."""

    def __init__(self) -> None:
        self._git: dict[str, Git] = {}

    def close(self) -> None:
        """End the processes that read objects; they are started again when they are needed."""
        for git in self._git.values():
            git.close()

    def read(self, store: str, place: str) -> bytes:
        """Return the bytes at a place. Raises MissingError, OSError, UnusableError."""
        if not store:
            path = Path(place)
            if path.stat().st_size > MAX_BYTES:
                raise UnusableError("larger than is read")
            return path.read_bytes()
        if store not in self._git:
            self._git[store] = Git(Path(store))
        return self._git[store].read(place)

    def source(self, item: Item, ref: Ref) -> Source:
        """Return a release, ready for the product's own readers. Raises MissingError, OSError, UnusableError."""
        if ref.form is Form.REPORT:
            return self._side(item, ref)
        if ref.form is Form.ARCHIVE:
            data = self.read(ref.store, ref.parts[0].place)
            filename = ref.parts[0].name.rpartition("/")[2]
        else:
            files = self._files(ref)
            data = packed(files, item)
            filename = "package.tgz" if item.ecosystem == "npm" else "package.tar.gz"
        kind = ArtifactKind(item.kind) if item.kind else kind_of(filename, item.ecosystem)
        return as_source(filename, data, kind)

    def _side(self, item: Item, ref: Ref) -> Source:
        shown = sides(self.read(ref.store, ref.parts[0].place).decode("utf-8", "replace"))
        which, _, version = ref.parts[0].name.partition(":")
        texts = shown.before if which == "before" else shown.after
        files = {path: text.encode("utf-8", "replace") for path, text in texts.items()}
        item = replace(item, version=version)
        if shown.wheel:
            return as_source("package-1-py3-none-any.whl", packed_wheel(files, item), ArtifactKind.WHEEL)
        return as_source("package.tar.gz", packed(files, item), ArtifactKind.SDIST)

    def _files(self, ref: Ref) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        for part in ref.parts:
            data = self.read(ref.store, part.place)
            if ref.form is Form.SEALED:
                files |= unsealed(data)
            elif part.name.endswith(".xz"):
                files[part.name[:-3]] = lzma.LZMADecompressor(memlimit=MAX_BYTES).decompress(data, MAX_BYTES)
            else:
                files[part.name] = data
        return rooted(files) if ref.form is Form.FILES else files


def as_source(filename: str, data: bytes, kind: ArtifactKind) -> Source:
    """Return an archive with its digest."""
    digests = {"sha256": sha256(data).hexdigest()}
    return Source(Artifact(filename, kind, url="", digests=digests, size=len(data)), data)


def kind_of(filename: str, ecosystem: str) -> ArtifactKind:
    """Return how an archive is packed, from its name."""
    if filename.endswith(".whl"):
        return ArtifactKind.WHEEL
    return ArtifactKind.TARBALL if ecosystem == "npm" else ArtifactKind.SDIST


def unsealed(data: bytes) -> dict[str, bytes]:
    """Return the files of a ZIP with the customary password, without the folders they have in common."""
    files: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.setpassword(_PASSWORD)
            if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
                raise UnusableError("larger than is read")
            for info in archive.infolist():
                if not info.is_dir():
                    files[info.filename] = archive.read(info)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise UnusableError(f"no sealed ZIP: {type(error).__name__}") from error
    return rooted(files)


_CODE = (".js", ".cjs", ".mjs", ".ts", ".tsx")
_ROOTS = ("package.json", "setup.py", "pyproject.toml", "PKG-INFO")


def rooted(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files from the folder of the manifest that lies highest, or from the folder all have in common."""
    manifests = [path for path in files if path.rpartition("/")[2] in _ROOTS]
    if manifests:
        prefix = min(manifests, key=lambda path: (path.count("/"), path)).rpartition("/")[0]
    else:
        folders = {path.partition("/")[0] for path in files if "/" in path}
        prefix = folders.pop() if len(folders) == 1 and all("/" in path for path in files) else ""
    lead = f"{prefix}/" if prefix else ""
    return {path[len(lead) :]: data for path, data in files.items() if path.startswith(lead)}


def packed(files: Mapping[str, bytes], item: Item) -> bytes:
    """Return loose files as the archive a registry would serve, with a manifest if they have none.

    A file on its own is what the package's entry point would load.
    """
    files = dict(files)
    name, version = item.name or "sample", item.version or "1.0.0"
    if item.ecosystem == "npm":
        root = "package"
        if "package.json" not in files:
            code = [path for path in files if path.endswith(_CODE)]  # beside it lies what a file manager has left
            main = min(code or files, key=lambda path: (path.count("/"), path), default="index.js")
            files["package.json"] = json.dumps({"name": name, "version": version, "main": main}).encode()
    else:
        root = f"{name}-{version}"
        files.setdefault("PKG-INFO", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode())
        modules = sorted(path for path in files if path.endswith(".py") and "/" not in path)
        files.setdefault("setup.py", setup_text(name, version, [path[:-3] for path in modules]).encode())
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as archive:
        for path in sorted(files):
            info = tarfile.TarInfo(f"{root}/{path}")
            info.size = len(files[path])
            archive.addfile(info, io.BytesIO(files[path]))
    return out.getvalue()


def packed_wheel(files: Mapping[str, bytes], item: Item) -> bytes:
    """Return files as a wheel, with the least that makes one."""
    info = f"{item.name.replace('-', '_')}-{item.version}.dist-info"
    made = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {item.name}\nVersion: {item.version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, data in sorted({**files, **made}.items()):
            archive.writestr(path, data)
        archive.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in sorted({**files, **made})))
    return out.getvalue()


def setup_text(name: str, version: str, modules: list[str]) -> str:
    """Return the plainest ``setup.py`` that installs these modules."""
    return f"from setuptools import setup\n\nsetup(name={name!r}, version={version!r}, py_modules={modules!r})\n"
