"""The same input gives the same bytes, whatever reads it, however many read it, and whatever was read before."""

import os
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from lazaretto.app.ports import Engine, Home, Job, no_home
from lazaretto.core.facts import Facts
from lazaretto.infra.engine import Engine as ConfinedEngine
from lazaretto.infra.engine import InlineEngine
from lazaretto.infra.facts_cache import FactsCache
from tests.examples import app
from tests.laws import updates

ROOT = Path(__file__).parents[2]


def told(ecosystem: str, engine: Engine) -> bytes:
    """Return the report on the update of an ecosystem as bytes."""
    return msgspec.json.encode(updates.report(ecosystem, engine))


@pytest.fixture(scope="module", params=["npm", "pypi"])
def ecosystem(request: pytest.FixtureRequest) -> str:
    """Return each ecosystem in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def expected(ecosystem: str) -> bytes:
    """Return the report of the simplest reader: in this process, without a memory."""
    return told(ecosystem, InlineEngine(app().languages))


def test_the_update_says_something(ecosystem: str, expected: bytes) -> None:
    """What is compared is no empty report: there are charges, and a file that is not understood."""
    report = msgspec.json.decode(expected)

    assert report["verdict"] != "allow"
    assert {"secret-flows-to-network"} <= {finding["id"] for finding in report["findings"]}
    (files,) = [record for record in report["records"] if record["check"] == "files"]
    assert files["state"] == "incomplete"
    assert "broken" in files["problems"][0]


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_and_memory_change_nothing(tmp_path: Path, ecosystem: str, expected: bytes, workers: int) -> None:
    """One confined reader or two; without a memory, filling one, and out of a full one."""
    with ConfinedEngine(app().languages, workers) as engine:
        assert told(ecosystem, engine) == expected
    for _ in ("empty", "full"):
        with ConfinedEngine(app().languages, workers, cache=FactsCache(tmp_path)) as engine:
            assert told(ecosystem, engine) == expected
    assert told(ecosystem, InlineEngine(app().languages, cache=FactsCache(tmp_path))) == expected


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_answers_changes_nothing(ecosystem: str, expected: bytes, seed: int) -> None:
    """A port may answer in any order."""

    class Shuffling(InlineEngine):
        def read(self, jobs: Iterable[Job], home: Home = no_home) -> Iterator[tuple[Job, Facts]]:
            answers = list(super().read(jobs, home))
            random.Random(seed).shuffle(answers)
            return iter(answers)

    assert told(ecosystem, Shuffling(app().languages)) == expected


def test_the_order_of_sets_changes_nothing(ecosystem: str, expected: bytes) -> None:
    """Python orders sets of text differently in each process; no report shows it."""
    code = (
        "import sys, msgspec; from tests.examples import app; from tests.laws import updates\n"
        "from lazaretto.infra.engine import InlineEngine\n"
        f"report = updates.report({ecosystem!r}, InlineEngine(app().languages))\n"
        "sys.stdout.buffer.write(msgspec.json.encode(report))"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    for seed in ("0", "1"):
        environment = {**kept, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
        assert run.stdout == expected
