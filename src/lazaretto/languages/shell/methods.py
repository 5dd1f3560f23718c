"""What PowerShell's expressions and .NET calls do, in the shape of commands: ``.name receiver arguments``."""

import re
from functools import cache

from lazaretto.core.facts import Kind
from lazaretto.languages._sensitive import persist_path, secret_env
from lazaretto.languages.shell.expand import MAX_TEXT, joined, replaced_in
from lazaretto.languages.shell.filters import chain, decoded
from lazaretto.languages.shell.machine import Handler, Machine
from lazaretto.languages.shell.network import connect
from lazaretto.languages.shell.running import evaluate, run_file
from lazaretto.languages.shell.values import NOTHING, Call, Value, merge


def expression(machine: Machine, call: Call) -> Value:
    """A value on its own: one operand, or ``-f``, ``-join``, ``-replace`` over constants."""
    numbers = [value for value in call.args if not value.text.startswith("[")]
    if len(numbers) > 1 and all(value.known and _compiled(r"\d{1,7}").fullmatch(value.text) for value in numbers):
        return Value(" ".join(value.text for value in numbers))
    args = [value for value in call.args if not _compiled(r"\[[\w.]+(?:\[\])?\]").fullmatch(value.text)]
    if len(args) == 1:
        return _characters(args[0]) if any(value.text.lower() == "[char[]]" for value in call.args) else args[0]
    words = [value.text for value in args]
    known = all(value.known for value in args)
    taint = merge(*(value.taint for value in args))
    text = _operate(words) if known else None
    shown, whole = joined((text if text is not None else call.text.partition(" ")[2],))
    return Value(shown, whole and text is not None, taint)


def _characters(numbers: Value) -> Value:
    """Return the characters that numbers stand for, with blanks between them: ``[char[]](119, 104)``."""
    codes = numbers.text.split(" ")
    if not numbers.known or not all(code.isdigit() and int(code) < 0x110000 for code in codes):
        return numbers
    text = " ".join(chr(int(code)).encode("utf-8", "replace").decode("latin-1") for code in codes)
    return Value(text, True, numbers.taint, chain(numbers.via, "char"))


