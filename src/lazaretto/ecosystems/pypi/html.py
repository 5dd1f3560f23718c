"""PEP 503 pages: the anchors of an HTML document, brought into the form of PEP 691's files."""

from html.parser import HTMLParser
from urllib.parse import unquote

import msgspec

from lazaretto.core.names import ProjectName
from lazaretto.ecosystems.pypi.index import File

_ALGORITHMS = ("sha256", "sha512", "sha384", "sha224", "sha1", "md5", "blake2b")


def parse(project: ProjectName, data: bytes) -> list[File]:
    """Return the files of a page.

    Raises:
        ValueError: not UTF-8, another version of the interface, or no HTML with at least one tag.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"the index page of {project} is not UTF-8 at byte {error.start}") from None
    reader = _Anchors()
    reader.feed(text)
    reader.close()
    if reader.tags == 0:
        raise ValueError(f"the index page of {project} is no HTML: it has no tag")
    if reader.api and not reader.api.startswith("1."):
        raise ValueError(f"the index page of {project} has API version {reader.api[:20]!r}; only 1.x is understood")
    return reader.files


class _Anchors(HTMLParser):
    """Collects ``<a href>`` with the data attributes of PEP 503, 592, 658 and 740."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.files: list[File] = []
        self.tags = 0
        self.api = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags += 1
        given = dict(attrs)
        if tag == "meta" and (given.get("name") or "") == "pypi:repository-version":
            self.api = given.get("content") or ""
        href = given.get("href") if tag == "a" else None
        if not href:
            return
        address, _, fragment = href.partition("#")
        algorithm, _, digest = fragment.partition("&")[0].partition("=")
        yanked = given.get("data-yanked", False)
        provenance = given.get("data-provenance")
        self.files.append(
            File(
                filename=unquote(address.partition("?")[0].rpartition("/")[2]),
                url=address,
                hashes={algorithm.lower(): digest} if algorithm.lower() in _ALGORITHMS and digest else {},
                requires_python=given.get("data-requires-python"),
                yanked=False if yanked is False else yanked or True,
                provenance=provenance or msgspec.UNSET,
            )
        )
