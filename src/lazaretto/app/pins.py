"""What lockfiles fix, and what of it is to be asked: every release once, with all places that name it."""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from lazaretto.app.ports import Ecosystem
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.pin import LockfileError, Pin, PinSource

_ARCHIVES = (".tgz", ".tar.gz", ".whl", ".zip", ".tar", ".tar.bz2", ".tar.xz")


class LockfileFormat(Protocol):
    """The names a module ``lockfiles/<format>.py`` exposes.

    ``ECOSYSTEM`` is empty where each pin says its own (an SBOM). A module with ``MANIFEST = True`` reads what a project
    asks for, not what it fixed: it counts where no lockfile of its ecosystem goes before. One with ``PARTIAL = True``
    lists all that is installed only where every entry has a digest.
    """

    MATCHES: tuple[str, ...]
    ECOSYSTEM: str

    def parse(self, text: str, include: Callable[[str], str] | None = None) -> Iterator[Pin]:
        """Yield the pins of a lockfile. Raises LockfileError."""
        ...


class Lockfile(Struct, frozen=True):
    """One lockfile of a project.

    ``path`` is what a reader is told, relative to the checked folder. ``read`` returns the text of a file by its
    name relative to the lockfile's folder, and raises OSError or ValueError; ``earlier`` the same as it was at the
    revision to compare with, None if there was no such file. Without ``earlier`` every pin counts.
    """

    path: str
    format: LockfileFormat
    read: Callable[[str], str]
    earlier: Callable[[str], str | None] | None = None


class Place(Struct, frozen=True, order=True):
    """A line of a lockfile, and what it fixes there: digests as ``algorithm:hex``, and an address."""

    path: str
    line: int
    digests: tuple[str, ...] = ()
    location: str | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class Wanted(Struct, frozen=True):
    """A release to ask about. ``before`` is the version that the project had of it at the earlier revision."""

    ecosystem: str
    project: ProjectName
    version: Version
    places: tuple[Place, ...]
    before: Version | None = None


class Opened(Struct, frozen=True):
    """A range that a manifest or a line of requirements leaves open: the registry says what it resolves to."""

    ecosystem: str
    project: ProjectName
    requirement: str
    places: tuple[Place, ...]


class Tally(Struct, frozen=True):
    """What one lockfile holds: its entries, those of them that count (all, or what changed), and its problems."""

    path: str
    entries: int
    counted: int
    problems: int

    def __str__(self) -> str:
        changed = f", {self.counted} of them new or changed" if self.counted != self.entries else ""
        return f"{self.path}: {self.entries} entries{changed}, {self.problems} problems"


