"""yarn: ``.yarnrc.yml`` (berry); yarn 1 has no cooldown at all.

Sources: yarn's own definitions of its settings (``@yarnpkg/cli`` 4.18: plugin-npm and core) and its documentation of
``.yarnrc.yml``: ``npmMinimalAgeGate`` is a duration (``7d``, ``1w``); a bare number is minutes; by default 1 day in
4.18, 0 when it came with 4.10. ``enableScripts`` is off by default in 4.18; it was on earlier, in 4.12 at least.
"""

from collections.abc import Iterator
from datetime import timedelta

from lazaretto.app.doctor.client import Client, Found, plain_http, version
from lazaretto.app.doctor.cooldown import judge
from lazaretto.app.doctor.machine import Machine
from lazaretto.app.doctor.settings import first, variable, yaml
from lazaretto.core.posture import ADVISED_DAYS, Advice, Severity, Standing, amount, duration

CLIENT = Client("yarn", ("yarn.lock", ".yarnrc.yml", "~/.yarnrc.yml"), ("yarn",))

_COOLDOWN = f"yarn config set npmMinimalAgeGate {ADVISED_DAYS}d"
_DEFAULTS = (4, 18)


def examine(machine: Machine) -> Iterator[Found]:
    """Yield what is to be said of yarn."""
    project, home = yaml(machine, ".yarnrc.yml"), yaml(machine, "~/.yarnrc.yml")
    lock = machine.read("yarn.lock")
    known = version("yarn", machine)
    if (known is not None and known[0] < 2) or (lock is not None and "# yarn lockfile v1" in lock.text[:200]):
        message = "yarn 1 knows no cooldown, and runs scripts of packages at installation"
        remedy = "yarn set version stable, or put the firewall in front"
        yield Advice("cooldown-missing", "yarn", Severity.MEDIUM, message, remedy)
        return
    age = first(
        variable(machine, "YARN_NPM_MINIMAL_AGE_GATE"), project.get("npmMinimalAgeGate"), home.get("npmMinimalAgeGate")
    )
    recent = known is not None and known >= _DEFAULTS
    if age is None and recent:
        yield Standing("yarn", "cooldown of 1 day, the default of this version")
    missing = "" if recent else "no npmMinimalAgeGate: older versions of yarn wait for nothing"
    yield from judge("yarn", "npmMinimalAgeGate", age, _gate, "minutes", _COOLDOWN, missing=missing)
    scripts = first(variable(machine, "YARN_ENABLE_SCRIPTS"), project.get("enableScripts"), home.get("enableScripts"))
    if scripts is not None and scripts.false:
        yield Standing("yarn", "no package runs scripts at installation", (scripts.place,))
    elif scripts is None and recent:
        yield Standing("yarn", "no package runs scripts at installation, the default of this version")
    else:
        message = "scripts of packages run at installation (off by default in yarn 4.18 only)"
        remedy = "yarn config set enableScripts false"
        yield Advice("scripts-on", "yarn", Severity.MEDIUM, message, remedy, (scripts.place,) if scripts else ())
    for one in (project, home):
        tls = one.get("enableStrictSsl")
        if tls is not None and tls.false:
            message = "enableStrictSsl is off: whoever is on the way to the registry decides what is installed"
            yield Advice(
                "tls-off", "yarn", Severity.HIGH, message, "yarn config set enableStrictSsl true", (tls.place,)
            )
        yield from plain_http("yarn", "the registry", one.get("npmRegistryServer"), "write the address with https://")


def _gate(text: str) -> timedelta | None:
    return amount(text, timedelta(minutes=1)) or duration(text)
