"""Layouts that others use: a folder of archives, pairs of releases, and the two well-known data sets of samples."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from msgspec import Struct

from evals.corpora.items import Form, Item, Label, Part, Ref

ARCHIVES = (".tgz", ".tar.gz", ".whl", ".zip")
"""How the name of an archive ends."""


class Archive(Struct, frozen=True):
    """An archive somewhere on this machine, and the release that its own manifest names."""

    path: str
    ecosystem: str
    kind: str
    name: str
    version: str


def archives(folder: Path, corpus: str, label: Label) -> Iterator[Item]:
    """Every archive below a folder, at first contact. ``.tgz`` is npm's; the others are PyPI's."""
    for path in sorted(folder.rglob("*")):
        if path.name.endswith(ARCHIVES) and path.is_file() and not path.is_symlink():
            ecosystem = "npm" if path.name.endswith(".tgz") else "pypi"
            yield Item(corpus, _key(path, folder), label, ecosystem, _file(path))


def pairs(folder: Path, corpus: str, label: Label) -> Iterator[Item]:
    """``NAME/old/ARCHIVE`` beside ``NAME/new/ARCHIVE``: an update each."""
    for home in sorted(path.parent for path in folder.rglob("new") if path.is_dir()):
        old, new = (
            next((path for path in sorted((home / side).glob("*")) if path.name.endswith(ARCHIVES)), None)
            for side in ("old", "new")
        )
        if old is not None and new is not None:
            ecosystem = "npm" if new.name.endswith(".tgz") else "pypi"
            yield Item(corpus, _key(new, folder), label, ecosystem, _file(new), before=_file(old))


def datadog(folder: Path) -> Iterator[Item]:
    """``samples/ECOSYSTEM/(compromised_lib|malicious_intent)/NAME/VERSION/DATE-….zip``, sealed."""
    for path in sorted((folder / "samples").rglob("*.zip")):
        ecosystem, kind, *names, version, filename = path.relative_to(folder / "samples").parts
        if ecosystem in ("npm", "pypi") and names:
            found = re.match(r"(\d{4}-\d\d)-\d\d-", filename)
            yield Item(
                f"datadog/{kind}",
                _key(path, folder),
                Label.MALICIOUS,
                ecosystem,
                Ref("", Form.SEALED, (Part(filename, str(path)),)),
                since=found[1] if found else "",
                name="/".join(names),
                version=version,
            )


def backstabber(folder: Path) -> Iterator[Item]:
    """``samples/ECOSYSTEM/NAME/VERSION/ARCHIVE``, or the same without ``samples``."""
    root = folder / "samples" if (folder / "samples").is_dir() else folder
    for ecosystem in ("npm", "pypi"):
        for path in sorted((root / ecosystem).rglob("*")):
            if path.name.endswith(ARCHIVES) and path.is_file() and not path.is_symlink():
                name, *rest = path.relative_to(root / ecosystem).parts
                version = rest[0] if len(rest) > 1 else ""
                key = _key(path, folder)
                yield Item("backstabber", key, Label.MALICIOUS, ecosystem, _file(path), name=name, version=version)


def steps(found: Iterable[Archive], corpus: str) -> Iterator[Item]:
    """Of releases that lie about, each with the one before it: real updates within a major version."""
    lines: dict[tuple[str, str, str], dict[str, Archive]] = defaultdict(dict)
    for one in found:
        lines[one.ecosystem, one.kind, one.name][one.version] = one
    for (ecosystem, kind, name), versions in sorted(lines.items()):
        ordered = sorted(versions.values(), key=lambda one: order(one.version))
        for old, new in pairwise(ordered):
            if order(old.version)[0][0] != order(new.version)[0][0]:
                continue
            key = f"{kind}:{name}:{old.version}:{new.version}"
            after, before = _file(Path(new.path)), _file(Path(old.path))
            yield Item(corpus, key, Label.BENIGN, ecosystem, after, before, "", kind, name, new.version)


def newest(found: Iterable[Archive], corpus: str) -> Iterator[Item]:
    """Of releases that lie about, the newest of each project, at first contact."""
    lines: dict[tuple[str, str, str], Archive] = {}
    for one in found:
        known = lines.get((one.ecosystem, one.kind, one.name))
        if known is None or order(known.version) < order(one.version):
            lines[one.ecosystem, one.kind, one.name] = one
    for (ecosystem, kind, name), one in sorted(lines.items()):
        key = f"{kind}:{name}:{one.version}"
        yield Item(corpus, key, Label.BENIGN, ecosystem, _file(Path(one.path)), None, "", kind, name, one.version)


def order(version: str) -> tuple[tuple[int, ...], int, str]:
    """Return what versions are sorted by here: numbers first, and a pre-release before its release."""
    bare, _, suffix = re.sub(r"^[v=]+", "", version).partition("-")
    numbers = tuple(int(word) for word in re.findall(r"\d+", bare.partition("+")[0])) or (0,)
    early = bool(suffix) or bool(re.search(r"\d(?:a|b|rc|\.?dev)\d", bare))
    return numbers, 0 if early else 1, version


def _file(path: Path) -> Ref:
    return Ref("", Form.ARCHIVE, (Part(path.name, str(path)),))


def _key(path: Path, folder: Path) -> str:
    return sha256(str(path.relative_to(folder)).encode()).hexdigest()[:16]
