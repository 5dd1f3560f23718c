"""Files that are no text: what they really are, what they pretend to be, and what rides behind their end.

Natives, bytecode and archives are a ``binary`` fact; images, fonts, sound, video and documents are only if they are
not what their name says, broken, or followed by something. Dialects: ``binary`` and ``binary:<ending>`` where the
content is not what the name says; ``fixture`` in a folder of tests, where it is no problem that something inside is
broken. What is inside is read by others (``inner``): programs, pickles and bytecode by the
modules of their names, members of archives and what follows an end by whoever claims them.

## What it cannot see
Archives in formats that are not opened (7z, rar, zstd, lz4, cab, ar), encrypted members, and whatever is hidden in the
pixels, samples or spare boxes of a well-formed picture, sound or film. It does not know where MP3, FLAC, TIFF, JPEG XL,
WebM and MPEG end, nor collections of fonts.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from lazaretto.core.facts import Fact, Facts, Kind, Moment, Problem, Span
from lazaretto.core.inner import Inner
from lazaretto.core.language import Claim, Units
from lazaretto.languages._containers import ENDED, STRICT, behind_pictures, end_of
from lazaretto.languages._guess import guess
from lazaretto.languages._magic import Magic, is_text, magic_of
from lazaretto.languages._names import ASSETS, CODE, FIXTURES, LOOSE_JSON, STRICT_JSON, TEXT, ending
from lazaretto.languages._nested import OPENED, members
from lazaretto.languages._strings import addresses

ID = "binary"
VERSION = 6
_TEXT = TEXT | STRICT_JSON | LOOSE_JSON
DIALECTS = ("binary", "fixture", *(f"binary:{name}" for name in sorted({*ASSETS, *CODE, *_TEXT})))
"""Every dialect that ``read`` takes."""

_PADDING = b"\0\r\n\t "
_RUNS = frozenset({"native", "bytecode"})
_READ_ON = frozenset({"elf", "pe", "macho", "wasm", "pickle", "pyc"})
"""Names whose inside another module reads, under the same name."""

_SEARCHED = frozenset({"elf", "pe", "macho", "wasm"})
"""Those of which that module tells every string of interest."""

_REPORTED = frozenset({"native", "bytecode", "archive"})
_LOOSE = frozenset({"archive", "document", "data"})  # families whose endings are used for one another in good faith


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read what has a magic number, and whatever is no text."""
    last = ending(path)
    real = magic_of(data)
    if real is None:
        if is_text(data):
            return None
        return Claim(f"binary:{last}" if last in ASSETS or last in _TEXT else "binary", 55 if last not in CODE else 20)
    if last in CODE and (real.printable or real.family not in _REPORTED):
        return None  # a script may begin like a GIF: whoever reads the language must judge it
    if _is_false(last, real):
        return Claim(f"binary:{last}", 90)
    return Claim("binary" if FIXTURES.isdisjoint(path.lower().split("/")[:-1]) else "fixture", 90)


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return what the file is, under which false name, and what follows its end. Never raises."""
    real = magic_of(data)
    name = _kind(real, data)
    whole = Span(1, 0, 0, min(len(data), 16))
    false_name = dialect.partition(":")[2]
    facts: list[Fact] = []
    problems: list[Problem] = []
    if false_name:
        facts.append(Fact(Kind.BINARY, f"{name} named {false_name}", whole, Moment.LOAD))
        if false_name in CODE:
            problems.append(Problem(1, f"{name} named {false_name}: it was not read as code"))
    elif real is None or real.family in _REPORTED:
        facts.append(Fact(Kind.BINARY, name, whole, Moment.LOAD))
    if real is not None:
        facts += _behind_the_end(real, data)
        if real.family in _RUNS and real.name not in _SEARCHED:
            found = addresses(data)
            facts += found.facts
            problems += found.problems
    return Facts(language=ID, facts=tuple(facts), problems=tuple(problems))


def inner(dialect: str, data: bytes, facts: Facts) -> Iterator[Inner | Problem]:
    """Yield what a program, an archive, or the bytes behind an end hold, for whoever reads it."""
    fixture = dialect == "fixture"
    for part in _parts(data, facts):
        if not fixture:
            yield part
        elif isinstance(part, Inner):
            yield replace(part, lenient=True)
        elif part.unread:
            yield part


def _parts(data: bytes, facts: Facts) -> Iterator[Inner | Problem]:
    real = magic_of(data)
    if real is None:
        return
    if real.name in _READ_ON:
        yield Inner(data, real.name)
    elif real.name in OPENED:
        yield from members(real.name, data, Span(1, 0, 0, min(len(data), 16)))
    for fact in facts.facts:
        if fact.kind is Kind.BINARY and (fact.value or "").startswith("trailing-data"):
            rest = data[fact.span.start :].lstrip(_PADDING)
            yield Inner(rest, guess(rest), "trailing", (fact.span,), "trailing-data", lenient=True, apart=True)


def _is_false(last: str, real: Magic) -> bool:
    if last in CODE or last in _TEXT:
        return real.family in _REPORTED
    promised = ASSETS.get(last)
    if promised is None or promised == real.family:
        return False
    if real.family in _RUNS:
        return True
    if {promised, real.family} <= {"audio", "video"}:
        return False
    return not (promised in _LOOSE and real.family in _LOOSE)


def _kind(real: Magic | None, data: bytes) -> str:
    if real is None:
        return "unknown"
    if real.family == "native" and (b"napi_register_module_v1" in data or b"node_register_module" in data):
        return "node"
    return real.name


def _behind_the_end(real: Magic, data: bytes) -> list[Fact]:
    """Return a fact for bytes after the end of an image or sound, or for one that has no end."""
    if real.name not in ENDED:
        return []
    end = end_of(real.name, data)
    if end is None:
        if real.name not in STRICT:
            return []
        return [Fact(Kind.BINARY, f"malformed:{real.name}", Span(1, 0, 0, 0), Moment.LOAD)]
    if real.name == "jpeg":
        end = behind_pictures(data, end)
    rest = data[end:]
    if not rest.strip(_PADDING):
        return []
    line = data.count(b"\n", 0, end) + 1
    span = Span(line, end - data.rfind(b"\n", 0, end) - 1, end, len(data))
    return [Fact(Kind.BINARY, f"trailing-data:{len(rest)}", span, Moment.LOAD)]
