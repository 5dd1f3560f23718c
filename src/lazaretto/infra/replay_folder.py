"""Replay folders on disk -> frozen values. Strict: unknown keys are errors, and all defects are told at once."""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from lazaretto.app.replay import After, Before, Expect, Insert, Origin, OwnDependency, Replay, Side
from lazaretto.app.replay_pack import blob
from lazaretto.core.model import ArtifactKind, Provenance, Publisher
from lazaretto.core.tree import Blob, Tree

SHEET = "replay.toml"
MAX_BYTES = 1 << 20
"""Most bytes of one folder: a replay is a description, not a sample."""

KINDS = {"npm": frozenset({ArtifactKind.TARBALL}), "pypi": frozenset({ArtifactKind.SDIST, ArtifactKind.WHEEL})}
_SIDE = frozenset(
    {"version", "published", "publisher", "trusted_publisher", "attested", "git_head", "tag", "provenance", "dist_tag"}
)
T = TypeVar("T")


class ReplayFormatError(Exception):
    """A replay folder is not in the format. ``problems`` lists every defect, each with its place."""

    def __init__(self, folder: Path, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{folder}: {problem}" for problem in problems))


def find_replays(path: Path) -> tuple[Path, ...]:
    """Return the replay folders at or below a path, in path order.

    Raises:
        ReplayFormatError: there is none.
    """
    if (path / SHEET).is_file():
        return (path,)
    found = []
    for here, folders, files in os.walk(path):
        folders.sort()
        if SHEET in files:
            found.append(Path(here))
            folders.clear()
    if not found:
        raise ReplayFormatError(path, [f"no {SHEET} here or below"])
    return tuple(sorted(found))


def read_replay(folder: Path) -> Replay:
    """Return the replay in a folder.

    Raises:
        ReplayFormatError: it is not in the format; all defects at once.
    """
    try:
        sheet = tomllib.loads((folder / SHEET).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReplayFormatError(folder, [f"{SHEET}: {error}"]) from error
    reading = _Reading(folder)
    replay = reading.replay(sheet)
    if reading.problems or replay is None:
        raise ReplayFormatError(folder, reading.problems)
    return replay


class _Table:
    """One TOML table: takes values by key and type; what is missing, wrong or left over becomes a problem."""

    def __init__(self, values: object, place: str, problems: list[str]) -> None:
        self._place = place
        self._problems = problems
        self._values: dict[str, Any] = dict(values) if isinstance(values, dict) else {}
        if not isinstance(values, dict):
            problems.append(f"{SHEET}: {place}a table is expected")

    def wrong(self, key: str, what: str) -> None:
        self._problems.append(f"{SHEET}: {self._place}{key}: {what}")

    def has(self, key: str) -> bool:
        return key in self._values

    def take(self, key: str, kind: type[T], default: T) -> T:
        """Return a value of this type; the default if it is absent or wrong."""
        value = self._values.pop(key, default)
        if not isinstance(value, kind) and value is not default:
            self.wrong(key, f"expected {kind.__name__}, found {value!r}")
            return default
        return value

    def flag(self, key: str) -> bool | None:
        return self.take(key, bool, False) if key in self._values else None

    def text(self, key: str, *, required: bool = False) -> str:
        value = self.take(key, str, "")
        if required and not value:
            self.wrong(key, "is required")
        return value

    def instant(self, key: str) -> datetime | None:
        if key not in self._values:
            self.wrong(key, "is required")
            return None
        value = self._values.pop(key)
        if not isinstance(value, datetime) or value.tzinfo is None:
            self.wrong(key, "expected a date and time with an offset, such as 2026-03-31T00:22:00Z")
            return None
        return value.astimezone(UTC)

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.take(key, list, [])
        if not all(isinstance(value, str) for value in values):
            self.wrong(key, "expected a list of strings")
            return ()
        return tuple(values)

    def one_of(self, key: str, make: Callable[[str], T], allowed: str, default: T) -> T:
        value = self.take(key, str, "")
        try:
            return make(value) if value else default
        except ValueError:
            self.wrong(key, f"expected one of {allowed}, found {value!r}")
            return default

    def tables(self, key: str) -> list["_Table"]:
        values = self.take(key, list, [])
        return [_Table(value, f"[[{key}]] {number}: ", self._problems) for number, value in enumerate(values, 1)]

    def done(self) -> None:
        """Report every key that nobody took."""
        for key in self._values:
            self.wrong(key, "is not a key of the format")


class _Reading:
    """Reads one folder; ``problems`` grows on the way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.problems: list[str] = []
        self._bytes = 0

    def replay(self, sheet: dict[str, Any]) -> Replay | None:
        top = _Table(sheet, "", self.problems)
        ecosystem = top.text("ecosystem", required=True)
        if ecosystem not in KINDS:
            top.wrong("ecosystem", f"expected one of {', '.join(KINDS)}, found {ecosystem!r}")
        before = self._before(top.take("before", dict, {})) if top.has("before") else None
        if not top.has("after"):
            top.wrong("after", "is required")
        after = self._after(top.take("after", dict, {}), top.tables("insert"), ecosystem)
        replay = Replay(
            name=self._folder.resolve().name,
            incident=top.text("incident", required=True),
            ecosystem=ecosystem,
            package=top.text("package", required=True),
            now=top.instant("now") or datetime.min.replace(tzinfo=UTC),
            expect=top.one_of("expect", Expect, "allow, hold, block", Expect.HOLD),
            guessed=top.texts("guessed"),
            before=before,
            after=after,
            history=tuple(self._side(table) for table in top.tables("history")),
            dependencies=self._dependencies(top.tables("dependency")),
        )
        top.done()
        self._check_folder(replay)
        return replay

    def _side(self, table: _Table) -> Side:
        name, _, address = table.text("publisher").partition("<")
        trusted = table.flag("trusted_publisher")
        publisher = None
        if name.strip() or address:
            publisher = Publisher(name=name.strip(), email=address.strip().rstrip(">") or None, trusted=trusted)
        elif trusted is not None:
            table.wrong("trusted_publisher", "is given without a publisher")
        provenance = None
        if table.has("provenance"):
            inner = _Table(table.take("provenance", dict, {}), "provenance.", self.problems)
            provenance = Provenance(
                repository=inner.text("repository") or None,
                ref=inner.text("ref") or None,
                workflow=inner.text("workflow") or None,
                event=inner.text("event") or None,
            )
            inner.done()
        side = Side(
            version=table.text("version", required=True),
            published=table.instant("published"),
            publisher=publisher,
            attested=table.flag("attested"),
            git_head=table.flag("git_head"),
            tag=table.flag("tag"),
            provenance=provenance,
            dist_tag=table.text("dist_tag") or None,
        )
        table.done()
        return side

    def _before(self, values: object) -> Before:
        table = _Table(values, "[before] ", self.problems)
        origin = self._origin(table, Origin.REGISTRY, Origin.TREE)
        digests = self._digests(table)
        side = self._side(table)
        tree = self._tree("before") if (self._folder / "before").is_dir() else None
        if origin is Origin.TREE and tree is None:
            table.wrong("source", "is tree, and there is no folder before/")
        return Before(side=side, origin=origin, tree=tree, digests=digests)

    def _after(self, values: object, inserts: list[_Table], ecosystem: str) -> After:
        table = _Table(values, "[after] ", self.problems)
        default = ["tgz"] if ecosystem == "npm" else ["wheel"]
        known = {kind.value: kind for kind in KINDS.get(ecosystem, ())}
        named = table.texts("artifacts") or tuple(default)
        for kind in named:
            if kind not in known:
                table.wrong("artifacts", f"expected any of {', '.join(sorted(known))}, found {kind!r}")
        after = After(
            origin=self._origin(table, Origin.OVERLAY, Origin.REGISTRY),
            kinds=tuple(known[kind] for kind in named if kind in known),
            remove=table.texts("remove"),
            overlay=self._tree("overlay"),
            inserts=tuple(self._insert(insert) for insert in inserts),
            manifest=table.take("manifest", dict, {}),
            manifest_remove=table.texts("manifest_remove"),
            digests=self._digests(table),
            side=self._side(table),
        )
        changed = after.remove or after.overlay.files or after.inserts or after.manifest or after.manifest_remove
        if after.origin is Origin.REGISTRY and changed:
            table.wrong("source", "is registry: a real artifact takes no overlay, insert, remove or manifest")
        return after

    def _origin(self, table: _Table, default: Origin, other: Origin) -> Origin:
        allowed = (default, other)
        origin = table.one_of("source", Origin, ", ".join(allowed), default)
        if origin not in allowed:
            table.wrong("source", f"expected one of {', '.join(allowed)}, found {origin.value!r}")
        return origin

    def _digests(self, table: _Table) -> Mapping[str, str]:
        digests = table.take("sha256", dict, {})
        for name, digest in digests.items():
            if not isinstance(digest, str) or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
                table.wrong("sha256", f"{name!r}: expected 64 lower-case hexadecimal digits")
        return digests

    def _insert(self, table: _Table) -> Insert:
        path, source = table.text("path", required=True), table.text("from", required=True)
        line = table.take("line", int, 0)
        if line < 0:
            table.wrong("line", "counts from 1; 0 is the end of the file")
        table.done()
        content = self._tree("inserts").get(source) if source else None
        if content is None and source:
            table.wrong("from", f"there is no file inserts/{source}")
        return Insert(path=path, line=max(line, 0), data=content.data if content else b"")

    def _dependencies(self, tables: list[_Table]) -> tuple[OwnDependency, ...]:
        dependencies = []
        for table in tables:
            name = table.text("name", required=True)
            side = self._side(table)
            folder = f"dependencies/{name}@{side.version}"
            if not (self._folder / folder).is_dir():
                table.wrong("name", f"there is no folder {folder}/")
            dependencies.append(OwnDependency(name=name, side=side, tree=self._tree(folder)))
        return tuple(dependencies)

    def _check_folder(self, replay: Replay) -> None:
        """Report what contradicts itself, and files that nothing in the sheet speaks of."""
        published = replay.after.side.published
        if published is not None and published > replay.now:
            self.problems.append(f"{SHEET}: now is before [after] published")
        named = {f"{own.name}@{own.side.version}" for own in replay.dependencies}
        tops = {SHEET, "before", "overlay", "inserts", "dependencies"}
        for entry in sorted(self._folder.iterdir()):
            if entry.name not in tops:
                self.problems.append(f"{entry.name}: nothing of this name belongs into a replay")
        for path in self._tree("dependencies").files:
            if not any(path.startswith(f"{folder}/") for folder in named):
                self.problems.append(f"dependencies/{path}: no [[dependency]] speaks of it")

    def _tree(self, inside: str) -> Tree:
        """Return the files below a folder; links and special files are problems, and so is too much of it."""
        root = self._folder / inside
        files: dict[str, Blob] = {}
        executable = set()
        total = 0
        for path in _walk(root):
            name = path.relative_to(root).as_posix()
            if path.is_symlink() or not path.is_file():
                self.problems.append(f"{inside}/{name}: neither a file nor a folder")
                continue
            status = path.stat()
            total += status.st_size
            if total > MAX_BYTES:
                self.problems.append(f"{inside}: more than {MAX_BYTES} bytes")
                break
            files[name] = blob(path.read_bytes())
            if status.st_mode & 0o111:
                executable.add(name)
        return Tree(files=files, executable=frozenset(executable))


def _walk(root: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            yield Path(here) / name
        for name in folders:
            if (Path(here) / name).is_symlink():
                yield Path(here) / name
