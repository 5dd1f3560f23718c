"""Which lockfiles a check is about, and how their text is got: as they lie there, as staged, as they were."""

import os
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from lazaretto.app.pins import Lockfile, LockfileFormat
from lazaretto.surfaces.cli.common import UsageError

MAX_LOCKFILE = 64 << 20
"""Largest lockfile in bytes."""

MAX_FOLDERS = 50_000
"""Folders that ``--recursive`` looks into."""

_NOT_THE_PROJECTS = frozenset({"node_modules", "bower_components", "site-packages", "__pycache__", "venv", "vendor"})
"""Folders that hold what was installed: their lockfiles decide nothing. Hidden ones neither."""

Found = list[tuple[Path, LockfileFormat]]


def found(named: Path, formats: tuple[LockfileFormat, ...], *, recursive: bool, staged: bool) -> Found:
    """Return the lockfiles that are meant, each with its format; of a manifest, only if no lockfile goes before it.

    Raises:
        UsageError: there is no such file or folder, the file is in no format that we know, or there are too many.
        GitError: what is staged cannot be listed.
    """
    if named.is_dir():
        paths = _staged(named, recursive=recursive) if staged else _listed(named, recursive=recursive)
        known = [(path, form) for path in sorted(paths) if (form := format_of(path.name, formats)) is not None]
        return [(path, form) for path, form in known if not _locked(path, form, known)]
    form = format_of(named.name, formats)
    if form is None and named.is_file():
        raise UsageError(f"{named} is no lockfile by its name; known are {known_names(formats)}")
    if form is None or not (named.is_file() or staged):
        raise UsageError(f"there is no file or folder {named}")
    return [(named, form)]


def format_of(name: str, formats: Iterable[LockfileFormat]) -> LockfileFormat | None:
    """Return the format that claims a file of this name."""
    return next((form for form in formats if any(fnmatchcase(name, pattern) for pattern in form.MATCHES)), None)


def known_names(formats: Iterable[LockfileFormat]) -> str:
    """Return the names of files that are looked for, for a person."""
    return ", ".join(pattern for form in formats for pattern in form.MATCHES)


def lockfile(path: Path, named: Path, form: LockfileFormat, since: str | None, *, staged: bool) -> Lockfile:
    """Return one lockfile with what reads it, now and as it was."""
    shown = path.relative_to(named).as_posix() if path.is_relative_to(named) and path != named else named.as_posix()
    read = _staged_reader(path.parent) if staged else _reader(path.parent)
    return Lockfile(shown, form, read, _earlier(path.parent, since, staged=staged))


def _listed(folder: Path, *, recursive: bool) -> Iterator[Path]:
    """Yield the files of a folder, and of those below it that belong to the project. No link is followed."""
    if not recursive:
        yield from (path for path in folder.iterdir() if path.is_file())
        return
    for number, (place, folders, names) in enumerate(os.walk(folder), 1):
        if number > MAX_FOLDERS:
            raise UsageError(f"more than {MAX_FOLDERS} folders below {folder}: name one of them")
        folders[:] = sorted(name for name in folders if not _installed(name))
        yield from (path for name in names if (path := Path(place, name)).is_file())


def _staged(folder: Path, *, recursive: bool) -> Iterator[Path]:
    from lazaretto.infra.git import staged_names

    for name in staged_names(folder):
        *folders, _ = name.split("/")
        if not folders or (recursive and not any(map(_installed, folders))):
            yield folder / name


def _installed(folder: str) -> bool:
    return folder in _NOT_THE_PROJECTS or folder.startswith(".")


def _locked(path: Path, form: LockfileFormat, known: Found) -> bool:
    """Whether a manifest has a lockfile of its ecosystem beside it or above it."""
    return getattr(form, "MANIFEST", False) and any(
        other.ECOSYSTEM == form.ECOSYSTEM
        and not getattr(other, "MANIFEST", False)
        and path.parent.is_relative_to(place.parent)
        for place, other in known
    )


def _reader(folder: Path) -> Callable[[str], str]:
    def read(name: str) -> str:
        path = folder / name
        if path.stat().st_size > MAX_LOCKFILE:
            raise ValueError(f"larger than {MAX_LOCKFILE >> 20} MiB")
        data = path.read_bytes()
        return data.decode("utf-8", "replace" if b"\0" in data else "strict")  # its format says what a binary one is

    return read


def _staged_reader(folder: Path) -> Callable[[str], str]:
    from lazaretto.infra.git import staged_at

    def read(name: str) -> str:
        text = staged_at(folder / name)
        if text is None:
            raise FileNotFoundError(f"{name} is not staged")
        if len(text) > MAX_LOCKFILE:
            raise ValueError(f"larger than {MAX_LOCKFILE >> 20} MiB")
        return text

    return read


def _earlier(folder: Path, since: str | None, *, staged: bool) -> Callable[[str], str | None] | None:
    from lazaretto.infra.git import file_at, has_commit

    if staged:
        return lambda name: file_at(folder / name, "HEAD") if has_commit(folder) else None
    return None if since is None else lambda name: file_at(folder / name, since)
