"""A clock that jumps: what is about dates follows it both ways, nothing else notices, and nothing is stuck after it."""

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from lazaretto.core.access import Scope, mint
from lazaretto.core.act import Act
from lazaretto.core.chain import verify
from tests.surfaces.firewall.street import Street, street

YEAR, DAY = timedelta(days=365), timedelta(days=1)
FRESH, HELD = "/npm/fresh/-/fresh-1.0.0.tgz", "/npm/thing/-/thing-1.1.0.tgz"


class Jumping:
    """The port of a clock, over the system's: it is ahead of it, or behind, by as much as a test says."""

    def __init__(self) -> None:
        self.by = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by


@pytest.fixture
def clock() -> Jumping:
    """Return a clock that is right, for now."""
    return Jumping()


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Jumping) -> Iterator[Street]:
    """Return a service with a cooldown of three days: ``thing`` 1.1.0 is held for cause, ``fresh`` is unread."""
    with street(tmp_path, monkeypatch, 'cooldown = "3d"\nhorizon = "30d"', patience="0s", clock=clock) as made:
        made.upstream.npm("thing", "1.0.0", age=400)
        made.upstream.npm("thing", "1.1.0", age=2, held=True)
        made.upstream.npm("fresh", "1.0.0", age=2)
        made.ask("/npm/thing")
        made.hands.answer("1.1.0", "hold", made.upstream.data["thing-1.1.0.tgz"])
        yield made


def read(town: Street, *, clean: bool) -> None:
    """Let the reading of ``fresh`` end with an allow."""
    town.ask(FRESH)
    town.hands.answer("1.0.0", "allow", town.upstream.data["fresh-1.0.0.tgz"], clean=clean)


def statuses(town: Street, *paths: str) -> list[int]:
    """Return the statuses of answers."""
    return [town.ask(path).status for path in paths]


def sentence(town: Street) -> None:
    """Assert that whatever went out was allowed by its digest, and that the chain of acts holds."""
    rows = town.app.ledger._database.read
    allowed = {row[0] for row in rows("SELECT sha256 FROM decision WHERE outcome = 'allow'")}
    held = f"sha256:{sha256(town.upstream.data['thing-1.1.0.tgz']).hexdigest()}"
    for digest, outcome in rows("SELECT sha256, outcome FROM served"):
        assert outcome == "allow"
        assert digest in allowed
        assert digest != held or rows("SELECT 1 FROM act WHERE what IN ('allow', 'waive')")
    assert verify(town.app.ledger.acts()) is None


@pytest.mark.parametrize("jump", [YEAR, -DAY, -YEAR])
def test_what_was_decided_stands(town: Street, clock: Jumping, jump: timedelta) -> None:
    """A refusal for cause and a permission are of no date; pages and files agree, at once and after the way back."""
    town.upstream.npm("steady", "1.0.0", age=20)
    path = "/npm/steady/-/steady-1.0.0.tgz"
    town.ask(path)
    town.hands.answer("1.0.0", "allow", town.upstream.data["steady-1.0.0.tgz"])
    for by in (timedelta(), jump, timedelta(), jump):
        clock.by = by
        assert statuses(town, path, HELD, "/npm/thing") == [200, 403, 200]
        assert b"1.1.0" not in town.ask("/npm/thing").body
        assert b"1.0.0" in town.ask("/npm/steady").body
    sentence(town)


@pytest.mark.parametrize("jump", [-DAY, -YEAR])
def test_a_cooldown_is_not_over_sooner_for_a_clock_that_went_back(
    town: Street, clock: Jumping, jump: timedelta
) -> None:
    """What was not old enough is not; what had become old enough cools again; neither is stuck."""
    read(town, clean=False)
    assert statuses(town, FRESH) == [403]
    clock.by = 2 * DAY
    assert statuses(town, FRESH, "/npm/fresh") == [200, 200]
    clock.by = jump
    assert statuses(town, FRESH) == [403]
    assert b"1.0.0" not in town.ask("/npm/fresh").body
    clock.by = 2 * DAY
    assert statuses(town, FRESH) == [200]
    assert b"1.0.0" in town.ask("/npm/fresh").body
    sentence(town)


