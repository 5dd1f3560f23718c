"""Write the golden files from the code: ``make golden``. Look at the difference before you commit it."""

import re
import sys
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
sys.path.insert(0, str(ROOT))

from lazaretto._plugins import discover, names  # noqa: E402
from lazaretto.app.rendering import OutputModule, RenderOptions  # noqa: E402
from tests.contracts import reports  # noqa: E402


def files() -> dict[Path, str]:
    """Return every golden file with what belongs into it."""
    ids = [name.replace("_", "-") for name in names("lazaretto.detectors")]
    made = {GOLDEN / "detectors.txt": "\n".join(ids) + "\n"}
    for module in discover("lazaretto.outputs", ("FORMAT", "render")):
        output = cast("OutputModule", module)
        for case, report in reports.CASES.items():
            path = GOLDEN / "outputs" / output.FORMAT.name / f"{case}.txt"
            made[path] = output.render(report, RenderOptions())
    made[ROOT / "README.md"] = readme(made[GOLDEN / "outputs" / "terminal" / "held.txt"])
    return made


def readme(held: str) -> str:
    """Return the README with the rendering of a hold in its place."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    place = re.compile(r"(?<=`make golden` writes what follows -->\n```text\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
    return place.sub(lambda _: re.sub(r" +$", "", held, flags=re.MULTILINE), text, count=1)


def main() -> None:
    """Write what differs, and remove what nothing stands behind any more."""
    made = files()
    for path in sorted({*made, *(GOLDEN / "outputs").rglob("*.txt")}):
        name = path.relative_to(ROOT)
        if path not in made:
            path.unlink()
            print(f"removed {name}")
        elif not path.exists() or path.read_bytes() != made[path].encode():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made[path].encode())
            print(f"written {name}")


if __name__ == "__main__":
    main()
