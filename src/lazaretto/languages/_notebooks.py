"""Jupyter notebooks: the code of their cells, each line at its place in the file (nbformat 3 and 4)."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from lazaretto.core.facts import Problem, Span
from lazaretto.core.inner import Inner
from lazaretto.languages._lines import Lines

MAX_NOTEBOOK = 64 * 1024 * 1024
"""Longest notebook whose cells are read, in bytes."""

_MISSES = 50
"""Texts that are searched in vain before nothing is searched any more: each costs the rest of the file."""

_MAGICS = {
    **dict.fromkeys((b"bash", b"sh", b"script"), "shell"),
    **dict.fromkeys((b"javascript", b"js"), "javascript"),
    b"cmd": "batch",
    b"powershell": "powershell",
    **dict.fromkeys((b"writefile", b"html", b"latex", b"markdown"), ""),
}


def cells(data: bytes) -> Iterator[Inner | Problem]:
    """Yield the code of a notebook: that of its language in one part, and what its magics start in others."""
    if len(data) > MAX_NOTEBOOK:
        yield Problem(
            1, f"a notebook of {len(data)} bytes is longer than {MAX_NOTEBOOK}: its cells were not read", unread=True
        )
        return
    try:
        notebook = _document(data)
    except RecursionError:
        yield Problem(1, "a notebook that is nested too deeply to be read", unread=True)
        return
    except ValueError:
        return  # no viewer opens it either
    dialect = _dialect(notebook)
    commands: set[bytes] = set()
    lines: list[bytes] = []
    places: list[Span] = []
    finder = _Finder(data)
    for source in _sources(notebook):
        placed = [(text, finder.place(text)) for text in source]
        own = [(line, place) for text, place in placed for line in text.encode("utf-8", "replace").split(b"\n")]
        first = own[0][0].strip() if own else b""
        if first.startswith(b"%%"):
            named = _MAGICS.get(first[2:].split(b" ")[0], dialect)
            if named and named != dialect:
                yield _part([(b"", own[0][1]), *own[1:]], named)
                continue
            own = [(b"" if named == dialect else line, place) for line, place in own]
        for line, place in own:
            command = _pattern(rb"^\s*(?:\w+\s*=\s*)?!(.+)|^\s*%(?:sx|system|pip)\s+(.+)").match(line)
            if command and dialect == "python":
                prefix = b"pip " if command[1] is None and b"%pip" in line else b""
                told = prefix + (command[1] or command[2])
                if told not in commands:
                    commands.add(told)
                    yield _part([(told, place)], "command")
            lines.append(b"pass" if dialect == "python" and line.lstrip()[:1] in (b"!", b"%") else line)
            places.append(place)
    if dialect and lines:
        yield _part(list(zip(lines, places, strict=True)), dialect)


def _document(data: bytes) -> Any:
    """Return what a notebook holds; Python writes numbers into it that are none (``NaN``), and reads them."""
    import msgspec

    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        import json

        return json.loads(data.decode("utf-8-sig", "replace"))


def _part(lines: list[tuple[bytes, Span]], dialect: str) -> Inner:
    text = b"\n".join(line for line, _ in lines)
    return Inner(text, dialect, places=tuple(place for _, place in lines), step="notebook", lenient=True)


def _dialect(notebook: Any) -> str:
    """Return who reads the cells, by what the kernel says of itself; Python if nothing is said."""
    metadata = notebook.get("metadata") if isinstance(notebook, dict) else None
    for key in ("language_info", "kernelspec"):
        told = metadata.get(key) if isinstance(metadata, dict) else None
        name = (
            str(told.get("name") if key == "language_info" else told.get("language")) if isinstance(told, dict) else ""
        )
        if name.lower() in ("javascript", "typescript", "bash", "python"):
            return {"bash": "shell"}.get(name.lower(), name.lower())
        if name and name != "None":
            return "python" if name.lower().startswith(("python", "ipython")) else ""
    return "python"


def _sources(notebook: Any) -> Iterator[list[str]]:
    if not isinstance(notebook, dict):
        return
    sheets = notebook.get("worksheets")
    found: list[Any] = (
        [notebook.get("cells"), *(sheet.get("cells") for sheet in sheets or () if isinstance(sheet, dict))]
        if isinstance(sheets, list)
        else [notebook.get("cells")]
    )
    for group in found:
        for cell in group if isinstance(group, list) else ():
            if isinstance(cell, dict) and cell.get("cell_type") == "code":
                source = cell.get("source", cell.get("input"))
                if isinstance(source, str):
                    yield [source]
                elif isinstance(source, list):
                    yield [text.removesuffix("\n") for text in source if isinstance(text, str)]


class _Finder:
    """Finds texts in a document, in the order in which they stand there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._lines = Lines(data)
        self._missed = 0

    def place(self, text: str) -> Span:
        """Return where a text stands, from the last one on; nowhere in particular if it is written in another way."""
        import json

        for wanted in (
            json.dumps(text)[1:-1].encode(),
            json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "replace"),
        ):
            at = self._data.find(wanted, self._at) if wanted and self._missed < _MISSES else -1
            if at >= 0:
                self._at = at + len(wanted)
                return self._lines.span(at, self._at)
        self._missed += bool(text)
        return self._lines.span(self._at, self._at)


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source)
