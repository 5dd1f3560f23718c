"""What the readers of all tables share: durations, unknown keys, and the error that lists every defect."""

from collections.abc import Mapping
from datetime import timedelta

_UNITS = {"h": 3600, "d": 86400, "m": 60, "s": 1}


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
