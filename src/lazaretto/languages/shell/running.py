"""Commands that run other code: interpreters, shells, wrappers, ``eval``, package managers."""

import re
from functools import cache

from msgspec.structs import replace

from lazaretto.core.facts import MAX_VALUE, Kind
from lazaretto.languages._sensitive import secret_env
from lazaretto.languages.shell.expand import program_name, tidy
from lazaretto.languages.shell.filters import decode
from lazaretto.languages.shell.machine import Handler, Machine
from lazaretto.languages.shell.network import powershell_options, runtime_of
from lazaretto.languages.shell.values import NOTHING, Call, Value, merge, options

SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash", "mksh"})
"""Interpreters whose text this package reads itself."""

_LOADING = frozenset(
    "require import loader experimental-loader env-file eval print conditions project preload config".split()
)


def shell(machine: Machine, call: Call) -> Value:
    """sh, bash: ``-c`` text, a script file, or the input."""
    from lazaretto.languages.shell.posix import parse

    given = options(call.args, "o", frozenset({"rcfile", "init-file"}), first=True)
    if given.has("-c"):
        if given.operands:
            return evaluate(machine, call, given.operands[0], parse)
        return NOTHING
    if given.operands and not given.has("-s"):
        return run_file(machine, call, given.operands[0])
    if call.stdin is not None:
        return evaluate(machine, call, call.stdin, parse)
    return NOTHING


def evaluate(machine: Machine, call: Call, body: Value, parse: object = None) -> Value:
    """Write the evaluation of a text and, if it is known, what the text does."""
    index = machine.fact(Kind.CODE_EVAL, body.text if body.known else None, call, body.via)
    machine.flow(body.taint, index)
    if body.text and (body.known or not body.taint):
        return machine.script(body, call, parse)  # type: ignore[arg-type]
    return call.output(*body.taint)


def node(machine: Machine, call: Call) -> Value:
    """Node and its kin: ``-e`` text, preloaded modules, a script file, or the input."""
    args = call.args
    if call.name in {"bun", "deno"} and args and args[0].text in {"run", "eval", "x", "install", "i", "add", "test"}:
        if args[0].text == "eval":
            return foreign(machine, call, args[1:2], "javascript")
        if args[0].text != "run":
            return call.output()
        args = args[1:]
    given = options(args, "erC" + ("P" if call.name == "ts-node" else ""), _LOADING, first=True)
    for module in given.all("-r", "--require", "--import", "--loader", "--experimental-loader", "--preload"):
        machine.fact(Kind.IMPORT, module.text if module.known else "", call)
    operands = list(given.operands)
    bodies = [value for value in given.all("-e", "--eval", "--print") if value.text]
    if not bodies and (given.has("-p") or given.has("-e")) and operands:
        bodies, operands = operands[:1], operands[1:]
    if bodies:
        return foreign(machine, call, tuple(bodies), "javascript")
    if operands and operands[0].text != "-":
        return run_file(machine, call, operands[0])
    return foreign(machine, call, (call.stdin,), "javascript") if call.stdin is not None else NOTHING


def python(machine: Machine, call: Call) -> Value:
    """Python: ``-c`` text, ``-m`` module, a script file, or the input."""
    given = options(call.args, "cmWX", frozenset(), first=True)
    body, module = given.get("-c"), given.get("-m")
    if body is not None:
        return foreign(machine, call, (body,), "python")
    if module is not None:
        machine.fact(Kind.IMPORT, module.text if module.known else "", call)
        return call.output()
    if given.operands and given.operands[0].text != "-":
        return run_file(machine, call, given.operands[0])
    return foreign(machine, call, (call.stdin,), "python") if call.stdin is not None else NOTHING


def other(machine: Machine, call: Call) -> Value:
    """Perl, ruby, php, lua, osascript: ``-e`` text or a script file; that text is not read further."""
    given = options(call.args, "eErIl", frozenset(), first=True)
    bodies = [value for value in given.all("-e", "-E", "-r") if value.text]
    if bodies and call.name != "ruby":
        return foreign(machine, call, tuple(bodies), call.name)
    if given.get("-e"):
        return foreign(machine, call, tuple(given.all("-e")), call.name)
    if given.operands and given.operands[0].text != "-":
        return run_file(machine, call, given.operands[0])
    return foreign(machine, call, (call.stdin,), call.name) if call.stdin is not None else NOTHING


