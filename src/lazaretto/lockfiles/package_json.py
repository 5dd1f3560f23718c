"""``package.json`` where no lockfile lies: what npm would choose now for each range, and for theirs in turn.

Its pins have a range and no version; the registry is asked which release that is at this moment. Dependencies of every
group count, peers too: npm installs them. A lockfile of npm in the same folder or above it goes before.

Not seen: what a client would choose tomorrow, or with another configuration; ``overrides``, ``resolutions`` and
``workspaces`` are told and not followed; npm may share one release between ranges where here each gets its own.
"""

from collections.abc import Callable, Iterator

from lazaretto.core.pin import Pin, PinSource
from lazaretto.lockfiles._located import Table, address, split_name

MATCHES = ("package.json",)
ECOSYSTEM = "npm"
CLIENT = "npm"
MANIFEST = True

_GROUPS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_CHANGES = ("overrides", "resolutions", "workspaces")


def parse(
    text: str,
    include: Callable[[str], str] | None = None,  # noqa: ARG001 - one signature for all formats
) -> Iterator[Pin]:
    """Yield every range that the project itself asks for.

    Raises:
        LockfileError: the text is not JSON.
    """
    from lazaretto.lockfiles import _json

    document = _json.read(text)
    for group in _GROUPS:
        for name, requirement, line in document.table(group).entries():
            yield _pin(name, requirement, line, group)
    pnpm = document.get("pnpm")
    for holder in (document, pnpm):
        for key in _CHANGES if isinstance(holder, Table) else ():
            if isinstance(holder, Table) and holder.get(key):
                yield Pin(ECOSYSTEM, "", None, holder.lines[key], key, problem=f"{key} are not followed: lock it first")


def _pin(name: str, requirement: object, line: int, group: str) -> Pin:
    path, dev = f"{group}.{name}", group == "devDependencies"
    if not isinstance(requirement, str) or not name:
        return Pin(ECOSYSTEM, name, None, line, path, direct=True, problem="the range is not a text")
    text = requirement.strip()
    if text.startswith("npm:"):  # an alias
        name, text = split_name(text[4:])
    source = address(text) or (PinSource.FILE if text.endswith((".tgz", ".tar.gz", ".tar")) else PinSource.REGISTRY)
    return Pin(
        ecosystem=ECOSYSTEM,
        name=name,
        version=None,
        line=line,
        path=path,
        requirement=text or "*",
        direct=True,
        dev=dev,
        source=source,
        location=text if source is not PinSource.REGISTRY else None,
        problem=None if name else "no name is given",
    )
