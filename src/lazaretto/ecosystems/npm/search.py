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


def found(data: bytes) -> dict[ProjectName, Version]:
    """Return the packages of an answer and the version that each is shown with, empty if none is. Raises ValueError."""
    packages = {}
    for _, package in _finds(data)[1]:
        version = _text(package, "version")
        try:
            packages[name(_text(package, "name"))] = Version(version)
        except ValueError:  # no package has that name, so none is found
            continue
    return packages


def shown(data: bytes, visible: Mapping[ProjectName, Version]) -> bytes:
    """Return an answer with only the packages that are visible, each with a version that is. Raises ValueError."""
    page, finds = _finds(data)
    kept = []
    for one, package in finds:
        seen = visible.get(ProjectName(_text(package, "name")))
        if seen is None:
            continue
        told = package
        if seen != _text(package, "version"):
            left = {key: package[key] for key in _OF_PROJECT if key in package}
            told = {**left, "version": msgspec.Raw(msgspec.json.encode(seen))}
        kept.append({**one, "package": told})
    return msgspec.json.encode({**page, "objects": kept})


def _finds(data: bytes) -> tuple[_Fields, list[tuple[_Fields, _Fields]]]:
    try:
        page = _RAW.decode(data)
        return page, [(one, _RAW.decode(one["package"])) for one in _LIST.decode(page["objects"])]
    except (msgspec.DecodeError, KeyError) as error:
        raise ValueError(f"the answer to the search cannot be read: {error}") from None


def _text(package: _Fields, key: str) -> str:
    try:
        return msgspec.json.decode(package.get(key, b'""'), type=str)
    except msgspec.DecodeError:
        return ""
