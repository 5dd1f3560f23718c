"""From dumps to releases: JSON lines of our own, documented format, packuments of npm, pages of PEP 691.

A line is an object with ``package``, ``version`` and, where they are known, ``ecosystem``, ``dependencies`` (name to
range), ``maintainers`` (accounts) and ``published`` (ISO 8601). A line that is not understood is told, and passed over.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from lazaretto.app.graph.ports import Described
from lazaretto.app.inventory.point_in_time import page_of
from lazaretto.app.ports import Ecosystem
from lazaretto.core.model import DependencyGroup, DependencySource

MAX_LINE = 16 << 20
"""Longest line of a dump, in bytes: a longer one is cut, and then not understood."""

MAX_NEEDS = 5000
"""Dependencies of one release."""

MAX_NAMES = 2_000_000
"""Spellings of names whose normal form is held in memory."""

MAX_TEXT = 300
"""Longest name, version, range or account, in characters."""

_INSTALLED = frozenset({DependencyGroup.RUNTIME, DependencyGroup.OPTIONAL, DependencyGroup.PEER})


class _Line(msgspec.Struct):
    package: str
    version: str
    ecosystem: str = ""
    dependencies: dict[str, str] = {}
    maintainers: list[str] = []
    published: datetime | None = None


class _Maintained(msgspec.Struct):
    maintainers: Any = None


_LINE = msgspec.json.Decoder(_Line)
_MAINTAINED = msgspec.json.Decoder(_Maintained)


def lines(raw: Iterable[bytes], usual: str, house: Callable[[str], Ecosystem]) -> Iterator[Described | str]:
    """Yield the release of each line, or what is wrong with it; ``usual`` is the ecosystem of lines that name none."""
    names: dict[tuple[str, str], str] = {}
    for number, line in enumerate(raw, 1):
        if not line.strip():
            continue
        try:
            yield _described(_LINE.decode(line), usual, house, names)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, KeyError) as error:
            yield f"line {number}: {str(error)[:200]}"
        if len(names) > MAX_NAMES:  # what is needed again is asked again
            names.clear()


def page(data: bytes, house: Callable[[str], Ecosystem]) -> Iterator[Described]:
    """Yield the releases of an index page. Raises ValueError if it is none.

    Whose a release is: whoever published it, and whom the page names as maintainers now.
    """
    (ecosystem, name), project = page_of(data, house)
    told = _MAINTAINED.decode(data).maintainers
    called = [one.get("name") for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    for release in project.releases:
        accounts = [*called, release.publisher.name if release.publisher else None]
        needs = {
            (one.project, one.requirement)
            for one in release.dependencies or ()
            if one.group in _INSTALLED and one.source in (DependencySource.REGISTRY, DependencySource.ALIAS)
        }
        yield Described(
            ecosystem,
            name,
            release.version,
            tuple(sorted(needs)[:MAX_NEEDS]),
            tuple(sorted({one for one in accounts if isinstance(one, str) and 0 < len(one) <= MAX_TEXT})),
            release.published,
        )


def _described(
    line: _Line, usual: str, house: Callable[[str], Ecosystem], names: dict[tuple[str, str], str]
) -> Described:
    ecosystem = house(line.ecosystem or usual)
    if any(len(text) > MAX_TEXT for text in (line.package, line.version, *line.maintainers)):
        raise ValueError(f"a text of more than {MAX_TEXT} characters")
    if len(line.dependencies) > MAX_NEEDS:
        raise ValueError(f"more than {MAX_NEEDS} dependencies")
    published = line.published
    if published is not None and published.tzinfo is None:
        published = published.replace(tzinfo=UTC)
    needs = (_need(ecosystem, name, wanted, names) for name, wanted in line.dependencies.items())
    return Described(
        ecosystem.ID,
        _name(ecosystem, line.package, names),
        ecosystem.version(line.version),
        tuple(sorted({one for one in needs if one is not None})),
        tuple(sorted({one for one in line.maintainers if one})),
        published,
    )


def _need(ecosystem: Ecosystem, name: str, wanted: str, names: dict[tuple[str, str], str]) -> tuple[str, str] | None:
    """Return project and range; None of what comes from no registry. An alias of npm is what it stands for."""
    wanted = wanted.partition(";")[0].strip()
    if wanted.startswith("npm:"):
        name, _, wanted = wanted[4:].rpartition("@") if "@" in wanted[5:] else (wanted[4:], "", "*")
    if ":" in wanted or "/" in wanted or len(wanted) > MAX_TEXT:
        return None
    return _name(ecosystem, name, names), wanted


def _name(ecosystem: Ecosystem, text: str, names: dict[tuple[str, str], str]) -> str:
    key = (ecosystem.ID, text)
    known = names.get(key)
    if known is None:
        known = names[key] = ecosystem.name(text)
    return known
