"""This machine behind the doctor's port: bounded reads, and no value of a secret leaves it."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from lazaretto.app.doctor.machine import Document, Token
from lazaretto.core.posture import Place
from lazaretto.infra.secrets_here import LAIRS, is_secret_name, without_secrets

MAX_FILE = 32 << 20
"""Largest file of settings (or lockfile) in bytes that the doctor reads."""

MAX_TOKENS = 100
"""Most secrets that are told of one file."""

_ROOTS = ("package.json", "pyproject.toml", ".git")


class LocalMachine:
    """A home, a project folder, an environment, and the root of the file system. Each file is read once."""

    def __init__(self, env: Mapping[str, str], home: Path, folder: Path, system: Path = Path("/")) -> None:
        self._env = env
        self._system = system
        self._home = home
        self._folder = project_of(folder)
        self._texts: dict[str, str | None] = {}
        self._unread: dict[str, str] = {}

    def read(self, path: str) -> Document | None:
        """Return a file without its secrets; None if there is none, or if it cannot be read."""
        text = self._text(path)
        if text is None:
            return None
        return Document(path, without_secrets(text, bare=not path.endswith((".json", ".json5", "rc.json"))))

    def unreadable(self, path: str, why: str) -> None:
        """Note that a file was read but not understood."""
        self._unread[path] = why

    def unread(self) -> Mapping[str, str]:
        """Return the files that could not be looked at, each with the reason."""
        return dict(sorted(self._unread.items()))

    def variable(self, name: str) -> str:
        """Return a variable of the environment without its secrets; empty if it is not set."""
        text = self._env.get(name, "")
        return without_secrets(f"{name}={text}").partition("=")[2]

    def program(self, name: str) -> bool:
        """Whether a program of this name is on the path."""
        from shutil import which

        return which(name, path=self._env.get("PATH", "")) is not None

    def tokens(self) -> Iterator[Token]:
        """Yield every secret that lies where ``infra.secrets_here`` looks, and every variable named like one."""
        for lair in LAIRS:
            text = self._text(lair.path)
            if text is None:
                continue
            shared = self._shared(lair.path)
            for match in islice(re.finditer(lair.pattern, text, re.MULTILINE), MAX_TOKENS):
                line = text.count("\n", 0, match.end() - 1) + 1
                yield Token(lair.kind, Place(lair.path, line), shared)
        for name in sorted(self._env):
            if self._env[name] and is_secret_name(name):
                yield Token("secret in the environment", Place(name))

    def _where(self, path: str) -> Path:
        config = self._env.get("XDG_CONFIG_HOME")
        if config and path.startswith("~/.config/"):
            return Path(config) / path.removeprefix("~/.config/")
        if path.startswith("/"):
            return self._system / path[1:]
        return self._home / path[2:] if path.startswith("~/") else self._folder / path

    def _text(self, path: str) -> str | None:
        if path not in self._texts:
            self._texts[path] = self._load(path)
        return self._texts[path]

    def _load(self, path: str) -> str | None:
        where = self._where(path)
        try:
            about = where.stat()
            if not stat.S_ISREG(about.st_mode):
                return None
            if about.st_size > MAX_FILE:
                self.unreadable(path, f"is larger than {MAX_FILE >> 20} MiB")
                return None
            return where.read_bytes().decode("utf-8-sig")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.unreadable(path, f"cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            self.unreadable(path, "is not UTF-8")
        return None

    def _shared(self, path: str) -> bool:
        """Whether others than its owner may read a file of the home; a project's files are as its folder is."""
        if os.name == "nt" or not path.startswith("~/"):
            return False
        try:
            return bool(self._where(path).stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
        except OSError:
            return False


def project_of(folder: Path) -> Path:
    """Return the nearest folder upwards that is a project, or the folder itself."""
    folder = folder.absolute()
    return next((one for one in (folder, *folder.parents) if any((one / name).exists() for name in _ROOTS)), folder)
