"""Which command does what: the tables of all topics joined, and what no table knows."""

from lazaretto.core.facts import Kind
from lazaretto.languages._keepers import redirecting_command, secret_command
from lazaretto.languages._sensitive import loading_variable, persist_path
from lazaretto.languages.shell import filters, methods, network, running, storage, windows
from lazaretto.languages.shell.expand import tidy
from lazaretto.languages.shell.machine import Handler, Machine
from lazaretto.languages.shell.values import NOTHING, Call, Value

BUILTINS = frozenset(
    ": [ [[ ]] test true false echo printf cd pwd pushd popd exit return set unset shift export declare typeset local "
    "readonly read alias unalias bg fg jobs wait times umask ulimit type hash help history getopts let shopt setopt "
    "break continue trap logout dirname basename eval . source exec command builtin time dirs true "
    "rem goto setlocal endlocal pause title color cls verify exist not if else @echo echo. assoc ver vol prompt "
    "write-host write-output write-error write-verbose write-warning set-location sl set-strictmode param return "
    "out-null where-object foreach-object select-object sort-object join-path test-path split-path import-module "
    "& call".split()
)
"""Commands that start no process worth a fact of its own."""


def dispatch(machine: Machine, call: Call) -> Value:
    """Write the spawn of a command and what it does; return what it prints."""
    name = call.name
    spawn = None
    if name not in BUILTINS and call.program.text and not name.startswith("."):
        spawn = machine.fact(Kind.PROCESS_SPAWN, call.text, call, call.program.via)
        machine.flow(call.program.taint, spawn)
    if spawn is not None and redirecting_command(call.text):
        machine.flow(call.taint, machine.fact(Kind.PERSIST, call.text, call))
    if spawn is not None and secret_command(call.text):
        return call.output(machine.fact(Kind.SECRET_READ, call.text, call))
    handler = _HANDLERS.get(name)
    if spawn is not None and _is_own_script(call.program.text):
        return running.run_file(machine, call, call.program, spawn)
    if handler is not None:
        return handler(machine, call)
    if name in BUILTINS:
        return NOTHING
    program = call.program.text
    if spawn is not None and ("/" in program or "\\" in program or _is_file(machine, program)):
        return running.run_file(machine, call, call.program, spawn)
    return call.output()


def _is_own_script(program: str) -> bool:
    """Whether a program is a script by its folder and ending, so that its name says nothing (``x/install.bat``)."""
    in_folder = ("/" in program or "\\" in program) and "node_modules" not in program
    return in_folder and program.lower().endswith((".bat", ".cmd", ".ps1", ".sh"))


def _is_file(machine: Machine, program: str) -> bool:
    """Whether a program without a folder is a file here: written before, or a script by its ending."""
    return tidy(program) in machine.files or program.lower().endswith((".bat", ".cmd", ".ps1", ".sh", ".vbs"))


def assign_words(machine: Machine, call: Call) -> Value:
    """``export name=value`` and its kin assign; without a value they may print the environment."""
    plain = True
    for value in call.args:
        name, equals, text = value.text.partition("=")
        if equals and name.isidentifier():
            machine.variables[name] = Value(text, value.known, value.taint, value.via)
            plain = False
    return running.dump(machine, call) if plain and call.name != "local" else NOTHING


def persist(machine: Machine, call: Call) -> Value:
    """Crontab, systemctl enable, launchctl load, schtasks /create, reg add …Run, and the like."""
    words = [value.text for value in call.args]
    lowered = [word.lower() for word in words]
    starts = {
        "crontab": not lowered or lowered[0] not in {"-l", "-r"},
        "at": True,
        "batch": True,
        "systemctl": any(word in {"enable", "link", "reenable"} for word in lowered),
        "launchctl": any(word in {"load", "bootstrap", "enable", "submit"} for word in lowered)
        or (lowered[:1] == ["setenv"] and any(map(loading_variable, words))),
        "setx": any(map(loading_variable, words)),
        "schtasks": any(word in {"/create", "-create"} for word in lowered),
        "reg": "add" in lowered[:1] and persist_path(call.text),
        "sc": "create" in lowered[:1],
        "update-rc.d": True,
        "chkconfig": "on" in lowered or "--add" in lowered,
        "loginctl": "enable-linger" in lowered,
        "new-service": True,
        "register-scheduledtask": True,
        "set-itemproperty": persist_path(call.text),
        "new-itemproperty": persist_path(call.text),
        "pm2": "startup" in lowered,
    }
    if starts.get(call.name):
        machine.flow(call.taint, machine.fact(Kind.PERSIST, call.text, call))
    return call.output()


def _change_folder(machine: Machine, call: Call) -> Value:
    target = next(
        (value for value in call.args if not value.text.startswith(("-", "/d", "/D")) or value.text == "-"), None
    )
    if target is None or not target.known or target.text.startswith(("/", "~", "-")) or ":" in target.text:
        machine.cwd = None
    elif machine.cwd is not None:
        machine.cwd = tidy(f"{machine.cwd}/{target.text}")
    return NOTHING


def read_names(machine: Machine, call: Call) -> Value:
    """``read name``: the variable holds the input."""
    for value in call.args:
        if not value.text.startswith("-"):
            taint = call.stdin.taint if call.stdin else ()
            machine.variables[value.text] = Value(f"${value.text}", known=False, taint=taint)
    return NOTHING


def _aliases(machine: Machine, call: Call) -> Value:
    for value in call.args:
        name, equals, text = value.text.partition("=")
        if equals and value.known:
            machine.aliases[name] = text
    return NOTHING


_HANDLERS: dict[str, Handler] = {
    **filters.HANDLERS,
    **network.HANDLERS,
    **storage.HANDLERS,
    **running.HANDLERS,
    **methods.HANDLERS,
    **windows.HANDLERS,
    **dict.fromkeys(("cd", "pushd", "chdir", "set-location", "sl"), _change_folder),
    "alias": _aliases,
    "read": read_names,
    **dict.fromkeys(("export", "declare", "typeset", "local", "readonly"), assign_words),
    **dict.fromkeys((
        "crontab", "setx", "at", "batch", "systemctl", "launchctl", "schtasks", "reg", "sc", "update-rc.d", "chkconfig",
        "loginctl", "new-service", "register-scheduledtask", "set-itemproperty", "new-itemproperty", "pm2"
    ), persist),
}  # fmt: skip
