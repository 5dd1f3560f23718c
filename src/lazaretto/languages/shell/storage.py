"""Commands that write, move, delete or mark files."""

import re
from functools import cache
from itertools import pairwise
from posixpath import basename

from lazaretto.core.facts import Kind
from lazaretto.languages._sensitive import secret_path
from lazaretto.languages.shell.expand import tidy
from lazaretto.languages.shell.machine import Handler, Machine
from lazaretto.languages.shell.values import NOTHING, Call, Value, options

_MANIFESTS = frozenset({"package.json", "setup.py", "pyproject.toml", "binding.gyp"})


def remove(machine: Machine, call: Call) -> Value:
    """rm, del, rd, shred: what is deleted; a script that deletes itself, a manifest, or what it has just run."""
    for path in _paths(call):
        own = _is_own(machine, path.text)
        machine.fact(Kind.FS_SELF_DELETE if own else Kind.FS_DELETE, path.text, call)
    return NOTHING


def copy(machine: Machine, call: Call) -> Value:
    """cp, mv, ln, install: the last operand is written with the content of the others."""
    given = options(call.args, "tSmgo", frozenset({"target-directory", "suffix", "mode", "owner", "group"}))
    target = given.get("-t", "--target-directory")
    paths = [path for path in given.operands if not path.text.startswith("/") or len(path.text) > 2]
    sources = paths if target is not None else paths[:-1]
    target = target if target is not None else (paths[-1] if len(paths) > 1 else None)
    if target is None:
        return call.output()
    for source in sources:
        content = machine.input_file(source, call)
        machine.written(target, content, call)
        if call.name in {"mv", "move", "ren"} and _is_own(machine, source.text):
            machine.fact(Kind.FS_SELF_DELETE, target.text, call)
    return NOTHING


def tee(machine: Machine, call: Call) -> Value:
    """Tee, sponge, Out-File, Set-Content, Add-Content: the input goes into files."""
    given = options(call.args)
    for path in given.operands[:1] if call.name.startswith(("set-", "add-", "out-")) else given.operands:
        content = given.operands[1] if len(given.operands) > 1 and call.name != "tee" else call.stdin or NOTHING
        machine.written(path, content, call, append=given.has("-a", "--append") or call.name == "add-content")
    return call.stdin or NOTHING


def mark(machine: Machine, call: Call) -> Value:
    """Chmod, chown, attrib, icacls, touch, truncate: a file is changed but keeps its content."""
    for path in _paths(call)[(0 if call.name in {"touch", "truncate", "attrib", "icacls"} else 1) :]:
        machine.fact(Kind.FS_WRITE, path.text, call)
    return NOTHING


def archive(machine: Machine, call: Call) -> Value:
    """Tar, zip, 7z: the archive that is written carries the facts of what went into it."""
    taint: tuple[int, ...] = call.stdin.taint if call.stdin else ()
    for value in call.args:
        if secret_path(value.text):
            taint += (machine.fact(Kind.SECRET_READ, value.text, call),)
        else:
            taint += value.taint
            known = machine.files.get(tidy(value.text))
            taint += known.taint if known else ()
    words = [value.text for value in call.args]
    letters = words[0].lstrip("-") if words else ""
    creates = (call.name == "tar" and "c" in letters) or "--create" in words or call.name == "zip" or letters == "a"
    if creates:
        ending = _compiled(r"\.(?:tar|tgz|gz|zip|7z|xz|bz2|zst)$")
        for value in call.args:
            if ending.search(value.text):
                machine.written(value, call.output(*taint), call)
                break
    else:
        machine.unpacked += taint
    return call.output(*taint)


def find(machine: Machine, call: Call) -> Value:
    """Find: what ``-delete`` deletes and ``-exec`` runs; a search for credentials."""
    taint = call.taint
    for value in call.args:
        if secret_path(value.text):
            taint += (machine.fact(Kind.SECRET_READ, value.text, call),)
    words = [value.text for value in call.args]
    if "-delete" in words:
        machine.fact(Kind.FS_DELETE, call.args[0].text, call)
    starts = [at for at, word in enumerate(words) if word in {"-exec", "-execdir", "-ok", "-okdir"}]
    for start, end in pairwise((*starts, len(words))):
        inner = tuple(value for value in call.args[start + 1 : end] if value.text not in {";", "+", "\\;"})
        if inner:
            machine.nested(Call("", NOTHING, inner, Value("", False, taint), call.start, call.end))
    return call.output(*taint)


def _paths(call: Call) -> list[Value]:
    """Return the operands, without options of either shell (``-rf``, ``/q``)."""
    return [
        value
        for value in call.args
        if not (value.text.startswith("-") and value.text != "-")
        and not _compiled(r"/[a-zA-Z]{1,2}").fullmatch(value.text)
    ]


def _is_own(machine: Machine, path: str) -> bool:
    if _compiled(r"\$(?:0|\{0\}|\{?BASH_SOURCE.*|PSCommandPath|MyInvocation.*)|%~f0|%~dpnx0|%0").fullmatch(path):
        return True
    name = tidy(path)
    return name in machine.loaded or basename(name) in _MANIFESTS


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys((
        "rm", "del", "erase", "rd", "rmdir", "shred", "unlink", "rimraf", "remove-item", "ri", "srm", "wipe",
        "clear-content"
    ), remove),
    **dict.fromkeys((
        "cp", "mv", "ln", "install", "copy", "xcopy", "robocopy", "move", "ren", "rename", "copy-item", "move-item",
        "rename-item", "mklink"
    ), copy),
    **dict.fromkeys(("tee", "sponge", "out-file", "set-content", "add-content"), tee),
    **dict.fromkeys(("chmod", "chown", "attrib", "icacls", "touch", "truncate"), mark),
    **dict.fromkeys(("tar", "bsdtar", "zip", "unzip", "7z", "7za", "compress-archive", "expand-archive"), archive),
    "find": find,
}  # fmt: skip
"""Command -> what it does to files."""


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source)
