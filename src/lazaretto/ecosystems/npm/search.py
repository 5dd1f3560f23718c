"""What a search found, as a client may see it: no version that is not on the page of its package."""

from collections.abc import Mapping

import msgspec

from lazaretto.core.names import ProjectName, Version
from lazaretto.ecosystems.npm.names import name

_Fields = dict[str, msgspec.Raw]

_OF_PROJECT = ("name", "scope", "maintainers")
"""What is left of a find whose version cannot be seen: what is not written by that version's author for it."""

_RAW = msgspec.json.Decoder(_Fields)
_LIST = msgspec.json.Decoder(list[_Fields])


class _Package(msgspec.Struct):
    name: str
    version: str


class _Find(msgspec.Struct):
    package: _Package


class _Found(msgspec.Struct):
    objects: list[_Find]


def found(data: bytes) -> dict[ProjectName, Version]:
    """Return the packages of an answer and the version that each is shown with. Raises ValueError."""
    try:
        objects = msgspec.json.decode(data, type=_Found).objects
    except msgspec.DecodeError as error:
        raise ValueError(f"the answer to the search cannot be read: {error}") from None
    return {name(one.package.name): Version(one.package.version) for one in objects}


def shown(data: bytes, visible: Mapping[ProjectName, Version]) -> bytes:
    """Return an answer with only the packages that are visible, each with a version that is. Raises ValueError."""
    try:
        page = _RAW.decode(data)
        kept = []
        for one in _LIST.decode(page["objects"]):
            package = _RAW.decode(one["package"])
            named, version = (msgspec.json.decode(package[key], type=str) for key in ("name", "version"))
            seen = visible.get(ProjectName(named))
            if seen is None:
                continue
            if seen != version:
                left: _Fields = {key: package[key] for key in _OF_PROJECT if key in package}
                package = {**left, "version": msgspec.Raw(msgspec.json.encode(seen))}
            kept.append({**one, "package": package})
        return msgspec.json.encode({**page, "objects": kept})
    except (msgspec.DecodeError, KeyError) as error:
        raise ValueError(f"the answer to the search cannot be read: {error}") from None
