"""Methods of strings, regular expressions and buffers, on known values."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from lazaretto.languages.javascript.coerce import NAN, to_number, to_text
from lazaretto.languages.javascript.values import (
    MAX_TEXT,
    UNDEFINED,
    Arr,
    Func,
    Regex,
    Sym,
    Text,
    Value,
    is_known,
    merged,
    via_of,
)

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

_UNSAFE = re.compile(r"\\[1-9bBkpP]|\(\?<?[=!]|\(\?<")
_QUANTIFIER = re.compile(r"(?<!\\)[*+?]|(?<!\\)\{\d+,?\d*\}")


def index(args: list[Value], position: int, default: int, size: int | None = None) -> int | None:
    """Return argument ``position`` as a relative index clamped to ``size``, or None if it is not known."""
    if position >= len(args) or args[position] is UNDEFINED:
        return default
    value = to_number(args[position])
    if value is None:
        return None
    if value != value:
        return 0
    at = int(max(min(value, 2**31), -(2**31)))
    if size is not None:
        at = max(0, size + at) if at < 0 else min(at, size)
    return at


def text_method(interp: "Interpreter", text: str, name: str, args: list[Value]) -> Value:
    """Return ``text.name(...args)``, or ``Sym`` if it cannot be known."""
    if not all(is_known(arg) for arg in args):
        if name in ("replace", "replaceAll") and len(args) == 2 and isinstance(args[1], Sym) and is_known(args[0]):
            by = "*" if args[1].text is None else args[1].text
            pattern = text_method(interp, text, name, [args[0], by.replace("$", "$$")])
            if isinstance(pattern, str):
                return Sym(text=str(pattern), taint=interp.taints([text, *args]), via=via_of(pattern))
        return Sym(taint=interp.taints([text, *args]), via=via_of(text))
    method = _TEXT.get(name)
    if method is None:
        return Sym(taint=interp.taints([text, *args]), via=via_of(text))
    result = method(interp, text, args)
    chain = merged(via_of(text), *(via_of(arg) for arg in args))
    taint = interp.taints([text, *args])
    if isinstance(result, str):
        if len(result) > MAX_TEXT:
            return Sym(taint=taint, via=chain)
        return Text.of(result, merged(chain, via_of(result)), taint)
    if isinstance(result, Arr):
        result.via, result.taint = merged(chain, result.via), taint
    return result


def _arg_text(args: list[Value], position: int, default: str | None = "undefined") -> str | None:
    return to_text(args[position]) if position < len(args) else default


def _char_code_at(_interp: "Interpreter", text: str, args: list[Value]) -> Value:
    at = index(args, 0, 0)
    if at is None:
        return Sym()
    return ord(text[at]) if 0 <= at < len(text) else NAN


def _code_point_at(_interp: "Interpreter", text: str, args: list[Value]) -> Value:
    at = index(args, 0, 0)
    return ord(text[at]) if at is not None and 0 <= at < len(text) else UNDEFINED


def _char_at(_interp: "Interpreter", text: str, args: list[Value]) -> Value:
    at = index(args, 0, 0)
    return Sym() if at is None else text[at] if 0 <= at < len(text) else ""


def _at(_interp: "Interpreter", text: str, args: list[Value]) -> Value:
    at = index(args, 0, 0)
    if at is None:
        return Sym()
    at = at + len(text) if at < 0 else at
    return text[at] if 0 <= at < len(text) else UNDEFINED


def _slice(_interp: "Interpreter", text: str, args: list[Value]) -> Value:
    start, end = index(args, 0, 0, len(text)), index(args, 1, len(text), len(text))
    return Sym() if start is None or end is None else text[start:end] if start < end else ""


def _substring(_interp: "Interpreter", text: str, args: list[Value]) -> Value:
    start, end = index(args, 0, 0), index(args, 1, len(text))
    if start is None or end is None:
        return Sym()
    start, end = max(0, min(start, len(text))), max(0, min(end, len(text)))
    return text[min(start, end) : max(start, end)]


def _substr(_interp: "Interpreter", text: str, args: list[Value]) -> Value:
    start, size = index(args, 0, 0, len(text)), index(args, 1, len(text))
    return Sym() if start is None or size is None else text[start : start + max(0, size)]


def _split(_interp: "Interpreter", text: str, args: list[Value]) -> Value:
    if not args or args[0] is UNDEFINED:
        return Arr([text])
    limit = index(args, 1, 1 << 20) or 0
    separator = args[0]
    if isinstance(separator, Regex):
        compiled = compiled_regex(separator, len(text))
        if compiled is None:
            return Sym()
        parts: list[Value] = [UNDEFINED if part is None else part for part in compiled.split(text)]
        if compiled.match("") and len(parts) >= 2:
            parts = [part for part in parts if part]
    else:
        mark = to_text(separator)
        if mark is None:
            return Sym()
        parts = list(text.split(mark)) if mark else list(text)
    return Arr(parts[:limit])


def _replace(interp: "Interpreter", text: str, args: list[Value], *, everywhere: bool = False) -> Value:
    if len(args) < 2:
        return text
    pattern, by = args[0], args[1]
    count = 0 if everywhere else 1
    if isinstance(pattern, Regex):
        compiled = compiled_regex(pattern, len(text))
        if compiled is None:
            return Sym()
        count = 0 if "g" in pattern.flags else 1
    else:
        literal = to_text(pattern)
        if literal is None:
            return Sym()
        compiled = re.compile(re.escape(literal))
    failed = False

    def substitute(match: "re.Match[str]") -> str:
        nonlocal failed
        if isinstance(by, Func):
            groups = [UNDEFINED if group is None else group for group in match.groups()]
            made = to_text(interp.call(by, [match.group(), *groups, match.start(), text]))
        else:
            template = to_text(by)
            made = None if template is None else _expand(template, match)
        if made is None:
            failed = True
            return ""
        return made

    result = compiled.sub(substitute, text, count=count)
    return Sym() if failed else result


def _expand(template: str, match: "re.Match[str]") -> str:
    if "$" not in template:
        return template

    def one(mark: "re.Match[str]") -> str:
        key = mark.group(1)
        if key == "$":
            return "$"
        if key == "&":
            return match.group()
        number = int(key)
        return (match.group(number) or "") if number <= (match.re.groups or 0) else mark.group()

    return re.sub(r"\$(\$|&|\d{1,2})", one, template)


def _replace_all(interp: "Interpreter", text: str, args: list[Value]) -> Value:
    return _replace(interp, text, args, everywhere=True)


def _match(_interp: "Interpreter", text: str, args: list[Value]) -> Value:
    if not args or not isinstance(args[0], Regex):
        return Sym()
    compiled = compiled_regex(args[0], len(text))
    if compiled is None:
        return Sym()
    if "g" in args[0].flags:
        found: list[Value] = [match.group() for match in compiled.finditer(text)]
        return Arr(found) if found else None
    match = compiled.search(text)
    return None if match is None else Arr([match.group(), *(group or UNDEFINED for group in match.groups())])


def _match_all(_interp: "Interpreter", text: str, args: list[Value]) -> Value:
    if not args or not isinstance(args[0], Regex):
        return Sym()
    compiled = compiled_regex(args[0], len(text))
    if compiled is None:
        return Sym()
    return Arr([Arr([m.group(), *(group or UNDEFINED for group in m.groups())]) for m in compiled.finditer(text)])


def _concat(_interp: "Interpreter", text: str, args: list[Value]) -> Value:
    parts = [to_text(arg) for arg in args]
    return Sym() if None in parts else text + "".join(part or "" for part in parts)


def _repeat(_interp: "Interpreter", text: str, args: list[Value]) -> Value:
    count = index(args, 0, 0)
    return Sym() if count is None or count < 0 or count * len(text) > MAX_TEXT else text * count


def _pad(text: str, args: list[Value], *, at_start: bool) -> Value:
    size = index(args, 0, 0)
    fill = _arg_text(args, 1, " ")
    if size is None or fill is None or size > MAX_TEXT:
        return Sym()
    missing = size - len(text)
    if missing <= 0 or not fill:
        return text
    padding = (fill * (missing // len(fill) + 1))[:missing]
    return padding + text if at_start else text + padding


def _index_of(_interp: "Interpreter", text: str, args: list[Value]) -> Value:
    what, start = _arg_text(args, 0), index(args, 1, 0)
    return Sym() if what is None or start is None else text.find(what, max(0, start))


def _last_index_of(_interp: "Interpreter", text: str, args: list[Value]) -> Value:
    what = _arg_text(args, 0)
    return Sym() if what is None else text.rfind(what)


def _test(kind: str, text: str, args: list[Value]) -> Value:
    what = _arg_text(args, 0)
    if what is None:
        return Sym()
    if kind == "includes":
        return what in text
    return text.startswith(what) if kind == "startsWith" else text.endswith(what)


_TEXT: "dict[str, Callable[[Interpreter, str, list[Value]], Value]]" = {
    "charCodeAt": _char_code_at,
    "codePointAt": _code_point_at,
    "charAt": _char_at,
    "at": _at,
    "slice": _slice,
    "substring": _substring,
    "substr": _substr,
    "split": _split,
    "replace": _replace,
    "replaceAll": _replace_all,
    "match": _match,
    "matchAll": _match_all,
    "concat": _concat,
    "repeat": _repeat,
    "padStart": lambda _i, text, args: _pad(text, args, at_start=True),
    "padEnd": lambda _i, text, args: _pad(text, args, at_start=False),
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "includes": lambda _i, text, args: _test("includes", text, args),
    "startsWith": lambda _i, text, args: _test("startsWith", text, args),
    "endsWith": lambda _i, text, args: _test("endsWith", text, args),
    "trim": lambda _i, text, _a: text.strip(),
    "trimStart": lambda _i, text, _a: text.lstrip(),
    "trimEnd": lambda _i, text, _a: text.rstrip(),
    "toLowerCase": lambda _i, text, _a: text.lower(),
    "toUpperCase": lambda _i, text, _a: text.upper(),
    "toLocaleLowerCase": lambda _i, text, _a: text.lower(),
    "toLocaleUpperCase": lambda _i, text, _a: text.upper(),
    "normalize": lambda _i, text, _a: text,
    "toString": lambda _i, text, _a: text,
    "valueOf": lambda _i, text, _a: text,
}
NAMES = frozenset(_TEXT)
"""Names of the methods of texts."""


@lru_cache(maxsize=256)
def _translated(source: str, flags: str, *, long: bool) -> "re.Pattern[str] | None":
    if len(source) > 400 or _UNSAFE.search(source):
        return None
    grouped = "(" in source.replace("\\(", "")
    quantifiers = len(_QUANTIFIER.findall(source))
    # Python's engine backtracks: only patterns that cannot explode are tried at all.
    if quantifiers > (0 if grouped else 1 if long else 2):
        return None
    how = (re.IGNORECASE if "i" in flags else 0) | (re.MULTILINE if "m" in flags else 0)
    try:
        fixed = re.sub(r"\\u\{?([0-9a-fA-F]{4,6})\}?", lambda m: re.escape(chr(int(m.group(1), 16) % 0x110000)), source)
        return re.compile(fixed.replace("[^]", r"[\s\S]").replace("$", r"\Z"), how | (re.DOTALL if "s" in flags else 0))
    except (re.error, OverflowError, ValueError):
        return None


def compiled_regex(regex: Regex, size: int) -> "re.Pattern[str] | None":
    """Return a Python pattern for a JavaScript one if it is simple enough to run on ``size`` characters."""
    return _translated(regex.source, regex.flags, long=size > 4096)


def regex_method(interp: "Interpreter", regex: Regex, name: str, args: list[Value]) -> Value:
    """Return ``regex.test(text)`` or ``regex.exec(text)`` where it can be known."""
    text = args[0] if args else UNDEFINED
    if not isinstance(text, str) or name not in ("test", "exec"):
        return Sym(taint=interp.taints(args))
    compiled = compiled_regex(regex, len(text))
    if compiled is None:
        return Sym(taint=interp.taints(args))
    sticky = "g" in regex.flags or "y" in regex.flags
    match = compiled.search(text, regex.last if sticky else 0)
    if sticky:
        regex.last = match.end() if match else 0
    if name == "test":
        return match is not None
    if match is None:
        return None
    found = Arr([match.group(), *(UNDEFINED if group is None else group for group in match.groups())], via_of(text))
    found.props = {"index": match.start()}
    return found
