"""``pyproject.toml`` where no lockfile lies: what pip would choose now for each requirement, and for theirs in turn.

Its pins have a specifier and no version; the index is asked which release that is at this moment. Read are
``[project]`` with its extras, ``[dependency-groups]``, ``build-system.requires``, and the tables of Poetry, PDM and uv.

Not seen: what a client would choose tomorrow; that one version must satisfy all (each specifier is asked for by
itself); which markers hold (all do). Dynamic dependencies are told: only a build knows them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lazaretto.core.pin import Pin, PinSource
from lazaretto.lockfiles._located import text_of

MATCHES = ("pyproject.toml",)
ECOSYSTEM = "pypi"
CLIENT = ""
MANIFEST = True


def parse(
    text: str,
    include: Callable[[str], str] | None = None,  # noqa: ARG001 - one signature for all formats
) -> Iterator[Pin]:
    """Yield every requirement that the project itself has.

    Raises:
        LockfileError: the text is not TOML.
    """
    from lazaretto.lockfiles import _toml

    document = _toml.read(text)
    quoted, keys = _toml.text_lines(text), _toml.key_lines(text)
    for path, requirement, dev in _requirements(document):
        yield _pin(path, requirement, _line(quoted, requirement), dev=dev)
    tool = _toml.table(document.get("tool"))
    for path, name, constraint in _poetry(_toml.table(tool.get("poetry"))):
        yield _poetry_pin(path, name, constraint, keys.get(name, 1))
    dynamic = _toml.table(document.get("project")).get("dynamic")
    for name in dynamic if isinstance(dynamic, list) else ():
        if name in ("dependencies", "optional-dependencies"):  # a tuple: it may be unhashable
            problem = f"{name} are dynamic: only a build knows them; lock it first"
            yield Pin(ECOSYSTEM, "", None, keys.get("dynamic", 1), "project.dynamic", problem=problem)


def _requirements(document: Mapping[str, Any]) -> Iterator[tuple[str, object, bool]]:
    """Yield place, requirement and whether it is not installed by default."""

    def under(*keys: str) -> object:
        value: object = document
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    yield from _rows("project.dependencies", under("project", "dependencies"), dev=False)
    yield from _rows("build-system.requires", under("build-system", "requires"), dev=True)
    yield from _rows("tool.uv.dev-dependencies", under("tool", "uv", "dev-dependencies"), dev=True)
    for keys in (("project", "optional-dependencies"), ("dependency-groups",), ("tool", "pdm", "dev-dependencies")):
        groups = under(*keys)
        place = ".".join(keys)
        if groups is not None and not isinstance(groups, dict):
            yield place, None, True
        for name, rows in groups.items() if isinstance(groups, dict) else ():
            for path, row, dev in _rows(f"{place}.{name}", rows, dev=True):
                if not (isinstance(row, dict) and "include-group" in row):  # that group is read by itself
                    yield path, row, dev


def _rows(place: str, rows: object, *, dev: bool) -> Iterator[tuple[str, object, bool]]:
    if isinstance(rows, list):
        yield from ((f"{place}[{index}]", row, dev) for index, row in enumerate(rows))
    elif rows is not None:
        yield place, None, dev


def _line(lines: dict[str, list[int]], requirement: object) -> int:
    """Return the next line on which this requirement is quoted."""
    found = lines.get(requirement, []) if isinstance(requirement, str) else []
    return found.pop() if len(found) > 1 else found[0] if found else 1


def _pin(path: str, requirement: object, line: int, *, dev: bool) -> Pin:
    from packaging.requirements import InvalidRequirement, Requirement

    if not isinstance(requirement, str):
        return Pin(ECOSYSTEM, "", None, line, path, problem="this is not a requirement")
    try:
        parsed = Requirement(requirement)
    except (InvalidRequirement, RecursionError) as error:
        problem = f"this is not a requirement: {requirement[:60]!r}: {str(error).splitlines()[0][:100]}"
        return Pin(ECOSYSTEM, "", None, line, path, problem=problem)
    extras = f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else ""
    source = _source(parsed.url) if parsed.url else PinSource.REGISTRY
    return Pin(
        ecosystem=ECOSYSTEM,
        name=parsed.name,
        version=None,
        line=line,
        path=path,
        requirement=parsed.url or f"{extras}{parsed.specifier}" or ">=0",
        direct=True,
        dev=dev,
        source=source,
        location=parsed.url,
    )


def _source(url: str) -> PinSource:
    if re.match(r"(?:git|hg|svn|bzr)\+", url):
        return PinSource.GIT
    return PinSource.FILE if url.startswith("file:") else PinSource.URL


def _poetry(poetry: Mapping[str, Any]) -> Iterator[tuple[str, str, object]]:
    """Yield place, name and constraint of the tables that Poetry had before ``[project]``."""
    tables = [("tool.poetry.dependencies", poetry.get("dependencies"))]
    tables.append(("tool.poetry.dev-dependencies", poetry.get("dev-dependencies")))
    groups = poetry.get("group")
    for name, group in groups.items() if isinstance(groups, dict) else ():
        tables.append((f"tool.poetry.group.{name}", group.get("dependencies") if isinstance(group, dict) else None))
    for place, table in tables:
        for name, constraints in table.items() if isinstance(table, dict) else ():
            if name != "python":
                for constraint in constraints if isinstance(constraints, list) else [constraints]:
                    yield f"{place}.{name}", name, constraint


def _poetry_pin(path: str, name: str, constraint: object, line: int) -> Pin:
    dev = path.split(".")[2] != "dependencies" or None
    row = constraint if isinstance(constraint, dict) else {"version": constraint}
    for key, source in (("git", PinSource.GIT), ("url", PinSource.URL), ("path", PinSource.FILE)):
        place = text_of(row.get(key))
        if place is not None:
            return Pin(ECOSYSTEM, name, None, line, path, direct=True, dev=dev, source=source, location=place)
    version = row.get("version")
    specifier = _specifier(version) if isinstance(version, str) else None
    problem = None if specifier else f"the constraint {str(version)[:60]!r} is not understood"
    if not name:
        problem = "no name is given"
    return Pin(
        ECOSYSTEM,
        name,
        None,
        line,
        path,
        requirement=specifier or str(version)[:200],
        direct=True,
        dev=dev,
        problem=problem,
    )


def _specifier(constraint: str) -> str | None:
    """Return Poetry's constraint as a specifier of PEP 440; None if it is not one of the usual forms."""
    parts = [part.strip() for part in constraint.split(",")]
    found = [_part(part) for part in parts]
    return None if None in found else ",".join(one for one in found if one) or ">=0"


def _part(part: str) -> str | None:
    if part == "*":
        return ">=0"
    if re.fullmatch(r"(?:==|!=|>=|<=|>|<|~=)\s*\d[\w.*+!-]*", part):
        return part
    if re.fullmatch(r"\d+(?:\.\d+)*(?:\.\*)?(?:[a-z]+\d+)?", part):
        return f"=={part}"
    match = re.fullmatch(r"([~^])\s*(\d{1,9}(?:\.\d{1,9}){0,5})([a-z]+\d+)?", part)
    if match is None:
        return None
    numbers = [int(number) for number in match.group(2).split(".")]
    at = min(1, len(numbers) - 1) if match.group(1) == "~" else _first_that_counts(numbers)
    upper = [*numbers[:at], numbers[at] + 1]
    return f">={match.group(2)}{match.group(3) or ''},<{'.'.join(map(str, upper))}"


def _first_that_counts(numbers: list[int]) -> int:
    return next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
