"""Lockfiles, SBOMs and manifests as they lie in a project; of a manifest that a lockfile goes before nothing is taken.

The file's own time says since when at the latest it has been as it is. Whether scripts run is read from the settings
that lie beside it (``.npmrc``, ``.yarnrc.yml``, ``.yarnrc``); those of the user and of the machine are not seen.
"""

from collections.abc import Iterator

from lazaretto.app.inventory.ports import Claim, Disk, Folder, InventoryError, Readers
from lazaretto.core.inventory import Entry, Place, Scripts, Unread
from lazaretto.places import _pins

KIND = "lockfile"
OWNS = ()
READS = (".npmrc", ".yarnrc", ".yarnrc.yml")

MAX_SETTINGS = 1 << 20
"""Largest settings file beside a lockfile, in bytes."""

_NODE = frozenset({"npm", "pnpm", "yarn"})


def claim(folder: Folder, disk: Disk, readers: Readers) -> Iterator[Claim]:
    """Yield every lockfile and SBOM; a manifest where no lockfile of its ecosystem lies beside or above it."""
    for name in folder.files:
        form = readers.lockfiles.of(name)
        if form is None or (form.manifest and form.module.ECOSYSTEM in folder.locked):
            continue
        target = f"{folder.path}/{name}"
        stat = disk.stat(target)
        if stat is not None:
            scripts, why = _scripts(folder, disk, form.client)
            place = Place(KIND, f"{folder.shown}/{name}", client=form.client, scripts=scripts, why=why)
            yield Claim(place, target, f"{stat.stamp}:{scripts}")


def read(claim: Claim, disk: Disk, readers: Readers) -> Iterator[Entry | Unread]:
    """Yield the pins of a file, and what of it cannot be read."""
    folder, _, name = claim.target.rpartition("/")
    form = readers.lockfiles.of(name)
    stat = disk.stat(claim.target)
    if form is None or stat is None:
        raise InventoryError("it is no longer there")

    def include(named: str) -> str:
        if named.startswith(("/", "~")) or ".." in named.split("/"):
            raise ValueError(f"{named[:80]!r} lies outside its folder: not read")
        return _text(disk, f"{folder}/{named}")

    yield from _pins.entries(form, _text(disk, claim.target), include, stat.modified)


def _text(disk: Disk, path: str) -> str:
    data = disk.read(path, _pins.MAX_LOCKFILE)
    try:
        return data.decode("utf-8", "replace" if b"\0" in data else "strict")  # its format says what a binary one is
    except UnicodeDecodeError as error:
        raise InventoryError(f"not UTF-8: byte {error.start}") from None


def _scripts(folder: Folder, disk: Disk, client: str) -> tuple[Scripts, str]:
    """Return whether the project's own settings let scripts run."""
    if client not in _NODE:
        return Scripts.UNKNOWN, ""
    names = {"yarn": (".yarnrc.yml", ".yarnrc")}.get(client, (".npmrc",))
    for name in names:
        if name not in folder.files:
            continue
        try:
            text = disk.read(f"{folder.path}/{name}", MAX_SETTINGS).decode("utf-8", "replace")
        except InventoryError:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            words = line.replace("=", " ").replace(":", " ").replace('"', " ").split()
            if words[:2] in (["ignore-scripts", "true"], ["enableScripts", "false"]):
                return Scripts.OFF, f"{name}:{number} says so"
            if words[:2] in (["ignore-scripts", "false"], ["enableScripts", "true"]):
                return Scripts.ON, f"{name}:{number} says so"
    return Scripts.UNKNOWN, ""
