"""pnpm: ``pnpm-workspace.yaml``, ``.npmrc``, ``package.json``.

Sources: pnpm's documentation of *Settings*: ``minimumReleaseAge`` is a number of minutes, since 10.16, by default 0
before version 11 and 1440 since; ``trustPolicy: no-downgrade`` since 10.21; ``blockExoticSubdeps``,
``dangerouslyAllowAllBuilds``, ``strictDepBuilds`` there as well. Scripts of dependencies run only if they are named
since version 10. It reads ``minimumReleaseAge`` from ``pnpm-workspace.yaml`` and ``.npmrc`` (there
``minimum-release-age``), not from ``package.json``: microsoft/rushstack#5752.
"""

from collections.abc import Iterator
from datetime import timedelta

from lazaretto.app.doctor.client import Client, Found, version
from lazaretto.app.doctor.cooldown import judge
from lazaretto.app.doctor.machine import Machine
from lazaretto.app.doctor.settings import first, json5, npmrc, yaml
from lazaretto.core.posture import ADVISED_DAYS, Advice, Severity, Standing, amount

CLIENT = Client("pnpm", ("pnpm-workspace.yaml", "pnpm-lock.yaml", "~/.config/pnpm/config.yaml"), ("pnpm",))

_COOLDOWN = f"write minimumReleaseAge: {ADVISED_DAYS * 1440} into pnpm-workspace.yaml (minutes: {ADVISED_DAYS} days)"
_DEFAULTS = (11, 0)
_SCRIPTS_BLOCKED = (10, 0)


def examine(machine: Machine) -> Iterator[Found]:
    """Yield what is to be said of pnpm."""
    workspace, user = yaml(machine, "pnpm-workspace.yaml"), yaml(machine, "~/.config/pnpm/config.yaml")
    rc = [npmrc(machine, path) for path in (".npmrc", "~/.npmrc")]
    manifest = json5(machine, "package.json")
    known = version("pnpm", machine)
    misplaced = manifest.get("pnpm", "minimumReleaseAge")
    if misplaced is not None:
        message = "minimumReleaseAge in package.json is not read by pnpm: it protects nothing there"
        yield Advice("cooldown-ignored", "pnpm", Severity.HIGH, message, _COOLDOWN, (misplaced.place,))
    age = first(
        workspace.get("minimumReleaseAge"),
        *(one.get("minimum-release-age") for one in rc),
        user.get("minimumReleaseAge"),
    )
    if age is None and known is not None and known >= _DEFAULTS:
        yield Standing("pnpm", f"cooldown of 1 day, the default of pnpm {known[0]}")
    missing = (
        ""
        if known is not None and known >= _DEFAULTS
        else "no minimumReleaseAge: before version 11 pnpm waits for nothing"
    )
    minutes = timedelta(minutes=1)
    yield from judge(
        "pnpm", "minimumReleaseAge", age, lambda text: amount(text, minutes), "minutes", _COOLDOWN, missing=missing
    )
    builds = first(workspace.get("dangerouslyAllowAllBuilds"), manifest.get("pnpm", "dangerouslyAllowAllBuilds"))
    if builds is not None and builds.true:
        message = "dangerouslyAllowAllBuilds: every package may run a script at installation"
        remedy = "remove dangerouslyAllowAllBuilds and name packages with pnpm approve-builds"
        yield Advice("scripts-allowed", "pnpm", Severity.HIGH, message, remedy, (builds.place,))
    elif known is not None and known < _SCRIPTS_BLOCKED:
        message = f"pnpm {known[0]} runs scripts of packages at installation"
        yield Advice("scripts-on", "pnpm", Severity.MEDIUM, message, "use pnpm 10 or later, or ignore-scripts=true")
    else:
        yield Standing("pnpm", "scripts of packages run only if they are named (pnpm 10 and later)")
    trust = first(workspace.get("trustPolicy"), user.get("trustPolicy"))
    if trust is not None and trust.text == "no-downgrade":
        yield Standing("pnpm", "provenance may not be lost between releases (trustPolicy)", (trust.place,))
    else:
        message = "no trustPolicy: a release that lost its provenance or its trusted publisher is installed"
        remedy = "write trustPolicy: no-downgrade into pnpm-workspace.yaml"
        yield Advice("provenance-not-asked", "pnpm", Severity.LOW, message, remedy, (trust.place,) if trust else ())
