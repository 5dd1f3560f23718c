"""Settings of Python builds (``setup.cfg``, ``pyproject.toml``): the code that building a distribution loads or runs.

Dialects: ``setupcfg`` and ``pyproject``, at the root of a distribution, and ``entrypoints`` (``entry_points.txt``).
Code that a build loads is an import: the build backend, also one in the distribution's own folder (``backend-path``),
command classes, set-up hooks, version schemes, getters and build scripts that backends of the field name. ``file:`` and
``attr:`` are files that are read. A console script is told by the name under which a shell will find it. The first step
of ``via`` names the file, the second the key.

## What it cannot see
Which module stands behind an entry point, and whether the module of an ``attr:`` is imported because the attribute is
no constant (the reader of the manifest knows both, and follows them).
What a backend does by itself: that flit imports a module for its version, that maturin and setuptools-rust run the
``build.rs`` of a crate, that meson and CMake run what their own files say (which are read as text). Settings of tools
that only the author starts (test runners, task runners, linters) are left alone.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lazaretto.core.facts import MAX_VALUE, Fact, Facts, Kind, Moment, Problem, Span, bounded
from lazaretto.core.inner import Inner
from lazaretto.core.language import Claim, Units
from lazaretto.languages._command_line import command_line
from lazaretto.languages._hidden import hidden_text
from lazaretto.languages._lines import Lines
from lazaretto.languages._magic import is_text
from lazaretto.languages._utf16 import as_utf8, in_published

ID = "packaging"
VERSION = 2
DIALECTS = ("setupcfg", "pyproject", "entrypoints")
"""Every dialect that ``read`` takes."""

MAX_BUILD_SETTINGS = 1024 * 1024
"""Longest file of build settings that is read, in bytes."""

MAX_NAMED = 1000
"""Most modules and files told of one file."""

_NAMES = {"setup.cfg": "setupcfg", "pyproject.toml": "pyproject"}
_COMMANDS = ("console_scripts", "gui_scripts")
_REFERENCE = r"[A-Za-z_][\w.]*(?:\s*:\s*[A-Za-z_][\w.]*)?"


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read the settings of a build at the root: elsewhere no client looks for them, and they are text."""
    name = path.lower()
    dialect = "entrypoints" if name.endswith("-info/entry_points.txt") else _NAMES.get(name)
    return Claim(dialect, 70) if dialect is not None and is_text(data) else None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return what building loads. Never raises: what the client could not read either is a problem."""
    text = as_utf8(data)
    hidden = hidden_text(text, natural=True)
    if len(text) > MAX_BUILD_SETTINGS:
        problem = Problem(1, f"settings of {len(text)} bytes are longer than {MAX_BUILD_SETTINGS}", unread=True)
        return Facts(ID, in_published(hidden, text, data), (), (problem,))
    found, problems = _settings(dialect, text)
    if len(found.facts) > MAX_NAMED:
        problems.append(Problem(1, f"more than {MAX_NAMED} modules and files: not all are told", unread=True))
    return Facts(ID, in_published((*found.facts[:MAX_NAMED], *hidden), text, data), (), tuple(problems))


def inner(dialect: str, data: bytes, facts: Facts) -> Iterator[Inner]:
    """Yield the commands that a build starts, also those that are too long for a fact."""
    commands = [fact for fact in facts.facts if fact.kind is Kind.PROCESS_SPAWN]
    whole: dict[Fact, str] = {}
    if any(len(fact.value or "") >= MAX_VALUE for fact in commands):
        text = as_utf8(data)
        told = _settings(dialect, text)[0].whole
        whole = dict(zip(in_published(told, text, data), told.values(), strict=True))
    for fact in commands:
        command = whole.get(fact, fact.value or "")
        yield Inner(command.encode("utf-8", "replace"), "command", places=(fact.span,), step=dialect)


def _settings(dialect: str, text: bytes) -> tuple["_Found", list[Problem]]:
    """Return what a file of settings says, and why it says no more."""
    found = _Found(text)
    try:
        {"setupcfg": _setup_cfg, "pyproject": _pyproject}.get(dialect, _entry_points)(text, found)
    except _UnreadableError as error:
        return found, [Problem(error.line, str(error))]
    return found, []


class _UnreadableError(Exception):
    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


class _Found:
    """What is told so far. The place of a value is where it is written first behind its key."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._lines = Lines(text)
        self.facts: list[Fact] = []
        self.whole: dict[Fact, str] = {}  # commands that are too long for a fact

    def module(self, reference: object, key: str) -> None:
        """Tell that a reference ``package.module:object`` is loaded."""
        if isinstance(reference, str) and re.fullmatch(_REFERENCE, reference.partition("[")[0].strip()):
            self._add(Kind.IMPORT, reference.partition(":")[0].partition("[")[0].strip(), reference, key)

    def attribute(self, reference: object, key: str) -> None:
        """Tell that the module of ``package.module.attribute`` is loaded."""
        if isinstance(reference, str) and "." in reference:
            module = reference.strip().rpartition(".")[0]
            self._add(Kind.IMPORT, module, module, key)

    def constant(self, reference: object, key: str) -> None:
        """Tell that the module of ``package.module.attribute`` is read; imported only if that gives no constant."""
        if isinstance(reference, str) and "." in reference:
            module = reference.strip().rpartition(".")[0]
            self._add(Kind.FS_READ, module, module, key)

    def script(self, path: object, key: str) -> None:
        """Tell that a file of the distribution is run."""
        if isinstance(path, str) and path.strip():
            self._add(Kind.IMPORT, f"./{path.strip().removeprefix('./')}", path, key)

    def file(self, path: object, key: str) -> None:
        """Tell that a file is read."""
        if isinstance(path, str) and path.strip():
            self._add(Kind.FS_READ, path.strip(), path, key)

    def command(self, words: object, key: str) -> None:
        """Tell that a command is started."""
        first = words
        if isinstance(words, list):
            first = words[0] if words else ""
            words = command_line(word for word in words if isinstance(word, str))
        if isinstance(words, str) and isinstance(first, str) and first.strip():
            self._add(Kind.PROCESS_SPAWN, words, first.split()[0], key)

    def name(self, name: object, key: str) -> None:
        """Tell a name under which a shell will find a command."""
        if isinstance(name, str) and name:
            self._add(Kind.LITERAL_COMMAND, name, name, key, Moment.CALL)

    def _add(self, kind: Kind, value: str, written: str, key: str, moment: Moment = Moment.LOAD) -> None:
        if len(self.facts) <= MAX_NAMED:
            fact = Fact(kind, bounded(value), self._place(written.strip(), key), moment, key)
            if fact not in self.facts:
                self.facts.append(fact)
                if len(value) > MAX_VALUE:
                    self.whole[fact] = value

    def _place(self, written: str, key: str) -> Span:
        last = key.rpartition(">")[2].encode()
        at = max(self._text.find(last), 0)
        wanted = written.encode("utf-8", "replace")
        start = self._text.find(wanted, at)
        start = self._text.find(wanted) if start < 0 else start
        return self._lines.span(start, start + len(wanted)) if start >= 0 else Span(1, 0, 0, 0)


