"""Programs of Windows that run what they fetch, or what they are told, though they are no interpreters."""

import re

from msgspec.structs import replace

from lazaretto.core.facts import Kind
from lazaretto.languages.shell.machine import Handler, Machine
from lazaretto.languages.shell.network import connect
from lazaretto.languages.shell.running import evaluate, foreign, other
from lazaretto.languages.shell.values import Call, Value

_ADDRESS = r"https?://[^\s\"']+"
_SCRIPTS = ("javascript:", "vbscript:")


def fetched(machine: Machine, call: Call) -> Value:
    """Mshta, msiexec, regsvr32: an address among the arguments is fetched and run."""
    for value in call.args:
        match = re.search(_ADDRESS, value.text)
        if match is not None:
            taint = connect(machine, call, Value(match[0], value.known, value.taint, value.via), [])
            machine.flow(taint, machine.fact(Kind.CODE_EVAL, None, call))
            return call.output(*taint)
    script = _script(machine, call)
    if script is not None:
        return script
    return other(machine, call) if call.name == "mshta" else call.output()


def library(machine: Machine, call: Call) -> Value:
    """``rundll32 file,function``: a library of the package, or a script in an address."""
    return _script(machine, call) or call.output()


def _script(machine: Machine, call: Call) -> Value | None:
    for value in call.args:
        scheme = next((one for one in _SCRIPTS if value.text.lower().startswith(one)), None)
        if scheme is not None:
            language = scheme.rstrip(":")
            return foreign(machine, call, (replace(value, text=value.text[len(scheme) :], known=True),), language)
    return None


def told(machine: Machine, call: Call) -> Value:
    """``wmic process call create "…"``, ``forfiles /c "…"``: a command line is run."""
    lowered = [value.text.lower() for value in call.args]
    for sign in ("create", "/c"):
        if sign in lowered[:-1]:
            from lazaretto.languages.shell.batch import parse

            return evaluate(machine, call, call.args[lowered.index(sign) + 1], parse)
    return call.output()


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("mshta", "msiexec", "regsvr32"), fetched),
    "rundll32": library,
    **dict.fromkeys(("wmic", "forfiles"), told),
}
"""Command -> what it runs."""
