"""How each place gets rid of a release: the smallest change of its manifest, as a patch, and what to run then.

The lockfile itself is never written here: the integrity of what takes the place is the registry's to tell. The client
makes it anew from the changed manifest, with scripts off.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from difflib import unified_diff

from lazaretto.app.inventory.report import ReportedExposure
from lazaretto.app.respond.edits import ByHandError, package_json, pnpm_workspace, pyproject, requirements
from lazaretto.app.respond.incident import Good, Repair
from lazaretto.app.respond.ports import IncidentError, Reach
from lazaretto.core.inventory import Proof
from lazaretto.core.playbook import ClientCare

MAX_PATCH = 20_000
"""Longest patch of one place in characters; a longer one is a change that somebody should look at."""

_NODE = frozenset({"npm", "pnpm", "yarn", "bun"})
_WORKSPACE = "pnpm-workspace.yaml"


def repairs(
    exposures: Iterable[ReportedExposure], good: Iterable[Good], reach: Reach, clients: Iterable[ClientCare]
) -> Iterator[Repair]:
    """Yield a repair for each lockfile that fixes one of the releases now."""
    targets = {(one.ecosystem, one.name, one.bad): one.version for one in good}
    exposures = tuple(exposures)
    brought = {(one.place.path, text) for one in exposures for text in one.brought}
    mended = {(one.ecosystem, one.place.path) for one in exposures if _target(one, targets) is not None}
    relock = {one.client: one.relock for one in clients}
    seen: set[tuple[str, str, str]] = set()
    for one in exposures:
        key = (one.place.path, one.ecosystem, one.name)
        if one.proof not in {Proof.FIXED, Proof.OPEN} or one.place.kind != "lockfile" or key in seen:
            continue
        if one.last is not None:
            continue  # it is no longer there
        if (one.place.path, f"{one.name}@{one.version}") in brought and _target(one, targets) is None:
            continue  # it goes when the release goes that brought it
        seen.add(key)
        yield _repair(one, targets, mended, reach, relock)


def _repair(
    one: ReportedExposure,
    targets: Mapping[tuple[str, str, str], str],
    mended: AbstractSet[tuple[str, str]],
    reach: Reach,
    relock: Mapping[str, str],
) -> Repair:
    client = one.place.client
    version = _target(one, targets)
    if version is None:
        hand = f"to which version of {one.name} to go back is not known: name one with --good {one.name}@VERSION"
        if (one.ecosystem, one.place.path) in mended:
            hand = f"{one.name} goes with what brought it; if the lockfile still names it then, remove what asks for it"
        return Repair(one.place.path, client, by_hand=hand)
    command = relock.get(client, "").replace("{name}", one.name).replace("{good}", version)
    try:
        patch = _patch(one, version, reach)
    except (ByHandError, IncidentError) as error:
        return Repair(one.place.path, client, command=command, by_hand=str(error))
    if len(patch) > MAX_PATCH:
        return Repair(one.place.path, client, command=command, by_hand="the patch would be too long: change it by hand")
    return Repair(one.place.path, client, patch, command)


def _target(one: ReportedExposure, targets: Mapping[tuple[str, str, str], str]) -> str | None:
    every = targets.get((one.ecosystem, one.name, ""))
    return every or targets.get((one.ecosystem, one.name, one.version))


def _patch(one: ReportedExposure, version: str, reach: Reach) -> str:
    place, client = one.place.path, one.place.client
    file = place.rpartition("/")[2]
    if client in _NODE:
        workspace = reach.text(place, _WORKSPACE) if client == "pnpm" else None
        if workspace is not None:
            return _diff(place, _WORKSPACE, workspace, pnpm_workspace(workspace, one.name, version))
        before = _needed(reach, place, "package.json")
        return _diff(place, "package.json", before, package_json(before, client, one.name, version))
    if client in {"uv", "pdm"}:
        before = _needed(reach, place, "pyproject.toml")
        return _diff(place, "pyproject.toml", before, pyproject(before, client, one.name, version))
    if file.endswith(".txt"):
        before = _needed(reach, place, file)
        return _diff(place, file, before, requirements(before, one.name, one.version, version))
    raise ByHandError(f"{client or 'this client'} has no word for it in a file of its own: run the command")


def _needed(reach: Reach, place: str, name: str) -> str:
    text = reach.text(place, name)
    if text is None:
        raise ByHandError(f"there is no {name} beside it that can be read from here")
    return text


def _diff(place: str, name: str, before: str, after: str) -> str:
    """Return a unified diff with one line of context: nothing of a file is shown that the change does not need."""
    folder = place.rpartition("/")[0].strip("/")
    path = f"{folder}/{name}" if folder else name
    lines = unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}", n=1
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
