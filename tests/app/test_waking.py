"""How much is read to tell which files an update wakes."""

from collections.abc import Iterable, Iterator, Mapping

import pytest

from lazaretto.app.analyse import Analyser, Question
from lazaretto.app.ports import Home, Job
from lazaretto.core.facts import Facts
from lazaretto.core.finding import Example
from tests.examples import World, build_world, rules

IDLE = {f"pad/idle{n}.py": f"idle = {n}\n" for n in range(9)}
PAGE = "import(location.hash);\n"


def paths_read(monkeypatch: pytest.MonkeyPatch, before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    """Return the files that were read to answer for an update of a wheel."""
    read: set[str] = set()
    plain = World.read

    def noting(self: World, jobs: Iterable[Job], home: Home) -> Iterator[tuple[Job, Facts]]:
        wanted = list(jobs)
        read.update(job.path for job in wanted)
        return plain(self, wanted, home)

    monkeypatch.setattr(World, "read", noting)
    world, name, version, now = build_world(Example(title="", before=before, after=after, ecosystem="pypi"))
    analyser = Analyser(world.ecosystem, world, world, rules(), now)
    analyser.release(Question(world.ecosystem.name(name), world.ecosystem.version(version)))
    return {path for path in read if path.startswith("pad/")}


def test_what_is_woken_and_does_nothing_costs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unchanged module that a changed one newly loads is read, with what it loads, and nothing else is."""
    kept = {**IDLE, "pad/idle0.py": "from pad import idle1\n"}
    before = {**kept, "pad/__init__.py": "x = 1\n"}
    after = {**kept, "pad/__init__.py": "from pad import idle0\n"}
    assert paths_read(monkeypatch, before, after) == {"pad/__init__.py", "pad/idle0.py", "pad/idle1.py"}


def test_a_page_in_a_wheel_wakes_no_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts of web pages load by names that cannot be known; no Python code leads to them, so they wake nothing."""
    before = {**IDLE, "pad/__init__.py": "x = 1\n", "pad/static/app.js": "1;\n"}
    after = {**before, "pad/static/app.js": PAGE}
    assert paths_read(monkeypatch, before, after) == {"pad/static/app.js"}


def test_a_script_that_python_names_may_wake_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python code names the script, what the script loads counts."""
    runs = "import runpy\nrunpy.run_path('pad/static/app.js')\n"
    before = {**IDLE, "pad/__init__.py": runs, "pad/static/app.js": "1;\n"}
    after = {**before, "pad/static/app.js": PAGE}
    assert set(IDLE) <= paths_read(monkeypatch, before, after)
