"""Which functions are worth following: those whose text names anything that could matter. Never which are parsed.

The choice is by names alone and errs on the side of following: a name that is bound to a thing of interest makes every
function that mentions it interesting too, until nothing new is found.
"""

import re
from collections.abc import Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING

from lazaretto.core.facts import Role
from lazaretto.languages.python.effects import table
from lazaretto.languages.python.record import Record
from lazaretto.languages.python.scope import ClassInfo, Frame, Function
from lazaretto.languages.python.values import Value
from lazaretto.languages.python.wording import Wording, tokens, uses, wording

if TYPE_CHECKING:
    from lazaretto.languages.python.lower import Slot

MAX_PLAIN = 120
"""Longest function, in bytes, that is of interest because it names a thing of another package: it may be this one's."""

_WORDS = frozenset(
    "exec eval compile open execfile __import__ globals vars setattr builtins __builtins__ "
    "import_module system popen Popen "
    "environ getenv check_output check_call getoutput create_subprocess_exec create_subprocess_shell urlopen "
    "urlretrieve "
    "read_text write_text read_bytes write_bytes unlink rmtree __subclasses__ __globals__ f_globals f_builtins "
    "__code__ meta_path "
    "path_hooks b64decode fromhex unhexlify from_mnemonic from_private_key importprivkey Fernet decrypt spawn "
    "startfile fork_exec run_path FunctionType CodeType __getattribute__ attrgetter methodcaller "
    "get_objects getsource open_connection open_unix_connection create_connection create_server start_server".split()
)

_DULL = frozenset(
    "object builtins re functools copy typing textwrap inspect string sys itertools json asyncio copy "
    "contextlib threading "
    "io operator shlex code timeit IPython sh linecache types pprint".split()
)
"""Roots that say nothing by themselves; what matters of them has a word of its own above or is found by its alias."""


@cache
def words() -> frozenset[str]:
    """Return every word of interest: one that a name may be bound to, or that says something by itself."""
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


@cache
def _reached(word: str) -> re.Pattern[bytes]:
    """Return what finds a module that is reached as an attribute (``shutil.os``) or by its name in a string."""
    return re.compile(rb"\.\s*%b\b|[\"']%b\b(?!:/)" % (word.encode(), word.encode()))


def matters(value: Value, record: Record) -> bool:
    """Whether a name bound to this value makes its users interesting."""
    if value.mark or value.via or (value.taint and record.tells(value.taint)):
        return True
    if value.sym is not None:
        return value.sym.partition(".")[0].rstrip("()") in words() or value.sym.startswith(
            ("sys.", "builtins.", "io.", "asyncio.")
        )
    return any(matters(option, record) for option in value.alts)


def matters_base(owner: ClassInfo) -> bool:
    """Whether a class inherits from a thing of interest."""
    base = owner.outside_base()
    return base is not None and base.partition(".")[0] in words()


