"""Check a project: ask about every release that its lockfiles fix, and compare what they fix with the index."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import replace

from lazaretto.app.analyse import Question
from lazaretto.app.ask import Asker
from lazaretto.app.pins import Place, Wanted
from lazaretto.app.ports import Ecosystem, Journal, JournalError, PortError, Registry, Unavailable
from lazaretto.app.report import ReportedPlace, UpdateReport
from lazaretto.core.model import Artifact
from lazaretto.core.names import ProjectName, Version

if TYPE_CHECKING:
    from concurrent.futures import Future

LOOK_AHEAD = 8
"""Releases whose artifacts are fetched while an earlier one is read."""

THREADS = 4
"""Releases that are prepared at the same time."""

PAGES_AHEAD = 24
"""Releases whose index pages are asked for meanwhile: where every answer is known, that is all one waits for."""

PAGE_THREADS = 8
"""Index pages that are asked for at the same time."""

GIVE_UP_AFTER = 5
"""Answers in a row that a registry may owe before it is not asked again in this run."""

_ARCHIVES = (".tgz", ".tar.gz", ".whl", ".zip")


class House(Protocol):
    """What a check needs of the application."""

    @property
    def journal(self) -> Journal:
        """The journal of verdicts."""
        ...

    def ecosystem(self, identifier: str) -> Ecosystem:
        """Return an ecosystem by its id."""
        ...

    def registry(self, identifier: str) -> Registry:
        """Return the configured registry of an ecosystem. Raises PortError."""
        ...

    def asker(self, identifier: str) -> Asker:
        """Return the use case that answers for one ecosystem."""
        ...


class Checked(Struct, frozen=True):
    """The answers, in the order asked; what could not be checked, with its places; and where each release is pinned."""

    updates: tuple[UpdateReport, ...]
    problems: tuple[str, ...]
    places: tuple[ReportedPlace, ...]


class Stage(Protocol):
    """Told how far a check is."""

    def stage(self, prefix: str) -> None:
        """Put ``prefix`` before everything that is told from now on."""
        ...

    def __call__(self, text: str) -> None:
        """Tell what is being done."""
        ...


def check(house: House, wanted: Sequence[Wanted], now: datetime, progress: Stage) -> Checked:
    """Ask about every release in turn, while the next ones are fetched.

    A release that cannot be asked about is a problem at each of its places, never left out.

    Raises:
        EngineError: no reader can be made.
        JournalError: the journal cannot be read or written.
    """
    run = _Run(house, now, progress)
    for name in sorted({one.ecosystem for one in wanted}):
        run.askers[name] = house.asker(name)
        with suppress(PortError):  # made before threads ask for it: each would make its own, with its own connections
            house.registry(name)
    for number, (one, ready) in enumerate(_ahead(wanted, run.page, run.prepare), 1):
        progress.stage(f"[{number}/{len(wanted)}] {one.project} {one.version}: ")
        progress("waiting for the registry")
        ready()
        run.ask(one)
    return Checked(tuple(run.updates), tuple(run.problems), tuple(run.places))


def _ahead(
    wanted: Sequence[Wanted], page: Callable[[Wanted], None], prepare: Callable[[Wanted], None]
) -> Iterator[tuple[Wanted, Callable[[], None]]]:
    """Yield each with what waits for its preparation; the next ones are being prepared meanwhile, within bounds."""
    from concurrent.futures import ThreadPoolExecutor

    pages = ThreadPoolExecutor(max_workers=PAGE_THREADS, thread_name_prefix="page")
    pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="prepare")
    asked: deque[Future[None]] = deque()
    begun: deque[Future[None]] = deque()
    try:
        for number, one in enumerate(wanted):
            while len(asked) <= PAGES_AHEAD and number + len(asked) < len(wanted):
                asked.append(pages.submit(page, wanted[number + len(asked)]))
            while len(begun) <= LOOK_AHEAD and number + len(begun) < len(wanted):
                begun.append(pool.submit(prepare, wanted[number + len(begun)]))
            asked.popleft()
            yield one, begun.popleft().result
    finally:
        for executor in (pages, pool):
            executor.shutdown(wait=False, cancel_futures=True)


class _Run:
    """One run of a check: its answers, and what went wrong."""

    def __init__(self, house: House, now: datetime, progress: Stage) -> None:
        self._house = house
        self._now = now
        self._progress = progress
        self._owed: dict[str, int] = {}
        self.askers: dict[str, Asker] = {}
        self.updates: list[UpdateReport] = []
        self.problems: list[str] = []
        self.places: list[ReportedPlace] = []

    def page(self, one: Wanted) -> None:
        """Ask ahead for the index page; failures show when the question is asked."""
        if self._given_up(one):
            return
        with suppress(PortError):
            self._renewed(one)

    def _renewed(self, one: Wanted) -> None:
        """Ask for a page that was taken as it was some minutes ago, if a release is newer. Raises PortError."""
        registry = self._house.registry(one.ecosystem)
        if registry.project(one.project).release(one.version) is None:
            renew: Callable[[ProjectName], bool] | None = getattr(registry, "renew", None)
            if renew is not None and renew(one.project):
                registry.project(one.project)

    def prepare(self, one: Wanted) -> None:
        """Fetch ahead what the question will need; failures show when it is asked."""
        if self._given_up(one):
            return
        try:
            question, _ = self._question(one)
            self.askers[one.ecosystem].prepare(question, self._now)
        except PortError:
            return

    def ask(self, one: Wanted) -> None:
        """Ask, and note the answer or the problem."""
        if self._given_up(one):
            self._problem(
                one, f"the {one.ecosystem} registry did not answer {GIVE_UP_AFTER} times in a row; not asked again"
            )
            return
        try:
            self._renewed(one)
            question, remarks = self._question(one)
            update = self.askers[one.ecosystem].release(question, self._now)
            artifacts = self._artifacts(one)
        except JournalError:
            raise
        except PortError as error:
            self._owed[one.ecosystem] = self._owed.get(one.ecosystem, 0) + 1 if isinstance(error, Unavailable) else 0
            self._problem(one, str(error))
            return
        self._owed[one.ecosystem] = 0
        for place in one.places:
            self.places.append(ReportedPlace(update.purl, place.path, place.line))
            wrong, unasked = _compare(place, artifacts)
            if wrong is not None:
                self.problems.append(f"{place}: {one.project} {one.version}: {wrong}")
            remarks += [unasked] if unasked is not None and unasked not in remarks else []
        self.updates.append(replace(update, not_asked=(*update.not_asked, *remarks)) if remarks else update)

    def _problem(self, one: Wanted, text: str) -> None:
        self.problems += [f"{place}: {one.project} {one.version}: {text}" for place in one.places]

    def _given_up(self, one: Wanted) -> bool:
        return self._owed.get(one.ecosystem, 0) >= GIVE_UP_AFTER

    def _question(self, one: Wanted) -> tuple[Question, list[str]]:
        """Return the question, and a remark if it cannot be the user's own update. Raises PortError."""
        if one.before is None:
            return Question(one.project, one.version), []
        why = self._unfit(one.ecosystem, one.project, one.before)
        if why is None:
            return Question(one.project, one.version, before=one.before), []
        return Question(one.project, one.version), [f"against {one.before}, which the project had: {why}"]

    def _unfit(self, ecosystem: str, project: ProjectName, before: Version) -> str | None:
        """Return why the version that the project had cannot be measured against, None if it can."""
        known = self._house.registry(ecosystem).project(project).release(before)
        if known is None or not known.artifacts:
            return "the index no longer has it"
        if before in self._house.journal.suspects(ecosystem, project):
            return "its own latest verdict is not allow"
        return None

    def _artifacts(self, one: Wanted) -> tuple[Artifact, ...]:
        """Return the artifacts of a release; a single one with digests of the kinds that the lockfile fixes."""
        registry = self._house.registry(one.ecosystem)
        release = registry.project(one.project).release(one.version)
        artifacts = release.artifacts if release is not None else ()
        fixed = {text.partition(":")[0] for place in one.places for text in place.digests}
        if len(artifacts) != 1 or not fixed or fixed & artifacts[0].digests.keys():
            return artifacts
        data = registry.download(artifacts[0])
        computed = {name: hashlib.new(name, data, usedforsecurity=False).hexdigest() for name in sorted(fixed)}
        return (replace(artifacts[0], digests={**artifacts[0].digests, **computed}),)


