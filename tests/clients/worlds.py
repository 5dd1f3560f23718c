"""What the upstreams hold when the firewall is tested: honest packages, and one inert incident in each ecosystem."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.clients.packages import File, NpmPackage, npm, npm_installed, npm_tree, sdist, wheel
from tests.clients.rig import CLIENTS, NODE_MODULES

_REPLAYS = Path(__file__).resolve().parents[2] / "replays"
_HIDDEN = _REPLAYS / "2026-03-axios--1.14.1" / "dependencies"
_STARTUP = _REPLAYS / "2026-03-litellm--1.82.8" / "overlay" / "litellm_init.pth"


def npm_world(now: datetime | None = None) -> list[list[NpmPackage]]:
    """Return carrier, whose 1.14.1 is an hour old and asks for a dependency that runs at installation; and quiet.

    The dependency is that of the axios replay. ``quiet`` has a release as young, in which nothing is odd; ``young`` has
    two, of which the older is not read before someone asks for it.
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
        [npm("young", "1.0.0", ago(hours=3)), npm("young", "1.0.1", ago(hours=1))],
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


def real_npm(now: datetime | None = None) -> list[list[NpmPackage]]:
    """Return the real packages with which the clients came (more than 300), as if published a year ago."""
    published = (now or datetime.now(UTC)) - timedelta(days=365)
    found: dict[str, dict[str, NpmPackage]] = {}
    for manifest in sorted(NODE_MODULES.rglob("package.json")):
        folder = manifest.parent
        if folder.parent.name == "node_modules" or (
            folder.parent.parent.name == "node_modules" and folder.parent.name[0] == "@"
        ):
            package = npm_installed(folder, published)
            if package is not None and "version" in package.manifest:
                found.setdefault(package.name, {})[package.version] = package
    return [list(versions.values()) for versions in found.values()]


def real_pypi() -> list[File]:
    """Return the wheels with which the clients came (more than 60)."""
    return [File(path.name, path.read_bytes()) for path in sorted((CLIENTS / "wheels").glob("*.whl"))]
