"""The only module that knows every adapter. Nothing happens at import; what a run does not need is not loaded."""

import os
import sys
from collections.abc import Callable, Sequence
from functools import cache, cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import msgspec

from lazaretto import __version__, _plugins
from lazaretto.app.ports import BlobStore, Clock, Ecosystem, Journal, ReadAnswer, ReadRequest, Registry, Upstream
from lazaretto.core.language import Claim, LanguageModule
from lazaretto.infra.late import late
from lazaretto.settings import Settings

if TYPE_CHECKING:
    from lazaretto.app.advice import Adviser, Project
    from lazaretto.app.analyse import Rules
    from lazaretto.app.ask import Asker
    from lazaretto.app.attested import Attester
    from lazaretto.app.gate import Gate
    from lazaretto.app.intelligence.obey import Intelligence
    from lazaretto.app.opened import Source
    from lazaretto.app.rendering import OutputModule
    from lazaretto.app.replay import Replay
    from lazaretto.app.replay_world import Builder
    from lazaretto.app.shelf import Advise
    from lazaretto.core.finding import Detector
    from lazaretto.infra.advisories import SqliteAdvisories
    from lazaretto.infra.analysts import Analysts
    from lazaretto.infra.engine import Engine, InlineEngine
    from lazaretto.infra.feed_keeper import FeedKeeper
    from lazaretto.infra.intelligence import SqliteIntelligence
    from lazaretto.infra.ledger import Ledger
    from lazaretto.infra.stores import Stores
    from lazaretto.settings.firewall import FirewallSettings

DATA = Path(__file__).parent / "data"


