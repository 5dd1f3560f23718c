"""Analysts: one that fails is replaced, its request answered as incomplete, and nobody else suffers."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lazaretto.app.appraise import failed
from lazaretto.app.ports import ReadAnswer, ReadRequest, Urgency
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.policy import Outage, Policy
from lazaretto.infra import analysts as module
from lazaretto.infra.analysts import Analysts

NOW = datetime(2026, 3, 31, tzinfo=UTC)
FAKE = Path(__file__).parent / "fakes" / "analyst.py"


def give_up(request: ReadRequest, why: str) -> ReadAnswer:
    """Answer as the failure policy does."""
    return failed(why, Policy(), NOW, told=request.told, outage=Outage.READER)


def request(project: str, filename: str = "a.tgz") -> ReadRequest:
    """Return a request; the fake does as the project's name says."""
    return ReadRequest("npm", ProjectName(project), Version("1.0.0"), filename, "sha512:aa")


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Analysts]:
    """Return a single analyst."""
    made = Analysts([sys.executable, str(FAKE), str(tmp_path)], 1, give_up)
    yield made
    (tmp_path / "go").touch()
    made.close(2.0)


def said(reading: "Future[ReadAnswer | None]", seconds: float) -> ReadAnswer:
    """Return the answer of a reading."""
    answer = reading.result(seconds)
    assert answer is not None
    return answer


def log(folder: Path) -> list[str]:
    """Return the requests that were begun, in order."""
    path = folder / "log"
    return [" ".join(line.split()[1:]) for line in path.read_text().splitlines()] if path.exists() else []


def begun(folder: Path, what: str) -> None:
    """Wait until a request was begun."""
    for _ in range(1000):
        if what in log(folder):
            return
        time.sleep(0.01)
    raise AssertionError(f"{what} was never begun")


def test_one_analyst_reads_one_after_another(one: Analysts) -> None:
    """An analyst that does well is kept."""
    answers = [said(one.submit(request("fine", name), Urgency.ASKED), 20) for name in ("a.tgz", "b.tgz")]

    assert [answer.outcome for answer in answers] == ["allow", "allow"]
    assert answers[0].reason == answers[1].reason


@pytest.mark.parametrize("misdeed", ["crash", "nonsense", "loud"])
def test_a_failing_analyst_is_replaced(one: Analysts, misdeed: str) -> None:
    """Its request is incomplete, hence held; the next one is read by another."""
    bad = said(one.submit(request(misdeed), Urgency.ASKED), 20)
    good = said(one.submit(request("fine"), Urgency.ASKED), 20)

    assert (bad.outcome, bad.complete, bad.sha256) == ("hold", False, None)
    assert "the analyst" in bad.reason
    assert good.outcome == "allow"
    assert one.replaced == 1


def test_one_that_ended_between_readings_is_not_asked(one: Analysts) -> None:
    """Whoever killed it while it was idle costs nobody a reading."""
    pid = int(said(one.submit(request("fine"), Urgency.ASKED), 20).reason)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    again = said(one.submit(request("fine", "b.tgz"), Urgency.ASKED), 20)

    assert (again.outcome, int(again.reason) != pid) == ("allow", True)


def test_one_that_ends_before_it_takes_a_request_costs_nobody_a_reading(one: Analysts, tmp_path: Path) -> None:
    """What was sent to one that was being killed, and looked alive still, goes to another."""
    pid = int(said(one.submit(request("fine"), Urgency.ASKED), 20).reason)
    os.kill(pid, signal.SIGSTOP)  # it lives, and takes nothing
    asked = one.submit(request("fine", "b.tgz"), Urgency.ASKED)
    time.sleep(0.2)
    assert not asked.done()
    os.kill(pid, signal.SIGKILL)
    again = said(asked, 20)

    assert (again.outcome, int(again.reason) != pid) == ("allow", True)
    assert log(tmp_path) == ["fine a.tgz", "fine b.tgz"]
    assert one.replaced == 1


def test_a_request_that_none_takes_is_incomplete(one: Analysts) -> None:
    """Where every analyst ends before it reads, trying ends too."""
    refused = said(one.submit(request("refuse"), Urgency.ASKED), 20)

    assert (refused.outcome, refused.complete) == ("hold", False)
    assert "before it read" in refused.reason
    assert one.replaced == module.MAX_ANALYSTS_PER_READING
    assert said(one.submit(request("fine"), Urgency.ASKED), 20).outcome == "allow"


