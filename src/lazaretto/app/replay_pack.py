"""Trees -> real archive bytes, as the two ecosystems' own packers lay them out. The same tree gives the same bytes."""

import gzip
import io
import json
import tarfile
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from lazaretto.core.model import ArtifactKind
from lazaretto.core.names import Digest
from lazaretto.core.tree import Blob, Tree

NPM_TIME = 499_162_500
"""The modification time that npm writes into every member (1985-10-26T08:15:00Z)."""

ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def blob(data: bytes) -> Blob:
    """Return the blob of some bytes."""
    return Blob(digest=Digest(f"sha256:{sha256(data).hexdigest()}"), held=data)


def pack(kind: ArtifactKind, stem: str, tree: Tree) -> bytes:
    """Return the archive of a tree. ``stem`` is the top folder of an sdist (``name-version``)."""
    if kind is ArtifactKind.WHEEL:
        return _pack_zip(_with_record(tree))
    return _pack_tar("package" if kind is ArtifactKind.TARBALL else stem, tree)


def _pack_tar(root: str, tree: Tree) -> bytes:
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(tree.files):
            member = tarfile.TarInfo(f"{root}/{path}")
            member.size = tree.files[path].size
            member.mtime = NPM_TIME
            member.mode = 0o755 if path in tree.executable else 0o644
            archive.addfile(member, io.BytesIO(tree.files[path].data))
    return buffer.getvalue()


def _pack_zip(tree: Tree) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(tree.files):
            member = zipfile.ZipInfo(path, date_time=ZIP_TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3  # Unix, whatever machine packs: the mode is in the upper half of the attributes
            member.external_attr = (0o100755 if path in tree.executable else 0o100644) << 16
            archive.writestr(member, tree.files[path].data)
    return buffer.getvalue()


def _with_record(tree: Tree) -> Tree:
    """Return a wheel's tree with a RECORD that fits its files (binary distribution format, section "RECORD")."""
    metadata = metadata_path(tree, ArtifactKind.WHEEL)
    if metadata is None:
        return tree
    record = metadata.rpartition("/")[0] + "/RECORD"
    lines = []
    for path in sorted(tree.files):
        if path != record:
            content = tree.files[path]
            hashed = urlsafe_b64encode(bytes.fromhex(content.digest.partition(":")[2])).rstrip(b"=").decode()
            lines.append(f"{_csv(path)},sha256={hashed},{content.size}")
    lines.append(f"{_csv(record)},,")
    return Tree(files={**tree.files, record: blob(("\n".join(lines) + "\n").encode())}, executable=tree.executable)


def _csv(path: str) -> str:
    return '"' + path.replace('"', '""') + '"' if set(path) & {",", '"', "\n"} else path


def metadata_path(tree: Tree, kind: ArtifactKind) -> str | None:
    """Return the path of the manifest: package.json, PKG-INFO, or the METADATA of the only ``.dist-info``."""
    if kind is ArtifactKind.WHEEL:
        found = (path for path in sorted(tree.files) if path.count("/") == 1 and path.endswith(".dist-info/METADATA"))
        return next(found, None)
    path = "package.json" if kind is ArtifactKind.TARBALL else "PKG-INFO"
    return path if path in tree.files else None


def set_json(data: bytes, changes: Mapping[str, Any], removed: tuple[str, ...]) -> bytes:
    """Return a package.json with ``changes`` merged in and dotted keys ``removed``, indented as it was.

    Raises:
        ValueError: it is not a JSON object.
    """
    text = data.decode("utf-8-sig")
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("package.json is not an object")  # noqa: TRY004 - the text is wrong, not the call
    indent = next((style for style in (2, "\t", 4) if _as_json(document, style) == text.rstrip("\n")), 2)
    end = text[len(text.rstrip("\n")) :]
    _merge(document, changes)
    for dotted in removed:
        *parents, last = dotted.split(".")
        table = document
        for parent in parents:
            table = table.get(parent, {})
        table.pop(last, None)
    return (_as_json(document, indent) + end).encode()


def _as_json(document: Mapping[str, Any], indent: int | str) -> str:
    return json.dumps(document, indent=indent, ensure_ascii=False)


def _merge(document: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Merge in place. Keys that were in order stay in order, as npm keeps the names of dependencies."""
    ordered = len(document) > 1 and list(document) == sorted(document)
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(document.get(key), dict):
            _merge(document[key], value)
        else:
            document[key] = value
    if ordered:
        items = sorted(document.items())
        document.clear()
        document.update(items)


def set_headers(data: bytes, changes: Mapping[str, Any], removed: tuple[str, ...]) -> bytes:
    """Return core metadata (METADATA, PKG-INFO) in which the named fields have the given value or list of values.

    A field that is not there yet is added after the last header line.
    """
    head, blank, body = data.decode("utf-8", "surrogateescape").partition("\n\n")
    wanted = {key.lower(): (key, [value] if isinstance(value, str) else list(value)) for key, value in changes.items()}
    gone = {key.lower() for key in removed}
    lines: list[str] = []
    written: set[str] = set()
    current = ""
    for line in head.split("\n"):
        if not line.startswith((" ", "\t")):
            current = line.partition(":")[0].strip().lower()
        if current in gone:
            continue
        if current not in wanted:
            lines.append(line)
        elif current not in written:
            written.add(current)
            key, values = wanted[current]
            lines += [f"{key}: {value}" for value in values]
    for name, (key, values) in wanted.items():
        if name not in written:
            lines += [f"{key}: {value}" for value in values]
    return ("\n".join(line for line in lines if line) + (blank or "\n\n") + body).encode("utf-8", "surrogateescape")