class App:
    """Everything a surface needs, made on first use. Close it (or use ``with``) to end the readers.

    A ``service`` reads one stranger after another: each reader is for one artifact, and the registries are those of
    the firewall's settings.
    """

    def __init__(
        self,
        settings: Settings,
        progress: Callable[[str], None] = lambda _: None,
        *,
        service: bool = False,
        clock: Clock | None = None,
        max_age: float = 0.0,
    ) -> None:
        """``clock``: the system's unless the caller brings one; ``max_age``, in seconds: see ``infra.index_pages``."""
        self.settings = settings
        self._clock = clock
        self._progress = progress
        self._service = service
        self._max_age = max_age
        self._expected: frozenset[str] = frozenset()
        self._registries: dict[str, Registry] = {}
        self._upstreams: dict[str, Upstream] = {}
        self._engine: Engine | InlineEngine | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the readers and close the stores."""
        for thing in (self._engine, *self._registries.values(), *self._upstreams.values()):
            close = getattr(thing, "close", None)
            if close is not None:
                close()
        self._engine = None

    @cached_property
    def languages(self) -> tuple[LanguageModule, ...]:
        """Every language module."""
        modules = _plugins.discover("lazaretto.languages", ("ID", "VERSION", "DIALECTS", "claim", "read"))
        return cast("tuple[LanguageModule, ...]", modules)

    @cached_property
    def detectors(self) -> "tuple[Detector, ...]":
        """Every detector, and those of third parties that the settings name."""
        modules = _plugins.discover("lazaretto.detectors", ("CARD", "EXAMPLES", "detect"), self.settings.detectors)
        return cast("tuple[Detector, ...]", modules)

    @cached_property
    def rules(self) -> "Rules":
        """What judges. Raises PluginError if a detector's variant has no row in the weight table."""
        from lazaretto.app.analyse import Rules
        from lazaretto.core.weight import WeightTable, row_key

        table = msgspec.json.decode((DATA / "weights.json").read_bytes(), type=WeightTable)
        for detector in self.detectors:
            for variant in detector.CARD.variants:
                if (key := row_key(detector.CARD.id, variant)) not in table.weights:
                    raise _plugins.PluginError(f"{key} has no row in weight table {table.version}")
        return Rules(self.detectors, self.claim, table, self.settings.policy, well_known)

    @cached_property
    def rules_version(self) -> str:
        """One name for the product, the languages, the detectors and the weights together."""
        parts = [f"{language.ID}={language.VERSION}" for language in self.languages]
        parts += [f"{detector.CARD.id}={detector.CARD.version}" for detector in self.detectors]
        parts += [self.rules.table.version, sha256((DATA / "weights.json").read_bytes()).hexdigest()]
        return f"{__version__}+{sha256('|'.join(parts).encode()).hexdigest()[:12]}"

    def claim(self, path: str, data: bytes) -> Claim | None:
        """Return the best offer to read a file; of equal ones that of the first module by name."""
        offers = [offer for language in self.languages if (offer := language.claim(path, data)) is not None]
        return max(offers, key=lambda offer: offer.rank, default=None)

    @cached_property
    def engine(self) -> "Engine | InlineEngine":
        """The confined readers; with ``workers = 0`` everything is read in this process, without protection."""
        from lazaretto.infra.engine import engine_for
        from lazaretto.infra.facts_cache import FactsCache

        cache, workers = FactsCache(self.settings.cache_dir), self.settings.workers
        self._engine = engine_for(self.languages, workers, cache, self._expected, service=self._service)
        return self._engine

    def expect(self, *ecosystems: str) -> None:
        """Say early which ecosystems' releases will be read: what this takes is loaded beside everything else."""
        self._expected = frozenset(ecosystems)
        _ = self.engine

    @cached_property
    def clock(self) -> Clock:
        """What tells the time: the caller's, or the system's."""
        from lazaretto.infra.clock import SystemClock

        return self._clock or SystemClock()

    @property
    def journal(self) -> Journal:
        """The journal of verdicts."""
        return self.stores.journal

    def ecosystem(self, identifier: str) -> Ecosystem:
        """Return an ecosystem by its id. Raises PluginError if there is none."""
        if identifier not in (known := self._ecosystem_names):
            raise _plugins.PluginError(f"no ecosystem {identifier!r} (there are: {', '.join(known)})")
        return cast("Ecosystem", _plugins.load(f"lazaretto.ecosystems.{identifier}", ("ECOSYSTEM",)).ECOSYSTEM)

    @cached_property
    def ecosystems(self) -> dict[str, Ecosystem]:
        """Every ecosystem by its id."""
        return {name: self.ecosystem(name) for name in self._ecosystem_names}

    @cached_property
    def _ecosystem_names(self) -> tuple[str, ...]:
        return _plugins.names("lazaretto.ecosystems")

    def registry(self, identifier: str) -> Registry:
        """Return the configured registry of an ecosystem. Raises PortError if the configuration names none."""
        if identifier not in self._registries:
            from lazaretto.infra.cached_registry import CachedRegistry

            # What a service hands out is kept once, and bounded with what it has read.
            blobs = self.stores.here if self._service else None
            folder = self.settings.cache_dir / "artifacts"
            self._registries[identifier] = CachedRegistry(self.upstream(identifier), folder, blobs)
        return self._registries[identifier]

    def upstream(self, identifier: str) -> Upstream:
        """Return the same registry without a cache, with its pages as they were sent. Raises as ``registry``."""
        if identifier not in self._upstreams:
            self._upstreams[identifier] = self._upstream(identifier)
        return self._upstreams[identifier]

    def _upstream(self, identifier: str) -> Upstream:
        cache, environment = self.settings.cache_dir, dict(os.environ)
        if self._service:
            from lazaretto.infra.upstreams import serving

            return serving(identifier, self.firewall, cache, environment)
        from lazaretto.infra.registries import configured

        return configured(identifier, cache, environment, max_age=self._max_age, clock=self.clock)

    @property
    def firewall(self) -> "FirewallSettings":
        """The settings of the firewall, or its defaults."""
        from lazaretto.settings.firewall import FirewallSettings

        return self.settings.firewall or FirewallSettings()

    @cached_property
    def stores(self) -> "Stores":
        """Where journal, ledger and blobs are."""
        from lazaretto.infra.stores import Stores

        return Stores(self.settings.state_dir, self.settings.cache_dir, self.settings.state)

    @property
    def ledger(self) -> "Ledger":
        """The firewall's ledger."""
        return self.stores.ledger

    @property
    def served_blobs(self) -> BlobStore:
        """What the firewall hands out, and the reports on it. Kept with the state: it is evidence."""
        return self.stores.blobs

    @cached_property
    def analysts(self) -> "Analysts":
        """The processes that read for the firewall; they start at once, and load what a reading needs."""
        from lazaretto.app.appraise import failed
        from lazaretto.core.policy import Outage
        from lazaretto.infra.analysts import Analysts

        def give_up(request: ReadRequest, why: str) -> ReadAnswer:
            now, policy = self.clock.now(), self.settings.policy
            return failed(why, policy, now, told=request.told, outage=Outage.READER)

        config = [self.settings.source] if Path(self.settings.source).is_file() else []
        command = [sys.executable, "-m", "lazaretto.surfaces.firewall.analyst", *config]
        return Analysts(command, self.firewall.analysts, give_up)

    @cached_property
    def advisories(self) -> "SqliteAdvisories":
        """The advisories that lie here. A cache: they are made again from their sources."""
        from lazaretto.infra.advisories import SqliteAdvisories

        return SqliteAdvisories(self.settings.cache_dir, {name: one.name for name, one in self.ecosystems.items()})

    @cached_property
    def adviser(self) -> "Adviser":
        """What advisories say to the gate; nothing, where the settings name no source."""
        from lazaretto.app.advice import Adviser

        names = [one.name for one in self.firewall.advisories]
        return Adviser(self.advisories, names, self.ecosystems, self.firewall.ruling, self.clock.now)

    @cached_property
    def book(self) -> "SqliteIntelligence":
        """The intelligence that was imported."""
        return self.stores.intelligence({name: one.name for name, one in self.ecosystems.items()})

    def intelligence(self, identifier: str) -> "Intelligence | None":
        """Return what is asked of a release; None where nothing was imported, and the settings ask for nothing."""
        if not (self.stores.informed or self.settings.intelligence):
            return None
        from lazaretto.app.intelligence.obey import Intelligence, Rules

        return Intelligence(self.book, self.ecosystem(identifier), self.settings.intelligence or Rules())

    def feed_keeper(
        self, changed: "Callable[[frozenset[Project]], None]", problem: Callable[[str], None]
    ) -> "FeedKeeper":
        """Return what brings the advisories up to date, not yet started. Raises PluginError for a feed that is none."""
        from lazaretto.infra.feed_keeper import FeedKeeper, places

        return FeedKeeper(
            places(self.firewall.advisories, dict(os.environ)),
            self.settings.cache_dir,
            self.advisories,
            changed,
            problem,
        )

    def gate(self) -> "Gate":
        """Return the firewall's gate. Raises PortError if no registry is configured for an ecosystem."""
        from lazaretto.app.gate import Gate
        from lazaretto.app.shelf import no_advice

        advise: Advise = self.adviser if self.firewall.advisories else no_advice
        if self.stores.informed or self.settings.intelligence:
            from lazaretto.infra.heeding import advising

            advise = advising(advise, self.book, self.ecosystems, self.settings.intelligence, self.clock.now)
        return Gate(
            ecosystems=self.ecosystems,
            upstreams={name: self.upstream(name) for name in self.ecosystems},
            ledger=self.ledger,
            blobs=self.served_blobs,
            readings=self.analysts,
            policy=self.firewall.policy,
            holder=f"{os.getpid()}-{os.urandom(4).hex()}",
            clock=self.clock,
            advise=advise,
            fresh=self.firewall.page_age,
        )

    def prepare(self) -> None:
        """Load all that a reading needs."""
        _ = self.engine, self.rules_version, self.journal, [self.asker(identifier) for identifier in self.ecosystems]

    def appraise(self, request: ReadRequest) -> ReadAnswer:
        """Read one artifact for the firewall, with a fresh look at the index. Never raises a PortError."""
        from lazaretto.app.appraise import appraise

        self._registries.clear()
        asker = self.asker(request.ecosystem)
        registry = late(lambda: self.registry(request.ecosystem))
        try:
            return appraise(request, asker, registry, self.served_blobs, self.settings.policy, self.clock.now())
        finally:
            self.engine.rest()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know about the registries that were asked: no verified TLS, indexes by priority."""
        asked = (self._registries[name] for name in sorted(self._registries))
        return tuple(dict.fromkeys(note for registry in asked for note in getattr(registry, "notes", ())))

    def replays(self, path: Path) -> "list[Replay]":
        """Return the replays in a folder or a folder of folders. Raises ReplayFormatError."""
        from lazaretto.infra.replay_folder import find_replays, read_replay

        return [read_replay(folder) for folder in find_replays(path)]

    def replay_builder(self) -> "Builder":
        """Return what puts a replay back on a registry."""
        from lazaretto.app.replay_world import Builder
        from lazaretto.infra.blobs import BlobFolder

        return Builder(
            ecosystems=self.ecosystems,
            registries={name: late(partial(self.registry, name)) for name in self.ecosystems},
            unpack=self.engine.unpack,
            blobs=BlobFolder(self.settings.cache_dir / "blobs"),
        )

    def asker(self, identifier: str, soon: "Sequence[Source]" = ()) -> "Asker":
        """Return the use case that answers for one ecosystem. ``soon``: archives that it will be asked about next."""
        if not self._expected:
            self.expect(identifier)
        engine = self.engine  # first: its readers start while the rest is imported, and no thread exists yet
        engine.ahead([(source.artifact, source.data) for source in soon])
        from lazaretto.app.analyse import Rules  # noqa: F401 - half of what is to be imported

        engine.turn()
        from lazaretto.app.ask import Asker

        engine.turn()
        rules = self.rules
        engine.turn()
        return Asker(
            ecosystem=self.ecosystem(identifier),
            registry=late(lambda: self.registry(identifier)),
            engine=engine,
            rules=rules,
            journal=self.journal,
            rules_version=self.rules_version,
            progress=self._progress,
            attester=cache(partial(self._attester, identifier)),
            intelligence=cache(partial(self.intelligence, identifier)),
        )

    def _attester(self, identifier: str) -> "Attester | None":
        """Return what reads, or verifies, what is signed for releases. Raises AttestationError, PluginError."""
        from lazaretto.infra.attestations import attester

        return attester(identifier, self.upstream(identifier), self.settings.cache_dir, self.settings.policy)


@cache
def well_known(ecosystem: str) -> frozenset[str]:
    """Return the shipped names of much-downloaded projects of an ecosystem; empty if none are shipped."""
    path = DATA / "names" / f"{ecosystem}.txt"
    return frozenset(path.read_text("utf-8").split()) if path.is_file() else frozenset()


def output_names() -> tuple[str, ...]:
    """Return the names for ``--format``."""
    return _plugins.names("lazaretto.outputs")


def output(name: str) -> "OutputModule":
    """Return an output module. Raises PluginError if there is none of this name."""
    return cast("OutputModule", _plugins.load(f"lazaretto.outputs.{name}", ("FORMAT", "render")))


def lockfiles() -> Sequence[object]:
    """Return every lockfile module."""
    return _plugins.discover("lazaretto.lockfiles", ("MATCHES", "ECOSYSTEM", "parse"))


def examiners() -> Sequence[object]:
    """Return what looks at each client for the doctor."""
    return _plugins.discover("lazaretto.app.doctor.clients", ("CLIENT", "examine"))
