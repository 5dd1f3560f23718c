"""uv: ``uv.toml``, ``[tool.uv]`` of ``pyproject.toml``, ``UV_*``.

Sources: uv's documentation of *Settings*, and the help of ``--exclude-newer`` (uv 0.13): a timestamp in RFC 3339, a
local date, a duration in words (``24 hours``, ``1 week``) or in ISO 8601 (``P7D``); durations since 0.9.17.
``index-strategy``: ``first-index`` by default; ``unsafe-best-match`` and ``unsafe-first-match`` look at every index.
``no-build`` builds nothing.
"""

import re
from collections.abc import Iterator

from lazaretto.app.doctor.client import Client, Found, plain_http
from lazaretto.app.doctor.cooldown import judge
from lazaretto.app.doctor.machine import Machine
from lazaretto.app.doctor.settings import Settings, Value, first, toml, variable
from lazaretto.core.posture import ADVISED_DAYS, Advice, Severity, Standing, duration

CLIENT = Client("uv", ("uv.lock", "uv.toml", "~/.config/uv/uv.toml"), ("uv",))

_COOLDOWN = (
    f'write exclude-newer = "{ADVISED_DAYS} days" into [tool.uv] of pyproject.toml, or into ~/.config/uv/uv.toml'
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([Tt ].*)?")


def examine(machine: Machine) -> Iterator[Found]:
    """Yield what is to be said of uv."""
    files = _files(machine)
    newer = first(variable(machine, "UV_EXCLUDE_NEWER"), *(one.get("exclude-newer") for one in files))
    if newer is not None and _DATE.fullmatch(newer.text.strip()):
        message = "exclude-newer is a fixed date: it does not move on, and hides every fix that came since"
        yield Advice("cooldown-fixed-date", "uv", Severity.LOW, message, _COOLDOWN, (newer.place,))
    else:
        missing = "no exclude-newer: a release is installed the minute it appears"
        yield from judge("uv", "exclude-newer", newer, duration, "words (7 days)", _COOLDOWN, missing=missing)
    strategy = first(variable(machine, "UV_INDEX_STRATEGY"), *(one.get("index-strategy") for one in files))
    if strategy is not None and strategy.text.startswith("unsafe-"):
        message = (
            "index-strategy lets any index answer for any name: whoever publishes a private name publicly is installed"
        )
        remedy = "remove index-strategy (first-index is the default)"
        yield Advice("several-indexes", "uv", Severity.HIGH, message, remedy, (strategy.place,))
    else:
        yield Standing("uv", "a name is taken from the first index that has it", (strategy.place,) if strategy else ())
    build = first(variable(machine, "UV_NO_BUILD"), *(one.get("no-build") for one in files))
    if build is not None and build.true:
        yield Standing("uv", "nothing is built at installation (no-build)", (build.place,))
    else:
        message = "source distributions are built at installation, and building runs their code"
        yield Advice("scripts-on", "uv", Severity.LOW, message, "write no-build = true beside exclude-newer")
    for value in _addresses(machine, files):
        yield from plain_http("uv", "an index", value, "write the address with https://")
    for one in files:
        insecure = [value for path, value in one.under("allow-insecure-host") if path]
        if insecure:
            message = "allow-insecure-host: the certificate of an index is not verified"
            yield Advice("tls-off", "uv", Severity.HIGH, message, "remove allow-insecure-host", (insecure[0].place,))


def _files(machine: Machine) -> list[Settings]:
    """Return uv's settings, the strongest first; ``uv.toml`` hides ``[tool.uv]`` of the same folder."""
    own = toml(machine, "uv.toml")
    if not own:
        project = toml(machine, "pyproject.toml")
        own = project.part("tool", "uv")
    return [own, toml(machine, "~/.config/uv/uv.toml"), toml(machine, "/etc/uv/uv.toml")]


def _addresses(machine: Machine, files: list[Settings]) -> Iterator[Value | None]:
    yield variable(machine, "UV_DEFAULT_INDEX")
    yield variable(machine, "UV_INDEX_URL")
    for one in files:
        yield one.get("index-url")
        yield from (value for path, value in one.under("index") if path[-1] == "url")
