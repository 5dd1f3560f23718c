"""Renovate: ``renovate.json`` and the other places of its configuration in a repository.

Sources: Renovate's documentation of *Configuration options*: ``minimumReleaseAge`` is a text such as ``3 days``;
``internalChecksFilter: none`` lets updates through that are younger; ``stabilityDays`` is its old name. Lock file
maintenance is not governed by it (renovatebot/renovate#39354). The presets ``config:best-practices`` and
``security:minimumReleaseAgeNpm`` wait three days for npm packages.
"""

from collections.abc import Iterator
from datetime import timedelta

from lazaretto.app.doctor.client import Client, Found
from lazaretto.app.doctor.cooldown import judge
from lazaretto.app.doctor.machine import Machine
from lazaretto.app.doctor.settings import first, json5
from lazaretto.core.posture import ADVISED_DAYS, Advice, Severity, Standing, duration

FILES = (
    "renovate.json",
    "renovate.json5",
    ".github/renovate.json",
    ".github/renovate.json5",
    ".gitlab/renovate.json",
    ".renovaterc",
    ".renovaterc.json",
)
CLIENT = Client("renovate", FILES)

_COOLDOWN = f'write "minimumReleaseAge": "{ADVISED_DAYS} days" into the configuration of Renovate'
_PRESETS = ("config:best-practices", "security:minimumReleaseAgeNpm")


def examine(machine: Machine) -> Iterator[Found]:
    """Yield what is to be said of Renovate."""
    settings = next((one for path in FILES if (one := json5(machine, path))), json5(machine, FILES[0]))
    age = settings.get("minimumReleaseAge")
    ruled = [value for path, value in settings.under("packageRules") if path[-1] == "minimumReleaseAge"]
    presets = [value for _, value in settings.under("extends") if value.text in _PRESETS]
    old = first(settings.get("stabilityDays"))
    if old is not None:
        message = "stabilityDays is the old name of minimumReleaseAge"
        yield Advice("cooldown-renamed", "renovate", Severity.LOW, message, _COOLDOWN, (old.place,))
    if age is None and presets:
        yield Standing("renovate", "cooldown of 3 days for npm packages, from a preset", (presets[0].place,))
    covered = bool(ruled or presets or old)
    missing = "" if covered else "no minimumReleaseAge: an update is proposed the minute it appears"
    for value in [age] if age is not None or not ruled else ruled:
        yield from judge("renovate", "minimumReleaseAge", value, _text, 'words ("3 days")', _COOLDOWN, missing=missing)
    checks = settings.get("internalChecksFilter")
    if checks is not None and checks.text == "none":
        message = "internalChecksFilter is none: updates are proposed before minimumReleaseAge is over"
        remedy = 'write "internalChecksFilter": "strict"'
        yield Advice("cooldown-bypassed", "renovate", Severity.MEDIUM, message, remedy, (checks.place,))
    upkeep = settings.get("lockFileMaintenance", "enabled")
    if upkeep is not None and upkeep.true:
        message = "lockFileMaintenance takes the newest releases whatever minimumReleaseAge says"
        remedy = "set the cooldown of the client itself as well (see above), or switch lockFileMaintenance off"
        yield Advice("cooldown-bypassed", "renovate", Severity.MEDIUM, message, remedy, (upkeep.place,))


def _text(text: str) -> timedelta | None:
    """Return a duration in words: a number without a unit is none to Renovate."""
    return duration(text)
