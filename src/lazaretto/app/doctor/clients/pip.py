"""pip: ``pip.conf``, ``PIP_*``, and options inside ``requirements.txt``.

Sources: pip's help and code of ``--uploaded-prior-to`` (pip 26.3, ``cli/cmdoptions.py``): a date in ISO 8601, or whole
days as ``P7D`` (since 26.1; 26.0 took dates only); its documentation of *Configuration* (files, sections, variables)
and of ``--extra-index-url``: indexes are not ranked, the highest version of any of them is taken.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

from lazaretto.app.doctor.client import Client, Found, origin, plain_http
from lazaretto.app.doctor.cooldown import judge
from lazaretto.app.doctor.machine import Machine
from lazaretto.app.doctor.settings import Settings, Value, first, ini, variable
from lazaretto.core.posture import ADVISED_DAYS, Advice, Place, Severity, Standing

FILES = ("~/.config/pip/pip.conf", "~/.pip/pip.conf", "~/Library/Application Support/pip/pip.conf", "/etc/pip.conf")
REQUIREMENTS = ("requirements.txt", "requirements.in", "requirements/base.txt", "requirements-dev.txt")
CLIENT = Client("pip", (*FILES, *REQUIREMENTS), ("pip", "pip3"))

_COOLDOWN = f"pip config set global.uploaded-prior-to P{ADVISED_DAYS}D (pip 26.1 or later)"
_OPTION = re.compile(r"^\s*--?(extra-index-url|i(?:ndex-url)?|trusted-host)[ =\t]+(\S+)", re.MULTILINE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ][\d:.]+(Z|[+-]\d{2}:?\d{2})?)?")


def examine(machine: Machine) -> Iterator[Found]:
    """Yield what is to be said of pip."""
    named = machine.variable("PIP_CONFIG_FILE")
    files = [ini(machine, path) for path in ((named,) if named else ()) + FILES]
    yield from _cooldown(setting(machine, files, "uploaded-prior-to"))
    yield from _indexes(machine, files)
    binary = setting(machine, files, "only-binary")
    if binary is not None and ":all:" in binary.text:
        yield Standing("pip", "nothing is built at installation (only-binary)", (binary.place,))
    else:
        message = "source distributions are built at installation, and building runs their code"
        yield Advice("scripts-on", "pip", Severity.LOW, message, "pip config set global.only-binary :all:")
    hashed = setting(machine, files, "require-hashes")
    if hashed is not None and hashed.true:
        yield Standing("pip", "only files with a known hash are installed", (hashed.place,))


def setting(machine: Machine, files: list[Settings], key: str) -> Value | None:
    """Return pip's effective setting: environment, then ``[install]`` and ``[global]`` of its files."""
    return first(
        variable(machine, f"PIP_{key.upper().replace('-', '_')}"),
        *(one.get("install", key) for one in files),
        *(one.get("global", key) for one in files),
    )


def _cooldown(value: Value | None) -> Iterator[Found]:
    if value is not None and _DATE.fullmatch(value.text.strip()):
        message = "uploaded-prior-to is a fixed date: it does not move on, and hides every fix that came since"
        yield Advice("cooldown-fixed-date", "pip", Severity.LOW, message, _COOLDOWN, (value.place,))
        return
    missing = "no uploaded-prior-to: a release is installed the minute it appears"
    yield from judge("pip", "uploaded-prior-to", value, _days, "days (P7D)", _COOLDOWN, missing=missing)


def _days(text: str) -> timedelta | None:
    """Return a duration as pip takes it: whole days, nothing else, in upper case."""
    match = re.fullmatch(r"P(\d{1,6})D", text)
    return timedelta(days=int(match[1])) if match else None


def _indexes(machine: Machine, files: list[Settings]) -> Iterator[Found]:
    extra: list[Value] = []
    found = setting(machine, files, "extra-index-url")
    if found is not None:
        extra += [Value(one, found.place) for one in found.text.split()]
    primary, trusted = setting(machine, files, "index-url"), setting(machine, files, "trusted-host")
    for path in REQUIREMENTS:
        document = machine.read(path)
        text = document.text if document is not None else ""
        for match in _OPTION.finditer(text):
            value = Value(match[2], Place(path, text.count("\n", 0, match.start(1)) + 1))
            if match[1] == "extra-index-url":
                extra.append(value)
            elif match[1] == "trusted-host":
                trusted = trusted or value
            else:
                primary = primary or value
    if extra:
        hosts = sorted({origin(value.text) for value in extra} - {""})
        message = (
            f"{len(extra) + 1} indexes are asked for every name and the highest version of any wins: whoever publishes "
            f"a private name on a public one is installed (beside the usual index: {', '.join(hosts) or 'another'})"
        )
        remedy = "name one index-url only, that of a proxy which ranks its sources (lazaretto firewall does)"
        places = tuple(dict.fromkeys(value.place for value in extra))
        yield Advice("several-indexes", "pip", Severity.HIGH, message, remedy, places)
    elif primary is not None:
        yield Standing("pip", f"one index: {origin(primary.text) or 'as configured'}", (primary.place,))
    if trusted is not None:
        message = "trusted-host: the certificate of an index is not verified"
        remedy = "remove trusted-host, and name the certificate authority with cert"
        yield Advice("tls-off", "pip", Severity.HIGH, message, remedy, (trusted.place,))
    for one in (primary, *extra):
        yield from plain_http("pip", "an index", one, "write the address with https://")