def _setup_cfg(text: bytes, found: _Found) -> None:
    """Read what setuptools, distutils and pbr load because ``setup.cfg`` says so."""
    import configparser

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text.decode("utf-8-sig", "replace"))
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or next(iter(getattr(error, "errors", None) or ((1, ""),)))[0]
        raise _UnreadableError(line, f"setup.cfg cannot be read: {str(error).splitlines()[0][:120]}") from None
    for section in parser.sections():
        for key, value in parser.items(section):
            _option(section, key.replace("-", "_"), value or "", found)


def _option(section: str, key: str, value: str, found: _Found) -> None:
    if section == "options" and key == "cmdclass":
        for name, reference in _pairs(value):
            found.attribute(reference.replace(":", "."), f"setupcfg>{name}")
    elif section in ("options.entry_points", "entry_points") and key in _COMMANDS:
        for name, _ in _pairs(value):
            found.name(name, f"setupcfg>{key}")
    elif section == "global" and key in ("setup_hooks", "commands", "compilers"):
        for reference in value.split():
            found.attribute(reference, f"setupcfg>{key}")
    elif section == "global" and key == "command_packages":
        for reference in value.replace(",", " ").split():
            found.module(reference, f"setupcfg>{key}")
    if section in ("metadata", "options", "options.package_data", "options.extras_require"):
        for directive, told in (("attr", found.constant), ("file", found.file)):
            match = re.match(rf"\s*{directive}\s*:(.*)", value, re.DOTALL)
            for part in re.split(r"[,\n]", match[1]) if match else ():
                told(part.strip(), f"setupcfg>{key if directive == 'attr' else 'file'}")


