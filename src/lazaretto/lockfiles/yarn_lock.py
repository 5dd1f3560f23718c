"""``yarn.lock``, as Yarn 1 writes it and as Yarn 2 and later ("berry") do.

Yarn 1 has a format of its own: a line of patterns, then ``key value`` lines. An alias (``x@npm:y@^1``) is the release
of the package behind it. Berry writes YAML, and tells what each entry resolved to (``y@npm:1.0.0``); a ``patch:``
entry is the release that is patched, and a patch file of the project besides.

Not seen: what a patch changes, what ``resolutions`` replaced (the entry has what is installed), whether an entry is for
development. Berry's checksum is that of a zip which Yarn makes itself: it cannot be compared with a registry's.
"""

from collections.abc import Callable, Iterator

from lazaretto.core.pin import LockfileError, Pin, PinSource, digest_of
from lazaretto.lockfiles._located import GIT, VERSION, Table, address, bounded, split_name, sri

MATCHES = ("yarn.lock",)
ECOSYSTEM = "npm"


def parse(
    text: str,
    include: Callable[[str], str] | None = None,  # noqa: ARG001 - one signature for all formats
) -> Iterator[Pin]:
    """Yield every entry, in the order of the file.

    Raises:
        LockfileError: the text is of neither format, or of an unknown version.
    """
    text = bounded(text)
    if "__metadata:" in text:
        from lazaretto.lockfiles import _yarn_berry

        yield from _yarn_berry.pins(text)
        return
    for patterns, fields, line in _entries(text.split("\n")):
        yield from _pins(patterns, fields, line)


def links(text: str) -> Iterator[tuple[str, str]]:
    """Yield which entry needs which, by the paths of their pins. Read line by line, as it is usually written."""
    if "__metadata:" in text:
        from lazaretto.lockfiles import _yarn_berry

        yield from _yarn_berry.links(text)
        return
    paths: dict[str, str] = {}
    needs: list[tuple[str, str]] = []
    owner, group = "", ""
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        if indent == 0 and line.endswith(":") and not line.startswith("#"):
            patterns = [word.strip('" ') for word in line[:-1].split(", ")]
            owner = patterns[0]
            paths |= dict.fromkeys(patterns, owner)
        elif indent == 2:
            group = line.strip()
        elif indent == 4 and group in {"dependencies:", "optionalDependencies:"}:
            name, _, requirement = line.strip().partition(" ")
            needs.append((owner, f"{name.strip(chr(34))}@{requirement.strip(chr(34))}"))
    yield from ((needing, paths[pattern]) for needing, pattern in needs if pattern in paths)


def _entries(lines: list[str]) -> Iterator[tuple[list[str], Table, int]]:
    """Yield patterns, fields and line of each entry. What stands deeper than the fields are its dependencies."""
    patterns: list[str] = []
    fields = Table()
    section = False
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip()
        content = line.lstrip(" ")
        if not content or content.startswith("#"):
            continue
        indent = len(line) - len(content)
        if indent == 0:
            if patterns:
                yield patterns, fields, fields.line
            patterns, fields, section = _patterns(content, number), Table(number), False
        elif not patterns or indent not in {2, 4} or (indent == 4 and not section):
            raise LockfileError(number, "this line belongs to no entry")
        elif indent == 2:
            words = _words(content, number)
            section = len(words) == 1 and words[0].endswith(":")
            if not section and len(words) != 2:
                raise LockfileError(number, f"this is not 'key value': {content[:40]!r}")
            fields.put(words[0].removesuffix(":") if section else words[0], "" if section else words[1], number)
    if patterns:
        yield patterns, fields, fields.line


def _patterns(content: str, number: int) -> list[str]:
    words = _words(content.removesuffix(":"), number) if content.endswith(":") else []
    patterns = [word.removesuffix(",") for word in words]
    if not patterns or not all(patterns):
        raise LockfileError(number, f"this is neither a comment nor the patterns of an entry: {content[:40]!r}")
    return patterns


def _words(content: str, number: int) -> list[str]:
    """Return words and quoted texts; what follows a quoted one (a comma, a colon) stays with it."""
    import re

    import msgspec

    words: list[str] = []
    at = 0
    pattern = re.compile(r"""[ ]*(?:("(?:[^"\\]|\\.)*+")([,:]?)|([^ "]+))(?= |$)""")
    while at < len(content):
        match = pattern.match(content, at)
        if match is None:
            raise LockfileError(number, f"this is not understood: {content[at : at + 40]!r}")
        at = match.end()
        if match.group(1) is None:
            words.append(match.group(3))
            continue
        try:
            words.append(msgspec.json.decode(match.group(1).encode(), type=str) + match.group(2))
        except (msgspec.DecodeError, UnicodeError) as error:
            raise LockfileError(number, f"this text cannot be read: {match.group(1)[:40]!r}") from error
    return words


def _pins(patterns: list[str], fields: Table, line: int) -> Iterator[Pin]:
    """Yield one pin for each package that an entry stands for; several patterns are usually of one."""
    done: set[tuple[str, str | None]] = set()
    for pattern in patterns:
        name, requirement = split_name(pattern)
        if requirement.startswith("npm:"):  # an alias
            name, requirement = split_name(requirement[4:])
        pin = _pin(name, requirement, fields, line, pattern)
        if (pin.name, pin.location) not in done:
            done.add((pin.name, pin.location))
            yield pin


def _pin(name: str, requirement: str, fields: Table, line: int, pattern: str) -> Pin:
    version, resolved = fields.text("version"), fields.text("resolved")
    source = address(requirement)
    if source is None and resolved is not None and resolved.startswith((*GIT, "file:")):
        source = PinSource.FILE if resolved.startswith("file:") else PinSource.GIT
    digests, problem = sri(fields.text("integrity"))
    if source in {None, PinSource.URL}:
        digest = digest_of("sha1", (resolved or "").partition("#")[2])
        digests = digests or ((digest,) if digest else ())
    if source is None and (version is None or not VERSION.fullmatch(version)):
        problem = f"the version {version!r} is none of a registry" if version else "no version is given"
        version = None
    return Pin(
        ecosystem=ECOSYSTEM,
        name=name,
        version=version,
        line=line,
        path=pattern,
        requirement=requirement or None,
        integrity=digests,
        source=source or PinSource.REGISTRY,
        location=(resolved or "").partition("#")[0] or None if source is None else _place(requirement, resolved),
        problem=problem or (None if name else "no name is given"),
    )


def _place(requirement: str, resolved: str | None) -> str:
    return requirement if address(requirement) is PinSource.FILE else resolved or requirement
