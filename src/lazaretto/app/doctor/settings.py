"""Files of settings in four formats as one flat value: a path of keys to a text, with the line where it stands."""

import json
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from lazaretto.app.doctor.machine import Document, Machine
from lazaretto.core.npmrc_text import parse_ini
from lazaretto.core.plain_yaml import YamlError, scalars
from lazaretto.core.posture import Place

Path = tuple[str, ...]

MAX_NESTING = 60
"""Deepest nesting of a file of settings."""


class Value(Struct, frozen=True):
    """One setting: its text (``true``, ``7``, ``7 days``; a secret is ``***``) and where it stands."""

    text: str
    place: Place

    @property
    def true(self) -> bool:
        """Whether it switches something on."""
        return self.text.strip().lower() in ("true", "1", "yes", "on")

    @property
    def false(self) -> bool:
        """Whether it switches something off."""
        return self.text.strip().lower() in ("false", "0", "no", "off")


class Settings(Struct, frozen=True):
    """What one file says; nothing, if it is not there. ``places`` are those that the reader of the format knows."""

    document: Document | None = None
    texts: Mapping[Path, str] = field(default_factory=dict)
    places: Mapping[Path, Place] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.document is not None

    def get(self, *path: str) -> Value | None:
        """Return the value at a path of keys."""
        text = self.texts.get(path)
        return None if text is None else Value(text, self.place(path))

    def under(self, *path: str) -> Iterator[tuple[Path, Value]]:
        """Yield all values below a path, each with the rest of its own."""
        for key, text in self.texts.items():
            if key[: len(path)] == path and len(key) > len(path):
                yield key[len(path) :], Value(text, self.place(key))

    def words(self, *path: str) -> Value | None:
        """Return a setting that may be written as a list, as words with spaces between."""
        items = [value for key, value in self.under(*path) if len(key) == 1 and key[0].isdecimal()]
        return Value(" ".join(one.text for one in items), self.place(path)) if items else self.get(*path)

    def part(self, *path: str) -> "Settings":
        """Return what stands below a path, as settings of its own."""
        size = len(path)
        texts = {key[size:]: text for key, text in self.texts.items() if key[:size] == path and len(key) > size}
        return Settings(self.document, texts, {key: self.place((*path, *key)) for key in texts})

    def place(self, path: Path) -> Place:
        """Return where a value stands: where the reader saw it, else the last line that sets its key."""
        known = self.places.get(path)
        if known is not None or self.document is None:
            return known or Place("")
        return _place(self.document, next((key for key in reversed(path) if not key.isdecimal()), ""))


def first(*values: Value | None) -> Value | None:
    """Return the first value that is set: name the strongest source first."""
    return next((value for value in values if value is not None), None)


def variable(machine: Machine, name: str) -> Value | None:
    """Return a setting that an environment variable makes."""
    text = machine.variable(name)
    return Value(text, Place(name)) if text else None


def npmrc(machine: Machine, path: str) -> Settings:
    """Return an ``.npmrc``: keys in lower case, but for those of hosts and scopes."""
    document = machine.read(path)
    if document is None:
        return Settings()
    texts: dict[Path, str] = {}
    for key, text in parse_ini(document.text):
        texts[(key if key.startswith(("//", "@")) else key.lower(),)] = text
    return Settings(document, texts)


def ini(machine: Machine, path: str) -> Settings:
    """Return an INI file as pip reads it: ``section``, ``key``; dashes and underlines in keys are the same."""
    import configparser

    document = machine.read(path)
    if document is None:
        return Settings()
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(document.text)
    except configparser.Error:
        machine.unreadable(path, "is no INI file")
        return Settings(document)
    texts: dict[Path, str] = {}
    places: dict[Path, Place] = {}
    for section in parser.sections():
        for key, text in parser.items(section):
            path_ = (section, key.replace("_", "-"))
            texts[path_], places[path_] = text or "", _place(document, key)
    return Settings(document, texts, places)


def toml(machine: Machine, path: str) -> Settings:
    """Return a TOML file."""
    import tomllib

    document = machine.read(path)
    if document is None:
        return Settings()
    try:
        return Settings(document, dict(_flat(tomllib.loads(document.text), ())))
    except (tomllib.TOMLDecodeError, RecursionError):
        machine.unreadable(path, "is not TOML")
        return Settings(document)


def yaml(machine: Machine, path: str) -> Settings:
    """Return a YAML file, as far as ``core.plain_yaml`` understands YAML."""
    document = machine.read(path)
    if document is None:
        return Settings()
    try:
        read = scalars(document.text)
    except YamlError as error:
        machine.unreadable(path, f"is not understood: {error}")
        return Settings(document)
    places = {one.path: Place(path, one.line) for one in read}
    return Settings(document, {one.path: one.value for one in read}, places)


def json5(machine: Machine, path: str) -> Settings:
    """Return a JSON file; comments, commas at the end, single quotes and bare keys are let pass (JSON5)."""
    document = machine.read(path)
    if document is None:
        return Settings()
    for text in (document.text, _strict(document.text)):
        try:
            return Settings(document, dict(_flat(json.loads(text), ())))
        except (ValueError, RecursionError):
            continue
    machine.unreadable(path, "is not JSON")
    return Settings(document)


def _flat(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if len(path) > MAX_NESTING:
        raise RecursionError
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, (*path, str(key)))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _flat(inner, (*path, str(position)))
    elif path:
        yield path, str(value).lower() if isinstance(value, bool) else str(value)


def _place(document: Document, key: str) -> Place:
    """Return the last line that sets a key: later ones win in the formats that allow several."""
    pattern = rf"""^[ \t{{,]*["']?{re.escape(key)}(?:\[\])?["']?[ \t]*[=:]"""
    last = None
    for last in re.finditer(pattern, document.text, re.MULTILINE | re.IGNORECASE):  # noqa: B007 - the last one is wanted
        pass
    return Place(document.path, document.text.count("\n", 0, last.start()) + 1) if last else document.place(key)


_TOKENS = re.compile(
    r"""("(?:[^"\\\n]|\\.)*")|'((?:[^'\\\n]|\\.)*)'|//[^\n]*|/\*.*?\*/|([A-Za-z_$][\w$]*)(?=\s*:)|,(?=\s*[}\]])""",
    re.DOTALL,
)


def _strict(text: str) -> str:
    """Return JSON5 as JSON, as far as a file of settings goes; line feeds stay."""

    def token(match: re.Match[str]) -> str:
        if match[1] is not None:
            return match[1]
        if match[2] is not None:
            return json.dumps(match[2].replace("\\'", "'"))
        if match[3] is not None:
            return json.dumps(match[3])
        return "\n" * match[0].count("\n")

    without = _TOKENS.sub(token, text)
    return re.sub(r",(?=\s*[}\]])", "", without)
