"""PEP 503 pages: the anchors of an HTML document, brought into the form of PEP 691's files.

A reader of its own, in one pass: the standard library's parser takes time that grows with the square of a hostile page.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from lazaretto.core.names import ProjectName
from lazaretto.ecosystems.pypi.index import File

ALGORITHMS = ("sha256", "sha512", "sha384", "sha224", "sha1", "md5", "blake2b")
"""The hashes that a link can carry, the one that clients expect first (PEP 503)."""


def parse(project: ProjectName, data: bytes) -> list[File]:
    """Return the files of a page, in its order.

    Raises:
        ValueError: not UTF-8, another version of the interface, or no HTML with at least one tag.
    """
    return [_file(given) for given in _read(project, data)[1]]


def as_json(project: ProjectName, data: bytes) -> bytes:
    """Return a page in PEP 691's form. Its version is 1.0: a later one promises sizes, which HTML does not tell.

    Raises:
        ValueError: see ``parse``.
    """
    metas, anchors = _read(project, data)
    page: dict[str, Any] = {"meta": {"api-version": "1.0"}, "name": project}
    if "pypi:tracks" in metas:
        page["meta"]["tracks"] = metas["pypi:tracks"]
    if "pypi:alternate-locations" in metas:
        page["alternate-locations"] = metas["pypi:alternate-locations"]
    if "pypi:project-status" in metas:
        page["project-status"] = {"status": metas["pypi:project-status"][0]}
        if "pypi:project-status-reason" in metas:
            page["project-status"]["reason"] = metas["pypi:project-status-reason"][0]
    page["files"] = [{**_told(_file(given)), **_siblings(given)} for given in anchors]
    return msgspec.json.encode(page)


def _told(file: File) -> dict[str, Any]:
    """Return what an anchor said. What it did not say is left out: clients refuse a size that is null."""
    return {name: value for name, value in msgspec.to_builtins(file).items() if value is not None}


def _read(project: ProjectName, data: bytes) -> tuple[dict[str, list[str]], list[dict[str, str]]]:
    """Return the contents of the meta tags by their names, and the attributes of every anchor that leads somewhere."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"the index page of {project} is not UTF-8 at byte {error.start}") from None
    if not re.search(r"<[a-zA-Z!/]", text):
        raise ValueError(f"the index page of {project} is no HTML: it has no tag")
    metas: dict[str, list[str]] = {}
    anchors = []
    for tag, given in _tags(_without_comments(text)):
        if tag == "meta" and given.get("content"):
            metas.setdefault(given.get("name", ""), []).append(given["content"])
        elif tag == "a" and given.get("href"):
            anchors.append(given)
    for api in metas.get("pypi:repository-version", ()):
        if not api.startswith("1."):
            raise ValueError(f"the index page of {project} has API version {api[:20]!r}; only 1.x is understood")
    return metas, anchors


def _file(given: dict[str, str]) -> File:
    """Return the file of an anchor, with the attributes of PEP 503, 592 and 740."""
    from urllib.parse import unquote

    address, _, fragment = given["href"].strip().partition("#")
    algorithm, _, digest = fragment.partition("&")[0].partition("=")
    algorithm = algorithm.lower()
    return File(
        filename=unquote(address.partition("?")[0].rpartition("/")[2]),
        url=address,
        hashes={algorithm: digest} if algorithm in ALGORITHMS and digest else {},
        requires_python=given.get("data-requires-python"),
        yanked=given["data-yanked"] or True if "data-yanked" in given else False,
        provenance=given.get("data-provenance") or msgspec.UNSET,
    )


def _siblings(given: dict[str, str]) -> dict[str, Any]:
    """Return what an anchor says of the files beside its own: core metadata (PEP 658, 714), a signature (PEP 503)."""
    said: dict[str, Any] = {}
    for name in ("core-metadata", "dist-info-metadata"):
        if f"data-{name}" in given:
            algorithm, _, digest = given[f"data-{name}"].partition("=")
            said[name] = {algorithm.lower(): digest} if digest else True
    if given.get("data-gpg-sig") in {"true", "false"}:
        said["gpg-sig"] = given["data-gpg-sig"] == "true"
    return said


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a tag and of an attribute; possessive, so that nothing is looked at twice."""
    attribute = r"""([^\s=<>"'/]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s<>"']++)))?+"""
    inside = attribute.replace("([^", "(?:[^")
    return re.compile(rf"<(a|meta)\b((?:[\s/]++{inside})*+)[\s/]*+>", re.IGNORECASE), re.compile(attribute)


def _tags(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield name and attributes of every anchor and meta tag; of equal attributes the first counts, as in HTML."""
    tag, attribute = _patterns()
    for found in tag.finditer(text):
        given: dict[str, str] = {}
        for name, double, single, bare in attribute.findall(found[2]):
            given.setdefault(name.lower(), _unescaped(double or single or bare))
        yield found[1].lower(), given


def _unescaped(value: str) -> str:
    if "&" not in value:
        return value
    from html import unescape

    return unescape(value)


def _without_comments(text: str) -> str:
    """Return the text without comments; one that does not end goes on to the end of the page."""
    parts = []
    at = 0
    while (start := text.find("<!--", at)) >= 0:
        parts.append(text[at:start])
        end = text.find("-->", start + 4)
        at = len(text) if end < 0 else end + 3
    return "".join([*parts, text[at:]])
