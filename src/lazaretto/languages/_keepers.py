"""Programs that keep something for their user: command lines that print a credential, or change where code comes from.

Each row is how the documentation of a program says that it is done: the words that stand behind its name. Options may
stand between them, a word that ends in ``*`` may go on, and ``--word`` is an option that must be there.
"""

import re
from collections.abc import Mapping
from functools import cache

_PRINTS = {
    "aws": "configure get|configure export-credentials|sts get-session-token|sts assume-role*|ecr get-login-password"
    "|codeartifact get-authorization-token|secretsmanager get-secret-value|ssm get-parameter*",
    "az": "account get-access-token|keyvault secret show",
    "bw": "get password|get item|list items|export",
    "cmdkey": "/list*",
    "docker-credential-*": "get|list",
    "doppler": "secrets*",
    "flyctl": "auth token",
    "gcloud": "auth print-*|auth application-default print-*|config config-helper|secrets versions access",
    "gh": "auth token|auth status -t|auth status --show-token",
    "git": "credential fill|credential-* get",
    "glab": "auth token",
    "gopass": "show",
    "gpg": "--export-secret-*",
    "heroku": "auth:token",
    "kubectl": "get secret*|create token|config view --raw",
    "netsh": "wlan show profile*",
    "npm": "token create|token list|config get *_auth*|get *_auth*",
    "op": "read op:*|item get|document get",
    "pass": "show",
    "pnpm": "config get *_auth*",
    "secret-tool": "lookup|search",
    "security": "find-generic-password|find-internet-password|dump-keychain|export",
    "vault": "kv get|print token|token lookup",
}
_REDIRECTS = {
    "git": "config --global core.hookspath *|config --global core.fsmonitor *|config --global core.sshcommand *"
    "|config --global credential.helper *|config --global init.templatedir *|config --global url.*",
    "npm": "config set registry*|set registry*|config set @*:registry*|set @*:registry*",
    "pip": "config set *.index-url|config set *.extra-index-url",
    "pip3": "config set *.index-url|config set *.extra-index-url",
    "pnpm": "config set registry*|set registry*|config set @*:registry*",
    "yarn": "config set registry*|config set npmregistryserver*",
}

_SENDS = {
    "aws": "s3 cp|s3 mv|s3 sync|s3api put-object",
    "az": "storage blob upload*",
    "gh": "api|gist create|release create|release upload|issue create|secret set|variable set",
    "glab": "api|snippet create",
    "gsutil": "cp|rsync",
}
_SERVICES = {
    "aws": "https://s3.amazonaws.com",
    "az": "https://blob.core.windows.net",
    "gh": "https://api.github.com",
    "glab": "https://gitlab.com",
    "gsutil": "https://storage.googleapis.com",
}

_BEFORE = 250
"""Characters in front of a program that show whether it is the first word of a command."""

_GAP = r"(?:\s{1,9}-[^\s;&|]{1,99}){0,99}\s{1,9}"
_FIRST = (
    r"(?:^|[;&|(`\n]\s{0,9}|\b(?:sudo|env|exec|command|time|nohup)\s{1,9}|-m\s{0,9})"
    r"(?:[^\s;&|'\"()$]{0,99}[/\\])?\Z"
)


def secret_command(text: str) -> str | None:
    """Return the part of a command line that prints a credential, or None."""
    return _found(text, _PRINTS)


def redirecting_command(text: str) -> str | None:
    """Return the part that changes, for good, where packages come from or what Git runs; or None."""
    return _found(text, _REDIRECTS)


def sending_command(text: str) -> str | None:
    """Return where a command line sends what it is told, if it is one of a service's own client; or None."""
    found = _found(text, _SENDS)
    return None if found is None else _SERVICES.get(found.split()[0].lower().removesuffix(".exe"))


def _found(text: str, table: Mapping[str, str]) -> str | None:
    text = _compiled(r"[ \t]{2,}").sub(" ", text)
    lowered = text.lower()
    for program, rows in table.items():
        if program.rstrip("*") in lowered:
            for found in _pattern(program, rows).finditer(text):
                if _compiled(_FIRST).search(text, max(0, found.start() - _BEFORE), found.start()):
                    return found[0]
    return None


@cache
def _pattern(program: str, rows: str) -> re.Pattern[str]:
    told = "|".join("".join(_GAP + _word(word) for word in row.split()) for row in rows.split("|"))
    return _compiled(rf"{_word(program, end='')}(?:\.exe)?(?:{told})")


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source, re.IGNORECASE)


def _word(text: str, end: str = r"(?![\w:.-])") -> str:
    """Return the pattern of a word: a star stands for what goes on, but for another command."""
    return re.escape(text).replace(r"\*", r"[^\s;&|]{0,99}") + ("" if text.endswith("*") else end)
