"""Look at the files in ``deploy/``: ``python tools/check_deploy.py BIN``, where BIN has the linters (``make check``).

The unit is verified, and its exposure bounded, where systemd is at hand; elsewhere that is said, and the rest is done.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
DEPLOY = TOOLS.parent / "deploy"
MAX_EXPOSURE = 1.5
"""What ``systemd-analyze security`` may find open in the unit, of 10. Only ever lowered."""


def main(tools: Path) -> int:
    """Run every check and return how many failed."""
    commands: dict[str, list[object]] = {
        "Containerfile": [tools / "hadolint", "--no-color", DEPLOY / "Containerfile"],
        "YAML": [tools / "yamllint", "--strict", "-c", DEPLOY / "yamllint.yaml", DEPLOY],
        "compose.yaml": [
            tools / "check-jsonschema",
            "--quiet",
            "--builtin-schema",
            "vendor.compose-spec",
            DEPLOY / "compose.yaml",
        ],
        "the chart": [tools / "python", TOOLS / "check_chart.py", DEPLOY / "chart"],
    }
    failed = sum(not passes(name, list(map(str, command))) for name, command in commands.items())
    return failed + unit_fails(DEPLOY / "lazaretto.service")


def passes(name: str, command: list[str]) -> bool:
    """Run one command; print what it says if it fails."""
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode or run.stderr.strip():
        print(f"deploy: {name} fails\n{run.stdout}{run.stderr}")
        return False
    return True


def unit_fails(unit: Path) -> int:
    """Verify the unit, with a program in it that is here, and look at what it leaves open."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        print("deploy: there is no systemd-analyze here: lazaretto.service was not verified")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder) / unit.name
        text = re.sub(r"^(ExecStart=)\S+", r"\1/bin/true", unit.read_text(encoding="utf-8"), flags=re.MULTILINE)
        here.write_text(text, encoding="utf-8")
        if not passes(unit.name, [analyze, "verify", "--man=no", str(here)]):
            return 1
        command = [analyze, "security", "--offline=true", "--no-pager", str(here)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", run.stdout)
    if found is None or float(found[1]) > MAX_EXPOSURE:
        print(f"deploy: {unit.name} leaves more open than {MAX_EXPOSURE}\n{run.stdout}{run.stderr}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1])) else 0)
