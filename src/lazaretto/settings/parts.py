"""What the readers of all tables share: durations, unknown keys, and the error that lists every defect."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import Enum
from typing import TypeVar

_UNITS = {"h": 3600, "d": 86400, "m": 60, "s": 1}
_SIZES = {"MiB": 20, "GiB": 30, "TiB": 40}
_T = TypeVar("_T", bound=Enum)


class SettingsError(Exception):
    """The settings cannot be used. ``problems`` lists every defect of the document, each with its key."""

    def __init__(self, path: str, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "\n".join([f"{path}: {len(problems)} problem(s) in the settings", *(f"  {p}" for p in problems)])
        )


def parse_duration(text: object) -> timedelta:
    """Return a duration written with its unit: ``48h``, ``7d``, ``P3D``.

    Raises:
        ValueError: a bare number, or another form. Tools disagree on the unit, so it must be named.
    """
    if isinstance(text, str):
        body = text.strip()
        if body.upper().startswith("P") and body.upper().endswith("D") and body[1:-1].isdigit():
            return timedelta(days=int(body[1:-1]))
        if body[:-1].isdigit() and body[-1:] in _UNITS:
            return timedelta(seconds=int(body[:-1]) * _UNITS[body[-1]])
    raise ValueError(f"{text!r} is not a duration with its unit (write 7d, 48h or P3D)")


def parse_size(text: object) -> int:
    """Return a number of bytes written with its unit: ``20 GiB``, ``500MiB``. Raises ValueError."""
    if isinstance(text, str):
        number, unit = text.strip()[:-3].strip(), text.strip()[-3:]
        if number.isdecimal() and len(number) < 10 and unit in _SIZES:
            return int(number) << _SIZES[unit]
    raise ValueError(f"{text!r} is not a size with its unit (write 500 MiB, 20 GiB or 1 TiB)")


def table_of(document: Mapping[str, object], key: str, problems: list[str], prefix: str = "") -> dict[str, object]:
    """Return a table of the document; an empty one, and a problem, if it is something else."""
    value = document.get(key, {})
    if isinstance(value, dict):
        return value
    problems.append(f"{prefix}{key}: must be a table")
    return {}


def unknown_keys(table: Mapping[str, object], known: set[str], prefix: str, problems: list[str]) -> None:
    """Name every key that is not known."""
    problems.extend(
        f"{prefix}{key}: unknown key (known: {', '.join(sorted(known))})" for key in sorted(table.keys() - known)
    )


def tables_of(
    table: Mapping[str, object], key: str, prefix: str, known: set[str], problems: list[str]
) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield each table of a list with the place that problems of it are told with; unknown keys are told here."""
    items = table.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        problems.append(f"{prefix}{key}: must be written as [[{prefix}{key}]]")
        return
    for number, item in enumerate(items, 1):
        place = f"{prefix}{key} {number}."
        unknown_keys(item, known, place, problems)
        yield place, item


def text_of(table: Mapping[str, object], key: str, prefix: str, problems: list[str]) -> str:
    """Return a text of a table; empty if there is none."""
    value = table.get(key, "")
    if not isinstance(value, str):
        problems.append(f"{prefix}{key}: must be a text")
        return ""
    return value


def texts_of(table: Mapping[str, object], key: str, prefix: str, problems: list[str]) -> tuple[str, ...]:
    """Return a list of texts of a table; empty if there is none."""
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        problems.append(f"{prefix}{key}: must be a list of texts")
        return ()
    return tuple(value)


def one_of(table: Mapping[str, object], key: str, kind: type[_T], prefix: str, problems: list[str]) -> _T | None:
    """Return the member that a table names; None if it names none."""
    known = {one.value: one for one in kind}
    value = table.get(key)
    if value is not None and value not in known:
        problems.append(f"{prefix}{key}: must be {' or '.join(map(str, known))}")
    return known.get(value)
