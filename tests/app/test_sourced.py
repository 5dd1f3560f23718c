"""A release against its repository, through the use case: compared, out of reach, required or not."""

from collections.abc import Mapping, Sequence

import pytest
from msgspec.structs import replace

from lazaretto.app.analyse import Analyser, Analysis, Question
from lazaretto.app.ports import NotFound, Unavailable
from lazaretto.app.reporting import report_update
from lazaretto.app.sourced import DECLARED, Sourcer
from lazaretto.core.finding import Example
from lazaretto.core.model import Provenance, Provided
from lazaretto.core.policy import Outage, Outcome, Policy
from lazaretto.core.question import package_json
from lazaretto.core.source import Commit, identifier
from lazaretto.core.verdict import CHECK_SOURCE, RecordState
from tests.examples import World, build_world, rules

STARTS = "require('child_process').execSync('node a.js');\n"
BEFORE = {"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"}
AFTER = {"package.json": package_json("1.0.1"), "index.js": "module.exports = 2;\n"}


class Forge:
    """A repository of one commit; it may be out of reach, or keep its contents."""

    def __init__(self, files: Mapping[str, str], *, away: Exception | None = None, silent: bool = False) -> None:
        self.files = {path: text.encode() for path, text in files.items()}
        self.away = away
        self.silent = silent
        self.asked: list[tuple[str, str | None, bool]] = []

    def commit(self, where: str, names: Sequence[str], identifier_: str | None, *, trusted: bool) -> Commit:
        """Return the commit."""
        self.asked.append((where, identifier_, trusted))
        if self.away is not None:
            raise self.away
        return Commit(where, names[0], "c" * 40, {path: identifier(data) for path, data in self.files.items()})

    def texts(self, commit: Commit, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Return contents."""
        return {} if self.silent else {path: self.files[path] for path in paths}


def analysed(forge: Forge, after: Mapping[str, str], where: str = "clone", *, required: bool = False) -> Analysis:
    """Ask about an update, compared with a repository."""
    world, name, version, _ = build_world(Example(title="x", before=BEFORE, after=after))
    return _ask(world, name, version, forge, where, required=required)


def _ask(
    world: World, name: str, version: str, forge: Forge, where: str, *, required: bool = False, first: bool = False
) -> Analysis:
    from tests.examples import NOW

    sourcer = Sourcer(forge, where, required=required)
    analyser = Analyser(world.ecosystem, world, world, rules(Policy()), NOW, sourcer=sourcer)
    question = Question(world.ecosystem.name(name), world.ecosystem.version(version), first_contact=first)
    return analyser.release(question)


def test_code_that_no_commit_has_is_charged() -> None:
    """The record is complete, the detector is required, and the report says what was compared."""
    found = analysed(Forge(AFTER), {**AFTER, "index.js": "module.exports = 2;\n" + STARTS})

    assert found.outcome is Outcome.HOLD
    assert found.records[CHECK_SOURCE].state is RecordState.COMPLETE
    assert [one.variant for one in found.records["source-differs"].findings] == ["import"]
    report = report_update(found, rules(), {"rules": "r", "policy": "p"}, found.update.now)  # type: ignore[arg-type]
    (told,) = report.source
    assert (told.repository, told.ref, told.same) == ("clone", "v1.0.1", 1)
    assert [(one.path, one.lines) for one in told.only] == [("index.js", (2,))]


def test_what_is_committed_is_not() -> None:
    """The same code, in the repository too."""
    files = {**AFTER, "index.js": "module.exports = 2;\n"}
    found = analysed(Forge(files), files)

    assert found.outcome is Outcome.ALLOW
    assert found.records["source-differs"].findings == ()


@pytest.mark.parametrize("error", [NotFound("no tag v1.0.1"), Unavailable("no answer")])
def test_out_of_reach_is_told_and_holds_only_if_required(error: Exception) -> None:
    """Whoever asks may not lose by it, unless he said that he would."""
    found = analysed(Forge({}, away=error), AFTER)
    assert (found.outcome, found.complete) == (Outcome.ALLOW, True)
    assert CHECK_SOURCE not in found.records
    assert any(str(error) in text for text in found.left_unread)

    found = analysed(Forge({}, away=error), AFTER, required=True)
    assert (found.outcome, found.complete) == (Outcome.HOLD, False)
    assert found.records[CHECK_SOURCE].outage is Outage.UPSTREAM


def test_a_file_that_could_not_be_compared() -> None:
    """Told, or incomplete where a comparison is required."""
    other = {**AFTER, "index.js": "module.exports = 3;\n"}
    assert any("too large" in text for text in analysed(Forge(other, silent=True), AFTER).left_unread)

    found = analysed(Forge(other, silent=True), AFTER, required=True)
    assert found.records[CHECK_SOURCE].outage is Outage.LIMIT
    assert found.outcome is Outcome.HOLD


@pytest.mark.parametrize(("fields", "where"), [
    ({"repository": {"type": "git", "url": "git+https://forge.invalid/pad.git"}}, "git+https://forge.invalid/pad.git"),
    ({"repository": "team/pad"}, "team/pad"),
])  # fmt: skip
def test_the_repository_that_the_manifest_names(fields: dict[str, object], where: str) -> None:
    """It is not trusted as one that the user names; the commit is that of the index."""
    files = {**AFTER, "package.json": package_json("1.0.1", **fields)}
    forge = Forge(files)
    analysed(forge, files, DECLARED)

    assert forge.asked == [(where, "0" * 40, False)]


def test_the_repository_of_a_wheel() -> None:
    """A link of the metadata that is labelled as the source."""
    metadata = (
        "Metadata-Version: 2.1\nName: example-package\nVersion: 1.0.1\n"
        "Project-URL: Docs, https://docs.invalid/\nProject-URL: Source Code, https://forge.invalid/team/pad\n"
    )
    after = {"pad.py": "a = 1\n", "example_package-1.0.1.dist-info/METADATA": metadata}
    example = Example(title="x", ecosystem="pypi", before={"pad.py": "a = 0\n"}, after=after)
    forge = Forge({"pad.py": "a = 1\n"})
    found = _ask(*build_world(example)[:3], forge, DECLARED)

    assert forge.asked[0][0] == "https://forge.invalid/team/pad"
    assert found.update.source is not None
    assert found.update.source.comparisons[0].generated == ("example_package-1.0.1.dist-info/METADATA",)


def test_an_attested_commit_counts_before_what_the_index_says() -> None:
    """Its repository, too."""
    home = Provenance("https://forge.invalid/team/pad", commit="a" * 40)
    world, name, version, _ = build_world(Example(title="x", before=BEFORE, after=AFTER))
    project = world.projects[name]
    releases = tuple(replace(one, provenance=home) for one in project.releases)
    world.projects[name] = replace(project, releases=releases)
    forge = Forge(AFTER)
    _ask(world, name, version, forge, DECLARED)

    assert forge.asked == [("https://forge.invalid/team/pad", "a" * 40, False)]


def test_no_repository_is_named() -> None:
    """Told in words."""
    found = analysed(Forge(AFTER), AFTER, DECLARED)

    assert any("names a repository" in text for text in found.left_unread)


def test_nobody_asks_for_what_is_newly_brought() -> None:
    """The repository that a user names is that of the release he asks about."""
    forge = Forge(AFTER)
    world, name, version, _ = build_world(Example(title="x", before=BEFORE, after=AFTER))
    found = _ask(world, name, version, forge, "clone", first=True)

    assert forge.asked == []
    assert Provided.SOURCE not in found.update.provides - world.projects[name].provides
