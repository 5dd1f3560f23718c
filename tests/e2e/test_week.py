"""The week in the life: each event is on the page with its reason, and nothing tampered ever reached the bot."""

import pytest

from evals.week.page import html, markdown, table
from evals.week.run import Note, Outcome, week
from evals.week.story import TAMPERED

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Return what the week came to; it is lived once."""
    return week(tmp_path_factory.mktemp("week"))


def noted(outcome: Outcome, kind: str, subject: str) -> list[Note]:
    """Return the notes of a kind about something."""
    return [note for note in outcome.notes if (note.kind, note.subject) == (kind, subject)]


@pytest.mark.parametrize(
    ("kind", "subject", "reason"),
    [
        ("allowed", "paper-http 1.14.1", "its reading was complete and found nothing at all"),
        ("allowed", "paper-http 0.30.3", "its reading was complete and found nothing at all"),
        ("blocked", "paper-http 1.14.2", "decoded-code-executed"),
        ("blocked", "paper-http 0.30.4", "decoded-code-executed"),
        ("held", "colour-term 5.6.1", "younger than the cooldown"),
        ("allowed", "colour-term 5.6.1", "its cooldown is over"),
        ("held", "colour-term 5.6.2", "browser-hook-added"),
        ("allowed", "date-kit 2.8.1", "it leaves the cooldown early because it fixes GHSA-week-0000-0001"),
        ("held", "native-scan 1.4.0", "lifecycle-script-added"),
        ("allowed", "native-scan 1.4.0", "ada said waive"),
        ("alarm", "left-join 1.2.0", "MAL-2026-0001 reports malware in this version; handed out before"),
        ("blocked", "left-join 1.2.0", "MAL-2026-0001"),
        ("alarm", "tiny-log 1.0.1", "the index tells another digest"),
        ("blocked", "tiny-log 1.0.1", "the index tells another digest"),
        ("outage", "the registry", "nothing but errors"),
    ],
)
def test_each_event_is_told_with_its_reason(outcome: Outcome, kind: str, subject: str, reason: str) -> None:
    """What was held, released, blocked, and why."""
    assert any(reason in note.text for note in noted(outcome, kind, subject))


@pytest.mark.parametrize(
    "release",
    ["paper-http 1.14.1", "paper-http 0.30.3", "colour-term 5.6.1", "date-kit 2.8.1", "native-scan 1.4.0"],
)
def test_the_bot_gets_what_is_allowed_and_not_before(outcome: Outcome, release: str) -> None:
    """An honest release arrives, later than its permission."""
    (got,) = noted(outcome, "got", release)
    assert noted(outcome, "allowed", release)[0].at <= got.at


def test_nothing_tampered_is_ever_installed(outcome: Outcome) -> None:
    """In no run and no build, by version and by content."""
    assert not TAMPERED & outcome.ever
    assert not outcome.swapped
    assert not [note for note in outcome.notes if note.kind == "failed"]


def test_what_turns_out_bad_is_taken_back(outcome: Outcome) -> None:
    """A build from the old lockfile is refused with the reason on the screen; the bot returns to what is good."""
    refused = [note for note in outcome.notes if note.kind == "build" and note.text.endswith("refused")]
    assert [note.subject for note in refused] == ["npm ci"]
    assert any("MAL-2026-0001" in note.text and note.at == refused[0].at for note in noted(outcome, "screen", "npm ci"))
    assert [note.text for note in noted(outcome, "got", "left-join 1.1.0")] == ["in the place of 1.2.0"]
    assert outcome.installed["tiny-log"] == "1.0.0"


def test_builds_go_on_while_the_registry_is_down(outcome: Outcome) -> None:
    """What was allowed before is handed out."""
    down = next(note for note in outcome.notes if note.kind == "build" and "nobody can ask" in note.text)
    assert down.text.endswith("installed from the lockfile")


def test_the_chain_of_acts_verifies(outcome: Outcome) -> None:
    """The waiver and both alarms are in it."""
    assert outcome.sealed.startswith("sha256:")
    assert [act.partition(": ")[2].split(" ")[0] for act in outcome.acts] == ["waive", "alarm", "alarm"]


def test_the_page_tells_all_of_it(outcome: Outcome) -> None:
    """Both forms have every subject and every release; the HTML needs nothing from elsewhere."""
    page, plain = html(outcome), markdown(outcome)
    for note in outcome.notes:
        assert note.subject in page
        assert note.subject in plain
    assert len(table(outcome)) == len([note for note in outcome.notes if note.kind == "published"])
    assert not [word for word in ("<script", "src=", "@import", "url(") if word in page]