def test_a_reading_without_end_is_stopped(one: Analysts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for ever."""
    monkeypatch.setattr(module, "MAX_READING_SECONDS", 1.5)
    stopped = said(one.submit(request("hang"), Urgency.ASKED), 20)

    assert "took longer" in stopped.reason
    assert said(one.submit(request("fine"), Urgency.ASKED), 20).outcome == "allow"


def test_a_program_that_cannot_be_started_is_an_answer(tmp_path: Path) -> None:
    """No analyst at all: everything is incomplete, and nothing hangs."""
    none = Analysts([str(tmp_path / "missing")], 1, give_up)
    answer = said(none.submit(request("fine"), Urgency.ASKED), 20)
    none.close(2.0)

    assert (answer.outcome, answer.complete) == ("hold", False)


def test_an_analyst_is_there_before_anybody_asks(tmp_path: Path) -> None:
    """It loads what it needs meanwhile, and is the one that reads first."""
    started = tmp_path / "started"
    note = f"open({str(started)!r}, 'a').write(str(os.getpid()) + ' ')"
    code = f"import os, runpy; {note}; runpy.run_path({str(FAKE)!r}, run_name='__main__')"
    made = Analysts([sys.executable, "-c", code, str(tmp_path)], 1, give_up)
    for _ in range(1000):
        if started.exists() and started.read_text():
            break
        time.sleep(0.01)
    first = said(made.submit(request("fine"), Urgency.ASKED), 20).reason
    made.close(2.0)

    assert started.read_text().split() == [first]


def test_the_same_request_is_read_once(one: Analysts, tmp_path: Path) -> None:
    """Whoever asks while it is read or waits gets the same reading."""
    first = one.submit(request("wait"), Urgency.ASKED)
    begun(tmp_path, "wait a.tgz")
    assert one.submit(request("wait"), Urgency.ASKED) is first
    (tmp_path / "go").touch()
    first.result(20)

    assert log(tmp_path) == ["wait a.tgz"]


def test_who_is_in_a_hurry_comes_first(one: Analysts, tmp_path: Path) -> None:
    """A client that waits comes before what is read ahead, and that before the background; one may be moved up."""
    futures = [one.submit(request("wait"), Urgency.ASKED)]
    begun(tmp_path, "wait a.tgz")
    for name, urgency in (
        ("late", Urgency.BACKGROUND),
        ("moved", Urgency.BACKGROUND),
        ("ahead", Urgency.AHEAD),
        ("asked", Urgency.ASKED),
        ("moved", Urgency.ASKED),
    ):
        futures.append(one.submit(request("fine", name), urgency))
    (tmp_path / "go").touch()
    for future in futures:
        future.result(20)

    assert log(tmp_path)[1:] == ["fine asked", "fine moved", "fine ahead", "fine late"]


def test_the_background_is_bounded(one: Analysts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody waits for does not fill the memory: it is answered as not read."""
    monkeypatch.setitem(module.MAX_WAITING, Urgency.BACKGROUND, 2)
    one.submit(request("wait"), Urgency.ASKED)
    begun(tmp_path, "wait a.tgz")
    one.submit(request("fine", "1"), Urgency.BACKGROUND)
    refused = one.submit(request("fine", "2"), Urgency.BACKGROUND)

    assert refused.done()
    assert refused.result() is None


def test_an_analyst_is_renewed_after_many_readings(one: Analysts, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it keeps in memory cannot grow without end."""
    monkeypatch.setattr(module, "MAX_READINGS", 1)
    pids = {said(one.submit(request("fine", name), Urgency.ASKED), 20).reason for name in ("a", "b")}

    assert len(pids) == 2


def test_ending_lets_what_was_begun_end(tmp_path: Path) -> None:
    """The reading that goes on is finished, of the others nothing is found out, and no process is left."""
    made = Analysts([sys.executable, str(FAKE), str(tmp_path)], 1, give_up)
    first = made.submit(request("wait"), Urgency.ASKED)
    begun(tmp_path, "wait a.tgz")
    waiting = made.submit(request("fine"), Urgency.ASKED)
    (tmp_path / "go").touch()
    made.close(10.0)

    assert said(first, 1).outcome == "allow"
    assert waiting.result(1) is None
    assert made.submit(request("fine"), Urgency.ASKED).result(1) is None
    pid = int((tmp_path / "log").read_text().split()[0])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_reading_that_is_not_to_begin_is_none(one: Analysts, tmp_path: Path) -> None:
    """When its turn comes and it is not to be begun any more, nobody reads, and the next one is."""
    none = one.submit(request("fine", "a.tgz"), Urgency.ASKED, lambda: False)
    assert said(one.submit(request("fine", "b.tgz"), Urgency.ASKED), 20).outcome == "allow"

    assert none.result(1) is None
    assert log(tmp_path) == ["fine b.tgz"]
    assert one.readings == 1