def foreign(machine: Machine, call: Call, bodies: tuple[Value, ...], language: str) -> Value:
    """Write the evaluation of text in another language; the last step of ``via`` names it."""
    for body in bodies:
        via = language if body.via == "plain" else f"{body.via}>{language}"
        index = machine.fact(Kind.CODE_EVAL, body.text if body.known else None, call, via)
        machine.flow(body.taint, index)
        if body.known and len(body.text) > MAX_VALUE:
            reason = f"{language} text of {len(body.text)} characters on a command line was cut"
            machine.problem(call, reason, unread=True)
    return call.output()


def run_file(machine: Machine, call: Call, path: Value, spawn: int | None = None) -> Value:
    """Write that a file is loaded: by its relative path, or '' if that cannot be known; flows of what was fetched."""
    name = tidy(path.text)
    content = machine.files.get(name)
    # A relative path that nothing here has written may be of what was unpacked here.
    strange = content is None and not name.startswith(("/", "~", "node_modules/"))
    taint = merge(path.taint, content.taint if content else machine.unpacked if strange else ())
    if taint:
        sink = spawn if spawn is not None else machine.fact(Kind.CODE_EVAL, None, call)
        machine.flow(taint, sink)
    if content is not None:
        if content.known and content.text and (call.name in SHELLS or spawn is not None):
            return machine.script(content, call)
        return call.output(*taint)
    if not path.known:
        relative = _below_self(path.text)
        machine.fact(Kind.IMPORT, relative or "", call)
        return call.output(*taint)
    if name.startswith(("/", "~", "node_modules/", "../")) or re.match(r"[A-Za-z]:", name) or "://" in path.text:
        return call.output(*taint)
    folder = machine.cwd
    joined = tidy(f"{folder}/{name}") if folder is not None else ""
    machine.loaded.add(name)
    machine.fact(Kind.IMPORT, f"./{joined}" if joined and not joined.startswith("..") else joined, call)
    return call.output(*taint)


def _below_self(text: str) -> str | None:
    """Return the path behind a folder that is the script's own, whatever it was called."""
    match = _compiled(
        r"(?:\$\{?(?:PWD|INIT_CWD|npm_config_local_prefix|PSScriptRoot|PROJECT_ROOT)\}?|%~dp0|%cd%)[/\\]*(.+)"
    ).fullmatch(text)
    return f"./{tidy(match.group(1))}" if match and "$" not in match.group(1) else None


def source(machine: Machine, call: Call) -> Value:
    """``source file`` and ``. file``."""
    return run_file(machine, call, call.args[0]) if call.args else NOTHING


def evaluate_words(machine: Machine, call: Call) -> Value:
    """``eval words``: joined by blanks."""
    text = " ".join(value.text for value in call.args)
    via = next((value.via for value in call.args if value.via != "plain"), "plain")
    known = all(value.known for value in call.args)
    return evaluate(machine, call, Value(text, known, merge(*(value.taint for value in call.args)), via))


def trap(machine: Machine, call: Call) -> Value:
    """``trap 'commands' signal``: the commands run at the end."""
    if len(call.args) > 1 and call.args[0].text not in {"-", ""}:
        machine.script(call.args[0], call)
    return NOTHING


def wrapper(machine: Machine, call: Call) -> Value:
    """sudo, nohup, timeout, xargs, cross-env: a command in front of another."""
    given = options(call.args, _WRAPPER_SHORT.get(call.name, ""), _WRAPPER_LONG, first=True)
    rest = list(given.operands)
    assigned = []
    while (
        rest
        and _compiled(r"[A-Za-z_]\w*=.*").fullmatch(rest[0].text)
        and call.name in {"env", "sudo", "doas", "cross-env", "cross-env-shell"}
    ):
        assigned.append(rest.pop(0))
    if call.name in {"timeout", "gtimeout", "chroot", "su"} and len(rest) > 1:
        rest.pop(0)
    if call.name == "su" and given.get("-c"):
        return evaluate(machine, call, given.get("-c") or NOTHING)
    if call.name == "xargs" and call.stdin is not None:
        if not call.stdin.known:
            rest.append(call.stdin)
        else:
            rest += [Value(word, True, call.stdin.taint, call.stdin.via) for word in call.stdin.text.split()]
    for value in assigned:
        name, _, text = value.text.partition("=")
        if name in {"NODE_OPTIONS", "LD_PRELOAD"}:
            for word in text.replace("=", " ").split():
                if word.startswith("."):
                    machine.fact(Kind.IMPORT, word, call)
    if not rest:
        if call.name == "env":
            return dump(machine, call)
        return call.output()
    return machine.nested(Call("", NOTHING, tuple(rest), call.stdin, call.start, call.end))


