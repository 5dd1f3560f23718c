"""Settings of a workspace: what an editor, a coding agent or a package manager starts because a folder is opened.

Dialects: ``workspace`` (JSON with comments: VS Code's tasks, settings and launches, hooks and servers of agents, dev
containers), ``instructions`` (what an agent is told: ``AGENTS.md`` and its kin), ``npmrc`` and ``yarnrc``. Commands are
read as a shell's.

## What it cannot see
What an extension or an agent makes of an instruction in words; keys that only an extension knows; variables that the
editor fills in. A document that is no JSON is no problem: nothing that is installed reads it.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from lazaretto.core.facts import MAX_VALUE, Fact, Facts, Kind, Moment, Problem, Span, bounded
from lazaretto.core.inner import Inner
from lazaretto.core.language import Claim, Units
from lazaretto.languages._addressed import addressed
from lazaretto.languages._hidden import hidden_text
from lazaretto.languages._lines import Lines
from lazaretto.languages._magic import is_text
from lazaretto.languages._names import STRICT_JSON, ending
from lazaretto.languages._utf16 import as_utf8, in_published

ID = "workspace"
VERSION = 3
DIALECTS = ("workspace", "instructions", "npmrc", "yarnrc")
"""Every dialect that ``read`` takes."""

MAX_SETTINGS = 1024 * 1024
"""Longest file of settings that is read, in bytes."""

MAX_COMMANDS = 1000
"""Most commands told of one file."""

_FOLDERS = frozenset(
    {
        ".claude",
        ".cursor",
        ".vscode",
        ".gemini",
        ".codex",
        ".windsurf",
        ".devcontainer",
        ".zed",
        ".idea",
        ".continue",
        ".roo",
        ".kiro",
        ".amazonq",
        ".opencode",
        ".qwen",
        ".clinerules",
        ".junie",
    }
)
_FILES = frozenset({".mcp.json", "mcp.json", "opencode.json", "devcontainer.json", ".devcontainer.json"})
_INSTRUCTIONS = frozenset({"agents.md", "claude.md", "gemini.md", "copilot-instructions.md", ".cursorrules",
                           ".windsurfrules", ".clinerules", ".goosehints", "qwen.md", "opencode.md"})  # fmt: skip
_NPMRC = frozenset({".npmrc", "npmrc"})
_YARNRC = frozenset({".yarnrc", ".yarnrc.yml"})

_COMMANDS = frozenset({"command", "onCreateCommand", "postCreateCommand", "postStartCommand", "postAttachCommand",
                       "updateContentCommand", "initializeCommand", "runtimeExecutable", "preLaunchTask"})  # fmt: skip
_SWITCHES = frozenset({"task.allowAutomaticTasks", "enableAllProjectMcpServers", "security.workspace.trust.enabled",
                       "chat.tools.autoApprove", "permissionMode", "dangerouslySkipPermissions"})  # fmt: skip
_PROGRAMS = frozenset({"git", "script-shell", "shell", "editor", "browser", "viewer"})
_NPMRC_LINE = rb"(?m)^[ \t]*([@\w:/.-]+)[ \t]*=[ \t]*([^\r\n]*)"
_YARNRC_LINE = rb"(?m)^[ \t-]*(yarnPath|yarn-path|path|npmRegistryServer|initScope)\"?:?[ \t]+[\"']?([^\"'\r\n]+)"

_Setting = tuple[Kind, str, Span, str]
"""Kind, whole value, place and ``via`` of a fact."""


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read settings by the names that editors, agents and package managers look for."""
    *folders, name = path.lower().split("/")
    dialect = ""
    if name in _NPMRC:
        dialect = "npmrc"
    elif name in _YARNRC:
        dialect = "yarnrc"
    elif name in _INSTRUCTIONS or (ending(path) in ("md", "mdc") and not _FOLDERS.isdisjoint(folders)):
        dialect = "instructions"
    elif (
        name in _FILES
        or ending(path) == "code-workspace"
        or (ending(path) in STRICT_JSON and not _FOLDERS.isdisjoint(folders))
    ):
        dialect = "workspace"
    return Claim(dialect, 70) if dialect and is_text(data) else None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return what the settings start. Never raises."""
    text = as_utf8(data)
    told, problems = _told(dialect, text)
    facts = (*tuple(told)[:MAX_COMMANDS], *hidden_text(text, natural=True), *addressed(text))
    return Facts(ID, in_published(facts, text, data), (), problems)


def inner(dialect: str, data: bytes, facts: Facts) -> Iterator[Inner]:
    """Yield the commands that opening the folder, or a key of it, starts, also those that are too long for a fact."""
    commands = [fact for fact in facts.facts if fact.kind is Kind.AGENT_CONFIG and fact.via.startswith("command")]
    whole: dict[Fact, str] = {}
    if any(len(fact.value or "") >= MAX_VALUE for fact in commands):
        text = as_utf8(data)
        told, _ = _told(dialect, text)
        whole = dict(zip(in_published(told, text, data), told.values(), strict=True))
    for fact in commands:
        command = whole.get(fact, fact.value or "").partition(": ")[2]
        yield Inner(command.encode("utf-8", "replace"), "command", places=(fact.span,), step=ID, lenient=True)


def _told(dialect: str, text: bytes) -> tuple[dict[Fact, str], tuple[Problem, ...]]:
    """Return what is told of a file, up to one more than is told in the end, each with its whole value."""
    if dialect == "instructions":
        return {Fact(Kind.AGENT_CONFIG, "instructions", Span(1, 0, 0, 0), Moment.LOAD): ""}, ()
    if len(text) > MAX_SETTINGS:
        return {}, (Problem(1, f"settings of {len(text)} bytes are longer than {MAX_SETTINGS}", unread=True),)
    found: dict[Fact, str] = {}
    try:
        for kind, value, place, via in {"npmrc": _npmrc, "yarnrc": _yarnrc}.get(dialect, _settings)(text):
            found.setdefault(Fact(kind, bounded(value), place, Moment.LOAD, via), value)
            if len(found) > MAX_COMMANDS:
                return found, (Problem(1, f"more than {MAX_COMMANDS} commands: not all are told", unread=True),)
    except RecursionError:
        return found, (Problem(1, "nested too deeply to be read", unread=True),)
    return found, ()


def _settings(text: bytes) -> Iterator[_Setting]:
    """Yield every command and every switch of a document, in its order. Raises RecursionError."""
    import msgspec

    try:
        document = msgspec.json.decode(_bare(text))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    for key, value, automatic in _walk(document, automatic=b'"folderOpen"' in text):
        via = "command:automatic" if automatic else "command"
        if key in _SWITCHES:
            via = "switch"
        yield Kind.AGENT_CONFIG, f"{key}: {value}", _place(text, value), via


def _walk(document: Any, *, automatic: bool) -> Iterator[tuple[str, str, bool]]:
    waiting: list[Iterator[Any]] = [iter((document,))]
    while waiting:
        value = next(waiting[-1], waiting)
        if value is waiting:
            waiting.pop()
        elif isinstance(value, list):
            waiting.append(iter(value))
        elif isinstance(value, dict):
            waiting.append(_entries(value))
        elif isinstance(value, tuple):
            key, item, arguments, runs = value
            if key in _COMMANDS and (command := _command(item, arguments)):
                yield key, command, runs
            elif key in _SWITCHES:
                yield key, str(item)[:80], automatic


def _entries(value: dict[str, Any]) -> Iterator[Any]:
    """Yield each entry of an object with what is beside it, then what it holds."""
    options = value.get("runOptions")
    runs = isinstance(options, dict) and options.get("runOn") == "folderOpen"
    for key, item in value.items():
        yield key, item, value.get("args"), runs
        yield item


def _command(item: Any, arguments: Any) -> str:
    """Return a command with its arguments, as one line."""
    words = item if isinstance(item, list) else [item]
    words = [*words, *(arguments if isinstance(arguments, list) else ())]
    return " ".join(word for word in words if isinstance(word, str))


def _place(text: bytes, value: str) -> Span:
    first = value.split(" ", 1)[0].encode("utf-8", "replace")
    at = text.find(first) if first else -1
    return Span(1, 0, 0, 0) if at < 0 else Lines(text).span(at, at + len(first))


def _npmrc(text: bytes) -> Iterator[_Setting]:
    """Yield the programs, preloaded modules and registries that npm is told to use."""
    lines = Lines(text)
    for match in _pattern(_NPMRC_LINE).finditer(text):
        key, value = match[1].decode("latin-1"), match[2].decode("utf-8", "replace").strip("\"'")
        span = lines.span(*match.span())
        if key in _PROGRAMS and value:
            yield Kind.AGENT_CONFIG, f"{key}: {value}", span, "command"
        elif key == "node-options" and value:
            yield Kind.AGENT_CONFIG, f"{key}: {value}", span, "npmrc"
        elif key.endswith("registry") and "://" in value:
            yield Kind.LITERAL_URL, value, span, "npmrc"


def _yarnrc(text: bytes) -> Iterator[_Setting]:
    """Yield the program that yarn hands over to, its plug-ins, and its registry."""
    lines = Lines(text)
    for match in _pattern(_YARNRC_LINE).finditer(text):
        key, value = match[1].decode("ascii"), match[2].decode("utf-8", "replace").strip()
        kind = Kind.LITERAL_URL if "://" in value else Kind.AGENT_CONFIG
        told = value if kind is Kind.LITERAL_URL else f"{key}: {value}"
        yield kind, told, lines.span(*match.span()), "yarnrc"


def _bare(text: bytes) -> bytes:
    """Return a document without comments and trailing commas."""
    strings = rb'("(?:[^"\\\n]|\\.)*")'
    bare = _pattern(strings + rb"|//[^\n]*|/\*.*?(?:\*/|\Z)").sub(lambda match: match[1] or b" ", text)
    return _pattern(strings + rb"|,(?=\s*[\]}])").sub(lambda match: match[1] or b"", bare)


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source, re.DOTALL)
