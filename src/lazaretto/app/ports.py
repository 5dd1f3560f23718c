"""The ports: everything the use cases ask of the outside world. What a port raises is part of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from lazaretto.app.record import Ledger as Ledger  # noqa: PLC0414 - a port like those below
from lazaretto.app.record import Served as Served  # noqa: PLC0414
from lazaretto.core.facts import FactKey, Facts
from lazaretto.core.manifest import Manifest
from lazaretto.core.model import Artifact, Dependency, Project, Provided, Release
from lazaretto.core.names import Digest, ProjectName, Purl, Version
from lazaretto.core.tree import Blob, Tree

if TYPE_CHECKING:  # what only the firewall needs is not loaded for anybody else
    from concurrent.futures import Future

    from lazaretto.core.view import PageView


class PortError(Exception):
    """Something outside failed. The message says what happened, to what, and what to do next."""


class RegistryError(PortError):
    """A registry could not be asked, or answered something that cannot be believed."""


class NotFound(RegistryError):
    """The registry answers that there is no such project, release or artifact."""


class Unavailable(RegistryError):
    """The registry is down, too slow, refuses us, or answers with an error."""


class Untrusted(RegistryError):
    """The answer is wrong: bad digest, wrong type, truncated, endless, a redirect that leaves policy."""


class ArchiveError(PortError):
    """An archive is broken or over a limit; nothing of it may be believed."""


class EngineError(PortError):
    """The confined reader died, ran out of time, or could not be confined."""


class JournalError(PortError):
    """The journal cannot be read or written."""


class LedgerError(PortError):
    """The firewall's ledger cannot be read or written."""


class BlobError(PortError):
    """A store of blobs cannot be read or written."""


class Registry(Protocol):
    """One configured registry (or index) of one ecosystem."""

    def project(self, name: ProjectName) -> Project:
        """Return everything the index says about a project.

        Raises:
            NotFound: no such project.
            Unavailable, Untrusted: see the classes.
        """
        ...

    def download(self, artifact: Artifact) -> bytes:
        """Return an artifact's bytes, verified against every digest that the index gave.

        Raises:
            NotFound, Unavailable, Untrusted: see the classes. An artifact without any digest is
            downloaded; its identity is what its own SHA-256 says.
        """
        ...

    def prefetch(self, artifacts: Iterable[Artifact]) -> None:
        """Hint that these will be asked for soon. May do nothing; never raises."""
        ...


class IndexPage(Struct, frozen=True):
    """The page of a project as an index sent it, and the address that it came from."""

    body: bytes
    media_type: str
    url: str


