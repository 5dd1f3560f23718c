"""pip's requirements files: ``name==version`` lines with hashes, includes and options.

The format is pip's ("Requirements File Format"), requirements are PEP 508, hashes as for ``--require-hashes``. Such a
file pins only what it pins: every entry that leaves the version open is a pin with a problem, unless a constraints file
that it names fixes the version; `check` asks the index which release that is at this moment.
"""

import posixpath
import re
from collections.abc import Callable, Iterator
from functools import cache

import msgspec

from lazaretto.core.pin import LockfileError, Pin, PinSource, digest_of

MATCHES = ("requirements*.txt", "*-requirements.txt", "*.requirements.txt", "constraints*.txt")
ECOSYSTEM = "pypi"
CLIENT = "pip"
PARTIAL = True  # with --require-hashes pip refuses what is not listed; without, it adds what the listed ones ask for

MAX_INCLUDES = 30
"""Deepest chain of files that include one another."""

_INCLUDES = ("-r", "--requirement", "-c", "--constraint")
_WITH_VALUE = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-binary", "--only-binary",
               "--trusted-host", "--use-feature", "--config-settings", "-C", "--uploaded-prior-to")  # fmt: skip
_FLAGS = ("--no-index", "--pre", "--prefer-binary", "--require-hashes")


def parse(text: str, include: Callable[[str], str] | None = None) -> Iterator[Pin]:
    """Yield every requirement, with those of included files, whose text ``include`` returns for a name.

    Raises:
        LockfileError: a file includes itself or files nest too deeply. What ``include`` raises as OSError,
            LookupError or ValueError becomes a pin with a problem.
    """
    read = list(_read(text, include, (), constraint=False))
    fixed = {_key(pin.name): pin for pin, constraint in read if constraint and pin.version and not pin.problem}
    for pin, constraint in read:
        known = fixed.get(_key(pin.name))
        if constraint and not pin.version and pin.name:
            continue  # it limits what others ask for; it asks for nothing itself
        if not constraint and known is not None and pin.version is None and pin.source is PinSource.REGISTRY:
            digests = pin.integrity or known.integrity
            yield msgspec.structs.replace(pin, version=known.version, integrity=digests, problem=None, open=False)
        else:
            yield pin


def _key(name: str) -> str:
    """Return a name as PEP 503 compares it."""
    return _compiled(r"[-_.]+").sub("-", name).lower()


