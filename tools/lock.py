"""Pin every dependency with hashes, for every supported Python, from releases at least a week old.

The cooldown is the one that Lazaretto recommends to others: most tampered releases are found within days.
Usage: ``python tools/lock.py UV [DAYS]``, where UV is the uv program (``make lock`` installs it).
"""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
LOCKS = (
    "runtime",
    "firewall",
    "cluster",
    "oidc",
    "verify",
    "images",
    "build",
    "dev",
    "deploy",
    "services",
    "lock",
    "bench",
    "clients",
    "node",
    "fuzz",
)
COOLDOWN_DAYS = 7


def main(uv: str, days: int = COOLDOWN_DAYS) -> None:
    """Write ``requirements/*.txt`` from ``requirements/*.in``, in the order in which they build on each other."""
    cutoff = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT00:00:00Z")
    options = ("--quiet", "--no-config", "--universal", "--python-version", "3.11", "--upgrade")
    anonymous = ("--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "make lock")
    uv = str(Path(uv).resolve())
    for name in LOCKS:
        files = (f"{name}.in", "--output-file", f"{name}.txt")
        command = (uv, "pip", "compile", *options, *anonymous, "--generate-hashes", "--exclude-newer", cutoff, *files)
        subprocess.run(command, cwd=REQUIREMENTS, check=True)
    print(f"Pinned from releases before {cutoff}.")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
