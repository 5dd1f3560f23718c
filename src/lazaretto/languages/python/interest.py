"""Which functions are worth following: those whose text names anything that could matter. Never which are parsed.

The choice is by names alone and errs on the side of following: a name that is bound to a thing of interest makes every
function that mentions it interesting too, until nothing new is found.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from lazaretto.languages.python.effects import table
from lazaretto.languages.python.scope import ClassInfo, Frame, Function
from lazaretto.languages.python.values import Value
from lazaretto.languages.python.wording import Wording, uses, wording

if TYPE_CHECKING:
    from lazaretto.languages.python.lower import Slot

_WORDS = frozenset(
    "exec eval compile open execfile __import__ globals vars setattr builtins __builtins__ "
    "import_module system popen Popen "
    "environ getenv check_output check_call getoutput create_subprocess_exec create_subprocess_shell urlopen "
    "urlretrieve "
    "read_text write_text read_bytes write_bytes unlink rmtree __subclasses__ __globals__ f_globals f_builtins "
    "__code__ meta_path "
    "path_hooks b64decode fromhex unhexlify from_mnemonic from_private_key importprivkey Fernet decrypt spawn "
    "startfile fork_exec run_path FunctionType CodeType __getattribute__ attrgetter methodcaller "
    "open_connection open_unix_connection create_connection create_server start_server".split()
)

_DULL = frozenset(
    "object builtins re functools copy typing textwrap inspect string sys itertools json asyncio copy "
    "contextlib threading "
    "io operator shlex code timeit IPython sh linecache types pprint".split()
)
"""Roots that say nothing by themselves; what matters of them has a word of its own above or is found by its alias."""


@cache
def words() -> frozenset[str]:
    """Return every name that stands for a thing of interest once it is bound."""
    return _everywhere() | _roots()


@cache
def _everywhere() -> frozenset[str]:
    """Return the words that make a function interesting wherever they stand: of builtins, methods and wallets."""
    from lazaretto.languages.python.effects import crypto

    return _WORDS | crypto.WALLETS


@cache
def _roots() -> frozenset[str]:
    """Return the modules that make a function interesting which names them."""
    from lazaretto.languages.python.decoding import DECODERS
    from lazaretto.languages.python.effects import crypto, network

    roots = {name.partition(".")[0] for name in (*table.names(), *DECODERS)}
    return frozenset(roots - _DULL) | network.LIBRARIES | crypto.LIBRARIES


def leads_on(code: bytes, name: str, thing: str) -> bool:
    """Whether a name that stands for a thing outside is used in a way that may have to be followed."""
    found = uses(code, name)
    return found is None or any(
        what in _BINDING or table.leads_on(thing + chain, called=what == "(") for chain, what in found
    )


_BINDING = ("=", "as", "import")


@cache
def _reached(word: str) -> re.Pattern[bytes]:
    """Return what finds a module that is reached as an attribute (``shutil.os``) or by its name in a string."""
    return re.compile(rb"\.\s*%b\b|[\"']%b\b(?!:/)" % (word.encode(), word.encode()))


def matters(value: Value) -> bool:
    """Whether a name bound to this value makes its users interesting."""
    if value.taint or value.mark or value.via:
        return True
    if value.sym is not None:
        return value.sym.startswith(_TELLING) or value.sym.partition(".")[0].rstrip("()") in words()
    return any(matters(option) for option in value.alts)


_TELLING = ("sys.", "builtins.", "io.", "asyncio.")


class Names:
    """The names of a file that stand for things of interest, and for which things outside."""

    def __init__(self) -> None:
        self.any: set[str] = set()
        """Whoever mentions one of these is of interest."""
        self.things: dict[str, set[str]] = {}
        """Whoever uses one of these in a way that leads on is of interest: the dotted names that it stands for."""

    def bind(self, names: Mapping[str, Value]) -> None:
        """Add the names among these whose values matter."""
        for name, value in names.items():
            if matters(value):
                if value.sym is None or value.taint or value.mark or value.via:
                    self.any.add(name)
                else:
                    self.things.setdefault(name, set()).add(value.sym)

    def bind_all(self, frame: Frame, functions: list[Function]) -> None:
        """Add the names of a module, and of the objects of its classes."""
        self.bind(frame.names)
        for owner in dict.fromkeys(function.owner for function in functions):
            if isinstance(owner, ClassInfo):
                self.bind(owner.members)
                if owner.instance.attrs:
                    self.bind(owner.instance.attrs)
                    if owner.outside_base() is not None and matters_base(owner):
                        self.any.add(owner.name)


def matters_base(owner: ClassInfo) -> bool:
    """Whether a class inherits from a thing of interest."""
    base = owner.outside_base()
    return base is not None and base.partition(".")[0] in words()


class Chooser:
    """Chooses functions to follow, round after round, as more names turn out to matter."""

    def __init__(self) -> None:
        self.names = Names()
        self.imported: set[str] = set()
        """Every word of the file's import statements: a name that none of them binds is no module; ``*`` binds any."""
        self._known: dict[int, tuple[Wording, bool]] = {}
        self._idle: dict[tuple[int, str, str], bool] = {}

    def interesting(self, function: Function) -> bool:
        """Whether the body of a function names anything that matters."""
        slot = function.slot
        if slot is None:
            return True
        known = self._known.get(id(slot))
        if known is None:
            body = function.code.data[slot.inner : slot.end]
            found = wording(body, whole=function.code.fixed is not None or function.code.broken)
            known = self._known[id(slot)] = (found, self._by_itself(found, body, function))
        found = known[0]
        if known[1] or not self.names.any.isdisjoint(found.words) or not self.names.any.isdisjoint(found.spoken):
            return True
        things = self.names.things
        if not things.keys().isdisjoint(found.spoken):
            return True
        return any(
            self._used(slot, found, name, thing)
            for name in things.keys() & found.words
            for thing in things[name]
        ) or (function.frame.parent is not None and self._closed_over(slot, found, function.frame))

    def _closed_over(self, slot: "Slot", found: Wording, frame: Frame) -> bool:
        """Whether a function uses what functions around it have bound to a thing of interest."""
        while frame.parent is not None:
            for name in frame.names.keys() & found.words if not frame.is_class else ():
                value = frame.names[name]
                if matters(value) and (value.sym is None or self._used(slot, found, name, value.sym)):
                    return True
            frame = frame.parent
        return False

    def _used(self, slot: "Slot", found: Wording, name: str, thing: str) -> bool:
        key = (id(slot), name, thing)
        answer = self._idle.get(key)
        if answer is None:
            answer = self._idle[key] = leads_on(found.code, name, thing)
        return answer

    def _by_itself(self, found: Wording, body: bytes, function: Function) -> bool:
        if not _everywhere().isdisjoint(found.words) or not words().isdisjoint(found.spoken):
            return True
        roots = {root for root in _roots() & found.words if leads_on(found.code, root, root)}
        if not roots:
            return False
        if function.code.fixed is not None or not self.imported.isdisjoint(roots | {"*"}):
            return True
        return any(_reached(word).search(body) for word in roots)

    def spread(self, functions: list[Function]) -> None:
        """Add the names of interesting functions and classes until nothing changes."""
        waiting = list(functions)
        while True:
            found: list[Function] = []
            rest: list[Function] = []
            for function in waiting:
                (found if self.interesting(function) else rest).append(function)
            if not found:
                return
            waiting = rest
            before = len(self.names.any)
            for function in found:
                if function.owner is not None:
                    self.names.any.add(function.owner.name)
                    if len(function.name) > 3 and not function.name.startswith("__"):
                        self.names.any.add(function.name)
                elif function.frame.parent is None:
                    self.names.any.add(function.name)
            if len(self.names.any) == before:
                return
