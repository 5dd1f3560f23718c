"""What is asked of every lockfile format, present and future. Nothing here names one."""

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto._plugins import discover, names
from lazaretto.core.pin import LockfileError, Pin, PinSource

REQUIRED = ("MATCHES", "ECOSYSTEM", "parse")
MODULES = discover("lazaretto.lockfiles", REQUIRED)
ECOSYSTEMS = names("lazaretto.ecosystems")
SEEDS = {
    path.name: path.read_text(encoding="utf-8") for path in sorted(Path(__file__).with_name("lockfiles").iterdir())
}
DIGEST = re.compile(r"(md5|sha1|sha224|sha256|sha384|sha512):[0-9a-f]{32,128}")
TOKENS = (
    "null",
    "{}",
    "[]",
    "0",
    "true",
    '""',
    '"x"',
    "[[package]]",
    "==",
    "-r",
    "@",
    "\\",
    "#",
    "\ufeff",
    "\0",
    "\r",
    "99999",
)


class Format(Protocol):
    """The names that a lockfile module exposes at module level."""

    MATCHES: tuple[str, ...]
    ECOSYSTEM: str

    def parse(self, text: str, include: Callable[[str], str] | None = None) -> Iterator[Pin]:
        """Yield the pins of a file; ``include`` returns the text of another file that it names."""
        ...


def short_name(module: ModuleType) -> str:
    """Return the last part of a module's name."""
    return module.__name__.rpartition(".")[2]


each = pytest.mark.parametrize("lockfile", MODULES, ids=short_name)


def seeds(lockfile: Format) -> list[str]:
    """Return the texts of the seed files that a format claims."""
    return [text for name, text in SEEDS.items() if any(fnmatchcase(name, pattern) for pattern in lockfile.MATCHES)]


def check(lockfile: Format, text: str) -> list[Pin] | None:
    """Parse a text and assert what must hold of it; None if the file as a whole was refused."""
    try:
        pins = list(lockfile.parse(text))
    except LockfileError as error:
        assert error.line >= 1
        assert error.reason
        return None
    manifest = getattr(lockfile, "MANIFEST", False)
    for pin in pins:
        assert type(pin) is Pin
        assert pin.ecosystem == lockfile.ECOSYSTEM or (not lockfile.ECOSYSTEM and pin.ecosystem in ECOSYSTEMS)
        assert 1 <= pin.line <= text.count("\n") + text.count("\r") + 1
        if pin.problem is None:
            assert all(DIGEST.fullmatch(digest) for digest in pin.integrity)
            assert pin.name or pin.location
            fixed = pin.version or (manifest and pin.requirement)
            assert pin.source is not PinSource.REGISTRY or (pin.name and fixed)
    return pins


@each
def test_names_are_patterns_of_files(lockfile: Format) -> None:
    """A format says which file names are its own, and which ecosystem its pins belong to."""
    assert lockfile.MATCHES
    assert all(pattern and "/" not in pattern for pattern in lockfile.MATCHES)
    assert lockfile.ECOSYSTEM in {"", *ECOSYSTEMS}, "empty: each pin says its own"


def test_no_file_has_two_formats() -> None:
    """A seed file is read by exactly one module, and every pattern belongs to one."""
    patterns = [pattern for module in MODULES for pattern in module.MATCHES]

    assert len(patterns) == len(set(patterns))
    for name in SEEDS:
        readers = [m for m in MODULES if any(fnmatchcase(name, pattern) for pattern in m.MATCHES)]
        assert len(readers) == 1, name


@each
def test_seed_is_read(lockfile: Format) -> None:
    """Each format has a seed file here, and reads pins out of it."""
    assert seeds(lockfile), "add a small inert file to tests/contracts/lockfiles"
    for text in seeds(lockfile):
        pins = check(lockfile, text)
        assert pins
        assert list(lockfile.parse(text)) == pins, "a second look sees the same"
        assert any(pin.problem is None for pin in pins)


@each
@given(text=st.one_of(st.text(), st.lists(st.sampled_from(TOKENS)).map("\n".join)))
def test_any_text_gives_pins_or_an_error(lockfile: Format, text: str) -> None:
    """Whatever a lockfile holds: pins that are well formed, or one error with its line."""
    check(lockfile, text)


@each
@given(data=st.data())
def test_damage_gives_pins_or_an_error(lockfile: Format, data: st.DataObject) -> None:
    """The same for a real file in which something was cut out or put in."""
    text = data.draw(st.sampled_from(seeds(lockfile)))
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 40))
    token = data.draw(st.one_of(st.sampled_from(TOKENS), st.text(max_size=5)))

    check(lockfile, text[:start] + token + text[start + length :])


@each
def test_line_ends_do_not_matter(lockfile: Format) -> None:
    """A file that was checked out on another system has the same pins on the same lines."""
    for text in seeds(lockfile):
        assert list(lockfile.parse(text.replace("\n", "\r\n"))) == list(lockfile.parse(text))
