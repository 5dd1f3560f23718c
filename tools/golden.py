"""Write ``tests/golden/detectors.txt`` from what lies in the package: ``make golden``."""

from pathlib import Path

from lazaretto._plugins import names

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden" / "detectors.txt"


def main() -> None:
    """Write one id on each line, in the order of names."""
    ids = [name.replace("_", "-") for name in names("lazaretto.detectors")]
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    GOLDEN.write_text("\n".join(ids) + "\n", encoding="utf-8")
    print(f"{GOLDEN.name}: {len(ids)} detectors")


if __name__ == "__main__":
    main()