class Gathered(Struct, frozen=True):
    """Everything that lockfiles fix: what can be asked, what cannot, and what a reader should know besides."""

    wanted: tuple[Wanted, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    opened: tuple[Opened, ...] = ()
    tallies: tuple[Tally, ...] = ()


def gather(lockfiles: Iterable[Lockfile], ecosystem: Callable[[str], Ecosystem]) -> Gathered:
    """Return every release that the lockfiles fix, by ecosystem, name and version; each is asked about once.

    Of a lockfile with ``earlier`` only those pins that are new or changed since. A file or an entry that is not
    understood is a problem with its place, and does not keep the others from being asked.
    """
    collected = _Collected(ecosystem)
    for lockfile in lockfiles:
        collected.add(lockfile)
    return collected.result()


def together(ecosystem: Callable[[str], Ecosystem], *groups: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """Return what several groups ask about, each release once, by ecosystem, name and version."""
    found: dict[tuple[str, ProjectName, Version], Wanted] = {}
    for one in (one for group in groups for one in group):
        key = (one.ecosystem, one.project, one.version)
        other = found.get(key)
        if other is not None:
            places = tuple(sorted({*other.places, *one.places}))
            found[key] = Wanted(*key, places, other.before or one.before)
        else:
            found[key] = one

    def order(one: Wanted) -> tuple[str, str, object]:
        return (one.ecosystem, one.project, ecosystem(one.ecosystem).sort_key(one.version))

    return tuple(sorted(found.values(), key=order))


class _Collected:
    """What has been found so far."""

    def __init__(self, ecosystem: Callable[[str], Ecosystem]) -> None:
        self._ecosystem = ecosystem
        self._places: dict[tuple[str, ProjectName, Version], list[Place]] = {}
        self._before: dict[tuple[str, ProjectName], set[Version]] = {}
        self._problems: dict[str, None] = {}
        self._notes: dict[str, None] = {}
        self._opened: dict[tuple[str, ProjectName, str], list[Place]] = {}
        self._tallies: list[Tally] = []

    def add(self, lockfile: Lockfile) -> None:
        """Read one lockfile."""
        files: set[str] = set()
        pins, error = _pins(lockfile, lockfile.read, files)
        if error is not None:
            self._problem(f"{lockfile.path}:{error.line}: cannot be read as a whole: {error.reason}")
        known = self._earlier(lockfile)
        counted = [pin for pin in pins if _identity(pin) not in known] if known else pins
        before = len(self._problems) - (error is not None)
        for pin in counted:
            self._pin(pin, _place(pin, lockfile, files))
        if getattr(lockfile.format, "PARTIAL", False) and any(pin.version and not pin.integrity for pin in counted):
            self._notes[
                f"{lockfile.path} has pins without hashes: what they bring and it does not list is not checked"
            ] = None
        self._tallies.append(Tally(lockfile.path, len(pins), len(counted), len(self._problems) - before))

    def result(self) -> Gathered:
        """Return all of it, in an order that does not depend on the order of files."""
        wanted = [
            Wanted(*key, tuple(sorted(places, key=lambda place: (place.path, place.line))), self._version_before(*key))
            for key, places in self._places.items()
        ]
        opened = [Opened(*key, tuple(places)) for key, places in sorted(self._opened.items())]
        return Gathered(
            together(self._ecosystem, wanted),
            tuple(self._problems),
            tuple(self._notes),
            tuple(opened),
            tuple(sorted(self._tallies, key=lambda tally: tally.path)),
        )

    def _earlier(self, lockfile: Lockfile) -> set[Pin]:
        """Return the identities of the pins at the earlier revision, and note which versions there were."""
        if lockfile.earlier is None:
            return set()
        read = lockfile.earlier
        if read(posixpath.basename(lockfile.path)) is None:
            return set()

        def then(name: str) -> str:
            text = read(name)
            if text is None:
                raise FileNotFoundError(f"{name} was not there")
            return text

        pins, error = _pins(lockfile, then, set())
        if error is not None:
            self._notes[f"{lockfile.path} as it was cannot be read (line {error.line}: {error.reason}): all counts"] = (
                None
            )
        for pin in pins:
            if pin.source is PinSource.REGISTRY and pin.name and pin.version:
                house = self._ecosystem(pin.ecosystem)
                try:
                    key = (pin.ecosystem, house.name(pin.name))
                    self._before.setdefault(key, set()).add(house.version(pin.version))
                except ValueError:
                    continue  # then it is no version that one could compare with
        return {_identity(pin) for pin in pins}

    def _pin(self, pin: Pin, place: Place) -> None:
        what = " ".join(filter(None, (pin.name or pin.requirement or pin.location, pin.version))) or pin.path
        if pin.problem is not None and not pin.open:
            self._problem(f"{place}: {what}: {pin.problem}")
        if pin.source is not PinSource.REGISTRY:
            if pin.problem is None and not _own(pin):
                where = f" ({pin.location})" if pin.location else ""
                self._problem(
                    f"{place}: {what}: taken from {_SOURCES[pin.source]}{where}, not from a registry: not checked"
                )
            return
        if not pin.name or not (pin.version or pin.requirement or pin.open):
            if pin.problem is None:
                self._problem(f"{place}: {what}: names no release")
            return
        house = self._ecosystem(pin.ecosystem)
        try:
            name = house.name(pin.name)
            if pin.version:
                places = self._places.setdefault((pin.ecosystem, name, house.version(pin.version)), [])
            elif pin.problem is None or pin.open:
                places = self._opened.setdefault((pin.ecosystem, name, pin.requirement or ""), [])
            else:
                return
        except ValueError as error:
            self._problem(f"{place}: {what}: {error}")
            return
        if place not in places:
            places.append(place)

    def _problem(self, text: str) -> None:
        self._problems[text] = None

    def _version_before(self, ecosystem: str, project: ProjectName, version: Version) -> Version | None:
        """Return the version that the project had nearest below, else nearest above; None if this is no update."""
        had = self._before.get((ecosystem, project), set())
        if not had or version in had:
            return None
        house = self._ecosystem(ecosystem)
        ordered = sorted({version, *had}, key=house.sort_key)  # type: ignore[arg-type]  # keys of one ecosystem compare
        at = ordered.index(version)
        return ordered[at - 1] if at else ordered[1]


_LOCAL = ("file", "link", "portal", "workspace")
_SOURCES = {PinSource.GIT: "a repository", PinSource.URL: "an address", PinSource.FILE: "a file"}


def _pins(
    lockfile: Lockfile, read: Callable[[str], str], files: set[str]
) -> tuple[Sequence[Pin], LockfileError | None]:
    """Return the pins that could be read, and the error that ended the reading; ``files`` learns what was included."""
    pins: list[Pin] = []

    def include(name: str) -> str:
        files.add(name)
        return read(name)

    try:
        pins.extend(lockfile.format.parse(read(posixpath.basename(lockfile.path)), include))
    except LockfileError as error:
        return pins, error
    except (OSError, ValueError) as error:
        return pins, LockfileError(1, _words(error))
    return pins, None


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _identity(pin: Pin) -> Pin:
    """Return what must be the same for a pin to be unchanged. Where a digest stands, the address decides nothing."""
    fixed = pin.source is PinSource.REGISTRY and pin.integrity
    location = None if fixed else pin.location
    return Pin(
        pin.ecosystem,
        pin.name,
        pin.version,
        line=0,
        requirement=pin.requirement if pin.problem or not pin.version else None,
        integrity=pin.integrity,
        source=pin.source,
        location=location,
        problem=pin.problem,
    )


def _place(pin: Pin, lockfile: Lockfile, files: set[str]) -> Place:
    """Return where a pin stands: in the lockfile, or in a file that it includes."""
    path = lockfile.path
    if pin.path in files:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), pin.path))
    return Place(path, pin.line, pin.integrity, pin.location)


def _own(pin: Pin) -> bool:
    """Whether a pin is a folder inside the project itself: a workspace, a link, an editable install."""
    if pin.source is not PinSource.FILE or pin.location is None:
        return False
    protocol, colon, rest = pin.location.partition(":")
    path = posixpath.normpath((rest if colon and protocol in _LOCAL else pin.location) or ".")
    return not path.startswith(("/", "..", "~")) and "://" not in pin.location and not path.endswith(_ARCHIVES)
