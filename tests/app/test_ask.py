"""Asking with a journal: the same question has the same answer, and what was missing is asked for again."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from lazaretto.app.analyse import Question
from lazaretto.app.ports import JournalError, NotFound, Unavailable
from lazaretto.app.rendering import encodable
from lazaretto.app.report import ReportedEvidence, UpdateReport
from lazaretto.core.finding import Example
from lazaretto.core.model import Artifact, Provided
from lazaretto.core.names import ProjectName, Version
from tests.app.house import MemoryHouse
from tests.examples import NAME, NOW, build_world

QUESTION = Question(ProjectName(NAME), Version("1.0.1"))
LATER = NOW + timedelta(days=3)


def house(**world: object) -> MemoryHouse:
    """Return a house whose registry has an update that changes one line."""
    after = {"index.js": "module.exports = 2;\n"}
    made, *_ = build_world(Example(title="", before={"index.js": "module.exports = 1;\n"}, after=after, world=world))
    return MemoryHouse(made)


def ask(
    made: MemoryHouse, question: Question = QUESTION, version: str = "rules-1", later: bool = False
) -> UpdateReport:
    """Put a question."""
    return made.asker("npm", version).release(question, LATER if later else NOW)


def test_asking_again_reads_nothing_and_gives_the_same_bytes() -> None:
    """The answer out of the journal is the answer that was given, to the byte, with its first instant."""
    made = house()
    first = ask(made)
    made.world.trees.clear()
    again = ask(made, later=True)

    assert msgspec.json.encode(again) == msgspec.json.encode(first)
    assert again.decided_at == NOW.isoformat()
    assert len(made.journal.rows) == 1


def test_everything_that_the_answer_depends_on_makes_another_question() -> None:
    """Other rules, another baseline, every artifact, another release: none is answered out of the journal."""
    made = house()
    ask(made)
    ask(made, version="rules-2")
    ask(made, replace(QUESTION, every_artifact=True))
    ask(made, replace(QUESTION, version=Version("1.0.0")))
    made.journal.held.add(Version("1.0.0"))
    ask(made)

    assert len({row[0] for row in made.journal.rows}) == 5


def test_an_incomplete_answer_is_written_down_and_never_reused() -> None:
    """What was missing may be there now."""
    made = house()
    filename = f"{NAME}-1.0.1.tgz"
    made.world.broken[filename] = Unavailable("the registry is down")
    assert not ask(made).complete
    del made.world.broken[filename]

    assert ask(made).complete
    assert [row[0].startswith("incomplete:") for row in made.journal.rows] == [True, False]


def test_a_registry_that_stops_telling_is_not_believed() -> None:
    """A field that it used to tell for this project and tells no longer leaves the index unchecked."""
    made = house()
    ask(made)
    project = made.world.projects[NAME]
    made.world.projects[NAME] = replace(project, provides=project.provides - {Provided.PUBLISHER})
    report = ask(made)

    assert (report.verdict, report.complete) == ("hold", False)
    (record,) = [record for record in report.records if record.check == "index"]
    assert "publisher" in record.problems[0]


def test_an_answer_that_rests_on_what_ranges_resolve_to_grows_old() -> None:
    """With a new dependency the answer holds for an hour, then the question is put anew."""
    manifest = f'{{"name": "{NAME}", "version": "1.0.1", "main": "index.js", "dependencies": {{"pad": "^1.0.0"}}}}\n'
    example = Example(title="", before={"index.js": "1;\n"}, after={"index.js": "1;\n", "package.json": manifest})
    made = MemoryHouse(build_world(example)[0])
    first = ask(made)

    assert first.expires is not None
    assert ask(made).decided_at == first.decided_at
    assert ask(made, later=True).decided_at == LATER.isoformat()


def test_what_the_registry_does_not_have_is_said() -> None:
    """An unknown project, an unknown release, an unknown release to compare with."""
    made = house()
    for question, words in (
        (Question(ProjectName("absent"), Version("1.0.0")), "absent"),
        (replace(QUESTION, version=Version("9.9.9")), "no release 9.9.9"),
        (replace(QUESTION, before=Version("0.0.1")), "no release 0.0.1"),
    ):
        with pytest.raises(NotFound, match=words):
            ask(made, question)
    assert not made.journal.rows


def test_preparing_fails_in_silence_and_asking_aloud() -> None:
    """What is fetched ahead is a hint: its errors show when the question is put."""
    made = house()
    made.world.broken[NAME] = Unavailable("the registry is down")
    made.asker("npm").prepare(QUESTION, NOW)

    with pytest.raises(Unavailable):
        ask(made)


def test_a_journal_that_cannot_be_read_ends_the_question() -> None:
    """A verdict that nobody could look up or write down is not given."""
    made = house()
    made.journal.broken = True

    with pytest.raises(JournalError):
        ask(made)


def test_the_newest_is_what_a_client_would_install() -> None:
    """The tag decides; without it the greatest that is no pre-release, not yanked, and has an artifact."""
    made = house(history=[{"version": "2.0.0-beta.1"}])
    asker, name = made.asker("npm"), ProjectName(NAME)
    project = made.world.projects[NAME]
    assert asker.newest(name, NOW) == project.tags["latest"] == "2.0.0-beta.1"
    made.world.projects[NAME] = replace(project, tags={})

    assert asker.newest(name, NOW) == "1.0.1"
    made.world.projects[NAME] = replace(project, tags={}, releases=())
    with pytest.raises(NotFound, match="no release that can be installed"):
        asker.newest(name, NOW)


def test_half_a_surrogate_pair_can_be_written_down() -> None:
    """Text that UTF-8 cannot hold is spelled once, in every depth; all other text stays as it is."""
    report = ask(house())
    plain = encodable(report)
    odd = replace(report, reasons=("\ud800x", "é"), groups={"\udfff": 1.0})

    assert plain is report
    spelled = encodable(odd)
    assert (spelled.reasons, spelled.groups) == (("\\u{d800}x", "é"), {"\\u{dfff}": 1.0})
    assert encodable(spelled) is spelled
    evidence = ReportedEvidence(artifact="a", path="\udc80")
    assert encodable(evidence).path == "\\u{dc80}"


def test_what_many_releases_bring_is_read_once_and_changes_no_answer() -> None:
    """Two questions of one instant that bring the same dependencies: read once, answered as if asked alone."""

    def entry(name: str, *needs: str) -> dict[str, object]:
        needed = ", ".join(f'"{need}": "^1.0.0"' for need in needs)
        files = {"package.json": f'{{"name": "{name}", "version": "1.0.0", "dependencies": {{{needed}}}}}'}
        return {"name": name, "version": "1.0.0", "published": NOW - timedelta(days=900), "files": files}

    entries = [entry("a", "b", "c"), entry("b", "c"), entry("c", "d"), entry("d", "b")]
    questions = [Question(ProjectName(name), Version("1.0.0")) for name in ("a", "d", "c", "b")]
    alone = [house(dependency=entries).asker("npm").release(question, NOW) for question in questions]
    made = house(dependency=entries)
    asker = made.asker("npm")
    fetched: list[str] = []
    download = made.world.download

    def counted(artifact: Artifact) -> bytes:
        fetched.append(artifact.filename)
        return download(artifact)

    made.world.download = counted  # type: ignore[method-assign]

    together = [asker.release(question, NOW) for question in questions]

    assert list(map(msgspec.json.encode, together)) == list(map(msgspec.json.encode, alone))
    assert len(fetched) == len(questions) + len({"b", "c", "d"})
