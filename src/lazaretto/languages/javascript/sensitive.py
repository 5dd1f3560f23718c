"""Which paths, variables, commands and texts matter: credentials, wallets, persistence, second runtimes."""

import re
from collections.abc import Iterator

from lazaretto.core.facts import Kind
from lazaretto.languages import _keepers, _sensitive

MAX_TEXT = 131_072
"""Longest command or text that is looked at, in characters: Linux takes no longer argument (MAX_ARG_STRLEN)."""
_STARTERS = re.compile(
    r"\bschtasks(?:\.exe)?\b.{0,60}/create|\bsystemctl\s+(?:--user\s+)?enable\b|\blaunchctl\s+(?:load|bootstrap)\b"
    r"|\breg(?:\.exe)?\s+add\b.{0,80}CurrentVersion\\+Run",
    re.IGNORECASE,
)
_RUNTIME = re.compile(
    r"""\b(bun)\.sh/install|oven-sh/(bun)/releases|\b(deno)\.land/(?:x/)?install|denoland/(deno)/releases|nodejs\.org/dist/|\bpython\.org/ftp/python
    |python-build-standalone|\bnpm\s+(?:i|install)\s+(?:-\w+\s+|--global\s+)*(bun|deno)\b
    |\b(?:npx|bunx|(?:npm|pnpm)\s+(?:exec|x|dlx)|yarn\s+dlx)\s+(?:-\S+\s+){0,5}(?:(?:--package|-p)[=\s])?(bun|deno)\b""",
    re.VERBOSE | re.IGNORECASE,
)


def is_secret_path(text: str) -> bool:
    """Whether a path (or an address) holds credentials."""
    return len(text) <= 4096 and _sensitive.secret_path(text)


def is_secret_variable(name: str) -> bool:
    """Whether an environment variable holds a credential, by its name."""
    return len(name) <= 128 and _sensitive.secret_env(name)


def is_persistent_path(text: str) -> bool:
    """Whether writing to this path (or running this command) starts code again later."""
    return len(text) <= MAX_TEXT and _sensitive.persist_path(text)


def is_agent_path(text: str) -> bool:
    """Whether an editor, a coding agent, git or a registry's client obeys what is written to this path."""
    return len(text) <= 4096 and _sensitive.agent_path(text)


def is_wallet(text: str) -> bool:
    """Whether a text names a wallet store, a wallet call, or a pattern of addresses or seeds."""
    return len(text) <= MAX_TEXT and _sensitive.wallet_text(text)


def runtime(text: str) -> str | None:
    """Return which second interpreter a command or URL installs, or None."""
    match = _RUNTIME.search(text[:MAX_TEXT])
    if match is None:
        return None
    named = next((group for group in match.groups() if group), None)
    return named.lower() if named else "python" if "python" in match.group().lower() else "node"


def in_command(command: str) -> Iterator[tuple[Kind, str]]:
    """Yield what a shell command does beyond starting a process: secrets, persistence, second runtimes, addresses."""
    text = command[:MAX_TEXT]
    if "crontab" in text and "crontab -l" not in text:
        yield Kind.PERSIST, "crontab"
    elif _STARTERS.search(text):
        yield Kind.PERSIST, _STARTERS.search(text).group()  # type: ignore[union-attr]
    if told := _keepers.secret_command(text):
        yield Kind.SECRET_READ, told
    if told := _keepers.redirecting_command(text):
        yield Kind.PERSIST, told
    for word in dict.fromkeys(re.split(r"[\s;|&<>()\"'`=@]+", text)):
        if is_secret_path(word):
            yield Kind.SECRET_READ, word
        elif is_persistent_path(word):
            yield Kind.PERSIST, word
    installed = runtime(text)
    if installed:
        yield Kind.RUNTIME_FETCH, installed
    if "*" in text and (told := _keepers.sending_command(text)):
        yield Kind.NET_CONNECT, told
    for tool in re.finditer(r"https?://[^\s'\"<>|;)`\\]+", text):
        yield Kind.NET_CONNECT, tool.group()
