"""Settings of tools that start something because somebody works in a folder: git, direnv, mise, bun, pnpm.

Dialects: ``gitconfig`` (``.git/config``, ``.gitconfig``, ``.gitmodules``), ``githook`` (``.git/hooks``, ``.githooks``,
``.husky``), ``direnv`` (``.envrc``), ``mise``, ``bunfig`` and ``pnpmworkspace``. Commands and scripts are read as a
shell's; what a runtime preloads is an import.

## What it cannot see
What these tools fetch before they start it; plug-ins of their own; settings that they read from elsewhere. A file that
they could not read either is no problem: no client of a package obeys it, only who works in the folder.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from lazaretto.core.facts import MAX_VALUE, Fact, Facts, Kind, Moment, Problem, Span, bounded
from lazaretto.core.inner import Inner
from lazaretto.core.language import Claim, Units
from lazaretto.languages._hidden import hidden_text
from lazaretto.languages._lines import Lines
from lazaretto.languages._magic import is_text
from lazaretto.languages._names import ending
from lazaretto.languages._utf16 import as_utf8, in_published

ID = "tooling"
VERSION = 2
DIALECTS = ("gitconfig", "githook", "direnv", "mise", "bunfig", "pnpmworkspace")
"""Every dialect that ``read`` takes."""

MAX_TOOL_SETTINGS = 1024 * 1024
"""Longest file of settings that is read, in bytes."""

MAX_TOLD = 1000
"""Most settings told of one file."""

_NAMES = {
    ".gitconfig": "gitconfig",
    ".gitmodules": "gitconfig",
    ".envrc": "direnv",
    **dict.fromkeys(("mise.toml", ".mise.toml", "mise.local.toml"), "mise"),
    **dict.fromkeys(("bunfig.toml", ".bunfig.toml"), "bunfig"),
    "pnpm-workspace.yaml": "pnpmworkspace",
}
_HOOK_FOLDERS = frozenset({".husky", ".githooks"})

_GIT_LINE = (
    rb"(?m)^[ \t]*(?:\[[ \t]*([\w.-]+)(?:[ \t]+\"([^\"\n]*)\")?[ \t]*\])?"
    rb"[ \t]*(?:([\w-]+)[ \t]*=[ \t]*([^\r\n]*))?"
)
_GIT_COMMANDS = frozenset(
    "core.fsmonitor core.sshcommand core.pager core.editor core.askpass core.gitproxy diff.external sequence.editor "
    "gpg.program credential.helper uploadpack.packobjectshook".split()
)
_GIT_NAMED = frozenset(
    "filter.clean filter.smudge filter.process diff.command diff.textconv merge.driver mergetool.cmd difftool.cmd "
    "browser.cmd man.cmd pager.cmd credential.helper gpg.program".split()
)
_GIT_PLACES = frozenset({"core.hookspath", "include.path", "core.attributesfile"})
_PNPM = (
    rb"(?m)^(dangerouslyAllowAllBuilds|scriptShell|pnpmfile|globalPnpmfile|nodeOptions|useNodeVersion|registry"
    rb"|neverBuiltDependencies|ignoreScripts|strictSsl)[ \t]*:[ \t]*[\"']?([^\"'\r\n#]+)"
)


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read settings by the names that these tools look for."""
    *folders, name = path.lower().split("/")
    dialect = _NAMES.get(name, "")
    if name == "config" and folders[-1:] == [".git"]:
        dialect = "gitconfig"
    elif (
        not dialect
        and not ending(name)
        and (not _HOOK_FOLDERS.isdisjoint(folders) or folders[-2:] == [".git", "hooks"])
    ):
        dialect = "githook"
    return Claim(dialect, 70) if dialect and is_text(data) else None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return what the settings start. Never raises."""
    text = as_utf8(data)
    hidden = hidden_text(text, natural=True)
    if len(text) > MAX_TOOL_SETTINGS and dialect in _READERS:
        problem = Problem(1, f"settings of {len(text)} bytes are longer than {MAX_TOOL_SETTINGS}", unread=True)
        return Facts(ID, in_published(hidden, text, data), (), (problem,))
    told = tuple(_settings(dialect, text))
    problems: tuple[Problem, ...] = ()
    if len(told) > MAX_TOLD:
        problems = (Problem(1, f"more than {MAX_TOLD} settings: not all are told", unread=True),)
    return Facts(ID, in_published((*told[:MAX_TOLD], *hidden), text, data), (), problems)


def inner(dialect: str, data: bytes, facts: Facts) -> Iterator[Inner]:
    """Yield scripts as they are, and each command at its place, also one that is too long for a fact."""
    if dialect in ("direnv", "githook"):
        yield Inner(data, "shell", step=dialect, lenient=True)
    commands = [fact for fact in facts.facts if fact.kind is Kind.AGENT_CONFIG and fact.via == "command"]
    whole: dict[Fact, str] = {}
    if any(len(fact.value or "") >= MAX_VALUE for fact in commands):
        text = as_utf8(data)
        found = _settings(dialect, text)
        whole = dict(zip(in_published(found, text, data), found.values(), strict=True))
    for fact in commands:
        command = whole.get(fact, fact.value or "").partition(": ")[2].encode("utf-8", "replace")
        yield Inner(command, "command", places=(fact.span,), step=dialect, lenient=True)


def _settings(dialect: str, text: bytes) -> dict[Fact, str]:
    """Return what is told of a file, up to one more than is told in the end, each with its whole value."""
    found: dict[Fact, str] = {}
    for fact, value in _READERS[dialect](text) if dialect in _READERS else ():
        found.setdefault(fact, value)
        if len(found) > MAX_TOLD:
            break
    return found


_Told = tuple[Fact, str]
"""A fact, and its whole value."""


def _git(text: bytes) -> Iterator[_Told]:
    """Yield the commands, folders of hooks and exchanged addresses of a configuration (git-config)."""
    lines = Lines(text)
    section, named = "", ""
    for match in _pattern(_GIT_LINE).finditer(text):
        if match[1] is not None:
            section, named = match[1].decode("latin-1").lower(), (match[2] or b"").decode("utf-8", "replace")
        if match[3] is None:
            continue
        key = f"{section}.{match[3].decode('ascii', 'replace').lower()}"
        value = match[4].decode("utf-8", "replace").strip().strip('"')
        place = lines.span(match.start(3), match.end(4))
        if section == "alias" or (section == "submodule" and key.endswith(".update")):
            if value.startswith("!"):
                yield _config(key, value[1:], place, "command")
        elif key in _GIT_COMMANDS or (named and key in _GIT_NAMED):
            if value not in ("", "true", "false"):
                yield _config(key, value.removeprefix("!"), place, "command")
        elif key in _GIT_PLACES:
            yield _config(key, value, place, "gitconfig")
        elif section == "url" and key.endswith("insteadof"):
            yield _told(Kind.LITERAL_URL, named, place, "gitconfig>insteadof")


def _mise(text: bytes) -> Iterator[_Told]:
    """Yield the hooks and sourced scripts of mise."""
    document = _toml(text)
    hooks = document.get("hooks")
    for name, hook in hooks.items() if isinstance(hooks, dict) else ():
        for command in hook if isinstance(hook, list) else (hook,):
            told = command.get("script") if isinstance(command, dict) else command
            if isinstance(told, str):
                yield _config(f"hooks.{name}", told, _find(text, told), "command")
    environment = document.get("env")
    directives = environment.get("_") if isinstance(environment, dict) else None
    sourced = directives.get("source") if isinstance(directives, dict) else None
    for path in sourced if isinstance(sourced, list) else (sourced,):
        if isinstance(path, str):
            yield _told(Kind.IMPORT, f"./{path.removeprefix('./')}", _find(text, path), "mise")


def _bunfig(text: bytes) -> Iterator[_Told]:
    """Yield what bun preloads before any program, and the registry that it asks."""
    document = _toml(text)
    tests = document.get("test")
    for table in (document, tests if isinstance(tests, dict) else {}):
        preload = table.get("preload")
        for path in preload if isinstance(preload, list) else (preload,):
            if isinstance(path, str):
                place = _find(text, path)
                yield _config("preload", path, place, "bunfig")
                yield _told(Kind.IMPORT, path, place, "bunfig")
    install = document.get("install")
    registry = install.get("registry") if isinstance(install, dict) else None
    if isinstance(registry, str) and "://" in registry:
        yield _told(Kind.LITERAL_URL, registry, _find(text, registry), "bunfig")


def _pnpm(text: bytes) -> Iterator[_Told]:
    """Yield the settings with which pnpm runs more than it would, or asks somebody else."""
    lines = Lines(text)
    for match in _pattern(_PNPM).finditer(text):
        key, value = match[1].decode("ascii"), match[2].decode("utf-8", "replace").strip()
        place = lines.span(*match.span())
        if key == "registry":
            yield _told(Kind.LITERAL_URL, value, place, "pnpmworkspace")
        else:
            yield _config(key, value, place, "command" if key == "scriptShell" else "switch")


_READERS = {"gitconfig": _git, "mise": _mise, "bunfig": _bunfig, "pnpmworkspace": _pnpm}


def _config(key: str, value: str, place: Span, via: str) -> _Told:
    return _told(Kind.AGENT_CONFIG, f"{key}: {value}", place, via)


def _told(kind: Kind, value: str, place: Span, via: str) -> _Told:
    return Fact(kind, bounded(value), place, Moment.LOAD, via), value


def _toml(text: bytes) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return {}


def _find(text: bytes, value: str) -> Span:
    wanted = value.encode("utf-8", "replace")
    at = text.find(wanted) if wanted else -1
    return Lines(text).span(at, at + len(wanted)) if at >= 0 else Span(1, 0, 0, 0)


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source)
