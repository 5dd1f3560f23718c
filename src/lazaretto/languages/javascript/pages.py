"""What a script does to the page that it runs in: where it takes the user, what it loads, what it hears.

A page sends data away by loading something: an image, a script, another page. Only an address that names its host is
told as a connection; where it is not known, loading parts of oneself is what every bundler does.
"""

import re
from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind, Moment
from lazaretto.languages.javascript.coerce import pattern_text, to_text
from lazaretto.languages.javascript.values import Func, Obj, Sym, Value

if TYPE_CHECKING:
    from lazaretto.languages.javascript.interp import Interpreter

Place = tuple[int, int]

_ELEMENT = "element:"
_LOADING = ("Image()", "Audio()", _ELEMENT)
_SCRIPT = "element:script"
_LOADED = frozenset({"src", "href", "action", "data"})
_GOING = frozenset({"location", "document.location", "window.location"})
_ABSOLUTE = re.compile(r"(?:https?:|wss?:)?//[^/*\s]")
_HEARING = frozenset({"addEventListener", "on"})
_KEYS = frozenset({"keydown", "keyup", "keypress", "paste"})
_FORMS = frozenset({"submit", "input", "change"})
_EVERYWHERE = ("document", "window", "globalThis", "addEventListener")
KEYS = "keys of a page"
COOKIES = "document.cookie"
OF_PAGES = (KEYS, COOKIES, "localStorage:", "sessionStorage:")
"""How the values of facts begin that count only where they go to an address that names its host."""
MAX_ARGUMENTS = 4
MAX_SELECTOR = 400
_TYPED = re.compile(
    r"card[-_ ]?(?:num|no\b|cvc|cvv|exp|holder)|\bcc[-_]?(?:num|cvc|cvv|exp)|\bcvv|\bcvc|passw(?:or)?d", re.IGNORECASE
)
"""Fields of a page that hold what a thief of cards or passwords looks for, by their names."""
_LOOKED_AT = frozenset({"get", "has", "ownKeys", "getOwnPropertyDescriptor", "getPrototypeOf"})
"""Traps that run when somebody looks at a thing."""


def absolute(text: str | None) -> bool:
    """Whether an address names its host, whatever the page is."""
    return text is not None and _ABSOLUTE.match(text) is not None


def assigned(interp: "Interpreter", holder: str, name: str | None, value: Value, at: Place) -> None:
    """Record ``image.src = address``, ``location.href = address`` and ``document.onkeydown = listener``."""
    if name is not None and name[:2] == "on" and name[2:] in _KEYS and isinstance(value, Func):
        keys = Sym(taint=frozenset({interp.record.possible(Kind.USER_WATCH, KEYS, *at)}))
        interp.deferred.append((value, [keys], Moment.CALL))
    loads = holder.startswith(_LOADING) and name in _LOADED
    leaves = (holder in _GOING and name == "href") or (holder in ("globalThis", "document") and name == "location")
    if (loads or leaves) and absolute(pattern_text(value)):
        _connected(interp, holder, value, at)


def visited(interp: "Interpreter", function: Sym, args: list[Value], position: int, _this: Value, at: Place) -> Value:
    """Record ``location.assign(address)``, ``window.open(address)`` and ``element.setAttribute('src', address)``."""
    if position == 0 or (args and to_text(args[0]) in _LOADED):
        for value in args[position : position + 1]:
            if absolute(pattern_text(value)):
                _connected(interp, function.path.rpartition(".")[0], value, at)
    return Sym(path=f"{function.path}()")


def _connected(interp: "Interpreter", holder: str, value: Value, at: Place) -> None:
    """Record where something is loaded from; what a script loads is run."""
    numbers = interp.record.emit_value(Kind.NET_CONNECT, value, *at)
    if holder == _SCRIPT:
        interp.record.flow(frozenset(numbers), interp.record.emit(Kind.CODE_EVAL, None, *at))


