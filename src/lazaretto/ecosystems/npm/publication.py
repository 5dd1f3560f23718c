"""What ``npm publish`` sends: read, compared with its address, and written anew for the registry that it is for.

Written anew, so that the registry reads what was read here: of a key that occurs twice another program may take the
other. Only the publication of one new version is one: what changes or takes away what is there looks alike, and is made
from a page of which the firewall may have left something out.
"""

from base64 import b64decode
from hashlib import sha256

import msgspec

from lazaretto.core.names import Digest, ProjectName, Version
from lazaretto.ecosystems.npm import versions
from lazaretto.ecosystems.npm.names import escaped

_Fields = dict[str, msgspec.Raw]
_RAW = msgspec.json.Decoder(_Fields)
_TEXT = msgspec.json.Decoder(str)
_NO_OBJECT = msgspec.Raw(b"{}")
_NOTHING = msgspec.Raw(b"null")


class _Attachment(msgspec.Struct):
    data: str


class Publication(msgspec.Struct, frozen=True):
    """One version as it is published: the digest of its tarball, the path below the registry, and what is sent."""

    version: Version
    digest: Digest
    path: str
    body: bytes


def publication(project: ProjectName, data: bytes, registry: str) -> Publication:
    """Return what is published under a name; ``registry`` is the address that it is for, with a slash at its end.

    Raises:
        ValueError: it is no publication of one version of this package; the message says why.
    """
    try:
        return _read(project, data, registry)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise ValueError(f"what is to be published cannot be read: {error}") from None


def _read(project: ProjectName, data: bytes, registry: str) -> Publication:
    document = _RAW.decode(data)
    for key in ("_id", "name"):
        if _TEXT.decode(document.get(key, msgspec.Raw(b'""'))) != project:
            raise ValueError(f"the {key} of what is to be published is not {project}, the name in its address")
    published = _RAW.decode(document.get("versions", _NO_OBJECT))
    attached = _RAW.decode(document.get("_attachments", _NO_OBJECT))
    tarballs = [name for name in attached if name.endswith(".tgz")]
    if len(published) != 1 or len(tarballs) != 1:
        raise ValueError(
            "only one new version is published through the firewall; deprecate, unpublish and change what is there at "
            "the registry itself"
        )
    ((text, raw),) = published.items()
    manifest = _RAW.decode(raw)
    for key, wanted in (("name", project), ("version", text)):
        if _TEXT.decode(manifest.get(key, _NOTHING)) != wanted:
            raise ValueError(f"the {key} in the manifest of {project} {text} is another than outside")
    tarball = b64decode(msgspec.json.decode(attached[tarballs[0]], type=_Attachment).data, validate=True)
    path = escaped(project)
    dist = _RAW.decode(manifest.get("dist", _NO_OBJECT))
    # The client wrote the address of the firewall, which it takes for the registry.
    address = f"{registry}{project}/-/{tarballs[0].rpartition('/')[2]}"
    manifest["dist"] = _raw({**dist, "tarball": _raw(address)})
    body = msgspec.json.encode({**document, "versions": {text: manifest}})
    return Publication(versions.version(text), Digest(f"sha256:{sha256(tarball).hexdigest()}"), path, body)


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
