"""Container images as files, made in memory: layers, OCI layouts, archives of ``docker save``."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

Layer = Mapping[str, bytes | str]
"""Path -> contents; a text is what a hard link is the same as. A path that ends in a slash is a folder."""


def layer(files: Layer) -> bytes:
    """Return a layer."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.mtime = 1_774_916_712
            if isinstance(data, str):
                entry.type, entry.linkname = tarfile.LNKTYPE, data
            elif path.endswith("/"):
                entry.type = tarfile.DIRTYPE
            else:
                entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data) if isinstance(data, bytes) else None)
    return buffer.getvalue()


def oci(*images: Sequence[bytes], names: Sequence[str] = ()) -> dict[str, bytes]:
    """Return the files of an OCI layout, each image with its layers as they are given."""
    files: dict[str, bytes] = {}

    def blob(data: bytes) -> dict[str, object]:
        digest = sha256(data).hexdigest()
        files[f"blobs/sha256/{digest}"] = data
        return {"mediaType": "x", "digest": f"sha256:{digest}", "size": len(data)}

    manifests = []
    for number, layers in enumerate(images):
        manifest = blob(json.dumps({"config": blob(b"{}"), "layers": [blob(one) for one in layers]}).encode())
        notes = {"org.opencontainers.image.ref.name": names[number]} if names else {}
        manifests.append(manifest | {"annotations": notes, "platform": {"os": "linux", "architecture": "arm64"}})
    attached = {"digest": f"sha256:{'0' * 64}", "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    index = blob(json.dumps({"manifests": [*manifests, attached]}).encode())
    files["index.json"] = json.dumps({"manifests": [index]}).encode()
    files["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    return files


def saved(*layers: bytes, tag: str = "team/app:1") -> dict[str, bytes | str]:
    """Return the files that older versions of ``docker save`` write: a folder for each layer, one of them a link."""
    files: dict[str, bytes | str] = {f"{number:064x}/layer.tar": data for number, data in enumerate(layers)}
    files["f" * 64 + "/layer.tar"] = f"{len(layers) - 1:064x}/layer.tar"
    paths = [*[*files][: len(layers) - 1], "f" * 64 + "/layer.tar"]
    files["manifest.json"] = json.dumps([{"Config": "c.json", "RepoTags": [tag], "Layers": paths}]).encode()
    return files


def written(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write a layout as a folder."""
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


def packed(data: bytes) -> bytes:
    """Return bytes as gzip, in two streams."""
    middle = len(data) // 2
    return gzip.compress(data[:middle], mtime=0) + gzip.compress(data[middle:], mtime=0)