class Upstream(Registry, Protocol):
    """A registry that also gives its pages as they are, for whoever passes them on."""

    def page(self, name: ProjectName) -> IndexPage:
        """Return a project's page as it is now. Raises NotFound, Unavailable, Untrusted."""
        ...

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that may be asked for a page, the usual one first."""
        ...

    def kept(self, name: ProjectName) -> IndexPage | None:
        """Return a project's page as it was last seen, without asking; None if it never was."""
        ...

    def fetch(self, url: str) -> bytes:
        """Return a document that stands beside an artifact. Raises NotFound, Unavailable, Untrusted."""
        ...

    def statement(self, name: ProjectName, url: str) -> bytes:
        """Return the document of what is attested of an artifact. Raises NotFound, Unavailable, Untrusted."""
        ...

    def keys(self, name: ProjectName) -> bytes:
        """Return the document of the keys with which the registry of a project signs.

        Raises:
            NotFound: it signs nothing.
            Unavailable, Untrusted: see the classes.
        """
        ...

    def question(self, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Return the answer to a question that is posted. Raises NotFound, Unavailable, Untrusted."""
        ...


class Plate(Protocol):
    """An index page made ready to be printed in one form, as often as what may be seen of it changes."""

    def print(self, view: "PageView") -> list[bytes]:
        """Return what ``Ecosystem.render`` does, in sheets: one that says the same as before has the same bytes."""
        ...


class Ecosystem(Protocol):
    """Everything that differs between npm and PyPI. The only place where names are minted."""

    ID: str  # "npm", "pypi": also the purl type
    FORMS: Mapping[str, str]
    """The forms in which an index page can be shown: form -> media type, the usual one first."""

    def name(self, text: str) -> ProjectName:
        """Return the normal form. Raises ValueError with the reason if it cannot be a name."""
        ...

    def version(self, text: str) -> Version:
        """Return the canonical version. Raises ValueError with the reason."""
        ...

    def sort_key(self, version: Version) -> object:
        """Return a value that orders versions as the ecosystem's own client does."""
        ...

    def precedence(self, version: Version) -> object:
        """Return a value that orders versions, equal for those that the client takes for one (1.0 and 1.0.0)."""
        ...

    def prerelease(self, version: Version) -> bool:
        """Whether clients avoid this version unless asked for."""
        ...

    def line(self, version: Version) -> str:
        """Return the release line (semver: the major, or 0.minor; PEP 440: epoch and major)."""
        ...

    def purl(self, name: ProjectName, version: Version | None) -> Purl:
        """Return the package URL."""
        ...

    def resolve(self, dependency: Dependency, project: Project, at: datetime | None) -> Release | None:
        """Return the release that the client would choose for a range, at an instant; None if none."""
        ...

    def choose(self, release: Release) -> tuple[Artifact, ...]:
        """Return the artifacts that matter on this platform: npm the tarball; PyPI the sdist and the wheel for pip."""
        ...

    def index(self, name: ProjectName, data: bytes, media_type: str, url: str) -> Project:
        """Return what an index page says; ``url`` is where it was got. Raises ValueError with the place."""
        ...

    def render(self, name: ProjectName, data: bytes, media_type: str, view: "PageView", form: str) -> bytes:
        """Return an index page as a client may see it, in one of ``FORMS``. Raises ValueError with the place."""
        ...

    def plate(self, name: ProjectName, data: bytes, media_type: str, address: Callable[[str], str], form: str) -> Plate:
        """Return what prints an index page in a form many times. Raises ValueError with the place, or its use does.

        ``address`` gives the URL of a file name, as in a view.
        """
        ...

    def document(self, name: ProjectName, data: bytes, wanted: str, view: "PageView") -> bytes | None:
        """Return the index's document about one release, named by its version or by a tag.

        None if it cannot be seen, or if the index has no such documents. Raises ValueError with the place.
        """
        ...

    def manifest(self, artifact: Artifact, tree: Tree) -> Manifest:
        """Return what the artifact itself declares. Never raises: what is wrong becomes a problem."""
        ...

    def resolve_import(self, path: str, specifier: str, tree: Tree, manifest: Manifest) -> tuple[str, ...]:
        """Return the files of the tree that an import in ``path`` loads; empty if it is another package's."""
        ...

    def imported_name(self, specifier: str) -> str | None:
        """Return the project (npm) or top-level module (PyPI) that a specifier names, None if inside or built in."""
        ...


Home = Callable[[Digest], Tree | None]
"""The digest of a file -> the archive that answers for it; None: nobody knows."""


def no_home(_: Digest) -> Tree | None:
    """Say that nobody knows."""
    return None


class Engine(Protocol):
    """Reads hostile bytes where they can do no harm."""

    def unpack(self, artifact: Artifact, data: bytes) -> Tree:
        """Return the files of an archive. Raises ArchiveError, EngineError."""
        ...

    def unpack_many(self, items: Sequence[tuple[Artifact, bytes]]) -> "list[Tree | PortError]":
        """Return for each archive its files, or the ArchiveError or EngineError that refused it."""
        ...

    def read(self, jobs: Iterable["Job"], home: "Home" = no_home) -> Iterator[tuple["Job", Facts]]:
        """Yield the facts of each job, in any order; a job that failed has a problem in its facts.

        ``home`` tells which archive a file's bytes are from. Where strangers are read, whoever reads them meets the
        bytes of that archive alone: it may be the one who unpacked it, and who has read others of its files.
        """
        ...


class Job(Struct, frozen=True):
    """One file to read: what it is called there, who reads it, and its bytes."""

    path: str
    dialect: str
    blob: Blob


class FactCache(Protocol):
    """Facts by content digest and language version."""

    def get_many(self, keys: Iterable[FactKey]) -> Mapping[FactKey, Facts]:
        """Return what is known; unknown keys are left out."""
        ...

    def put_many(self, items: Iterable[tuple[FactKey, Facts]]) -> None:
        """Remember."""
        ...

    def get_units(self, dialect: str, version: int, digests: Iterable[Digest]) -> Mapping[Digest, bytes]:
        """Return known cuts of large files."""
        ...

    def put_units(self, dialect: str, version: int, units: Mapping[Digest, bytes]) -> None:
        """Remember cuts."""
        ...


class BlobStore(Protocol):
    """Artifacts and index pages by digest."""

    def get(self, digest: Digest) -> bytes | None:
        """Return the bytes, or None. What comes back has this digest. Raises BlobError."""
        ...

    def put(self, data: bytes) -> Digest:
        """Store bytes under their SHA-256 and return it. Raises BlobError."""
        ...


class Journal(Protocol):
    """Append-only: every verdict with its records, rule and policy versions, and what registries provide."""

    def find(self, key: str) -> bytes | None:
        """Return the report stored under this fingerprint, byte for byte, or None."""
        ...

    def append(self, key: str, subject: Purl, outcome: str, report: bytes, at: datetime) -> None:
        """Write a verdict. Raises JournalError."""
        ...

    def suspects(self, ecosystem: str, name: ProjectName) -> frozenset[Version]:
        """Return the versions whose latest verdict is hold or block: never a baseline."""
        ...

    def provided(self, registry: str, ecosystem: str, name: ProjectName) -> frozenset[Provided] | None:
        """Return every field that a registry ever told for a project; None if it was never asked."""
        ...

    def note_provided(
        self, registry: str, ecosystem: str, name: ProjectName, fields: Iterable[Provided], at: datetime
    ) -> None:
        """Note which fields a registry tells for a project now. Raises JournalError."""
        ...


class Urgency(IntEnum):
    """Who waits for a reading; the smaller, the sooner."""

    ASKED = 0  # a client waits for these bytes
    AHEAD = 1  # the newest of a line, hidden until it is read
    BACKGROUND = 2  # admitted on its identity; nobody waits


class ReadRequest(Struct, frozen=True):
    """One artifact to read. ``told`` is the digest that the index told, ``alg:hex``."""

    ecosystem: str
    project: ProjectName
    version: Version
    filename: str
    told: str


class ReadAnswer(Struct, frozen=True):
    """What a reading came to. ``told`` is the digest that the reader's own look at the index found; empty: not begun.

    ``sha256`` and ``report`` are in the blob store, if at all. ``suspected``: charges refuse it. An empty ``outcome``:
    the firewall's own stores failed, ``reason`` tells how, and nothing was decided.
    """

    told: str
    sha256: Digest | None
    outcome: str
    complete: bool
    suspected: bool
    clean: bool
    reason: str
    report: Digest | None = None
    expires: datetime | None = None


class Readings(Protocol):
    """Reads artifacts, several at once, each of them once however many ask for it."""

    def submit(self, request: ReadRequest, urgency: Urgency, begin: Callable[[], bool]) -> "Future[ReadAnswer | None]":
        """Return the reading of an artifact, begun or waited for. It never fails: what goes wrong is an answer.

        ``begin`` is asked when it is this reading's turn. None is the answer if it says no, or if nothing is begun
        any more: then nothing was found out.
        """
        ...


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Return the present instant, in UTC."""
        ...
