"""Paths and URLs, joined and resolved as Node does, with ``*`` for what is not known."""

from typing import TYPE_CHECKING

from lazaretto.languages.javascript.values import UNDEFINED, Arr, Obj, Sym, Text, Value, merged, taint_of, via_of

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter


def join_path(interp: "Interpreter", args: list[Value]) -> Value:
    """Return ``path.join(...)``."""
    parts: list[Value] = []
    for given in args:
        arg = given
        if isinstance(arg, Arr):
            return interp.unknown(args)
        if arg is UNDEFINED or arg == "" or arg is None:
            continue
        if parts and not (isinstance(parts[-1], str) and parts[-1].endswith("/")):
            parts.append("/")
        if isinstance(arg, str) and parts:
            via = via_of(arg)
            arg = Text.of(arg.lstrip("/") if parts[-1] == "/" else arg, via, taint_of(arg))
        parts.append(arg)
    joined = interp.concat(parts)
    if isinstance(joined, str):
        return Text.of(normal_path(joined), via_of(joined), taint_of(joined))
    if isinstance(joined, Sym) and joined.text is not None:
        return Sym(text=normal_path(joined.text), taint=joined.taint, via=joined.via)
    return joined


def resolve_path(interp: "Interpreter", args: list[Value]) -> Value:
    """Return ``path.resolve(...)``, from the last absolute part."""
    start = 0
    for position, arg in enumerate(args):
        text = arg if isinstance(arg, str) else arg.text if isinstance(arg, Sym) else None
        if text and (text[0] in "/~$" or text[1:3] in (":\\", ":/")):
            start = position
    return join_path(interp, args[start:])


def normal_path(text: str) -> str:
    """Normalise ``.`` and ``..`` and doubled separators of a POSIX path; a leading variable stays.

    What is above the file's own folder is told from there.
    """
    lead = "/" if text.startswith("/") else ""
    kept: list[str] = []
    for part in text.split("/"):
        if part == ".." and kept and kept[-1] == "__dirname":
            kept[-1] = ".."
        elif part == ".." and kept and kept[-1] not in ("..", "*"):
            kept.pop()
        elif part not in ("", "."):
            kept.append(part)
    return lead + "/".join(kept) or "."


def basename(interp: "Interpreter", args: list[Value]) -> Value:
    """Return ``path.basename(path)``."""
    if args and isinstance(args[0], str):
        return Text.of(args[0].rstrip("/").rsplit("/", 1)[-1], via_of(args[0]), taint_of(args[0]))
    return interp.unknown(args)


def dirname(interp: "Interpreter", args: list[Value]) -> Value:
    """Return ``path.dirname(path)``."""
    value = args[0] if args else UNDEFINED
    if isinstance(value, str) and "/" in value:
        return Text.of(value.rsplit("/", 1)[0] or "/", via_of(value), taint_of(value))
    if isinstance(value, Sym) and value.text == "__filename":
        return Sym(text=".", taint=value.taint)
    return interp.unknown(args)


def fold_url(interp: "Interpreter", args: list[Value]) -> Value:
    """Return ``new URL(text, base)`` as an object with ``href``."""
    value = args[0] if args else UNDEFINED
    if isinstance(value, Sym) and value.path == "import.meta.url":
        return value
    base = args[1] if len(args) > 1 else UNDEFINED
    made = Obj({"href": value})
    if isinstance(base, str) and isinstance(value, str) and "://" not in value:
        from urllib.parse import urljoin

        try:
            made.props["href"] = Text.of(urljoin(base, value), merged(via_of(base), via_of(value)))
        except ValueError:
            return interp.unknown(args)
    elif isinstance(base, Sym) and isinstance(value, str):
        return Sym(text=normal_path(value), taint=base.taint) if base.path == "import.meta.url" else base
    return made