def element(_interp: "Interpreter", _f: Sym, args: list[Value], _p: int, _this: Value, _at: Place) -> Value:
    """Return a new element of the page, by its tag."""
    tag = pattern_text(args[0]) if args else None
    return Sym(path=f"{_ELEMENT}{tag.lower() if tag and tag.isalnum() else '*'}")


def kept(interp: "Interpreter", function: Sym, args: list[Value], _p: int, _this: Value, at: Place) -> Value:
    """Return what ``localStorage.getItem(name)`` gives: a secret of the page, if it is sent away."""
    name = pattern_text(args[0]) if args else None
    number = interp.record.possible(Kind.SECRET_READ, f"{function.path.split('.')[0]}:{name or '*'}", *at)
    return Sym(path=f"{function.path}()", taint=frozenset({number}))


def field(interp: "Interpreter", function: Sym, args: list[Value], _p: int, _this: Value, at: Place) -> Value:
    """Return the part of a page that is asked for by name: what the user types, if it says so and is sent away."""
    asked = pattern_text(args[0]) if args else None
    typed = asked is not None and _TYPED.search(asked[:MAX_SELECTOR])
    taint = frozenset({interp.record.possible(Kind.USER_WATCH, KEYS, *at)}) if typed else function.taint
    return Sym(path=f"{function.path}()", taint=taint)


def cookies(interp: "Interpreter", at: Place) -> Sym:
    """Return ``document.cookie``: a secret of the page, if it is sent away."""
    return Sym(path="document.cookie", taint=frozenset({interp.record.possible(Kind.SECRET_READ, COOKIES, *at)}))


def jar(interp: "Interpreter", function: Sym, args: list[Value], _p: int, _this: Value, at: Place) -> Value:
    """Return the cookies that an extension of a browser asks for: those of every site."""
    given = Sym(taint=frozenset({interp.record.emit(Kind.SECRET_READ, function.path.rpartition(".")[0], *at)}))
    for arg in args:
        if isinstance(arg, Func):
            interp.enter(arg, [given])
    return Sym(path=f"{function.path}()", taint=given.taint)


def heard(interp: "Interpreter", path: str, args: list[Value], at: Place) -> Sym | None:
    """Return what a listener is told of keys, or of every form of a page: the user's, if it is sent away.

    None for any other call.
    """
    if path.rpartition(".")[2] not in _HEARING or not args:
        return None
    event = to_text(args[0])
    if event not in _KEYS and not (event in _FORMS and path.startswith(_EVERYWHERE)):
        return None
    return Sym(taint=frozenset({interp.record.possible(Kind.USER_WATCH, KEYS, *at)}))


def replaced(interp: "Interpreter", value: Value, number: int) -> None:
    """Follow what stands in the place of a function of the browser: what is handed to it was meant for that one."""
    if isinstance(value, Func):
        through = Sym(taint=frozenset({number}))
        interp.deferred.append((value, [through] * MAX_ARGUMENTS, Moment.CALL))


def stood_for(interp: "Interpreter", target: Value, handler: Value, at: Place) -> None:
    """Follow the traps of a proxy.

    Whoever calls one of an outside thing hands it what was meant for that one. Whoever imports a module looks at what
    it exports, so that the traps of one that is made meanwhile run then.
    """
    if not isinstance(handler, Obj):
        return
    if isinstance(target, Sym) and target.path:
        number = interp.record.possible(Kind.BROWSER_HOOK, target.path, *at)
        for trap in handler.props.values():
            replaced(interp, trap, number)
        return
    for name in _LOOKED_AT & handler.props.keys():
        trap = handler.props[name]
        if isinstance(trap, Func):
            interp.deferred.append((trap, [], interp.record.moment))


HANDLERS = {"jar": jar, "element": element, "visited": visited, "kept": kept, "field": field}
"""What the effects of a page are called in the table -> what records them."""