def dump(machine: Machine, call: Call) -> Value:
    """Env, printenv, set, export -p without arguments: the whole environment."""
    named = [value for value in call.args if not value.text.startswith("-")]
    if named and call.name == "printenv":
        taint = tuple(machine.fact(Kind.SECRET_READ, v.text, call) for v in named if secret_env(v.text))
        return call.output(*taint)
    if named or (call.args and call.name in {"set", "export", "declare"} and call.args[0].text not in {"-p", "-x"}):
        return NOTHING
    return Value(f"$({call.name})", False, (machine.fact(Kind.ENV_DUMP, None, call),))


def cmd(machine: Machine, call: Call) -> Value:
    """``cmd /c text``."""
    from lazaretto.languages.shell.batch import parse

    words = [value.text.lower() for value in call.args]
    at = next((i for i, word in enumerate(words) if word[:2] in {"/c", "/k"}), None)
    if at is None:
        return NOTHING
    rest = call.args[at + 1 :]
    return machine.script(
        Value(" ".join(value.text for value in rest), all(value.known for value in rest)), call, parse
    )


def powershell(machine: Machine, call: Call) -> Value:
    """Powershell: ``-EncodedCommand`` (base64 of UTF-16LE), ``-Command``, ``-File``, or the input."""
    from lazaretto.languages.shell.powershell import parse

    args = tuple(_dashed(value) for value in call.args)
    named, _ = powershell_options(args)
    for name, value in named.items():
        if (
            name
            and ("encodedcommand".startswith(name) or name in {"ec", "enc"})
            and name[0] == "e"
            and not name.startswith("ex")
        ):
            text = decode(value.text, "base64") if value.known else None
            machine.cut(Value(text or ""), call.start)
            plain = (
                text.encode("latin-1").decode("utf-16-le", "replace").encode("utf-8").decode("latin-1") if text else ""
            )
            if text is None:
                machine.problem(call, "an encoded command cannot be decoded")
            body = Value(plain, text is not None, value.taint, "base64>utf-16")
            machine.fact(Kind.DECODE, plain or None, call, body.via)
            return evaluate(machine, call, body, parse)
    script = next((value for name, value in named.items() if name and "file".startswith(name)), None)
    if script is not None:
        return run_file(machine, call, script)
    texts = _after_options(args)
    if texts == [Value("-")] or (not texts and call.stdin is not None):
        return evaluate(machine, call, call.stdin or NOTHING, parse)
    if not texts:
        return NOTHING
    joined = Value(" ".join(v.text for v in texts), all(v.known for v in texts), merge(*(v.taint for v in texts)))
    return evaluate(machine, call, joined, parse)


def _dashed(value: Value) -> Value:
    """Return an argument as PowerShell's program takes it: a slash, or a dash of books, begins an option as well."""
    found = _compiled("(?:/|\xe2\x80[\x93-\x95])([a-z]+)$").match(value.text)
    if found is None or not any(name.startswith(found[1].lower()) for name in _POWERSHELL_OPTIONS):
        return value
    return replace(value, text=f"-{found[1]}")


def _after_options(args: tuple[Value, ...]) -> list[Value]:
    """Return the command line behind PowerShell's own options: all of it, whatever its words begin with."""
    at = 0
    while at < len(args):
        name = args[at].text.lower()
        if not name.startswith("-") or name == "-":
            break
        at += 1
        if len(name) > 1 and "-command".startswith(name):
            break
        at += name.startswith(_POWERSHELL_TAKES)
    return list(args[at:])


def expression(machine: Machine, call: Call) -> Value:
    """Invoke-Expression: an argument, or the input."""
    _, operands = powershell_options(call.args)
    command = next((v for v in (*operands, *powershell_options(call.args)[0].values()) if v.text), None)
    return evaluate(machine, call, command or call.stdin or NOTHING)


