"""Commands that print or transform text: constant input is followed through them, with bounded decoders."""

import re
from functools import cache

from lazaretto.core.facts import Kind
from lazaretto.languages._sensitive import secret_path
from lazaretto.languages.shell.expand import MAX_TEXT, joined
from lazaretto.languages.shell.machine import Handler, Machine
from lazaretto.languages.shell.values import NOTHING, Call, Value, merge, options
from lazaretto.languages.shell.words import unescape


def echo(machine: Machine, call: Call) -> Value:
    """Echo: its arguments, with escapes under ``-e``."""
    args = list(call.args)
    escapes = False
    while args and _compiled(r"-[neE]+").fullmatch(args[0].text):
        escapes |= "e" in args.pop(0).text
    text = " ".join(value.text for value in args)
    return _joined(call, tuple(args), unescape(text) if escapes else text, newline=True)


def printf(machine: Machine, call: Call) -> Value:
    """Printf: ``%s`` and ``%b`` filled, escapes replaced; a format with anything else is shown as it is."""
    args = [value for value in call.args if value.text != "--"]
    if not args:
        return NOTHING
    form, rest = unescape(args[0].text), [value.text for value in args[1:]]
    fields = _compiled(r"%[-0-9.]*[a-zA-Z]").findall(form)
    if not fields:
        return _joined(call, tuple(args), form.replace("%%", "%"))
    pieces = iter(rest)
    rounds = max(1, -(-len(rest) // len(fields)))  # the format is used again until no argument is left
    rounds = min(rounds, MAX_TEXT // len(form) + 1)
    text = _compiled(r"%[-0-9.]*[a-zA-Z]").sub(lambda match: _field(match.group(), next(pieces, "")), form * rounds)
    return _joined(call, tuple(args), text)


def _field(form: str, text: str) -> str:
    if form.endswith("b"):
        return unescape(text)
    if form.endswith("x") and _compiled(r"[0-9]{1,18}").fullmatch(text):
        return f"{int(text):x}"
    return text


def cat(machine: Machine, call: Call) -> Value:
    """Cat and other readers: the contents of files, as far as they are known."""
    named = options(call.args, "nc" if call.name in {"head", "tail"} else "").operands
    paths = [path for path in named if path.text != "-"]
    if not paths:
        return call.stdin or NOTHING
    contents = [machine.input_file(path, call) for path in paths]
    for path in paths:
        if not secret_path(path.text):
            machine.fact(Kind.FS_READ, path.text, call)
    whole = call.name in {"cat", "type", "get-content", "gc", "tac"} and all(content.known for content in contents)
    text, fits = joined(content.text for content in contents)
    return Value(text, whole and fits, merge(*(content.taint for content in contents)))


def base64(machine: Machine, call: Call) -> Value:
    """base64, with ``-d`` the decoder."""
    given = options(call.args, "wib", frozenset({"wrap", "input", "output"}))
    source = _source(machine, call, given.get("-i", "--input") or next(iter(given.operands), None))
    if not given.has("-d", "-D", "--decode"):
        return _encoded(source, "base64")
    return decoded(machine, call, source, "base64")


def xxd(machine: Machine, call: Call) -> Value:
    """Xxd: ``-r -p`` decodes hexadecimal."""
    letters = "".join(value.text for value in call.args if value.text.startswith("-"))
    source = _source(machine, call, next((value for value in call.args if not value.text.startswith("-")), None))
    if "r" in letters and "p" in letters:
        return decoded(machine, call, source, "hex")
    return _encoded(source, "hex") if "p" in letters else call.output(*source.taint)


def openssl(machine: Machine, call: Call) -> Value:
    """Openssl: base64 and ciphers; a connection with ``s_client``."""
    words = [value.text for value in call.args]
    files = {words[i]: call.args[i + 1] for i in range(len(words) - 1) if words[i] in {"-in", "-out", "-connect"}}
    source = _source(machine, call, files.get("-in"))
    if "-connect" in files:
        index = machine.fact(Kind.NET_CONNECT, files["-connect"].text, call)
        machine.flow(source.taint, index)
        return call.output(index)
    if "-d" not in words:
        result = call.output(*source.taint)
    elif (
        "base64" in words[:1]
        or {"-base64"} >= set(words[1:2])
        or (words[:1] == ["enc"] and "-base64" in words and len(words) <= 5)
    ):
        result = decoded(machine, call, source, "base64")
    else:
        cipher = next(
            (
                word.lstrip("-")
                for word in words
                if _compiled(r"-?(?:aes|des|bf|rc4|chacha|camellia).*").fullmatch(word)
            ),
            None,
        )
        result = call.output(machine.fact(Kind.DECRYPT, cipher, call), *source.taint)
    if "-out" in files:
        machine.written(files["-out"], result, call)
        return NOTHING
    return result


def rev(machine: Machine, call: Call) -> Value:
    """Rev: every line backwards."""
    source = call.stdin or NOTHING
    text = "\n".join(line[::-1] for line in source.text.split("\n"))
    return Value(text, source.known, source.taint, chain(source.via, "reverse")) if source.known else call.output()


def translate(machine: Machine, call: Call) -> Value:
    """Tr: sets and ranges of equal length, and ``-d``."""
    source = call.stdin or NOTHING
    given = options(call.args)
    sets = [_set(value.text) for value in given.operands]
    if not source.known or not sets:
        return call.output()
    if given.has("-d"):
        text = "".join(character for character in source.text if character not in sets[0])
    elif len(sets) == 2 and sets[1]:
        target = sets[1] + sets[1][-1] * (len(sets[0]) - len(sets[1]))
        text = source.text.translate(
            {ord(a): b for a, b in zip(reversed(sets[0]), reversed(target[: len(sets[0])]), strict=True)}
        )
    else:
        return call.output()
    return Value(text, True, source.taint, chain(source.via, "translate"))


def gunzip(machine: Machine, call: Call) -> Value:
    """Gzip -d, gunzip, zcat: constant input only."""
    given = options(call.args)
    source = _source(machine, call, next(iter(given.operands), None))
    if call.name in {"gzip", "pigz"} and not given.has("-d", "--decompress"):
        return call.output(*source.taint)
    return decoded(machine, call, source, "gzip")


def passing(machine: Machine, call: Call) -> Value:
    """Any filter whose result is not followed: unknown text that still comes from its input and files."""
    taint: tuple[int, ...] = ()
    for value in call.args:
        if secret_path(value.text):
            taint += (machine.fact(Kind.SECRET_READ, value.text, call),)
        else:
            known = machine.files.get(value.text)
            taint += known.taint if known else ()
    return call.output(*taint)


def path_part(machine: Machine, call: Call) -> Value:
    """Dirname, realpath, pwd: the folder of the script itself is known as ``.``."""
    operand = next((value for value in call.args if not value.text.startswith("-")), None)
    if call.name == "pwd":
        return Value(machine.cwd, True) if machine.cwd is not None else call.output()
    if operand is None:
        return call.output()
    if call.name == "dirname":
        if operand.text.startswith(("$0", "$BASH_SOURCE", "${BASH_SOURCE", "$(readlink", "$(realpath")):
            return Value(".")
        return Value(operand.text.rpartition("/")[0] or ".", operand.known, operand.taint)
    if call.name == "basename":
        return Value(operand.text.rpartition("/")[2], operand.known, operand.taint)
    return operand


def decoded(machine: Machine, call: Call, source: Value, scheme: str) -> Value:
    """Return decoded text and write the fact; unknown input gives unknown output from the same facts."""
    if not source.known:
        return Value(
            f"$({call.text})", False, merge(source.taint, (machine.fact(Kind.DECODE, None, call, scheme),)), scheme
        )
    via = chain(source.via, scheme)
    text = decode(source.text, scheme)
    whole = text is not None
    if text is None:
        machine.problem(call, f"not valid {scheme}")
    else:
        text, whole = joined((text,))
    index = machine.fact(Kind.DECODE, text, call, via)
    return Value(text or "", whole, merge(source.taint, (index,)), via)


def decode(text: str, scheme: str) -> str | None:
    """Return the decoded text (Latin-1 for bytes), or None if it is not in that scheme; a byte beyond ``MAX_TEXT``."""
    import binascii
    import zlib

    raw = text.encode("latin-1", "replace")
    try:
        if scheme == "base64":
            compact = _compiled(r"[^A-Za-z0-9+/_-]").sub("", text).replace("-", "+").replace("_", "/")
            data = binascii.a2b_base64(compact + "=" * (-len(compact) % 4))
        elif scheme == "hex":
            data = bytes.fromhex(_compiled(r"[^0-9A-Fa-f]").sub("", text))
        else:
            data = zlib.decompressobj(47).decompress(raw, MAX_TEXT + 1)
    except (ValueError, zlib.error):
        return None
    return data[: MAX_TEXT + 1].decode("latin-1")


def chain(via: str, scheme: str) -> str:
    """Return a decode chain with one more step."""
    return scheme if via == "plain" else f"{via}>{scheme}"


def _encoded(source: Value, scheme: str) -> Value:
    return Value(f"$({scheme} of {source.text[:80]})", False, source.taint)


def _source(machine: Machine, call: Call, operand: Value | None) -> Value:
    if operand is None or operand.text in {"-", "", "/dev/stdin"}:
        return call.stdin or Value("", False)
    return machine.input_file(operand, call)


def _joined(call: Call, args: tuple[Value, ...], text: str, *, newline: bool = False) -> Value:
    via = next((value.via for value in args if value.via != "plain"), "plain")
    text, whole = joined((text,))
    known = whole and all(value.known for value in args)
    return Value(text + ("\n" if newline else ""), known, merge(*(value.taint for value in args)), via)


def _set(text: str) -> str:
    """Return the characters that a set of ``tr`` stands for."""
    names = {
        "[:upper:]": "A-Z",
        "[:lower:]": "a-z",
        "[:digit:]": "0-9",
        "[:space:]": " \t\n\r\f\v",
        "[:alpha:]": "A-Za-z",
    }
    for name, members in names.items():
        text = text.replace(name, members)

    def span(match: re.Match[str]) -> str:
        return "".join(map(chr, range(ord(match.group(1)), ord(match.group(2)) + 1)))

    return _compiled(r"(.)-(.)").sub(span, unescape(text))


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("echo", "write-output", "write-host"), echo),
    "printf": printf,
    **dict.fromkeys(("cat", "head", "tail", "less", "more", "type", "get-content", "gc", "strings", "tac", "nl"), cat),
    **dict.fromkeys(("base64", "gbase64"), base64),
    "xxd": xxd,
    "openssl": openssl,
    "rev": rev,
    "tr": translate,
    **dict.fromkeys(("gunzip", "zcat", "gzip", "pigz", "gzcat"), gunzip),
    **dict.fromkeys((
        "grep", "egrep", "fgrep", "rg", "sed", "awk", "gawk", "cut", "sort", "uniq", "jq", "tar", "zip", "7z", "bzip2",
        "xz", "gpg", "od", "hexdump", "wc", "dd", "strings", "select-string", "findstr", "paste"
    ), passing),
    **dict.fromkeys(("dirname", "basename", "realpath", "readlink", "pwd"), path_part),
}  # fmt: skip
"""Command -> what it prints."""


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source, re.DOTALL)
