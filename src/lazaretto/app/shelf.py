"""What the gate knows of projects, in memory: their pages, what the ledger says of them, and where they stand.

Everything here can be forgotten: pages are asked for again, and the ledger is the record. A page is asked for anew
after a while; if that fails, the last one counts on, since nothing is permitted by a page alone.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import Any

from msgspec import Struct, field

from lazaretto.app.ports import Ecosystem, IndexPage, Ledger, NotFound, RegistryError, Untrusted, Upstream
from lazaretto.core.firewall_policy import Disruption, FirewallPolicy, Mode
from lazaretto.core.model import Project
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.page_standing import Layout, PageStanding, lay_out, stand
from lazaretto.core.policy import Outcome
from lazaretto.core.standing import Decision, Identity, Known, told_digest

FRESH = timedelta(seconds=60)
"""How long a page counts as what the index says now, unless the settings say otherwise."""

STANDING = timedelta(seconds=60)
"""How long a standing counts as where things are now where advisories are asked: what they say changes by itself."""

MAX_STANDING = timedelta(minutes=10)
"""How long it counts where none are, if no time passes meanwhile that a decision or the policy speaks of."""

RETRY = timedelta(seconds=10)
"""After how long an index that could not be asked is asked again."""

MAX_PAGE_BYTES = 256 << 20
"""Bytes of pages that are kept in memory; the longest unused go first."""


MAX_PROJECTS = 20_000
"""Projects of which anything is kept in memory, also those that do not exist; the longest unused go first."""


class Advice(Struct, frozen=True):
    """What advisories say of a project: see ``core.standing.Known``. None of ``against``: they could not be asked."""

    against: Mapping[Version, str] | None = {}
    fixes: Mapping[Version, str] = {}
    since: Mapping[Version, datetime] = {}
    held: frozenset[Version] = frozenset()

    def known(self, identities: Sequence[Identity], decisions: Sequence[Decision]) -> Known:
        """Return it together with what the ledger says."""
        return Known(tuple(identities), tuple(decisions), self.against, self.fixes, self.since, self.held)


Advise = Callable[[str, ProjectName, Sequence[Version]], Advice]
"""Ecosystem, project, its versions in ascending order (or those in question) -> what advisories say of them."""


def no_advice(_ecosystem: str, _name: ProjectName, _versions: Sequence[Version]) -> Advice:
    """Say nothing: no advisories were asked for."""
    return Advice()


class View(Struct, frozen=True):
    """A page and where it stands, for one group of clients. ``key`` changes when what would be printed does."""

    page: IndexPage
    project: Project
    standing: PageStanding
    policy: FirewallPolicy
    key: str

    @property
    def shown(self) -> dict[str, Version]:
        """The files that a client sees, each with its version; all of them where nothing is enforced."""
        hidden = self.standing.hidden if self.policy.mode is Mode.ENFORCE else frozenset()
        return {name: one.version for name, one in self.standing.files.items() if name not in hidden}

    @property
    def tags(self) -> Mapping[str, Version] | None:
        """Where tags point for a client; None: where they pointed."""
        return self.standing.tags if self.policy.mode is Mode.ENFORCE else None


class OnRecord(Struct, eq=False):
    """What the ledger says of a project, as of ``epoch``. ``mark``: that of the ledger when this was last found so.

    ``judged`` is what the gate last made of it for a file and a group, when, and on what advice.
    """

    epoch: tuple[int, int]
    decisions: tuple[Decision, ...]
    identities: tuple[Identity, ...]
    mark: tuple[int, int] | None = None
    judged: dict[object, tuple[datetime, Advice, Any]] = field(default_factory=dict)
    _by_file: dict[str, tuple[list[Identity], list[Decision]]] = field(default_factory=dict)

    def of(self, filename: str) -> tuple[list[Identity], list[Decision]]:
        """Return what is on record of one file."""
        if not self._by_file:
            for identity in self.identities:
                self._by_file.setdefault(identity.filename, ([], []))[0].append(identity)
            for decision in self.decisions:
                self._by_file.setdefault(decision.filename, ([], []))[1].append(decision)
        return self._by_file.get(filename, ([], []))


class Laid(Struct, eq=False):
    """A page as the index sent it, what it says, and the views of it: another page has others, and no view outlives it.

    ``told`` has the digest of each file as the page tells it.
    """

    page: IndexPage
    project: Project
    layout: Layout
    digest: str
    told: Mapping[str, str]
    views: dict[str, "_Shown"] = field(default_factory=dict)


class Entry(Struct, eq=False):
    """One project. ``lock`` is held by whoever asks the index; the rest is replaced as a whole."""

    ecosystem: str
    name: ProjectName
    lock: Lock = field(default_factory=Lock)
    laid: Laid | None = None
    asked: datetime | None = None
    known: OnRecord | None = None

    @property
    def size(self) -> int:
        """Bytes of the page."""
        return len(self.laid.page.body) if self.laid is not None else 0


class _Shown(Struct, frozen=True):
    """A view, what of the ledger it rests on, and from when until when it counts."""

    view: View
    known: OnRecord
    since: datetime
    until: datetime


class Shelf:
    """The projects that were asked for, by ecosystem and name. Several threads may use it."""

    def __init__(
        self,
        ecosystems: Mapping[str, Ecosystem],
        upstreams: Mapping[str, Upstream],
        ledger: Ledger,
        policy: FirewallPolicy,
        advise: Advise = no_advice,
        fresh: timedelta = FRESH,
    ) -> None:
        """``fresh``: how long a page counts as what the index says now."""
        self._ecosystems = ecosystems
        self._upstreams = upstreams
        self._ledger = ledger
        self._policy = policy
        self._advise = advise
        self._fresh = fresh
        self._lock = Lock()
        self._entries: OrderedDict[tuple[str, ProjectName], Entry] = OrderedDict()
        self._bytes = 0

    def view(self, ecosystem: str, name: ProjectName, group: str | None, now: datetime) -> View:
        """Return a project's page and where it stands now.

        Raises:
            NotFound: the index has no such project.
            RegistryError: the index cannot be asked, and its page was never seen.
            LedgerError: the ledger cannot be read, or what is new cannot be written.
        """
        entry = self.entry(ecosystem, name)
        self._freshen(entry, now)
        known, laid = self.known(entry), entry.laid
        if laid is None:  # whoever asks the index at this moment has just heard that there is none
            raise NotFound(f"the index has no project {entry.name}")
        shown = laid.views.get(group or "")
        if shown is not None and shown.known is known and shown.since <= now < shown.until:
            return shown.view
        view = self._stand(entry, laid, known, self._policy.of(group), now)
        laid.views[group or ""] = _Shown(view, known, now, self._until(view, known, now))
        return view

    def mark(self) -> tuple[int, int]:
        """Return what changes with everything that is seen or decided. Raises LedgerError."""
        return self._ledger.mark()

    def peek(
        self, ecosystem: str, name: ProjectName, group: str | None, now: datetime, mark: tuple[int, int]
    ) -> View | None:
        """Return the view if it still counts and nobody needs to be asked; never waits. Raises LedgerError.

        ``mark`` is the ledger's, asked for after the view was: one for all that is asked at the same moment.
        """
        entry = self._entries.get((ecosystem, name))
        laid = entry.laid if entry is not None else None
        shown = laid.views.get(group or "") if laid is not None else None
        if entry is None or shown is None or self._due(entry, now) or not shown.since <= now < shown.until:
            return None
        return shown.view if self._stands(entry, shown.known, mark) else None

    def peeked(self, ecosystem: str, name: ProjectName, mark: tuple[int, int]) -> tuple[Entry, OnRecord] | None:
        """Return what is known of a project if it is in memory; never waits. Raises LedgerError."""
        entry = self._entries.get((ecosystem, name))
        known = entry.known if entry is not None else None
        return (entry, known) if entry is not None and known is not None and self._stands(entry, known, mark) else None

    def _stands(self, entry: Entry, known: OnRecord, mark: tuple[int, int]) -> bool:
        """Whether the ledger says no more of a project than this, where it says nothing beyond ``mark`` at all."""
        if known.mark != mark:
            if known.epoch != self._ledger.epoch(entry.ecosystem, entry.name):
                return False
            known.mark = mark
        return True

    def entry(self, ecosystem: str, name: ProjectName) -> Entry:
        """Return what is in memory of a project; ``known`` says what the ledger has."""
        with self._lock:
            entry = self._entries.setdefault((ecosystem, name), Entry(ecosystem, name))
            self._entries.move_to_end((ecosystem, name))
            if len(self._entries) > MAX_PROJECTS:
                self._drop(next(iter(self._entries)))
            return entry

    def known(self, entry: Entry) -> OnRecord:
        """Return what the ledger says now: what anyone has seen, or decided, is read again if there is more of it.

        Which digest of a file was the first is the ledger's word: another replica may have seen one before us.
        """
        epoch = self._ledger.epoch(entry.ecosystem, entry.name)
        known = entry.known
        if known is None or known.epoch != epoch:
            (decided, seen), last = epoch, known if known is not None else OnRecord((0, 0), (), ())
            decisions, identities = last.decisions, last.identities
            if decided != last.epoch[0]:
                decisions = self._ledger.decisions(entry.ecosystem, entry.name)
            if seen != last.epoch[1]:
                identities = self._ledger.identities(entry.ecosystem, entry.name)
            known = entry.known = OnRecord(epoch, decisions, identities)
        return known

    def forget(self, ecosystem: str, name: ProjectName) -> None:
        """Ask the index anew at the next request."""
        self.entry(ecosystem, name).asked = None

    def _freshen(self, entry: Entry, now: datetime) -> None:
        """Ask the index if it is time. Who finds someone else asking takes the page that there is."""
        if not self._due(entry, now):
            return
        if not entry.lock.acquire(blocking=entry.laid is None):
            return
        try:
            if self._due(entry, now):  # whoever held the lock before us may have done it
                self._ask(entry, now)
        finally:
            entry.lock.release()

    def _due(self, entry: Entry, now: datetime) -> bool:
        return entry.laid is None or entry.asked is None or not timedelta() <= now - entry.asked < self._fresh

    def _ask(self, entry: Entry, now: datetime) -> None:
        upstream = self._upstreams[entry.ecosystem]
        try:
            page = upstream.page(entry.name)
            self._take(entry, page, now)
            entry.asked = now
        except NotFound:
            with self._lock:
                self._bytes -= entry.size
            entry.laid = entry.asked = None
            raise
        except RegistryError:
            if self._policy.on(Disruption.UPSTREAM_DOWN) is not Outcome.ALLOW:
                raise
            if entry.laid is None:
                kept = upstream.kept(entry.name)
                if kept is None:
                    raise
                self._take(entry, kept, now)
            entry.asked = now - self._fresh + min(RETRY, self._fresh)

    def _take(self, entry: Entry, page: IndexPage, now: datetime) -> None:
        """Put a page on the shelf, and write down which digests it tells that were never told before."""
        digest = sha256(page.body).hexdigest()
        if entry.laid is not None and digest == entry.laid.digest:
            return
        try:
            ecosystem = self._ecosystems[entry.ecosystem]
            project = ecosystem.index(entry.name, page.body, page.media_type, page.url)
        except ValueError as error:
            raise Untrusted(str(error)) from None
        self._note(entry, project, now)
        with self._lock:
            self._bytes += len(page.body) - entry.size
        layout = lay_out(project, ecosystem)
        entry.laid = Laid(page, project, layout, digest, {name: told for _, name, told, _ in layout.files})
        self._shrink()

    def _note(self, entry: Entry, project: Project, now: datetime) -> None:
        known = self.known(entry)
        seen = {(one.filename, one.told) for one in known.identities}
        new = []
        for release in project.releases:
            for artifact in release.artifacts:
                told = told_digest(artifact)
                if (artifact.filename, told) not in seen:
                    published = artifact.uploaded or release.published
                    named = (entry.ecosystem, entry.name, release.version, artifact.filename, told)
                    new.append(Identity(*named, now, published))
        if new:
            self._ledger.note(new)

    def _shrink(self) -> None:
        with self._lock:
            while self._bytes > MAX_PAGE_BYTES and len(self._entries) > 1:
                self._drop(next(iter(self._entries)))

    def _drop(self, key: tuple[str, ProjectName]) -> None:
        entry = self._entries.pop(key)
        self._bytes -= entry.size

    def _stand(self, entry: Entry, laid: Laid, known: OnRecord, policy: FirewallPolicy, now: datetime) -> View:
        project = laid.project
        advice = self._advise(entry.ecosystem, entry.name, [release.version for release in project.releases])
        everything = advice.known(known.identities, known.decisions)
        standing = stand(project, laid.layout, everything, policy, now, self._ecosystems[entry.ecosystem])
        seen = f"{laid.digest}\n{policy.mode}\n{sorted(standing.hidden)}\n{sorted(standing.tags.items())}"
        return View(laid.page, project, standing, policy, sha256(seen.encode("utf-8", "surrogatepass")).hexdigest())

    def _until(self, view: View, known: OnRecord, now: datetime) -> datetime:
        """Return until when a view counts: as long as no time passes that makes a difference to a judgement."""
        if self._advise is not no_advice:
            return now + STANDING
        policy = view.policy
        ages = {policy.horizon, policy.cooldown or timedelta()}
        published = {
            one.uploaded or release.published for release in view.project.releases for one in release.artifacts
        }
        times = [at + age for at in published if at is not None for age in ages]
        times += [one.expires for one in known.decisions if one.expires is not None]
        return min([now + MAX_STANDING, *(at for at in times if at > now)])
