"""Programs that are started, and what their command lines say."""

import re
from functools import cache
from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind
from lazaretto.languages._keepers import redirecting_command, secret_command, sending_command
from lazaretto.languages._sensitive import persist_path, secret_path, wallet_text
from lazaretto.languages.python.decoding import is_decoded
from lazaretto.languages.python.effects import environment, reflection
from lazaretto.languages.python.folding import concatenated
from lazaretto.languages.python.scope import Bound, Call, Function, Partial
from lazaretto.languages.python.values import (
    HOLE,
    NOTHING,
    Value,
    all_taint,
    all_via,
    elements,
    holes,
    known,
    partial,
    render,
    symbol,
    variants,
)

if TYPE_CHECKING:
    from lazaretto.languages.python.effects.table import Handler
    from lazaretto.languages.python.machine import Machine

MAX_WRITES = 64
"""Most writes to one file whose texts are put together again."""

_STARTERS = frozenset(("start", "cmd", "cmd.exe", "/c", "/b", "/min", '""', "nohup", "sudo"))
"""Words that a command line may begin with before it names a program."""

_PYTHON = re.compile(r"(?:^|[/\\])(?:python[0-9.]*w?|pypy[0-9.]*|py)(?:\.exe)?$")


def spawn(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """A command line as text or list in the first argument."""
    return _spawned(vm, call, call.arg(0, "args", "cmd", "command", "argv", "filepath", "file", "popenargs"))


def found(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """``shutil.which(name)``: wherever it lies, it is the program of that name; an unknown name chooses among them."""
    name = call.arg(0, "cmd")
    if name is None or not isinstance(known(name), str):
        return symbol(f"{call.sym}()")
    return partial(f"{HOLE}/{known(name)}", [name])


def spawn_rest(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """The words of the command line are the arguments themselves (``os.execlp``, ``create_subprocess_exec``)."""
    skip = 1 if call.sym.startswith("os.spawn") else 0
    words = call.args[skip:]
    made = Value()
    made.kind = "list"
    made.items = words
    if call.sym.startswith(("os.exec", "os.spawn", "os.posix_spawn")) and len(words) > 1:
        argv = elements(words[1]) if words[1].kind or isinstance(words[1].const, (list, tuple)) else None
        made.items = [words[0], *(argv[1:] if argv is not None else words[2:])]
    return _spawned(vm, call, made)


def _spawned(vm: "Machine", call: Call, command: Value | None) -> Value:
    data = [*call.args, *(value for key, value in call.keywords.items() if key != "env")]
    if call.sym.startswith("os.") and call.sym.endswith("e"):
        data = data[:-1]
    handle = -1
    for option in variants(command) if command is not None else (Value(),):
        words = _words(option)
        text = " ".join(holes(word) for word in words) if words is not None else render(option)
        via = all_via([option, *(words or [])])
        handle = vm.sink(Kind.PROCESS_SPAWN, text, call, data, via)
        for written in _mentions_written(vm, option, text, words, handle):
            _run_written(vm, call, text, words, vm.payloads.get(written, []))
        if text is not None:
            _command(vm, call, text, words, handle, via)
        if (text or HOLE).startswith(HOLE):
            reflection.told_by_file(vm, call, words[:1] if words else [option])
    vm.unknown_calls += 1
    env = call.keywords.get("env")
    if env is None and call.sym.startswith("os.") and call.sym.endswith("e") and call.args:
        env = call.args[-1]
    if env is not None:
        environment.excused(vm, env)
    return symbol(f"{call.sym}()", all_taint(data) | (frozenset() if handle < 0 else frozenset((handle,))))


def _words(command: Value) -> list[Value] | None:
    if command.items is not None or isinstance(command.const, (list, tuple)):
        return elements(command)
    return None


def _mentions_written(
    vm: "Machine", command: Value, text: str | None, words: list[Value] | None, handle: int
) -> list[int]:
    """Note which written files the command names, and return them."""
    found = {mark for word in words or () for mark in word.mark}
    if words is None:  # the name of a temporary file, put into a text
        found.update(mark for mark in command.taint if mark in vm.payloads)
    if text is not None:
        found.update(written for path, written in vm.written.items() if path in text)
    vm.record.flow(sorted(found), handle)
    return sorted(found)


def _run_written(vm: "Machine", call: Call, text: str | None, words: list[Value] | None, written: list[Value]) -> None:
    """A file that this code wrote is started: what was written into it runs."""
    if not written or len(written) > MAX_WRITES:
        return
    script = render(words[1]) if words is not None and len(words) > 1 else None
    if script is not None and HOLE not in script and not script.startswith("-") and script not in vm.written:
        return  # an interpreter runs the first file that it is given; what comes behind is handed to that
    payload = written[0] if len(written) == 1 else concatenated(written, "concat")
    first = next((word for word in (text or "").split() if word.lower() not in _STARTERS), "")
    if (words and _is_python(words[:1])) or _PYTHON.search(first) or (words is None and first == "{}"):
        # Which program it is may not be known: then it is none of ours to say that Python would not take it.
        named = _PYTHON.search(first) is not None or bool(words and words[0].sym == "sys.executable")
        sure = named and len(written) == 1
        reflection.nested(vm, payload, call.place, call.frame, payload.via, main=True, sure=sure)
    elif isinstance(payload.const, str) and first.rpartition("/")[2] in (
        "sh",
        "bash",
        "zsh",
        "dash",
        "cmd",
        "powershell",
    ):
        vm.emit(Kind.LITERAL_COMMAND, payload.const, call.place, call.frame, payload.via)


def by_shape(sym: str) -> "Handler | None":
    """Return the handler for native functions that start programs or run memory (``ctypes``)."""
    root, _, rest = sym.partition(".")
    if root not in _NATIVE:
        return None
    last = rest.rpartition(".")[2]
    if last in _PROTOTYPES:
        return _native_function
    if last in _NATIVE_SPAWN:
        return spawn
    if last in _NATIVE_LOAD:
        return _native_load
    return _native_code if last in _NATIVE_CODE else None


def may_lead(sym: str) -> bool:
    """Whether a name belongs to a library that calls native functions."""
    return sym.partition(".")[0] in _NATIVE


_NATIVE = frozenset(("ctypes", "cffi", "win32api"))
_NATIVE_LOAD = frozenset("CDLL WinDLL OleDLL PyDLL LoadLibrary LoadLibraryA LoadLibraryW dlopen".split())
_NATIVE_SPAWN = frozenset(
    "system popen execl execlp execv execve execvp posix_spawn WinExec ShellExecuteA ShellExecuteW".split()
)
_NATIVE_CODE = frozenset(
    "VirtualAlloc VirtualAllocEx VirtualProtect RtlMoveMemory CreateThread CreateRemoteThread mprotect".split()
)


_PROTOTYPES = frozenset(("CFUNCTYPE()", "WINFUNCTYPE()", "PYFUNCTYPE()"))


def _native_function(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """A native function at an address; a function of this code that is handed out as one is a mere callback."""
    if any(isinstance(value.ref, (Function, Bound, Partial)) for value in call.args):
        return symbol(f"{call.sym}()")
    return _native_code(vm, call, receiver)


def _native_code(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """Memory is made executable, or a thread started in it."""
    vm.sink(Kind.CODE_EVAL, None, call)
    return symbol(f"{call.sym}()", all_taint(call.data()))


def _native_load(vm: "Machine", call: Call, receiver: Value | None) -> Value:
    """A library is loaded, and its own start code runs.

    One that this file wrote is a program that it starts; one of the package runs like a module of it.
    """
    path = call.arg(0, "name", "path")
    shown = render(path) if path is not None else None
    if shown is not None:
        reflection.loads_file(vm, call, [], shown)
    for option in variants(path) if path is not None else ():
        text = render(option)
        written = set(option.mark) | {found for name, found in vm.written.items() if text and name in text}
        if written:
            vm.record.flow(sorted(written), vm.emit(Kind.PROCESS_SPAWN, text, call.place, call.frame, option.via))
    return symbol(f"{call.sym}()", all_taint(call.data()))


def _command(
    vm: "Machine", call: Call, text: str, words: list[Value] | None, handle: int, via: tuple[str, ...]
) -> None:
    place, frame = call.place, call.frame
    if not text.strip("{} "):
        return
    vm.emit(Kind.LITERAL_COMMAND, text, place, frame, via)
    if is_decoded(via):
        reflection.told(vm, text, via, place, frame)
    code = _inline_code(text, words)
    if code is not None:
        reflection.nested(vm, code[0], place, frame, code[1], main=True)
    if _pattern(_RUNTIME).search(text):
        vm.emit(Kind.RUNTIME_FETCH, _runtime(text), place, frame, via)
    if _pattern(_PERSISTING).search(text) or persist_path(text) or redirecting_command(text):
        vm.emit(Kind.PERSIST, text, place, frame, via)
    if secret_path(text) or secret_command(text):
        vm.record.flow([vm.emit(Kind.SECRET_READ, text, place, frame, via)], handle)
    if wallet_text(text):
        vm.record.flow([vm.emit(Kind.WALLET_TOUCH, text, place, frame, via)], handle)
    for match in _pattern(_FETCH).finditer(text):
        net = vm.emit(Kind.NET_CONNECT, match.group(1), place, frame, via)
        vm.record.flow([net], handle)
        vm.emit(Kind.LITERAL_URL, match.group(1), place, frame, via)
    service = sending_command(text) if HOLE in text else None
    if service is not None:
        vm.emit(Kind.NET_CONNECT, service, place, frame, via)
    for match in _pattern(r"\b(?:nslookup|dig|host)\s+(?:-\S+\s+)*([\w.{}$()-]+\.[\w.{}-]+)").finditer(text):
        vm.record.flow(sorted(all_taint(call.args)), vm.emit(Kind.DNS_QUERY, match.group(1), place, frame, via))


_RUNTIME = (
    r"\b(?:bun|deno|nodejs?|volta|nvm|fnm)\b.{0,40}(?:\.sh\b|\.zip\b|\.tar|\binstall\b|/releases?/)"
    r"|\b(?:npm|pnpm|yarn|brew|apt(?:-get)?|apk|yum|dnf|choco|winget|scoop|pip3?|pipx|uv)\b[^|;&]{0,60}\b(?:install|add|i)\b"
    r"[^|;&]{0,60}\s(?:bun|deno|nodejs(?:-bin)?|node|nodeenv)\b|bun\.sh/install|deno\.land/(?:x/)?install"
)
_PERSISTING = (
    r"\bcrontab\b(?!\s+-l)|\bsystemctl\b.{0,40}\benable\b|\bschtasks\b.{0,200}/create|\blaunchctl\b.{0,40}\b(?:load|bootstrap)\b"
    r"|\breg(?:\.exe)?\s+add\b.{0,200}\\Run|\bupdate-rc\.d\b|\bloginctl\s+enable-linger"
)
_FETCH = r"\b(?:curl|wget|Invoke-WebRequest|iwr|DownloadString|DownloadFile|bitsadmin|certutil)\b[^|;&]{0,400}?(https?://[^\s'\"|;&)>]+)"


def _runtime(text: str) -> str:
    for name in ("bun", "deno", "node"):
        if re.search(rf"\b{name}", text):
            return name
    return "node"


def _inline_code(text: str, words: list[Value] | None) -> tuple[Value, tuple[str, ...]] | None:
    """Return the code of ``python -c CODE``, and how it was decoded."""
    if words is not None:
        for at, word in enumerate(words[:-1]):
            if known(word) == "-c" and at and _is_python(words[:at]):
                code = words[at + 1]
                return code, code.via
        for at, word in enumerate(words[:-1]):
            if known(word) in ("-c", "/c") and at:
                return _inline_code(holes(words[at + 1]), None)
        return None
    match = _pattern(
        r"(?:^|[\s/;&|])(?:python[0-9.]*w?|pypy[0-9.]*|py)(?:\.exe)?['\"]?\s+(?:-\w+\s+)*-c\s*(.+)"
    ).search(text)
    if match is None:
        return None
    rest = match.group(1)
    made = Value()
    made.const = _unquoted(rest)
    return made, ()


def _is_python(before: list[Value]) -> bool:
    for word in before:
        if word.sym == "sys.executable":
            return True
        shown = render(word)
        if shown is not None and _PYTHON.search(shown):
            return True
    return len(before) == 1 and known(before[0]) is NOTHING and render(before[0]) is None


def _unquoted(text: str) -> str:
    quote = text[:1]
    if quote not in ("'", '"'):
        return text
    out: list[str] = []
    at = 1
    while at < len(text):
        char = text[at]
        if char == quote:
            break
        if char == "\\" and quote == '"' and at + 1 < len(text):
            at += 1
            char = text[at]
        out.append(char)
        at += 1
    return "".join(out)


@cache
def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(source, re.IGNORECASE | re.DOTALL)


_FIRST = (
    "os.system os.popen os.popen2 os.popen3 os.popen4 os.startfile subprocess.run subprocess.call subprocess.Popen "
    "subprocess.check_call subprocess.check_output subprocess.getoutput subprocess.getstatusoutput pty.spawn "
    "commands.getoutput commands.getstatusoutput popen2.popen2 popen2.popen3 asyncio.create_subprocess_shell "
    "asyncio.subprocess.create_subprocess_shell trio.run_process trio.lowlevel.open_process anyio.run_process "
    "anyio.open_process "
    "distutils.spawn.spawn pexpect.spawn pexpect.run sh.Command plumbum.local invoke.run fabric.api.local "
    "win32api.WinExec win32process.CreateProcess _winapi.CreateProcess psutil.Popen IPython.get_ipython().system "
    "setuptools._distutils.spawn.spawn pip.main pip._internal.main pip._internal.cli.main.main"
)
_REST = (
    "os.execl os.execle os.execlp os.execlpe os.execv os.execve os.execvp os.execvpe os.spawnl os.spawnle "
    "os.spawnlp os.spawnlpe "
    "os.spawnv os.spawnve os.spawnvp os.spawnvpe os.posix_spawn os.posix_spawnp asyncio.create_subprocess_exec "
    "asyncio.subprocess.create_subprocess_exec subprocess.fork_exec"
)
HANDLERS: "dict[str, Handler]" = {
    "shutil.which": found,
    **dict.fromkeys(_FIRST.split(), spawn),
    **dict.fromkeys(_REST.split(), spawn_rest),
}
