"""Small edits of manifests that keep everything else as it is: text in, text out, or why it must be done by hand."""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies")


class ByHandError(ValueError):
    """The edit cannot be made by a program: why."""


def package_json(text: str, client: str, name: str, good: str) -> str:
    """Return a ``package.json`` that lets nothing but ``good`` be installed of a package, however deep.

    npm refuses an override of what the project asks for itself unless both say the same, so that a direct range is
    fixed first and the override refers to it (``$name``, npm 8.3 and later).
    """
    manifest = _object(text)
    direct = [group for group in DEPENDENCIES if name in _mapping(manifest.get(group))]
    for group in direct:
        text = _replaced(text, (group, name), good)
    if client == "pnpm":
        return _set(text, ("pnpm", "overrides"), name, good)
    if client == "yarn":
        return _set(text, ("resolutions",), name, good)
    return _set(text, ("overrides",), name, f"${name}" if direct and client == "npm" else good)


def pnpm_workspace(text: str, name: str, good: str) -> str:
    """Return a ``pnpm-workspace.yaml`` with an override (pnpm 10 and later read them here)."""
    line = f'  "{name}": "{good}"\n'
    match = re.search(r"(?m)^overrides:[ \t]*\n", text)
    if match is not None:
        after = text[match.end() :]
        if re.search(rf"(?m)^[ \t]+[\"']?{re.escape(name)}[\"']?[ \t]*:", after.split("\n\n")[0]):
            raise ByHandError(f"overrides of pnpm-workspace.yaml names {name} already")
        return text[: match.end()] + line + after
    if re.search(r"(?m)^overrides:", text):
        raise ByHandError("overrides of pnpm-workspace.yaml stands on one line")
    return text + ("" if text.endswith("\n") or not text else "\n") + "overrides:\n" + line


def pyproject(text: str, client: str, name: str, good: str) -> str:
    """Return a ``pyproject.toml`` whose resolution takes ``good``: uv's and PDM's own words for it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ByHandError(f"pyproject.toml cannot be read: {error}") from error
    if client == "uv":
        header, key, line = "tool.uv", "override-dependencies", f'override-dependencies = ["{name}=={good}"]\n'
        present = key in _mapping(_mapping(document.get("tool")).get("uv"))
    else:
        header, key, line = "tool.pdm.resolution.overrides", name, f'"{name}" = "{good}"\n'
        resolution = _mapping(_mapping(_mapping(document.get("tool")).get("pdm")).get("resolution"))
        present = "overrides" in resolution and (
            name in _mapping(resolution["overrides"]) or f"[{header}]" not in text.splitlines()
        )
    if present:
        raise ByHandError(f"pyproject.toml has {header}.{key} already: put {name}=={good} there")
    match = re.search(rf"(?m)^\[{re.escape(header)}\][ \t]*\n", text)
    if match is not None:
        return text[: match.end()] + line + text[match.end() :]
    return text + ("" if text.endswith("\n") or not text else "\n") + f"\n[{header}]\n{line}"


def requirements(text: str, name: str, bad: str, good: str) -> str:
    """Return a requirements file in which the bad pin is the good one. Hashes of the bad one cannot stay."""
    lines = text.splitlines(keepends=True)
    wanted = re.sub(r"[-_.]+", "-", name).lower()
    for number, line in enumerate(lines):
        match = re.match(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*===?\s*([^\s;\\#]+)", line)
        if match is None or re.sub(r"[-_.]+", "-", match[1]).lower() != wanted or match[2] != bad:
            continue
        if "--hash" in line or line.rstrip().endswith("\\"):
            raise ByHandError(f"the pin of {name} has hashes: make the file anew with {name}=={good}")
        lines[number] = line[: match.start(2)] + good + line[match.end(2) :]
        return "".join(lines)
    raise ByHandError(f"no line fixes {name}=={bad}")


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ByHandError(f"package.json cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise ByHandError("package.json is no object")
    return found


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _replaced(text: str, path: tuple[str, ...], value: str) -> str:
    start, end = _span(text, path)
    return text[:start] + json.dumps(value) + text[end:]


def _set(text: str, path: tuple[str, ...], name: str, value: str) -> str:
    """Return JSON with ``name`` set in an object, made if need be; indented as the file is."""
    within: Any = _object(text)
    for depth, part in enumerate(path):
        inner = within.get(part)
        if inner is None:
            missing: Any = {name: value}
            for one in reversed(path[depth + 1 :]):
                missing = {one: missing}
            return _inserted(text, path[:depth], part, missing)
        if not isinstance(inner, dict):
            raise ByHandError(f"{'.'.join(path)} of package.json is no object")
        within = inner
    if name in within:
        if not isinstance(within[name], str):
            raise ByHandError(f"{'.'.join(path)} of package.json has rules for {name} already")
        return _replaced(text, (*path, name), value)
    return _inserted(text, path, name, value)


def _inserted(text: str, path: tuple[str, ...], name: str, value: object) -> str:
    """Return JSON with one more member at the end of an object."""
    start, end = _span(text, path) if path else (text.index("{"), text.rindex("}") + 1)
    indent = re.search(r"\n([ \t]+)\"", text)
    unit = indent[1] if indent else ""
    close = end - 1
    body = text[start + 1 : close].rstrip()
    if "\n" not in text[start:end] and not (path == () and unit):
        comma = ", " if body.strip() else ""
        return text[: start + 1 + len(body)] + f"{comma}{json.dumps(name)}: {json.dumps(value)}" + text[close:]
    inner = unit * (len(path) + 1)
    written = json.dumps(value, indent=unit).replace("\n", "\n" + inner)
    comma = "," if body.strip() else ""
    member = f"{comma}\n{inner}{json.dumps(name)}: {written}"
    return text[: start + 1 + len(body)] + member + f"\n{unit * len(path)}" + text[close:]


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+')


def _span(text: str, path: tuple[str, ...]) -> tuple[int, int]:
    """Return where the value at a path begins and ends in a JSON text that is known to be well formed.

    Of a member that is written twice the last one counts, as it does for every client.
    """
    keys: list[str | None] = []  # one for each open object (None: a list), the key whose value is being read
    spans: dict[tuple[str | None, ...], tuple[int, int]] = {}
    starts: list[int] = []
    after_key = False
    for match in _TOKEN.finditer(text):
        piece = match[0]
        if piece in "{[":
            starts.append(match.start())
            keys.append(None if piece == "[" else "")
            after_key = False
        elif piece in "}]":
            keys.pop()
            spans[tuple(keys)] = (starts.pop(), match.end())
            after_key = False
        elif piece == ":":
            after_key = True
        elif piece == ",":
            after_key = False
        elif keys and keys[-1] is not None and not after_key:
            keys[-1] = json.loads(piece)
        else:
            spans[tuple(keys)] = match.span()
            after_key = False
    return spans[path]
