"""PEP 503 pages: the anchors of an HTML document, brought into the form of PEP 691's files.

A reader of its own, in one pass: the standard library's parser takes time that grows with the square of a hostile page.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from lazaretto.core.names import ProjectName
from lazaretto.ecosystems.pypi.index import File

_ALGORITHMS = ("sha256", "sha512", "sha384", "sha224", "sha1", "md5", "blake2b")


def parse(project: ProjectName, data: bytes) -> list[File]:
    """Return the files of a page, in its order.

    Raises:
        ValueError: not UTF-8, another version of the interface, or no HTML with at least one tag.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"the index page of {project} is not UTF-8 at byte {error.start}") from None
    if not re.search(r"<[a-zA-Z!/]", text):
        raise ValueError(f"the index page of {project} is no HTML: it has no tag")
    files = []
    for tag, given in _tags(_without_comments(text)):
        api = given.get("content", "") if tag == "meta" and given.get("name") == "pypi:repository-version" else ""
        if api and not api.startswith("1."):
            raise ValueError(f"the index page of {project} has API version {api[:20]!r}; only 1.x is understood")
        if tag == "a" and given.get("href"):
            files.append(_file(given))
    return files


def _file(given: dict[str, str]) -> File:
    """Return the file of an anchor, with the attributes of PEP 503, 592 and 740."""
    from urllib.parse import unquote

    address, _, fragment = given["href"].strip().partition("#")
    algorithm, _, digest = fragment.partition("&")[0].partition("=")
    algorithm = algorithm.lower()
    return File(
        filename=unquote(address.partition("?")[0].rpartition("/")[2]),
        url=address,
        hashes={algorithm: digest} if algorithm in _ALGORITHMS and digest else {},
        requires_python=given.get("data-requires-python"),
        yanked=given["data-yanked"] or True if "data-yanked" in given else False,
        provenance=given.get("data-provenance") or msgspec.UNSET,
    )


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
