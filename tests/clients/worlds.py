"""What the upstreams hold when the firewall is tested: honest packages, and one inert incident in each ecosystem."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.clients.packages import File, NpmPackage, npm, npm_tree, sdist, wheel

_REPLAYS = Path(__file__).resolve().parents[2] / "replays"
_HIDDEN = _REPLAYS / "2026-03-axios--1.14.1" / "dependencies"
_STARTUP = _REPLAYS / "2026-03-litellm--1.82.8" / "overlay" / "litellm_init.pth"


def npm_world(now: datetime | None = None) -> list[list[NpmPackage]]:
    """Return carrier, whose 1.14.1 is an hour old and asks for a dependency that runs at installation; and quiet.

    The dependency is that of the axios replay. ``quiet`` has a release as young, in which nothing is odd.
    """
    moment = now or datetime.now(UTC)

    def ago(**units: int) -> datetime:
        return moment - timedelta(**units)

    return [
        [
            npm("carrier", "1.13.5", ago(days=120)),
            npm("carrier", "1.14.0", ago(days=60)),
            npm("carrier", "1.14.1", ago(hours=1), dependencies={"plain-crypto-js": "^4.2.1"}),
        ],
        [
            npm_tree(_HIDDEN / "plain-crypto-js@4.2.0", "4.2.0", ago(hours=20)),
            npm_tree(_HIDDEN / "plain-crypto-js@4.2.1", "4.2.1", ago(hours=2)),
        ],
        [npm("quiet", "2.0.0", ago(days=400)), npm("quiet", "2.0.1", ago(hours=1))],
    ]


def pypi_world() -> list[File]:
    """Return parcel, whose 1.1 is honest as source and, as a wheel, brings a file that every Python runs; and calm."""
    return [
        wheel("parcel", "1.0"),
        sdist("parcel", "1.0"),
        wheel("parcel", "1.1", beside={"parcel_init.pth": _STARTUP.read_bytes()}),
        sdist("parcel", "1.1"),
        wheel("burden", "1.0"),
        wheel("burden", "1.1", beside={"burden_init.pth": _STARTUP.read_bytes()}),
        wheel("calm", "2.0"),
        wheel("calm", "2.1"),
    ]


def copies(names: list[str]) -> tuple[list[list[NpmPackage]], list[File]]:
    """Return an old honest package of each name in both ecosystems: one that nobody else's test decides about."""
    old = datetime.now(UTC) - timedelta(days=300)
    return [[npm(name, "1.0.0", old)] for name in names], [wheel(name, "1.0") for name in names]
