"""Print the coverage of each part of the package, and fail where one is below its floor.

The floors stand in ``pyproject.toml`` under ``tool.lazaretto.coverage-floors``; they are only ever raised. Run after
``pytest --cov``. With the path of a JUnit file, the last line says how many tests passed and failed, so that the
outcome of a long log stands at its end.
"""

import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

from coverage import Coverage
from coverage.results import Numbers

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "lazaretto"


def measure() -> dict[str, Numbers]:
    """Return the figures of each part: a folder of the package, or a module that stands alone."""
    coverage = Coverage(config_file=str(ROOT / "pyproject.toml"), data_file=str(ROOT / ".coverage"))
    coverage.load()
    parts: dict[str, Numbers] = defaultdict(Numbers)
    for path in sorted(PACKAGE.rglob("*.py")):
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        parts[part] += coverage._analyze(str(path)).numbers  # noqa: SLF001 - the public reports give no sums of folders
    return parts


def floors() -> dict[str, float]:
    """Return the floors in per cent, by part."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {part: float(floor) for part, floor in document["tool"]["lazaretto"]["coverage-floors"].items()}


def closing_line(junit: Path) -> str:
    """Return how many tests passed and failed."""
    suites = list(ET.parse(junit).getroot().iter("testsuite"))  # noqa: S314 - our own file
    total, bad = (
        sum(int(suite.get(key, "0")) for suite in suites for key in keys)
        for keys in (("tests",), ("failures", "errors"))
    )
    return f"{total - bad} passed, {bad} failed"


def main() -> int:
    """Return 1 if a part is below its floor."""
    low = []
    required = floors()
    for part, numbers in sorted(measure().items()):
        floor = required.get(part, 0.0)
        below = numbers.pc_covered < floor
        low += [part] * below
        lines, branches = numbers.n_statements, numbers.n_branches
        mark = "  below" if below else ""
        print(f"{part:12} {numbers.pc_covered:6.2f} %  floor {floor:5.1f}  {lines:5} lines {branches:5} branches{mark}")
    if low:
        print(f"Below the floor: {', '.join(low)}. `make coverage` shows the lines.")
    if len(sys.argv) > 1:
        print(closing_line(Path(sys.argv[1])))
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