def package_manager(machine: Machine, call: Call) -> Value:
    """npm, npx, pip and the like: a second interpreter among what is installed; a file that is run."""
    words = [value.text for value in call.args if not value.text.startswith("-")]
    runner = call.name in {"npx", "bunx", "pnpx", "uvx", "pipx"} or words[:1] in (["exec"], ["dlx"], ["x"])
    installs = words[:1] and words[0] in {"i", "install", "add", "global", "get", "ci", "tap"}
    if runner or installs:
        for word in words if runner else words[1:]:
            name = _compiled(r"^(bun|deno|node|nodeenv|python\d*(?:\.\d+)?|python3-.*)(?:@.*)?$").match(word)
            if name:
                runtime = name.group(1)
                machine.fact(Kind.RUNTIME_FETCH, "node" if runtime == "nodeenv" else runtime, call)
    if runner:
        rest = [value for value in call.args if not value.text.startswith("-")]
        rest = rest[1:] if rest and rest[0].text in {"exec", "dlx", "x"} else rest
        if rest and rest[0].text.startswith("."):
            return run_file(machine, call, rest[0])
        if rest and program_name(rest[0].text) in (*SHELLS, "node", "tsx", "ts-node", "bun", "deno", "cross-env"):
            return machine.nested(Call("", NOTHING, tuple(rest), call.stdin, call.start, call.end))
    runtime_url = next((runtime_of(value.text) for value in call.args if "://" in value.text), None)
    if runtime_url:
        machine.fact(Kind.RUNTIME_FETCH, runtime_url, call)
    return call.output()


_POWERSHELL_OPTIONS = (
    "command encodedcommand encodedarguments ec executionpolicy ep file inputformat interactive mta noexit nologo "
    "noninteractive noprofile nop outputformat sta version windowstyle workingdirectory"
).split()
_POWERSHELL_TAKES = ("-ex", "-ep", "-w", "-v", "-in", "-if", "-o", "-conf", "-cus", "-psc", "-set")
"""How the options of PowerShell begin that take a value: execution policy, window style, version, formats, ..."""

_WRAPPER_SHORT = {"sudo": "ugCphrtT", "xargs": "IiLlnPsEdad", "nice": "n", "env": "uSC", "timeout": "ks", "su": "cs",
                  "doas": "uC", "ionice": "cn", "start": "", "dotenv": "epv"}  # fmt: skip
_WRAPPER_LONG = frozenset(
    {"signal", "kill-after", "user", "adjustment", "max-args", "max-procs", "delimiter", "unset", "chdir"}
)

HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(SHELLS, shell),
    **dict.fromkeys((
        "node", "nodejs", "bun", "deno", "tsx", "ts-node", "babel-node", "electron", "esno", "jiti", "zx"
    ), node),
    **dict.fromkeys(("python", "python2", "python3", "py", "pythonw", "pypy", "pypy3"), python),
    **dict.fromkeys(("perl", "ruby", "php", "lua", "osascript", "rscript", "wscript", "cscript"), other),
    **dict.fromkeys(("source", "."), source),
    "eval": evaluate_words,
    "trap": trap,
    **dict.fromkeys((
        "sudo", "doas", "nohup", "nice", "timeout", "gtimeout", "time", "exec", "command", "builtin", "env", "xargs",
        "setsid", "stdbuf", "ionice", "chroot", "su", "cross-env", "cross-env-shell", "busybox", "call", "start",
        "start-process", "saps", "&", "dotenv", "caffeinate", "unbuffer", "script"
    ), wrapper),
    **dict.fromkeys(("printenv", "set", "export", "declare"), dump),
    "cmd": cmd,
    **dict.fromkeys(("powershell", "pwsh"), powershell),
    **dict.fromkeys(("iex", "invoke-expression"), expression),
    **dict.fromkeys((
        "npm", "npx", "pnpm", "pnpx", "yarn", "bunx", "pip", "pip3", "pipx", "uv", "uvx", "brew", "apt", "apt-get",
        "yum", "dnf", "apk", "winget", "choco", "scoop", "conda"
    ), package_manager),
}  # fmt: skip
"""Command -> what it runs."""


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source, re.DOTALL)
