"""``python -m evals.week``: run the week, and write the page to ``evals/out``."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from evals.week.page import html, markdown, summary
from evals.week.run import week

OUT = Path(__file__).parent.parent / "out"


def main() -> int:
    """Return 0 if no tampered release ever reached the bot."""
    with TemporaryDirectory(prefix="lazaretto-week-") as folder:
        outcome = week(Path(folder))
    OUT.mkdir(exist_ok=True)
    for name, text in (("week.md", markdown(outcome)), ("week.html", html(outcome))):
        (OUT / name).write_text(text)
        print(OUT / name)
    print(", ".join(f"{figure} {what}" for figure, what in summary(outcome)))
    return 1 if outcome.tampered else 0


if __name__ == "__main__":
    sys.exit(main())
