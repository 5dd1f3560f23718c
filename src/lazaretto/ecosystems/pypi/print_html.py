"""A project detail (PEP 691) as an HTML page (PEP 503), for old clients. Every text of it is inert."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from lazaretto.core.names import ProjectName
from lazaretto.ecosystems.pypi.html import ALGORITHMS

TAIL = b"</body>\n</html>\n"


def head(project: ProjectName, detail: bytes) -> bytes:
    """Return what stands before the files; a field of a type that it should not have is left out.

    Raises:
        ValueError: a value cannot be read, such as a number without bounds.
    """
    from html import escape

    title = escape(f"Links for {project}")
    lines = ["<!DOCTYPE html>", "<html>", "<head>", '<meta charset="utf-8">']
    lines += [f'<meta name="{name}" content="{escape(content)}">' for name, content in _metas(_read(project, detail))]
    lines += [f"<title>{title}</title>", "</head>", "<body>", f"<h1>{title}</h1>", ""]
    return "\n".join(lines).encode()


def line(project: ProjectName, file: bytes) -> bytes:
    """Return the anchor of a file. Raises ValueError as ``head``."""
    from html import escape

    fields = _read(project, file)
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in _attributes(fields))
    return f"<a{attributes}>{escape(fields['filename'])}</a><br>\n".encode()


def _read(project: ProjectName, data: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"the index page of {project} is no project detail: {error}") from None
    return found


def _metas(detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the meta tags of PEP 629, 708 and 792."""
    meta, status = _mapping(detail.get("meta")), _mapping(detail.get("project-status"))
    for name, value in (
        ("pypi:repository-version", meta.get("api-version", "1.0")),
        ("pypi:tracks", meta.get("tracks")),
        ("pypi:alternate-locations", detail.get("alternate-locations")),
        ("pypi:project-status", status.get("status")),
        ("pypi:project-status-reason", status.get("reason")),
    ):
        for content in value if isinstance(value, list) else [value]:
            if isinstance(content, str):
                yield name, content


def _attributes(file: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the attributes of a file's anchor (PEP 503, 592, 658, 714, 740)."""
    yield "href", file["url"] + _hash(file.get("hashes"), "#")
    for name in ("requires-python", "provenance"):
        if isinstance(file.get(name), str):
            yield f"data-{name}", file[name]
    for name in ("core-metadata", "dist-info-metadata"):
        if file.get(name):
            yield f"data-{name}", _hash(file[name]) or "true"
    if isinstance(file.get("gpg-sig"), bool):
        yield "data-gpg-sig", str(file["gpg-sig"]).lower()
    yanked = file.get("yanked", False)
    if yanked is not False:
        yield "data-yanked", yanked if isinstance(yanked, str) else ""


def _hash(hashes: object, sign: str = "") -> str:
    """Return the hash that most clients know, as ``sha256=...``; empty if there is none."""
    known = {name.lower(): value for name, value in _mapping(hashes).items() if isinstance(value, str)}
    chosen = next((name for name in ALGORITHMS if known.get(name, "").isalnum()), None)
    return "" if chosen is None else f"{sign}{chosen}={known[chosen]}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
