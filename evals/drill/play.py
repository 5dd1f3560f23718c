"""Play the drill with commands alone, as a person would, and hold the answers against the sheet."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from evals.drill.company import RELEASES, WINDOW, Sheet

Shell = Callable[..., tuple[int, str]]
"""Runs a command of Lazaretto: exit code, and all that it printed."""


class Score(Struct):
    """How one question was answered."""

    question: str
    wanted: int
    missed: list[str]
    wrong: list[str]
    seconds: float

    @property
    def recall(self) -> float:
        """Which part of what is wanted was found."""
        return (self.wanted - len(self.missed)) / self.wanted if self.wanted else 1.0

    @property
    def precision(self) -> float:
        """Which part of what was found is wanted."""
        found = self.wanted - len(self.missed) + len(self.wrong)
        return (found - len(self.wrong)) / found if found else 1.0


class Outcome(Struct):
    """Every question, and the planted values that were printed or written anywhere."""

    scores: list[Score]
    leaked: list[str]
    planted: int

    @property
    def perfect(self) -> bool:
        """Whether nothing was missed, wrongly named or let out."""
        return not self.leaked and all(not one.missed and not one.wrong for one in self.scores)

    def table(self) -> str:
        """Return it as text."""
        lines = [f"{'question':44} {'wanted':>7} {'recall':>7} {'precision':>9} {'s':>6}"]
        for one in self.scores:
            line = f"{one.question:44} {one.wanted:7} {one.recall:7.3f} {one.precision:9.3f} {one.seconds:6.1f}"
            lines.append(line)
            lines += [f"  missed: {text}" for text in one.missed[:10]] + [f"  wrong: {text}" for text in one.wrong[:10]]
        lines.append(f"{len(self.leaked)} of {self.planted} planted values got out")
        return "\n".join(lines)


def play(run: Shell, company: Path, report: Path, sheet: Sheet) -> Outcome:
    """Look, ask, sweep, respond; return how it went. The reports are written into a folder."""
    report.mkdir(parents=True, exist_ok=True)
    printed: list[str] = []

    def shell(*words: str) -> tuple[int, str]:
        code, text = run(*words)
        printed.append(text)
        return code, text

    began = time.monotonic()
    for part in ("repos", "logs", "firewall"):
        shell("inventory", "add", "--quiet", "--name", part, str(company / part))
    machines = sorted(path.name for path in (company / "machines").iterdir())
    for name in machines:
        shell("inventory", "add", "--quiet", "--name", name, str(company / "machines" / name))
    added = time.monotonic() - began
    scores = [*_asked(shell, sheet), _swept(shell, company, machines, report, sheet)]
    scores[0].seconds += added
    _respond(shell, company, machines, report)
    written = "".join(path.read_text("utf-8") for path in sorted(report.iterdir()))
    everything = "".join(printed) + written
    leaked = [value for value in sheet.planted if value in everything]
    return Outcome(scores, leaked, len(sheet.planted))


def _asked(shell: Shell, sheet: Sheet) -> list[Score]:
    began = time.monotonic()
    answer = json.loads(shell("exposed", *RELEASES, "--window", WINDOW, "--format", "json")[1])
    took = time.monotonic() - began
    sure = [one for one in answer["exposures"] if one["confidence"] != "low"]
    found = {(one["place"]["path"], f"{one['name']}@{one['version']}") for one in sure}
    ran = {one["place"]["path"] for one in sure if one["ran"] == "yes"}
    outside = {one["place"]["path"] for one in (*answer["outside"], *answer["exposures"]) if one["confidence"] == "low"}
    return [
        _score("who took it (places x releases)", sheet.taken, found, took),
        _score("where it certainly ran", sheet.ran, ran, took),
        _score("who had it outside the window, or was refused", sheet.outside, outside, took),
    ]


def _swept(shell: Shell, company: Path, machines: list[str], report: Path, sheet: Sheet) -> Score:
    began = time.monotonic()
    found = set()
    for name in machines:
        words = ("--campaign", "axios", "--intel", str(company / "intel.json"), "--format", "json", "--quiet")
        text = shell("hostcheck", str(company / "machines" / name), *words)[1]
        (report / f"sweep-{name}.json").write_text(text, "utf-8")
        if any(not one["known"] for one in json.loads(text)["found"]):
            found.add(name)
    return _score("which disks hold traces (hostcheck)", sheet.traces, found, time.monotonic() - began)


def _respond(shell: Shell, company: Path, machines: list[str], report: Path) -> None:
    intel = ("--intel", str(company / "intel.json"))
    releases = [word for one in RELEASES for word in ("--release", one)]
    shell("respond", "open", "drill", *releases, "--campaign", "axios", *intel, "--window", WINDOW, "--by", "the drill")
    disks = [word for name in machines for word in ("--disk", f"{name}={company / 'machines' / name}")]
    disks += [word for part in ("repos", "logs", "firewall") for word in ("--disk", f"{part}={company / part}")]
    sweeps = [word for name in machines for word in ("--host-report", str(report / f"sweep-{name}.json"))]
    shell(
        "respond",
        "add",
        "drill",
        *disks,
        *sweeps,
        *intel,
        "--note",
        "machines are off the network",
        "--by",
        "the drill",
    )
    shell("respond", "add", "drill", "--done", "general/isolate-machines", "--no-look", *intel, "--by", "the drill")
    for name, ending in (*((one, one) for one in ("html", "json", "patch", "stix")), ("markdown", "md")):
        shell("respond", "show", "drill", "--format", name, "--output", str(report / f"incident.{ending}"), *intel)
    shell("respond", "show", "drill", "--verbose", *intel)


def _score(
    question: str, wanted: set[str] | set[tuple[str, str]], found: set[str] | set[tuple[str, str]], s: float
) -> Score:
    missed = sorted(map(str, wanted - found))
    wrong = sorted(map(str, found - wanted))
    return Score(question, len(wanted), missed, wrong, s)