class Names:
    """The names of a file that stand for things of interest."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self.mentioned: set[str] = set()
        """Whoever mentions one of these is of interest."""
        self.used: dict[str, set[str]] = {}
        """Names of things outside, with their dotted names: whoever uses one in a way that leads on is of interest."""
        self.beside: set[str] = set()
        """Names of what other files of the package hold: who mentions one may hand on what they give."""
        self.elsewhere: set[str] = set()
        """Names of what other files hold that may be of the package: for those that do hardly anything else."""

    def add(self, names: Mapping[str, Value]) -> None:
        """Add those of these names whose values matter."""
        parts = self._record.ports.parts
        for name, value in names.items():
            for handle in value.taint & parts.keys() if value.sym is not None else ():
                if parts[handle][0] is Role.FROM:
                    (self.beside if parts[handle][2].startswith(".") else self.elsewhere).add(name)
            if matters(value, self._record):
                thing = _outside(value, self._record)
                if thing is None:
                    self.mentioned.add(name)
                else:
                    self.used.setdefault(name, set()).add(thing)

    def add_all(self, frame: Frame, functions: list[Function]) -> None:
        """Add the names of a module, and of the objects of its classes."""
        self.add(frame.names)
        for owner in dict.fromkeys(function.owner for function in functions):
            if isinstance(owner, ClassInfo):
                self.add(owner.members)
                if owner.instance.attrs:
                    self.add(owner.instance.attrs)
                    if owner.outside_base() is not None and matters_base(owner):
                        self.mentioned.add(owner.name)


def _outside(value: Value, record: Record) -> str | None:
    """Return the dotted name of a value that is nothing but a thing outside."""
    return None if value.mark or value.via or record.tells(value.taint) else value.sym


class _Body:
    """What is known of the text of one function."""

    def __init__(self, function: Function, slot: "Slot") -> None:
        self.source = function.code.data[slot.inner : slot.end]
        self.whole = function.code.fixed is not None or function.code.broken
        self.mentioned = tokens(self.source)
        self.telling = False
        self._uses: dict[tuple[str, str], bool] = {}

    @cached_property
    def wording(self) -> Wording:
        """The words of the text, without those that say nothing."""
        return wording(self.source, whole=self.whole)

    def calls_what_it_is_given(self, function: Function) -> bool:
        """Whether the text calls a parameter: what one thing gives another may be handed."""
        names = (name for name, _, _ in function.parameters if name not in ("self", "cls"))
        return any(name in self.mentioned and b"%b(" % name.encode() in self.source for name in names)

    def uses(self, name: str, thing: str) -> bool:
        """Whether a name that stands for a thing outside is used in a way that may have to be followed."""
        answer = self._uses.get((name, thing))
        if answer is None:
            found = uses(self.wording.code, name)
            answer = self._uses[name, thing] = found is None or any(
                how == "=" or table.leads_on(thing + chain, called=how == "(") for chain, how in found
            )
        return answer


class Chooser:
    """Chooses functions to follow, round after round, as more names turn out to matter."""

    def __init__(self, record: Record) -> None:
        self.names = Names(record)
        self._record = record
        self.imported: set[str] = set()
        """Every word of the file's import statements: a name that none of them binds is no module; ``*`` binds any."""
        self._bodies: dict[int, _Body] = {}

    def interesting(self, function: Function) -> bool:
        """Whether the body of a function names anything that matters."""
        slot = function.slot
        if slot is None:
            return True
        body = self._bodies.get(id(slot))
        if body is None:
            body = self._bodies[id(slot)] = _Body(function, slot)
            body.telling = body.calls_what_it_is_given(function) or (
                not words().isdisjoint(body.mentioned) and self._by_itself(body, function)
            )
        return (
            body.telling
            or self._by_name(body)
            or (function.frame.parent is not None and _closed_over(body, function, self._record))
        )

    def _by_itself(self, body: _Body, function: Function) -> bool:
        found = body.wording
        if not _everywhere().isdisjoint(found.words) or not words().isdisjoint(found.spoken):
            return True
        roots = {root for root in _roots() & found.words if body.uses(root, root)}
        if not roots:
            return False
        if function.code.fixed is not None or not self.imported.isdisjoint(roots | {"*"}):
            return True
        return any(_reached(word).search(body.source) for word in roots)

    def _by_name(self, body: _Body) -> bool:
        names = self.names
        hits = names.mentioned & body.mentioned
        if hits and not (hits.isdisjoint(body.wording.words) and hits.isdisjoint(body.wording.spoken)):
            return True
        others = names.beside if len(body.source) > MAX_PLAIN else names.beside | names.elsewhere
        if not others.isdisjoint(body.mentioned) and not others.isdisjoint(body.wording.words):
            return True
        for name in names.used.keys() & body.mentioned:
            if name in body.wording.spoken:
                return True
            if name in body.wording.words and any(body.uses(name, thing) for thing in names.used[name]):
                return True
        return False

    def choose(self, functions: list[Function]) -> list[Function]:
        """Return the interesting ones; the names of functions and classes of interest count until nothing changes."""
        chosen: set[int] = set()
        names = self.names.mentioned
        waiting = functions
        while True:
            found: list[Function] = []
            rest: list[Function] = []
            for function in waiting:
                (found if self.interesting(function) else rest).append(function)
            chosen.update(map(id, found))
            waiting = rest
            before = len(names)
            for function in found:
                if function.owner is not None:
                    names.add(function.owner.name)
                    if len(function.name) > 3 and not function.name.startswith("__"):
                        names.add(function.name)
                elif function.frame.parent is None:
                    names.add(function.name)
            if len(names) == before:
                return [function for function in functions if id(function) in chosen]


def _closed_over(body: _Body, function: Function, record: Record) -> bool:
    """Whether a function uses what the functions around it have bound to a thing of interest."""
    frame = function.frame
    while frame.parent is not None:
        for name in frame.names.keys() & body.mentioned if not frame.is_class else ():
            value = frame.names[name]
            if matters(value, record) and name in body.wording.words:
                thing = _outside(value, record)
                if thing is None or body.uses(name, thing):
                    return True
        frame = frame.parent
    return False
