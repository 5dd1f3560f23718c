"""Rewrite the payload of every held replay and count how often it stays held: ``python -m evals.mutate [FOLDER ...]``.

A rewrite keeps what the code does (see ``evals.mutations``). Real minifiers join in if ``MINIFIERS`` names a folder
whose ``node_modules`` holds terser and esbuild. ``--only padded`` chooses by a part of the name. Exit 0 if at least
98 of 100 stay held.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from evals.mutations import padding, payload
from lazaretto.app.analyse import Analyser, Analysis, Question
from lazaretto.app.ports import Registry
from lazaretto.app.replay import Answer, FoundIn, Replay, ReplayResult, run
from lazaretto.app.replay_world import Builder
from lazaretto.bootstrap import App
from lazaretto.core.finding import Finding
from lazaretto.core.model import Artifact, ArtifactKind
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.policy import Policy
from lazaretto.core.tree import Tree
from lazaretto.settings import load

ROOT = Path(__file__).parents[1]
LEAST = 0.98
FEWEST = 20
"""Rewrites that a replay should have; one with fewer is marked in the table."""

SLOW = 20.0
"""Seconds above which what was asked about one rewrite is told."""


def main() -> int:
    """Print a line per rewrite and replay that is no longer held, and the table."""
    parser = argparse.ArgumentParser(prog="python -m evals.mutate", description=__doc__)
    parser.add_argument(
        "folders", nargs="*", type=Path, metavar="FOLDER", help="replays; default: all that should be held"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="rewrites whose name has this in it: padded")
    arguments = parser.parse_args()
    folders = arguments.folders or held()
    counts: dict[str, tuple[int, int]] = {}
    with App(load(os.environ, Path.cwd(), Path.home())) as app:
        for folder in folders:
            (replay,) = app.replays(folder)
            counts[replay.name] = _counted(app, replay, arguments.only)
    kept, tried = (sum(row[at] for row in counts.values()) for at in (0, 1))
    print(f"\n{kept} of {tried} rewritten replays stay held: {100 * kept / max(tried, 1):.1f} %")
    return 0 if tried and kept >= LEAST * tried else 1


def held() -> list[Path]:
    """Return the folders of the replays that should be held."""
    return sorted(path.parent for path in (ROOT / "replays").glob("*/replay.toml"))


def _counted(app: App, replay: Replay, only: str) -> tuple[int, int]:
    kept = tried = 0
    started = time.perf_counter()
    builder = _builder(app)
    for name, mutant in (*payload.mutants(replay), *padding.mutants(replay)):
        if only not in name:
            continue
        before = time.perf_counter()
        result = asked(app, mutant, builder)
        taken = time.perf_counter() - before
        if taken > SLOW:
            print(f"SLOW  {replay.name}: {name}: {taken:.0f} s", flush=True)
        kept += result.held
        tried += 1
        if not result.held:
            print(f"MISS  {replay.name}: {name}: {result.outcome} {result.note[:200]}", flush=True)
    few = f"  (fewer than {FEWEST})" if tried < FEWEST and not only else ""
    print(f"{kept:4} of {tried:3} held  {replay.name}  {time.perf_counter() - started:.0f} s{few}", flush=True)
    return kept, tried


def _builder(app: App) -> Builder:
    """Return a builder that opens each archive once: the release before is the same for every rewrite."""
    builder = app.replay_builder()

    known: dict[tuple[ArtifactKind, str], Tree] = {}

    def opened(artifact: Artifact, data: bytes) -> Tree:
        key = artifact.kind, sha256(data).hexdigest()
        if key not in known:
            known[key] = builder.unpack(artifact, data)
        return known[key]

    return replace(builder, unpack=opened)


def asked(app: App, replay: Replay, builder: Builder) -> ReplayResult:
    """Return what the analyser says of a rewritten replay: without advisories, waivers or a cooldown."""

    def ask(ecosystem: str, project: ProjectName, version: Version, now: datetime, registry: Registry) -> Answer:
        rules = replace(app.rules, policy=Policy())
        analysis = Analyser(app.ecosystem(ecosystem), registry, app.engine, rules, now).release(
            Question(project, version)
        )
        return Answer(analysis.outcome.word, analysis.complete, tuple(_found(analysis)))

    (result,) = run([replay], ask, builder.build)
    return result


def _found(analysis: Analysis) -> Iterator[FoundIn]:
    for record in analysis.records.values():
        yield from (FoundIn(analysis.verdict.subject.purl, _undulled(finding)) for finding in record.findings)
    for followed in analysis.edges:
        if followed.analysis is not None:
            yield from _found(followed.analysis)


def _undulled(finding: Finding) -> Finding:
    """Return a finding without the evidence that is in what a payload is padded with; a manifest has it in one line."""
    kept = (one for one in finding.evidence if padding.MARK not in one.text or one.path.endswith("package.json"))
    return replace(finding, evidence=tuple(kept))


if __name__ == "__main__":
    sys.exit(main())
