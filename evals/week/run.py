"""Runs the week and notes what happened."""

import os
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from evals.week.story import DEPENDENCIES, MARK, MONDAY, PROJECTS, TAMPERED, WAIVER, Event, Stage, before, events, feed
from evals.week.street import Bot, Registry, SetClock, Week, firewall, serving
from lazaretto.app import review
from lazaretto.app.advice import Source, update
from lazaretto.app.gate import Gate
from lazaretto.core.chain import Content, verify
from lazaretto.core.names import ProjectName
from lazaretto.core.standing import Basis, Place, Standing
from lazaretto.feeds import osv
from lazaretto.infra.feed_source import from_file

EVERY = timedelta(hours=6)
DAYS = 7
BUILDS = 18
"""The hour of the daily build from the lockfile."""


class Note(Struct, frozen=True):
    """A line of the timeline: when, what kind, about what, and why. ``verdict`` is what a person would name."""

    at: datetime
    kind: str
    subject: str
    text: str
    verdict: str = ""


class Outcome(Struct, frozen=True):
    """What the week came to."""

    notes: tuple[Note, ...]
    installed: Mapping[str, str]
    acts: tuple[str, ...]
    sealed: str
    counts: Mapping[str, int]
    ever: frozenset[tuple[str, str]]
    swapped: bool
    runs: int
    builds: int

    @property
    def tampered(self) -> int:
        """How many tampered releases were ever in the bot's folders."""
        return len(TAMPERED & self.ever) + self.swapped


def week(folder: Path) -> Outcome:
    """Run the week in a folder."""
    registry, clock, advisories = Registry(), SetClock(MONDAY), folder / "advisories.json"
    with serving(registry):
        before(registry)
        advisories.write_text(feed(()))
        _renew(advisories, clock.at)
        with Week(folder, registry, advisories, clock) as app:
            app.prepare()
            with firewall(app) as url:
                return _Diary(app, registry, clock, Bot(folder, url, DEPENDENCIES), advisories).kept()