def _read(
    text: str, include: Callable[[str], str] | None, files: tuple[str, ...], *, constraint: bool
) -> Iterator[tuple[Pin, bool]]:
    """Yield every entry, and whether it stands in a constraints file."""
    place = files[-1] if files else ""
    for number, line in _logical_lines(text):
        option, value = _option(line)
        if option in _INCLUDES:
            yield from _included(value, include, files, number, place, constraint=constraint or "c" in option[:3])
        elif option in {"-e", "--editable"}:
            yield _address(value, number, place, editable=True), constraint
        elif option in _WITH_VALUE or option in _FLAGS:
            continue
        elif option:
            yield _unread(line, number, place, f"option {option[:40]!r} is not known"), constraint
        else:
            yield _requirement(line, number, place), constraint


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line number, text) without comments, blank lines and continuations."""
    parts: list[str] = []
    first = 0
    for number, line in enumerate(text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n"), 1):
        first = first if parts else number
        stripped = line.strip()
        if stripped.startswith("#") and not parts:
            continue
        if line.endswith("\\") and not stripped.startswith("#"):
            parts.append(line[:-1].strip())
            continue
        parts.append(_compiled(r"(?:^|\s)#.*").sub("", line).strip())
        whole = " ".join(part for part in parts if part)
        parts.clear()
        if whole:
            yield first, whole
    whole = " ".join(part for part in parts if part)
    if whole:
        yield first, whole


def _option(line: str) -> tuple[str, str]:
    """Return the option that a line begins with and its value; '' for a requirement."""
    match = _compiled(r"(--[A-Za-z][\w-]*)(?:[ =]\s*(.*))?$|(-[A-Za-z])\s*=?\s*(.*)$").match(line)
    if match is None:
        return "", ""
    return match.group(1) or match.group(3), (match.group(2) or match.group(4) or "").strip().strip("\"'")


def _included(
    name: str, include: Callable[[str], str] | None, files: tuple[str, ...], line: int, place: str, *, constraint: bool
) -> Iterator[tuple[Pin, bool]]:
    path = posixpath.normpath(posixpath.join(posixpath.dirname(place), name)) if name else ""
    if path in files or len(files) >= MAX_INCLUDES:
        raise LockfileError(line, f"{place}: {name!r} includes itself, or files nest too deeply")
    if include is None or not name:
        yield _unread(name, line, place, f"the included file {name[:80]!r} was not given"), False
        return
    try:
        text = include(path)
    except (OSError, LookupError, ValueError) as error:
        yield _unread(name, line, place, f"the included file {name[:80]!r} cannot be read: {error}"), False
        return
    yield from _read(text, include, (*files, path), constraint=constraint)


def _requirement(line: str, number: int, place: str) -> Pin:
    body, digests, wrong = _hashes(line)
    if _compiled(r"[A-Za-z][\w+.-]*://|\.{0,2}/|git\+|file:").match(body) or body.endswith((".whl", ".tar.gz", ".zip")):
        return _address(body, number, place, digests=digests)
    match = _compiled(r"([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*(.*)$").match(body)
    if match is None:
        return _unread(line, number, place, "this is not a requirement")
    name, extras, rest = match.groups()
    if rest.startswith("@"):
        return _address(rest[1:].partition(" ;")[0].strip(), number, place, name=name, digests=digests)
    specifier = rest.partition(";")[0].strip().strip("()").strip()
    problem = wrong or _specifier_problem(specifier)
    exact = _compiled(r"={2,3}\s*([^\s,;*]+)").fullmatch(specifier)
    leaves_open = exact is None and problem is None
    if leaves_open:
        problem = f"not pinned: {specifier or 'any version'} leaves the version open"
        specifier = f"[{extras.replace(' ', '')}]{specifier}" if extras else specifier
    return Pin(
        ecosystem=ECOSYSTEM,
        name=name,
        version=exact.group(1) if exact else None,
        line=number,
        path=place,
        requirement=specifier or None,
        integrity=digests,
        direct=None,
        problem=problem,
        open=leaves_open and not digests,
    )


def _specifier_problem(specifier: str) -> str | None:
    one = r"\s*(?:===|==|~=|!=|<=|>=|<|>)\s*[^\s,<>=!~;]+\s*"
    if not specifier or _compiled(rf"{one}(?:,{one})*,?").fullmatch(specifier):
        return None
    return f"the specifier {specifier[:60]!r} is not understood"


def _hashes(line: str) -> tuple[str, tuple[str, ...], str | None]:
    """Return the requirement without its options, its digests, and what is wrong with them."""
    digests: list[str] = []
    wrong = None
    for match in _compiled(r"\s--hash(?:=|\s+)(\S*)").finditer(line):
        algorithm, _, digest = match.group(1).partition(":")
        known = digest_of(algorithm, digest)
        if known is None:
            wrong = f"the hash {match.group(1)[:40]!r} is not understood"
        else:
            digests.append(known)
    body = _compiled(r"\s--(?:hash|global-option|config-settings?|install-option)\b.*").sub("", line)
    return body.strip(), tuple(digests), wrong


def _address(
    text: str, line: int, place: str, *, name: str = "", digests: tuple[str, ...] = (), editable: bool = False
) -> Pin:
    """Return the pin of a URL, a repository or a path."""
    url, _, fragment = text.partition("#")
    url = url.partition(" ;")[0].strip()
    egg = _compiled(r"(?:^|&)egg=([^&\[]+)").search(fragment)
    hashed = _compiled(r"(?:^|&)(sha256|sha384|sha512)=([^&]*)").search(fragment)
    known = digest_of(hashed.group(1), hashed.group(2)) if hashed else None
    if known is not None:
        digests = (*digests, known)
    source = PinSource.FILE
    if _compiled(r"(?:git|hg|svn|bzr)\+|git:|git@").match(url):
        source = PinSource.GIT
    elif "://" in url and not url.startswith("file:"):
        source = PinSource.URL
    problem = None if url else "an address is missing"
    if hashed and known is None:
        problem = f"the hash {hashed.group()[:40]!r} is not understood"
    if source is PinSource.GIT and not _compiled(r".*@[0-9a-f]{40}(?:[0-9a-f]{24})?").fullmatch(url):
        problem = "not pinned: the repository is not fixed to a commit"
    elif source is PinSource.URL and not digests:
        problem = "not pinned: the address has no hash"
    return Pin(
        ecosystem=ECOSYSTEM,
        name=name or (egg.group(1) if egg else ""),
        version=None,
        line=line,
        path=place,
        requirement="editable" if editable else None,
        integrity=digests,
        source=source,
        location=url or None,
        problem=problem,
    )


def _unread(text: str, line: int, place: str, problem: str) -> Pin:
    return Pin(ECOSYSTEM, "", None, line, place, requirement=text[:200] or None, problem=problem)


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source)
