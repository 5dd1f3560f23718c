"""What a wheel declares (PEP 427): metadata, entry points, start-up files, and what ``RECORD`` vouches for."""

from collections.abc import Iterator

from lazaretto.core.facts import Problem
from lazaretto.core.manifest import Entry, EntryRole, Manifest
from lazaretto.core.tree import Tree
from lazaretto.ecosystems.pypi import entrypoints, metadata, modules, names, startup

_MAX_RECORD_PROBLEMS = 20
_UNRECORDED = ("RECORD", "RECORD.jws", "RECORD.p7s")


def manifest(tree: Tree) -> Manifest:
    """Return the manifest of a wheel. Never raises."""
    infos = sorted(
        {path.partition("/")[0] for path in tree if path.partition("/")[0].endswith(".dist-info") and "/" in path}
    )
    if not infos:
        return Manifest(
            path="METADATA",
            problems=(Problem(0, "the wheel has no .dist-info folder"),),
            entries=_entries(tree, "", []),
        )
    info = infos[0]
    path = f"{info}/METADATA"
    problems: list[Problem] = []
    if len(infos) > 1:
        problems.append(Problem(0, f"the wheel has more than one .dist-info folder: {', '.join(infos[:5])}"))
    blob = tree.get(path)
    if blob is None:
        problems.append(Problem(0, "the wheel has no METADATA"))
    read = metadata.read(blob.data) if blob is not None else metadata.Metadata()
    edges = metadata.dependencies(read)
    problems += read.problems
    if f"{info}/WHEEL" not in tree:
        problems.append(Problem(0, "the wheel has no WHEEL file"))
    problems += _recorded(tree, info)
    name = read.first("name")
    return Manifest(
        path=path,
        name=name,
        version=read.first("version"),
        dependencies=edges,
        hooks=startup.hooks(tree, _site_folders(tree), problems),
        entries=_entries(tree, info, problems),
        fields=metadata.fields(read),
        problems=tuple(problems),
    )


def _data_folders(tree: Tree) -> list[str]:
    """Return the folders ``<name>.data/<key>/`` of a wheel, whose files are installed elsewhere."""
    found: dict[str, None] = {}
    for path in tree:
        parts = path.split("/", 2)
        if len(parts) == 3 and parts[0].endswith(".data"):
            found[f"{parts[0]}/{parts[1]}/"] = None
    return list(found)


def _site_folders(tree: Tree) -> list[str]:
    """Return the folders that end up in ``site-packages``, also by way of ``data``, which is the whole prefix."""
    found = [""]
    for folder in _data_folders(tree):
        if folder.endswith((".data/purelib/", ".data/platlib/")):
            found.append(folder)
        elif folder.endswith(".data/data/"):
            inside = {path.rpartition("/")[0] for path in tree if path.startswith(folder)}
            found += sorted(f"{one}/" for one in inside if one.lower().endswith(("site-packages", "dist-packages")))
    return found


def _entries(tree: Tree, info: str, problems: list[Problem]) -> tuple[Entry, ...]:
    found: dict[Entry, None] = {}
    roots = _site_folders(tree)
    for hook in startup.hooks(tree, roots, []):
        found[Entry(hook.path, EntryRole.INSTALL)] = None
    own = names.normal(info.partition("-")[0]).replace("-", "_")
    for path in modules.top_level(tree, roots, own, source=False):
        found[Entry(path, EntryRole.IMPORT)] = None
    blob = tree.get(f"{info}/entry_points.txt") if info else None
    for point in entrypoints.read(blob.data, problems) if blob is not None else ():
        for root in roots:
            file = modules.module_file(tree, root + point.module.replace(".", "/"))
            if file is not None:
                found[Entry(file, point.role)] = None
                break
    for folder in _data_folders(tree):
        if folder.endswith(".data/scripts/"):
            for path in tree:
                if path.startswith(folder):
                    found[Entry(path, EntryRole.COMMAND)] = None
    return tuple(found)


def _recorded(tree: Tree, info: str) -> Iterator[Problem]:
    """Yield where ``RECORD`` and the archive differ: an honest builder's never do."""
    blob = tree.get(f"{info}/RECORD")
    if blob is None:
        yield Problem(0, "the wheel has no RECORD")
        return
    import csv
    from base64 import urlsafe_b64decode
    from binascii import Error, hexlify

    listed: set[str] = set()
    wrong: list[Problem] = []
    for number, row in enumerate(csv.reader(blob.data.decode("utf-8", "replace").splitlines()), 1):
        if not row:
            continue
        path = row[0].replace("\\", "/").removeprefix("./")
        listed.add(path)
        algorithm, _, value = row[1].partition("=") if len(row) > 1 else ("", "", "")
        held = tree.get(path)
        if held is None:
            wrong.append(Problem(number, f"RECORD lists {path[:200]!r}, which the wheel does not hold"))
        elif algorithm == "sha256":
            try:
                expected = hexlify(urlsafe_b64decode(value + "==")).decode()
            except (Error, ValueError):
                expected = "?"
            if held.digest.startswith("sha256:") and held.digest != f"sha256:{expected}":
                wrong.append(Problem(number, f"RECORD has another digest for {path[:200]!r}"))
    listed.update(f"{info}/{name}" for name in _UNRECORDED)
    wrong.extend(
        Problem(0, f"RECORD does not list {path[:200]!r}, which the wheel holds") for path in tree if path not in listed
    )
    yield from wrong[:_MAX_RECORD_PROBLEMS]