class _Diary:
    """Goes through the week and notes what it sees."""

    def __init__(self, app: Week, registry: Registry, clock: SetClock, bot: Bot, advisories: Path) -> None:
        self._app, self._clock, self._bot, self._advisories = app, clock, bot, advisories
        self._watch: Gate = app.gate()
        self._stage = Stage(registry, self._advise, self._waive, self._build)
        self._notes: list[Note] = []
        self._stood: dict[tuple[str, str], tuple[Place, Basis, str]] = {}
        self._said: set[str] = set()
        self._got: dict[str, str] = {}
        self._ever: set[tuple[str, str]] = set()
        self._builds = self._runs = self._acts = 0

    def kept(self) -> Outcome:
        """Live through the week, and return what it came to."""
        self._wait_for_feed()
        waiting = events(self._stage)
        for number in range(int(timedelta(days=DAYS) / EVERY) + 1):
            now = MONDAY + number * EVERY
            while waiting and waiting[0].at <= now:
                self._happen(waiting.pop(0))
            self._clock.at = now
            self._renewed()
            self._update()
            if now.hour == BUILDS:
                self._build()
        entries = list(self._app.ledger.acts())
        broken = verify(entries)
        return Outcome(
            notes=tuple(self._notes),
            installed=self._bot.installed(),
            acts=tuple(_told(one.content) for one in entries),
            sealed=entries[-1].hash if broken is None else f"broken at {broken.number}: {broken.reason}",
            counts=self._app.ledger.counts(),
            ever=frozenset(self._ever | set(self._bot.trees())),
            swapped=self._bot.ever_held(MARK),
            runs=self._runs,
            builds=self._builds,
        )

    # What happens --------------------------------------------------------------------------------------------------

    def _happen(self, event: Event) -> None:
        self._clock.at = event.at
        self._renewed()
        if event.text:
            self._note(event.kind, event.subject, event.text)
        event.act()
        if event.kind in ("person", "advisory"):
            self._look()

    def _advise(self, records: tuple[Mapping[str, object], ...]) -> None:
        self._advisories.write_text(feed(records))
        self._renewed()

    def _renewed(self) -> None:
        """Fetch the feed as the firewall does every ten minutes, which no real minutes here stand for."""
        _renew(self._advisories, self._clock.at)
        app = self._app
        changed = update(Source("advisories", from_file(self._advisories), osv.parse), app.advisories, self._clock.at)
        app.adviser.refresh()
        list(app.adviser.alarms(changed, app.ledger))

    def _waive(self, name: str, version: str) -> None:
        until = self._clock.at + timedelta(days=30)
        review.decide(
            self._app.ledger, review.Verb.WAIVE, f"pkg:npm/{name}@{version}", "ada", WAIVER, until, self._clock.at
        )

    def _wait_for_feed(self) -> None:
        while self._app.adviser.ages()["advisories"] is None:
            time.sleep(0.1)
            self._app.adviser.refresh()

    # What the bot does ---------------------------------------------------------------------------------------------

    def _update(self) -> None:
        code, said = self._bot.update()
        self._runs += 1
        self._idle()
        self._look()
        installed = self._bot.installed()
        self._ever |= {(_project(name), version) for name, version in installed.items()}
        if not self._got:
            self._note("got", "the project", ", ".join(f"{_project(one)} {at}" for one, at in installed.items()))
        for name, was in self._got.items():
            if was != installed[name]:
                self._note("got", f"{_project(name)} {installed[name]}", f"in the place of {was}")
        self._got = installed
        self._tell("npm update", said)
        if code:
            self._note("failed", "npm update", f"exit {code}")

    def _build(self, why: str = "the daily build") -> None:
        code, said = self._bot.build()
        self._builds += 1
        self._note("build", "npm ci", f"{why}: {'installed from the lockfile' if code == 0 else 'refused'}")
        self._tell("npm ci", said)

    def _tell(self, command: str, said: list[str]) -> None:
        for line in said:
            if line not in self._said:
                self._said.add(line)
                self._note("screen", command, line)

    def _idle(self) -> None:
        while self._app.analysts.waiting:
            time.sleep(0.02)

    # What is seen --------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Note what stands elsewhere than before, by the one judgement, and the alarms in the chain of acts."""
        acts = [one.content for one in self._app.ledger.acts()]
        for act in acts[self._acts :]:
            if act["what"] == "alarm":
                named = str(act["subject"]).split(" ")[0].removeprefix("pkg:npm/").replace("@", " ")
                self._note("alarm", named, str(act["reason"]))
        self._acts = len(acts)
        for name in PROJECTS:
            view = self._watch.shelf.view("npm", ProjectName(name), None, self._clock.at)
            for stands in view.standing.files.values():
                self._stand(name, stands)

    def _stand(self, name: str, stands: Standing) -> None:
        key, place = (name, stands.filename), (stands.place, stands.basis, stands.told)
        before = self._stood.get(key)
        if before == place:
            return
        self._stood[key] = place
        if stands.basis is Basis.UNDECIDED or self._clock.at == MONDAY or stands.place is Place.ADMITTED:
            return
        kind = "allowed" if stands.open else "blocked" if stands.outcome.word == "block" else "held"
        over = "; its cooldown is over" if before is not None and before[1] is Basis.COOLDOWN and stands.open else ""
        self._note(kind, f"{name} {stands.version}", stands.reason + over, stands.verdict)

    def _note(self, kind: str, subject: str, text: str, verdict: str = "") -> None:
        self._notes.append(Note(self._clock.at, kind, subject, text, verdict))


def _told(act: Content) -> str:
    at = datetime.fromisoformat(str(act["at"]))
    return f"{at:%a %H:%M}, {act['who']}: {act['what']} {act['subject']}: {act['reason']}"


def _renew(feed_file: Path, at: datetime) -> None:
    os.utime(feed_file, (at.timestamp(),) * 2)


def _project(name: str) -> str:
    return "paper-http" if name == "paper-http-legacy" else name
