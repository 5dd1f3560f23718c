"""bun: ``bunfig.toml`` of project and home.

Sources: bun's documentation of ``bunfig.toml``: ``install.minimumReleaseAge`` is a number of seconds, off by default;
its help of ``bun add``: ``--minimum-release-age <seconds>``. Scripts of dependencies run only if
``trustedDependencies`` of ``package.json`` names them, or if they are on bun's own list (documentation of *Lifecycle
scripts*).
"""

from collections.abc import Iterator
from datetime import timedelta

from lazaretto.app.doctor.client import Client, Found, plain_http
from lazaretto.app.doctor.cooldown import judge
from lazaretto.app.doctor.machine import Machine
from lazaretto.app.doctor.settings import first, json5, toml
from lazaretto.core.posture import ADVISED_DAYS, Standing, amount

CLIENT = Client("bun", ("bun.lock", "bun.lockb", "bunfig.toml", "~/.bunfig.toml"), ("bun",))

_COOLDOWN = (
    f"write minimumReleaseAge = {ADVISED_DAYS * 86_400} below [install] of bunfig.toml (seconds: {ADVISED_DAYS} days)"
)


def examine(machine: Machine) -> Iterator[Found]:
    """Yield what is to be said of bun."""
    files = [toml(machine, path) for path in ("bunfig.toml", "~/.bunfig.toml")]
    age = first(*(one.get("install", "minimumReleaseAge") for one in files))
    missing = "no minimumReleaseAge: a release is installed the minute it appears"
    seconds = timedelta(seconds=1)
    yield from judge(
        "bun", "minimumReleaseAge", age, lambda text: amount(text, seconds), "seconds", _COOLDOWN, missing=missing
    )
    trusted = [value for _, value in json5(machine, "package.json").under("trustedDependencies")]
    told = (
        f"{len(trusted)} packages may run scripts (trustedDependencies)"
        if trusted
        else "bun's own list may run scripts"
    )
    yield Standing("bun", told, tuple(value.place for value in trusted[:1]))
    for one in files:
        registry = first(one.get("install", "registry"), one.get("install", "registry", "url"))
        yield from plain_http("bun", "the registry", registry, "write the address with https://")
