"""Replay every incident and write what came of it into the table of replays/README.md.

``--check`` replays nothing: it fails if a replay is missing from the table, or the table names one that is gone.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

REPLAYS = Path(__file__).resolve().parents[1] / "replays"
PAGE = REPLAYS / "README.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"
HEAD = "| replay | package | expected | verdict | evidence |\n|---|---|---|---|---|\n"
LINE = re.compile(
    r"(?:ok  |FAIL) (?P<name>\S+): expected (?P<want>\w+), got (?P<got>\w+)(?:  (?P<where>pkg:\S+) (?P<at>\S+))?"
)
RELEASE = re.compile(r"^pkg:\w+/(?P<name>.+)@(?P<version>[^@]+)$")


def main() -> int:
    """Write the table, or check that it names what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="replay nothing; compare names")
    options = parser.parse_args()
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    table, _, after = rest.partition(END)
    if options.check:
        named = set(re.findall(r"^\| `([^`]+)`", table, re.MULTILINE))
        wrong = sorted(named ^ folders())
        for name in wrong:
            sys.stdout.write(
                f"{PAGE}: {name}: {'is gone' if name in named else 'is missing'}; run tools/gen_replays.py\n"
            )
        return 1 if wrong else 0
    PAGE.write_text(before + BEGIN + HEAD + "".join(rows()) + END + after, encoding="utf-8")
    return 0


def folders() -> set[str]:
    """Return the names of the replays that are no controls."""
    return {sheet.parent.name for sheet in REPLAYS.glob("*/replay.toml")}


def rows() -> list[str]:
    """Replay everything that is no control; return a row for each."""
    paths = [str(REPLAYS / name) for name in sorted(folders())]
    command = [str(Path(sys.executable).parent / "lazaretto"), "replay", "--quiet", *paths]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = []
    for match in LINE.finditer(said):
        sheet = (REPLAYS / match["name"] / "replay.toml").read_text(encoding="utf-8")
        package = re.search(r'^package   = "([^"]+)"', sheet, re.MULTILINE)
        release = RELEASE.match(match["where"] or "")
        at = f"`{match['at']}`" if match["at"] else "none"
        if release is not None and package is not None and release["name"].replace("%40", "@") != package[1]:
            at += f" of {release['name']}"
        found.append(
            f"| `{match['name']}` | {package[1] if package else ''} | {match['want']} | {match['got']} | {at} |\n"
        )
    return found


if __name__ == "__main__":
    sys.exit(main())