def _compare(place: Place, artifacts: Sequence[Artifact]) -> tuple[str | None, str | None]:
    """Return what is wrong with what a lockfile fixes, and what of it could not be compared with the index."""
    told: dict[str, set[str]] = {}
    for artifact in artifacts:
        for algorithm, digest in artifact.digests.items():
            told.setdefault(algorithm, set()).add(digest.lower())
    fixed = [(algorithm, digest) for algorithm, _, digest in (text.partition(":") for text in place.digests)]
    for algorithm, digest in fixed:
        if algorithm in told and digest not in told[algorithm]:
            known = sorted(told[algorithm])
            index = f"{algorithm} {known[0]}" if len(known) == 1 else f"{len(known)} others"
            return f"the lockfile fixes {algorithm} {digest}, but the index names {index}: not the same bytes", None
    if any(algorithm in told for algorithm, _ in fixed):
        return None, None
    if fixed:
        names = ", ".join(sorted({algorithm for algorithm, _ in fixed}))
        return None, f"whether the {names} of the lockfile is the index's: this registry tells none"
    address = place.location or ""
    named = address.startswith(("http:", "https:")) and address.partition("#")[0].endswith(_ARCHIVES)
    if named and all(address != artifact.url for artifact in artifacts):
        return f"the lockfile takes it from {address}, where the index does not have it, and fixes no digest", None
    return None, None
