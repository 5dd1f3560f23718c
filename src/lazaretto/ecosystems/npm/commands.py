"""What the shell text of a lifecycle script names: other scripts, and files of the package.

This is no shell: it finds the words that could name a file of the package, and takes every one that
does. What a command *does* is read by the shell language module.
"""

import re
from collections.abc import Iterator

from lazaretto.core.facts import Span

MAX_COMMAND = 64 * 1024
"""Longest command text that is looked at, in characters."""

_MAX_EXPANSIONS = 100
_RUNNERS = ("npm", "pnpm", "yarn", "bun", "npm.cmd", "cnpm")
_BUILT_IN = frozenset(("install", "ci", "add", "i", "exec", "publish", "pack", "dlx", "create", "config", "rebuild"))


def simple_commands(command: str, *, nested: bool = True) -> Iterator[list[str]]:
    """Yield the words of each simple command of a shell text, quotes removed, and of those that it quotes."""
    for part in re.split(r"&&|\|\||[;|&\n()]", command[:MAX_COMMAND]):
        words = [match[1] or match[2] or match[3] for match in re.finditer(r"\"([^\"]*)\"|'([^']*)'|([^\s\"']+)", part)]
        words = [word for word in words if word]
        while words and re.match(r"[A-Za-z_][A-Za-z0-9_]*=", words[0]):
            del words[0]
        if words:
            yield words
        for word in words:
            if " " in word and nested:  # a command inside a command: sh -c '...'
                yield from simple_commands(word, nested=False)


def scripts_run_by(command: str) -> list[str]:
    """Return the names of the scripts that a command starts: ``npm run x``, ``yarn x``, ``run-s a b``."""
    found: list[str] = []
    for words in simple_commands(command):
        program, rest = words[0], [word for word in words[1:] if not word.startswith("-")]
        if program in ("npx", "cross-env", "bunx") and rest:
            program, rest = rest[0], rest[1:]
        if program == "node":
            found.extend(word.partition("=")[2] for word in words[1:] if word.startswith("--run="))
            if "--run" in words[1:-1]:
                found.append(words[words.index("--run") + 1])
        elif program in ("run-s", "run-p", "npm-run-all", "npm-run-all2", "wireit"):
            found.extend(rest)
        elif program in _RUNNERS and rest:
            if rest[0] in ("run", "run-script", "rum", "urn"):
                found.extend(rest[1:2])
            elif rest[0] in ("test", "start", "stop", "restart") or (
                program not in ("npm", "npm.cmd", "cnpm") and rest[0] not in _BUILT_IN
            ):
                found.append(rest[0])
    return found


def paths_in(command: str) -> Iterator[str]:
    """Yield what could be a path relative to the package root, following ``cd`` within the command."""
    folder = ""
    for words in simple_commands(command):
        if words[0] in ("cd", "pushd") and len(words) > 1:
            folder = _join(folder, words[1])
            continue
        for word in words:
            for text in _texts(word):
                joined = _join(folder, text)
                if joined:
                    yield joined


def gyp_expansions(data: bytes) -> Iterator[tuple[str, Span]]:
    """Yield the commands that node-gyp runs while it reads a file: ``<!(...)`` and ``<!@(...)``.

    They stand in texts, where a quote may be escaped; the command has the quote alone.
    """
    end = 0
    for _ in range(_MAX_EXPANSIONS):
        start = data.find(b"<!", end)
        opening = data.find(b"(", start) if start >= 0 else -1
        if start < 0 or opening < 0:
            return
        if data[start + 2 : opening].strip(b"@ ") not in (b"", b"pymod_do_main"):
            end = start + 2
            continue
        end = _closing(data, opening)
        command = re.sub(r"\\([\\\"'])", r"\1", data[opening + 1 : end - 1][:MAX_COMMAND].decode("utf-8", "replace"))
        line = data.count(b"\n", 0, start) + 1
        yield command, Span(line, start - (data.rfind(b"\n", 0, start) + 1), start, end)


def _closing(data: bytes, opening: int) -> int:
    """Return the place after the parenthesis that closes the one at ``opening``."""
    depth = 0
    for match in re.finditer(rb"[()]", data[opening : opening + MAX_COMMAND]):
        depth += 1 if match[0] == b"(" else -1
        if depth == 0:
            return opening + match.end()
    return min(len(data), opening + MAX_COMMAND)


def _texts(word: str) -> Iterator[str]:
    """Yield a word, its value after ``=``, and what it quotes (``node -e "require('./x')"``)."""
    yield word
    if "=" in word:
        yield word.partition("=")[2]
    if any(sign in word for sign in "'\"`("):
        for match in re.finditer(r"['\"`(]([^'\"`()\s]+)['\"`)]", word):
            yield match[1]


def _join(folder: str, text: str) -> str:
    """Return a normal path inside the package, or an empty text if it leads out of it."""
    parts = folder.split("/") if folder else []
    for part in text.replace("\\", "/").split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    if text.startswith("/"):
        return ""
    return "/".join(parts) or "."
