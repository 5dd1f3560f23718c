"""The gate: the one place through which pages and artifacts go out, and where readings become decisions.

Whatever is asked for, by whichever door, ends in ``core.standing``. Nothing is handed out in enforce mode unless what
stands at that moment allows exactly its digest, and nothing before it is written down that it is handed out.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import cast

from msgspec.structs import replace

from lazaretto.app.item import Item, Refused, served
from lazaretto.app.ports import (
    BlobStore,
    Clock,
    Ecosystem,
    JournalError,
    Ledger,
    LedgerError,
    NotFound,
    PortError,
    ReadAnswer,
    Readings,
    ReadRequest,
    Served,
    Untrusted,
    Upstream,
    Urgency,
)
from lazaretto.app.shelf import FRESH, Advise, Entry, OnRecord, Shelf, View, no_advice
from lazaretto.core.access import Viewer
from lazaretto.core.act import Act
from lazaretto.core.firewall_policy import Disruption, FirewallPolicy, Mode
from lazaretto.core.model import Artifact
from lazaretto.core.names import Digest, ProjectName, Version
from lazaretto.core.policy import Outcome
from lazaretto.core.standing import Basis, Decision, Identity, Judge, Place, Standing, told_digest

ITSELF = "firewall"
"""Who is named for what the firewall does by itself."""

LEASE = timedelta(seconds=15)
"""After how long another replica may begin a reading whose replica has not said that it goes on (``Gate.renew``)."""

MOMENT = timedelta(seconds=1)
"""How long an artifact stands where it stood, as far as only the time has passed."""

_STRONG = ("sha512", "sha384", "sha256")


class Gate:
    """Decides and hands out. Several threads may use it; every method may wait for disk, index or registry."""

    def __init__(
        self,
        ecosystems: Mapping[str, Ecosystem],
        upstreams: Mapping[str, Upstream],
        ledger: Ledger,
        blobs: BlobStore,
        readings: Readings,
        policy: FirewallPolicy,
        holder: str,
        clock: Clock,
        advise: Advise = no_advice,
        fresh: timedelta = FRESH,
    ) -> None:
        """``holder`` names this replica in leases, which end by ``clock``; ``fresh`` is the shelf's."""
        self._ecosystems = ecosystems
        self._upstreams = upstreams
        self._ledger = ledger
        self._blobs = blobs
        self._readings = readings
        self._policy = policy
        self._holder = holder
        self._clock = clock
        self._advise = advise
        self._lock = Lock()
        self._running: dict[ReadRequest, Future[bool]] = {}
        self.shelf = Shelf(ecosystems, upstreams, ledger, policy, advise, fresh)

    def page(self, ecosystem: str, name: ProjectName, viewer: Viewer, now: datetime) -> View:
        """Return a project's page and what of it may be seen; sound the alarm for what has another digest than before.

        Raises what ``Shelf.view`` raises.
        """
        view = self.shelf.view(ecosystem, name, viewer.group, now)
        if view.standing.changed:
            self._alarm(ecosystem, name, view, now)
        return view

    def ahead(self, ecosystem: str, view: View, now: datetime) -> "list[Future[bool]]":
        """Begin to read what is most wanted of a page; return the readings."""
        begun = []
        for filename in view.standing.wanted:
            stands = view.standing.files[filename]
            urgency = Urgency.ASKED if filename in view.standing.awaited else Urgency.AHEAD
            begun.append(self.read(self._request(ecosystem, view.project.name, stands), urgency, now))
        return begun

    def artifact(self, ecosystem: str, name: ProjectName, filename: str, viewer: Viewer, now: datetime) -> Item:
        """Return where an artifact stands, by the record alone where it is on record.

        Raises:
            NotFound: the index has no such artifact.
            RegistryError, LedgerError: see ``Shelf.view``.
        """
        item = self.on_record(ecosystem, name, filename, viewer, now)
        if item is None:
            self.page(ecosystem, name, viewer, now)
            item = self.on_record(ecosystem, name, filename, viewer, now)
        if item is None:
            raise NotFound(f"{name} has no file {filename}")
        return item

    def _item(self, entry: Entry, on_record: OnRecord, filename: str, viewer: Viewer, now: datetime) -> Item | None:
        identity = _told_last(entry, on_record, filename)
        if identity is None:
            return None
        ecosystem, name = entry.ecosystem, entry.name
        advice, place = self._advise(ecosystem, name, (identity.version,)), (identity, viewer.group)
        judged = on_record.judged.get(place)
        if judged is not None and judged[1] == advice and timedelta() <= now - judged[0] < MOMENT:
            return cast("Item", judged[2])
        identities, decisions = on_record.of(filename)
        policy = self._policy.of(viewer.group)
        known = advice.known(identities, decisions)
        judge = Judge(ecosystem, name, known, policy, now)
        stands = judge.artifact(identity.version, filename, identity.told, identity.published)
        purl = self._ecosystems[ecosystem].purl(name, identity.version)
        read = any(one.basis is Basis.READ and one.told == identity.told for one in decisions)
        item = Item(ecosystem, name, stands, policy, purl, read)
        on_record.judged[place] = (now, advice, item)
        return item

    def read(self, request: ReadRequest, urgency: Urgency, now: datetime) -> "Future[bool]":
        """Begin a reading, or join the one that goes on.

        The future ends when its decision is written: True. False: it came to nothing here, because another replica
        reads it, or has just read it. With a PortError where the decision cannot be written down or kept.
        """
        done: Future[bool] = Future()
        with self._lock:
            running = self._running.setdefault(request, done)
        if running is not done:
            # Someone may be in more of a hurry than whoever asked first. If it has ended just now, nothing is begun.
            self._readings.submit(request, urgency, lambda: False)
            return running
        trouble: list[PortError] = []
        answered = self._readings.submit(request, urgency, lambda: self._begin(request, trouble))
        answered.add_done_callback(lambda answer: self._answered(request, answer.result(), now, done, trouble))
        return done

    def renew(self, now: datetime) -> None:
        """Say that what is being read here goes on; to be said several times within ``LEASE``. Raises LedgerError."""
        with self._lock:
            busy = bool(self._running)
        if busy:
            self._ledger.renew(self._holder, now + LEASE)

    def _begin(self, request: ReadRequest, trouble: list[PortError]) -> bool:
        """Whether a reading whose turn it is may begin: nobody else reads it, and nobody has while it waited.

        ``trouble`` is told what the ledger says if it cannot be asked: what cannot be written down is not read either.
        """
        now = self._clock.now()
        try:
            if not self._ledger.claim(_lease(request), self._holder, now, now + LEASE):
                return False
            decisions = self._ledger.decisions(request.ecosystem, request.project)
            own = (one for one in reversed(decisions) if (one.filename, one.told) == (request.filename, request.told))
            last = next((one for one in own if one.basis is Basis.READ), None)
            if last is None or (last.expires is not None and last.expires <= now):
                return True
            self._ledger.release(_lease(request), self._holder)
        except LedgerError as error:
            trouble.append(error)
        return False

    def bytes_of(self, item: Item, viewer: Viewer, now: datetime) -> tuple[Digest, bytes]:
        """Return an artifact's bytes and their digest, after it is written down that they go out.

        Raises:
            Refused: it may not go out.
            NotFound, RegistryError: it is not here, and cannot be got.
            LedgerError: it cannot be written down (unless the policy says to go on).
        """
        digest, data = self.look(item, now)
        self.hand_out([served(item, digest, viewer, now)])
        return digest, data

    def on_record(self, ecosystem: str, name: ProjectName, filename: str, viewer: Viewer, now: datetime) -> Item | None:
        """Return where an artifact stands if it is on record, without asking the index. Raises LedgerError."""
        entry = self.shelf.entry(ecosystem, name)
        return self._item(entry, self.shelf.known(entry), filename, viewer, now)

    def peek(
        self, ecosystem: str, name: ProjectName, filename: str, viewer: Viewer, now: datetime, mark: tuple[int, int]
    ) -> Item | None:
        """Return where an artifact stands if the record, as of ``mark``, is in memory. Never waits.

        Raises LedgerError.
        """
        found = self.shelf.peeked(ecosystem, name, mark)
        return self._item(*found, filename, viewer, now) if found is not None else None

    def look(self, item: Item, now: datetime) -> tuple[Digest, bytes]:
        """Return an artifact's bytes and their digest for someone who is not given them. Raises as ``bytes_of``."""
        if not item.open:
            raise Refused(item.standing, item.purl)
        digest = item.standing.sha256
        data = self._blobs.get(digest) if digest is not None else None
        if data is None:
            digest, data = self._fetch(item, now)
        assert digest is not None  # either known or just computed
        if item.unsettled:
            self.read(self._request(item.ecosystem, item.project, item.standing), Urgency.BACKGROUND, now)
        return digest, data

    def hand_out(self, rows: Sequence[Served]) -> None:
        """Write down what is about to go out. Raises LedgerError unless the policy says to go on."""
        try:
            self._ledger.serve(rows)
        except LedgerError:
            if self._policy.on(Disruption.JOURNAL_UNWRITABLE) is not Outcome.ALLOW:
                raise

    def hand_out_at_once(self, rows: Sequence[Served]) -> int:
        """Write it down as far as that takes no waiting, and return for how many: ``hand_out`` has to for the rest."""
        return self._ledger.serve_at_once(rows)

    def listed(self, item: Item, now: datetime) -> Artifact:
        """Return what the index says of an artifact. Raises what ``Shelf.view`` raises, and NotFound."""
        for again in (False, True):
            if again:  # another replica may have seen a page that is newer than ours
                self.shelf.forget(item.ecosystem, item.project)
            view = self.shelf.view(item.ecosystem, item.project, None, now)
            if view.standing.changed:
                self._alarm(item.ecosystem, item.project, view, now)
            release = view.project.release(item.standing.version)
            for artifact in release.artifacts if release is not None else ():
                if artifact.filename == item.standing.filename:
                    return artifact
        raise NotFound(f"the index of {item.project} does not list {item.standing.filename} any more")

    def fetch(self, ecosystem: str, url: str) -> bytes:
        """Return a document that stands beside an artifact. Raises NotFound, RegistryError."""
        return self._upstreams[ecosystem].fetch(url)

    def _fetch(self, item: Item, now: datetime) -> tuple[Digest, bytes]:
        """Get an artifact that is not here, and keep it. What was decided on other bytes does not count for these."""
        stands, enforced = item.standing, item.policy.mode is Mode.ENFORCE
        artifact = self.listed(item, now)  # may look at the index anew: it is not the look that was judged
        same = told_digest(artifact) == stands.told
        if enforced and not same:
            raise Untrusted(f"the index tells another digest of {stands.filename} than the one that was decided on")
        data = self._upstreams[item.ecosystem].download(artifact)
        digest = Digest(f"sha256:{sha256(data).hexdigest()}")
        weak = stands.told.partition(":")[0] not in _STRONG
        if enforced and (digest != stands.sha256 if stands.sha256 is not None else weak):
            raise Untrusted(f"the registry gives other bytes for {stands.filename} than those that were decided on")
        self._blobs.put(data)
        if same and stands.place is Place.ADMITTED and stands.sha256 is None:
            self._ledger.decide([self._decision(item, digest, now)])
        return digest, data

    def _decision(self, item: Item, digest: Digest, now: datetime) -> Decision:
        stands = item.standing
        return Decision(
            ecosystem=item.ecosystem,
            project=item.project,
            version=stands.version,
            filename=stands.filename,
            told=stands.told,
            sha256=digest,
            outcome=stands.outcome,
            complete=False,
            basis=stands.basis,
            verdict=stands.verdict,
            reason=stands.reason,
            decided_at=now,
        )

    def _request(self, ecosystem: str, name: ProjectName, stands: Standing) -> ReadRequest:
        return ReadRequest(ecosystem, name, stands.version, stands.filename, stands.told)

    def request(self, item: Item) -> ReadRequest:
        """Return the reading that would decide an artifact."""
        return self._request(item.ecosystem, item.project, item.standing)

    def _answered(
        self,
        request: ReadRequest,
        answer: ReadAnswer | None,
        now: datetime,
        done: "Future[bool]",
        trouble: list[PortError],
    ) -> None:
        try:
            if answer is not None:
                self._settle(request, answer, now)
        except PortError as error:  # nothing was decided, so nothing is served: whoever asks again has it read again
            trouble.append(error)
        finally:
            with self._lock:
                self._running.pop(request, None)
            if trouble:
                done.set_exception(trouble[0])
            else:
                done.set_result(answer is not None)

    def _settle(self, request: ReadRequest, answer: ReadAnswer, now: datetime) -> None:
        """Write what a reading came to. One that was not begun, or about another digest, decides nothing.

        Raises:
            LedgerError: it cannot be written down.
            JournalError: the stores of whoever read it failed.
        """
        try:
            if not answer.outcome:
                raise JournalError(answer.reason)
            if not answer.told:
                return
            if answer.told != request.told:
                self.shelf.forget(request.ecosystem, request.project)
                return
            known = Identity(*_fields(request), now)
            decision = Decision(
                *_fields(request),
                sha256=answer.sha256,
                outcome=Outcome[answer.outcome.upper()],
                complete=answer.complete,
                basis=Basis.READ,
                verdict=known.verdict,
                reason=answer.reason,
                decided_at=now,
                expires=answer.expires,
                for_cause=answer.suspected,
                clean=answer.clean,
                report=answer.report,
            )
            self._ledger.decide([decision])
        finally:
            self._ledger.release(_lease(request), self._holder)

    def _alarm(self, ecosystem: str, name: ProjectName, view: View, now: datetime) -> None:
        """Block a file whose digest is not the one first seen, once, and say so in the chain of acts."""
        known = self.shelf.known(self.shelf.entry(ecosystem, name))
        sounded = {(one.filename, one.told) for one in known.decisions if one.basis is Basis.DIGEST_CHANGED}
        for filename in view.standing.changed:
            stands = view.standing.files[filename]
            if (filename, stands.told) in sounded or stands.basis is not Basis.DIGEST_CHANGED:
                continue
            purl = self._ecosystems[ecosystem].purl(name, stands.version)
            item = Item(ecosystem, name, stands, view.policy, purl)
            act = Act(now, ITSELF, "alarm", f"{purl} {filename} {stands.verdict}", stands.reason)
            blocked = self._decision(item, Digest(""), now)
            self._ledger.decide([replace(blocked, sha256=None, for_cause=True)], act)


def _lease(request: ReadRequest) -> str:
    """Return what a reading is leased under: the digest, or the file where the index tells none."""
    return request.told or f"{request.ecosystem}:{request.project} {request.filename}"


def _fields(request: ReadRequest) -> tuple[str, ProjectName, Version, str, str]:
    """Return what identity, decision and request have in common, in their order."""
    return (request.ecosystem, request.project, request.version, request.filename, request.told)


def _told_last(entry: Entry, on_record: OnRecord, filename: str) -> Identity | None:
    """Return the identity that counts now: that of the page if it was seen, else the last that was noted."""
    found = on_record.of(filename)[0]
    told = entry.laid.told.get(filename) if entry.laid is not None else None
    return next((one for one in found if one.told == told), found[-1] if found else None)