def test_a_release_from_the_future_is_young(town: Street, clock: Jumping) -> None:
    """Where our clock is behind, a release is younger than nothing: it is read, and admitted on no identity."""
    clock.by = -YEAR
    town.upstream.npm("aged", "1.0.0", age=100)
    assert statuses(town, "/npm/aged/-/aged-1.0.0.tgz") == [503]
    clock.by = timedelta()
    assert statuses(town, "/npm/aged/-/aged-1.0.0.tgz") == [200]
    sentence(town)


def test_a_waiver_ends_by_the_date_that_it_names(town: Street, clock: Jumping) -> None:
    """Ahead of its end it is over, for the page as for the file; one whose end is over already is not made."""
    headers = token(town, clock)
    subject = "/-/lazaretto/review/pkg:npm/thing@1.1.0"
    assert town.ask(subject, "POST", deed(clock.now() + 10 * DAY), **headers).status == 200
    for by, status in ((timedelta(), 200), (YEAR, 403), (timedelta(), 200), (-DAY, 200), (11 * DAY, 403)):
        clock.by = by
        assert (by, statuses(town, HELD)) == (by, [status])
        assert (b"thing-1.1.0.tgz" in town.ask("/npm/thing").body) is (status == 200)
    clock.by = timedelta()
    assert town.ask(subject, "POST", deed(clock.now() - DAY), **headers).status == 400
    clock.by = -2 * DAY  # an act may be dated before the one that it follows: the chain is of acts, not of dates
    assert town.ask(subject, "POST", deed(clock.now() + DAY), **headers).status == 200
    sentence(town)


def test_a_token_ends_by_the_date_that_it_names(town: Street, clock: Jumping) -> None:
    """Neither sooner nor later, however the clock came there."""
    headers = token(town, clock, until=clock.now() + 10 * DAY)
    for by, status in ((timedelta(), 200), (YEAR, 401), (timedelta(), 200), (-YEAR, 200), (10 * DAY, 401)):
        clock.by = by
        assert (by, town.ask("/npm/thing", "GET", b"", **headers).status) == (by, status)


@pytest.mark.parametrize("jump", [YEAR, -DAY])
def test_a_page_is_asked_for_anew_once(town: Street, clock: Jumping, jump: timedelta) -> None:
    """A jump makes what is in memory old, in either direction: then it is fresh again, and not asked for each time."""
    asked = town.upstream.server.paths
    for by in (jump, timedelta()):
        clock.by = by
        town.upstream.npm("thing", f"0.{1 + abs(by.days)}.0", age=400)
        before = asked().count("/npm/thing")
        for _ in range(3):
            assert f"thing-0.{1 + abs(by.days)}.0.tgz".encode() in town.ask("/npm/thing").body
        assert asked().count("/npm/thing") == before + 1


@pytest.mark.slow
def test_patience_is_of_no_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Jumping) -> None:
    """Whoever waits for a reading waits for a second, whatever the clock does meanwhile."""
    with street(tmp_path, monkeypatch, clock=clock) as town:
        town.upstream.npm("fresh", "1.0.0", age=2)

        async def waited() -> list[int]:
            waiting = [asyncio.ensure_future(town.asked(path)) for path in (FRESH, "/npm/fresh")]
            for by in (20 * DAY, -DAY, -YEAR, timedelta()):
                await asyncio.sleep(0.1)
                clock.by = by
            return [(await one).status for one in waiting]

        begun = time.monotonic()
        assert town.run(waited()) == [503, 503]
        assert 0.9 < time.monotonic() - begun < 5
        town.hands.answer("1.0.0", "allow", town.upstream.data["fresh-1.0.0.tgz"])
        assert statuses(town, FRESH, "/npm/fresh") == [200, 200]


def token(town: Street, clock: Jumping, until: datetime | None = None) -> dict[str, str]:
    """Return the headers of someone who may decide."""
    text, made = mint(bytes(range(32)), "ada", [Scope.REVIEW], clock.now(), until)
    town.app.ledger.add_token(made, Act(clock.now(), "ada", "make-token", "ada", "a test"))
    return {"authorization": f"Bearer {text}"}


def deed(until: datetime) -> bytes:
    """Return a waiver until then, as it is posted."""
    return json.dumps({"verb": "waive", "reason": "a test", "until": until.isoformat()}).encode()
