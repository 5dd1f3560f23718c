"""What every client offers to the tests: install what a project asks for, from one registry, in a home of its own."""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from tests.clients.rig import Run, environment, run


class Place(Struct, frozen=True):
    """Where a client works: a project's folder, a home with its caches, and the registry's address."""

    project: Path
    home: Path
    registry: str

    @classmethod
    def made(cls, folder: Path, registry: str, home: Path | None = None) -> "Place":
        """Return an empty project in a folder; another project may share its ``home``, and so its caches."""
        place = cls(folder / "project", home or folder / "home", registry)
        place.project.mkdir(parents=True, exist_ok=True)
        place.home.mkdir(parents=True, exist_ok=True)
        return place

    @property
    def origin(self) -> str:
        """Scheme, host and port of the registry, with a slash at its end."""
        return "/".join(self.registry.split("/")[:3]) + "/"


Commands = Callable[[Place], list[str]]


class Client(Struct, frozen=True, kw_only=True):
    """One client: how it is set up, what installs, what installs from the lockfile alone, and what it then installed.

    ``configure`` writes its settings and the project's manifest; ``env`` is what it is told by its environment;
    ``prepare`` makes what it expects to be there, and ``lock`` writes the lockfile of a client that writes none itself.
    """

    name: str
    ecosystem: str
    lockfile: str
    configure: Callable[[Place, Mapping[str, str]], None]
    env: Callable[[Place], Mapping[str, str]]
    install: Commands
    frozen: Commands
    offline: Commands
    version: Commands
    installed: Callable[[Place, str], str | None]
    prepare: Callable[[Place], None] = lambda _: None
    lock: Callable[[Place], None] = lambda _: None

    def asks(self, place: Place, wanted: Mapping[str, str]) -> None:
        """Write a project that asks for these ranges, as this client writes them."""
        self.configure(place, wanted)

    def installs(self, place: Place) -> Run:
        """Resolve and install; afterwards there is a lockfile."""
        said = self._run(place, self.install)
        if said.code == 0:
            self.lock(place)
        return said

    def installs_frozen(self, place: Place) -> Run:
        """Install what the lockfile pins, and nothing else."""
        return self._run(place, self.frozen)

    def installs_offline_first(self, place: Place) -> Run:
        """Install, from the client's own cache as far as it goes."""
        return self._run(place, self.offline)

    def says_its_version(self, place: Place) -> Run:
        """Return the client's own version."""
        return self._run(place, self.version)

    def _run(self, place: Place, command: Commands) -> Run:
        self.prepare(place)
        return run(command(place), place.project, environment(place.home, **self.env(place)))