def _operate(words: list[str]) -> str | None:
    lowered = [word.lower() for word in words]
    if "-f" in lowered:
        at = lowered.index("-f")
        return _formatted("".join(words[:at]), words[at + 1 :])
    if "-join" in lowered:
        at = lowered.index("-join")
        parts = words[:at] or words[at + 1 :]
        if len(parts) == 1:  # an array is held as its items with blanks between them
            parts = parts[0].split(" ")
        between = words[at + 1] if at and at + 1 < len(words) else ""
        return between.join(parts[: 2 * MAX_TEXT // max(1, len(between)) + 2])
    if (
        len(words) == 4
        and lowered[1] in {"-replace", "-creplace"}
        and not _compiled(r"[\\^$.|?*+()\[\]{}]").search(words[2])
    ):
        return replaced_in(words[0], words[2], words[3])
    return None


def _formatted(form: str, words: list[str]) -> str:
    """Return a format with its places filled, up to what is cut anyhow."""
    pieces: list[str] = []
    at = size = 0
    for match in _compiled(r"\{(\d{1,7})\}").finditer(form):
        number = int(match[1])
        pieces += [form[at : match.start()], words[number] if number < len(words) else ""]
        at = match.end()
        size += len(pieces[-1])
        if size > MAX_TEXT:
            break
    return "".join((*pieces, form[at:]))


def download(machine: Machine, call: Call) -> Value:
    """DownloadString, GetStringAsync and the like: the first argument is the address."""
    return call.output(*connect(machine, call, _argument(call, 0), []))


def download_file(machine: Machine, call: Call) -> Value:
    """DownloadFile(address, path)."""
    taint = connect(machine, call, _argument(call, 0), [])
    machine.written(_argument(call, 1), call.output(*taint), call)
    return NOTHING


def upload(machine: Machine, call: Call) -> Value:
    """UploadString(address, …), PostAsync(address, …)."""
    return call.output(*connect(machine, call, _argument(call, 0), list(call.args[2:])))


def from_base64(machine: Machine, call: Call) -> Value:
    """``[Convert]::FromBase64String(text)``."""
    return decoded(machine, call, _argument(call, 0), "base64")


def get_string(machine: Machine, call: Call) -> Value:
    """``[Text.Encoding]::UTF8.GetString(bytes)``."""
    source = _argument(call, 0)
    if not source.known or "unicode" not in call.args[0].text.lower():
        return source
    text = source.text.encode("latin-1", "replace").decode("utf-16-le", "replace").encode("utf-8").decode("latin-1")
    via = chain(source.via, "utf-16")
    return Value(text, True, merge(source.taint, (machine.fact(Kind.DECODE, text, call, via),)), via)


def start(machine: Machine, call: Call) -> Value:
    """``[Diagnostics.Process]::Start(program, arguments)``."""
    words = call.args[1:]
    if not words or "process" not in call.args[0].text.lower():
        return call.output()
    index = machine.fact(Kind.PROCESS_SPAWN, " ".join(value.text for value in words), call)
    machine.flow(merge(*(value.taint for value in words)), index)
    if "/" in words[0].text or "\\" in words[0].text or not words[0].known:
        run_file(machine, call, words[0], index)
    return call.output(index)


def create(machine: Machine, call: Call) -> Value:
    """``[ScriptBlock]::Create(text)``, ``InvokeScript(text)``, ``AddScript(text)``."""
    return evaluate(machine, call, _argument(call, 0)) if len(call.args) > 1 else call.output()


def load(machine: Machine, call: Call) -> Value:
    """``[Reflection.Assembly]::Load(bytes)``."""
    if "assembly" in call.args[0].text.lower():
        machine.flow(call.taint, machine.fact(Kind.CODE_EVAL, None, call))
    return call.output()


def new_object(machine: Machine, call: Call) -> Value:
    """``New-Object Net.Sockets.TCPClient(host, port)`` connects; other objects only when they are used."""
    name = next((value.text.lower() for value in call.args if not value.text.startswith("-")), "")
    if "tcpclient" in name or "tcpclient" in call.text.lower():
        host = ":".join(value.text for value in call.args[1:] if not value.text.startswith("-"))
        machine.fact(Kind.NET_CONNECT, host or name, call)
    return call.output()


def environment(machine: Machine, call: Call) -> Value:
    """GetEnvironmentVariable(s)."""
    name = _argument(call, 0).text
    if call.name == ".getenvironmentvariables":
        return call.output(machine.fact(Kind.ENV_DUMP, None, call))
    return call.output(machine.fact(Kind.SECRET_READ, name, call)) if secret_env(name) else call.output()


def listing(machine: Machine, call: Call) -> Value:
    """``Get-ChildItem Env:`` is the whole environment."""
    if any(value.text.lower().startswith("env:") for value in call.args):
        return call.output(machine.fact(Kind.ENV_DUMP, None, call))
    return call.output()


def write_file(machine: Machine, call: Call) -> Value:
    """``[IO.File]::WriteAllText(path, text)`` and the like."""
    machine.written(_argument(call, 0), _argument(call, 1), call)
    return NOTHING


def read_file(machine: Machine, call: Call) -> Value:
    """``[IO.File]::ReadAllText(path)``."""
    return machine.input_file(_argument(call, 0), call)


def delete(machine: Machine, call: Call) -> Value:
    """``[IO.File]::Delete(path)``."""
    if "file" in call.args[0].text.lower() or "directory" in call.args[0].text.lower():
        machine.fact(Kind.FS_DELETE, _argument(call, 0).text, call)
    return NOTHING


def replace(machine: Machine, call: Call) -> Value:
    """``text.Replace(old, new)`` over constants."""
    if len(call.args) == 3 and all(value.known for value in call.args) and call.args[1].text:
        receiver = call.args[0]
        text, whole = joined((replaced_in(receiver.text, call.args[1].text, call.args[2].text),))
        return Value(text, whole, receiver.taint, receiver.via)
    return call.output()


def registry_value(machine: Machine, call: Call) -> Value:
    """``[Microsoft.Win32.Registry]::SetValue(key, …)``."""
    if persist_path(call.text):
        machine.fact(Kind.PERSIST, _argument(call, 0).text, call)
    return call.output()


def _argument(call: Call, index: int) -> Value:
    return call.args[index + 1] if index + 1 < len(call.args) else NOTHING


HANDLERS: dict[str, Handler] = {
    ".expression": expression,
    **dict.fromkeys((
        ".downloadstring", ".downloaddata", ".openread", ".getstringasync", ".getasync", ".getstreamasync",
        ".getbytearrayasync", ".downloadstringtaskasync"
    ), download),
    **dict.fromkeys((".downloadfile", ".downloadfileasync", ".downloadfiletaskasync"), download_file),
    **dict.fromkeys((
        ".uploadstring", ".uploaddata", ".uploadfile", ".uploadvalues", ".postasync", ".putasync"
    ), upload),
    ".frombase64string": from_base64,
    ".getstring": get_string,
    ".start": start,
    **dict.fromkeys((".create", ".invokescript", ".addscript", ".newscriptblock"), create),
    **dict.fromkeys((".load", ".loadfile", ".unsafeloadfrom"), load),
    "new-object": new_object,
    **dict.fromkeys((".getenvironmentvariable", ".getenvironmentvariables"), environment),
    **dict.fromkeys(("get-childitem", "gci"), listing),
    **dict.fromkeys((".writealltext", ".writeallbytes", ".writealllines", ".appendalltext"), write_file),
    **dict.fromkeys((".readalltext", ".readallbytes", ".readalllines"), read_file),
    ".delete": delete,
    ".replace": replace,
    ".setvalue": registry_value,
}  # fmt: skip
"""Call -> what it does."""


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source)
