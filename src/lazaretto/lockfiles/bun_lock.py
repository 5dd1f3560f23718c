"""Bun's ``bun.lock`` (JSON with comments, lockfile versions 0 to 2): install path -> what is installed there.

An entry is an array: ``name@version``, registry, information and integrity for a release; ``name@workspace:...``,
``file:``, ``link:``, ``root:``, an address or a repository otherwise. The binary ``bun.lockb`` is not read:
``bun install --save-text-lockfile --lockfile-only`` writes the same as text.

Not seen: what a patch of ``patchedDependencies`` changes; whether a package that nothing asks for directly is for
development.
"""

from collections.abc import Callable, Iterator

from lazaretto.core.pin import LockfileError, Pin, PinSource
from lazaretto.lockfiles._located import VERSION, Items, Table, address, split_name, sri, text_of

MATCHES = ("bun.lock", "bun.lockb")
ECOSYSTEM = "npm"


def parse(
    text: str,
    include: Callable[[str], str] | None = None,  # noqa: ARG001 - one signature for all formats
) -> Iterator[Pin]:
    """Yield every entry of ``packages``.

    Raises:
        LockfileError: the text is binary, not JSON with comments, or of an unknown version.
    """
    from lazaretto.lockfiles import _json

    if text.startswith("#!/usr/bin/env bun") or "\0" in text:
        raise LockfileError(1, "a binary lockfile is not read: run `bun install --save-text-lockfile --lockfile-only`")
    document = _json.read(text, comments=True)
    version = document.get("lockfileVersion")
    if isinstance(version, bool) or version not in (0, 1, 2):  # a tuple: it may be unhashable
        line = document.lines.get("lockfileVersion", 1)
        raise LockfileError(line, f"lockfile version {str(version)[:20]} is not known; 0, 1 and 2 are")
    asked = _asked(document.table("workspaces"))
    for place, entry, line in document.table("packages").entries():
        yield _pin(place, entry, line, asked)


def _asked(workspaces: Table) -> dict[str, tuple[str, bool]]:
    """Return what the members of the workspace ask for: name -> range and whether only for development."""
    asked: dict[str, tuple[str, bool]] = {}
    for member in reversed(workspaces):  # the root is first, and has the last word
        for group in ("peerDependencies", "devDependencies", "optionalDependencies", "dependencies"):
            for name, requirement in workspaces.table(member).table(group).items():
                dev = group == "devDependencies" and asked.get(name, ("", True))[1]
                asked[name] = (str(requirement), dev)
    return asked


def _pin(place: str, entry: object, line: int, asked: dict[str, tuple[str, bool]]) -> Pin:
    path = f"packages.{place}"
    first = text_of(entry[0]) if isinstance(entry, Items) and entry else None
    if not isinstance(entry, Items) or first is None:
        return Pin(ECOSYSTEM, place, None, line, path, problem="the entry is not an array that begins with a name")
    name, reference = split_name(first)
    if reference.startswith("npm:"):
        name, reference = split_name(reference[4:])
    source = address(reference)
    problem, location = None, None
    digests: tuple[str, ...] = ()
    texts = [one for one in entry[1:] if isinstance(one, str)]
    if source is None:
        location = next((one for one in texts[:1] if one.startswith(("http:", "https:"))), None)
        if not VERSION.fullmatch(reference):
            problem = f"{first[:60]!r} names no version"
        integrity = texts[-1] if len(texts) > 1 else None
        digests, wrong = sri(integrity or None)
        problem = problem or wrong
    elif source is PinSource.FILE:
        location = reference.partition(":")[2] if ":" in reference else reference
    else:
        location = reference
        if texts and "-" in texts[-1] and texts[-1].startswith("sha"):
            digests, problem = sri(texts[-1])
    requirement, dev = asked.get(place, (None, None))
    return Pin(
        ecosystem=ECOSYSTEM,
        name=name,
        version=reference if source is None and VERSION.fullmatch(reference) else None,
        line=line,
        path=path,
        requirement=requirement,
        integrity=digests,
        direct=place in asked,
        dev=dev,
        source=source or PinSource.REGISTRY,
        location=location,
        problem=problem or (None if name else "no name is given"),
    )
