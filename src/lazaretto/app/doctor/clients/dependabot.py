"""Dependabot: ``.github/dependabot.yml``.

Source: GitHub's documentation, *Dependabot options reference*: ``cooldown`` counts days (``default-days``,
``semver-major-days``, ``semver-minor-days``, ``semver-patch-days``; 1 to 90), for version updates only, never for
security updates; without it the default is 3 days (earlier: none).
"""

from collections.abc import Iterator
from datetime import timedelta

from lazaretto.app.doctor.client import Client, Found
from lazaretto.app.doctor.cooldown import judge
from lazaretto.app.doctor.machine import Machine
from lazaretto.app.doctor.settings import Value, yaml
from lazaretto.core.posture import ADVISED_DAYS, Advice, Severity, Standing, amount

FILES = (".github/dependabot.yml", ".github/dependabot.yaml")
CLIENT = Client("dependabot", FILES)

_COOLDOWN = f"write cooldown: with default-days: {ADVISED_DAYS} below each entry of updates"
_ECOSYSTEMS = frozenset({"npm", "bun", "pip", "uv"})
_MAX_DAYS = timedelta(days=90)


def examine(machine: Machine) -> Iterator[Found]:
    """Yield what is to be said of Dependabot."""
    settings = next((one for path in FILES if (one := yaml(machine, path))), yaml(machine, FILES[0]))
    updates: dict[str, dict[tuple[str, ...], Value]] = {}
    for path, value in settings.under("updates"):
        updates.setdefault(path[0], {})[path[1:]] = value
    bare = []
    for update in updates.values():
        kind = update.get(("package-ecosystem",))
        if kind is None or kind.text not in _ECOSYSTEMS:
            continue
        days = {path: value for path, value in update.items() if path[0] == "cooldown" and path[-1].endswith("-days")}
        if not days:
            bare.append(kind.place)
        for path, value in days.items():
            span = amount(value.text, timedelta(days=1))
            if span is not None and span > _MAX_DAYS:
                message = f"cooldown {path[-1]} is more than 90: Dependabot takes days, 1 to 90"
                yield Advice("cooldown-unit", "dependabot", Severity.HIGH, message, _COOLDOWN, (value.place,))
                continue
            yield from judge("dependabot", path[-1], value, _days, "days", _COOLDOWN, missing="")
    if bare:
        yield Standing("dependabot", "no cooldown of its own: 3 days, the default of GitHub", tuple(bare))


def _days(text: str) -> timedelta | None:
    return amount(text, timedelta(days=1))