def _entry_points(text: bytes, found: _Found) -> None:
    """Tell the commands of an installed distribution (entry points specification)."""
    group = ""
    for line in text.decode("utf-8", "replace").splitlines():
        if line.strip().startswith("["):
            group = line.strip().strip("[]").strip()
        elif group in _COMMANDS and "=" in line and not line.strip().startswith(("#", ";")):
            found.name(line.partition("=")[0].strip(), f"entrypoints>{group}")


def _pairs(value: str) -> Iterator[tuple[str, str]]:
    for line in value.splitlines():
        name, equals, reference = line.partition("=")
        if equals:
            yield name.strip(), reference.strip()


def _pyproject(text: bytes, found: _Found) -> None:
    """Read what front ends and the backends of the field load because ``pyproject.toml`` says so."""
    import tomllib

    try:
        document = tomllib.loads(text.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        line = re.search(r"at line (\d+)", str(error))
        raise _UnreadableError(
            int(line[1]) if line else 1, f"pyproject.toml cannot be read: {str(error)[:120]}"
        ) from None
    system = _table(document, "build-system")
    in_tree = isinstance(system.get("backend-path"), list)
    found.module(system.get("build-backend"), "pyproject>backend-path" if in_tree else "pyproject>build-backend")
    project = _table(document, "project")
    for key in ("scripts", "gui-scripts"):
        for name in _table(project, key):
            found.name(name, f"pyproject>{key}")
    tool = _table(document, "tool")
    for name, reader in _BACKENDS.items():
        if isinstance(tool.get(name), dict):
            reader(tool[name], found)


def _setuptools(tool: Mapping[str, Any], found: _Found) -> None:
    for reference in _table(tool, "cmdclass").values():
        found.attribute(reference, "pyproject>cmdclass")
    for value in _table(tool, "dynamic").values():
        if isinstance(value, dict):
            found.constant(value.get("attr"), "pyproject>attr")
            files = value.get("file")
            for path in files if isinstance(files, list) else (files,):
                found.file(path, "pyproject>file")


def _setuptools_scm(tool: Mapping[str, Any], found: _Found) -> None:
    for key in ("version_scheme", "local_scheme", "parse"):
        if ":" in str(tool.get(key)):
            found.module(tool.get(key), f"pyproject>{key}")
    git = _table(tool, "scm", "git")
    for command in (tool.get("git_describe_command"), git.get("describe_command")):
        found.command(command, "pyproject>describe_command")


def _hatch(tool: Mapping[str, Any], found: _Found) -> None:
    version = _table(tool, "version")
    if version.get("source") == "code":
        found.script(version.get("path"), "pyproject>source")
    build = _table(tool, "build")
    hooks = [_table(build, "hooks"), _table(tool, "metadata", "hooks")]
    hooks += [_table(build, "targets", name, "hooks") for name in _table(build, "targets")]
    for table in hooks:
        if isinstance(table.get("custom"), dict):
            found.script(table["custom"].get("path", "hatch_build.py"), "pyproject>custom")


def _poetry(tool: Mapping[str, Any], found: _Found) -> None:
    build = tool.get("build")
    found.script(build.get("script") if isinstance(build, dict) else build, "pyproject>build")
    for name in _table(tool, "scripts"):
        found.name(name, "pyproject>scripts")


def _pdm(tool: Mapping[str, Any], found: _Found) -> None:
    version = _table(tool, "version")
    if version.get("source") == "call":
        found.module(version.get("getter"), "pyproject>getter")
    build = _table(tool, "build")
    found.script(build.get("custom-hook"), "pyproject>custom-hook")
    for name in ("setup-script", "run-setuptools"):
        found.script(build.get(name), f"pyproject>{name}")


_BACKENDS = {
    "setuptools": _setuptools,
    "setuptools_scm": _setuptools_scm,
    "hatch": _hatch,
    "poetry": _poetry,
    "pdm": _pdm,
}


def _table(value: object, *keys: str) -> dict[str, Any]:
    """Return a nested table, empty if it is absent or no table."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
