"""Poetry: ``poetry.toml``, the user's ``config.toml``, ``POETRY_*``, sources of ``pyproject.toml``.

Sources: the announcement of Poetry 2.4.0 and its code (2.5.1, ``config/config.py`` and
``repositories/http_repository.py``): ``solver.min-release-age`` is a whole number of days, by default 0. Its
documentation of *Repositories*: sources of priority ``primary`` are all asked, ``supplemental`` ones if nothing else
has the name, ``explicit`` ones only for what names them.
"""

from collections.abc import Iterator
from datetime import timedelta

from lazaretto.app.doctor.client import Client, Found, plain_http
from lazaretto.app.doctor.cooldown import judge
from lazaretto.app.doctor.machine import Machine
from lazaretto.app.doctor.settings import Value, first, toml, variable
from lazaretto.core.posture import ADVISED_DAYS, Advice, Severity, Standing, amount

FILES = ("poetry.toml", "~/.config/pypoetry/config.toml", "~/Library/Application Support/pypoetry/config.toml")
CLIENT = Client("poetry", ("poetry.lock", *FILES), ("poetry",))

_COOLDOWN = f"poetry config solver.min-release-age {ADVISED_DAYS}"


def examine(machine: Machine) -> Iterator[Found]:
    """Yield what is to be said of Poetry."""
    files = [toml(machine, path) for path in FILES]
    age = first(
        variable(machine, "POETRY_SOLVER_MIN_RELEASE_AGE"), *(one.get("solver", "min-release-age") for one in files)
    )
    missing = "no solver.min-release-age: a release is installed the minute it appears (Poetry 2.4 or later can wait)"
    days = timedelta(days=1)
    yield from judge(
        "poetry", "solver.min-release-age", age, lambda text: amount(text, days), "days", _COOLDOWN, missing=missing
    )
    binary = first(
        variable(machine, "POETRY_INSTALLER_ONLY_BINARY"), *(one.words("installer", "only-binary") for one in files)
    )
    if binary is not None and ":all:" in binary.text:
        yield Standing("poetry", "nothing is built at installation (installer.only-binary)", (binary.place,))
    else:
        message = "source distributions are built at installation, and building runs their code"
        yield Advice("scripts-on", "poetry", Severity.LOW, message, "poetry config installer.only-binary :all:")
    yield from _sources(machine)


def _sources(machine: Machine) -> Iterator[Found]:
    sources: dict[str, dict[str, Value]] = {}
    for path, value in toml(machine, "pyproject.toml").under("tool", "poetry", "source"):
        if len(path) == 2:
            sources.setdefault(path[0], {})[path[1]] = value
    for source in sources.values():
        yield from plain_http("poetry", "a source", source.get("url"), "write the address with https://")
    asked = [one for one in sources.values() if "priority" not in one or one["priority"].text != "explicit"]
    if asked:
        message = (
            f"{len(asked)} sources of this project may answer for any name: whoever publishes a private name on "
            "another index can be installed"
        )
        remedy = 'set priority = "explicit" on each source, and source = "…" on the dependencies that come from it'
        places = tuple(value.place for one in asked for value in one.values())[:1]
        yield Advice("several-indexes", "poetry", Severity.MEDIUM, message, remedy, places)
