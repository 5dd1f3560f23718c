"""Which functions are worth following: those whose text names anything that could matter. Never which are parsed.

The choice is by names alone and errs on the side of following: a name that is bound to a thing of interest makes every
function that mentions it interesting too, until nothing new is found.
"""

import re
import unicodedata
from functools import cache

from lazaretto.languages.python.scope import ClassInfo, Frame, Function
from lazaretto.languages.python.values import Value

_WORDS = frozenset(
    "exec eval compile open execfile __import__ globals vars locals setattr builtins __builtins__ "
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
    from lazaretto.languages.python.effects import crypto, network, table

    roots = {name.partition(".")[0] for name in (*table.names(), *DECODERS)}
    return frozenset(roots - _DULL) | network.LIBRARIES | crypto.LIBRARIES


_IDENTIFIER = bytes(byte if chr(byte).isalnum() or byte == ord("_") else ord(" ") for byte in range(128)) + b" " * 128


def tokens(text: bytes) -> frozenset[str]:
    """Return every word of a piece of source, as Python would compare it."""
    if text.isascii():
        return frozenset(text.translate(_IDENTIFIER).decode().split())
    plain = unicodedata.normalize("NFKC", text.decode("utf-8", "replace"))
    return frozenset(re.findall(r"[^\W\d]\w*", plain))


@cache
def _reached(word: str) -> re.Pattern[bytes]:
    """Return what finds a module that is reached as an attribute (``shutil.os``) or by its name in a string."""
    return re.compile(rb"\.\s*%b\b|[\"']%b\b(?!:/)" % (word.encode(), word.encode()))


def matters(value: Value) -> bool:
    """Whether a name bound to this value makes its users interesting."""
    if value.taint or value.mark or value.via:
        return True
    if value.sym is not None:
        return value.sym.partition(".")[0].rstrip("()") in words() or value.sym.startswith(
            ("sys.", "builtins.", "io.", "asyncio.")
        )
    return any(matters(option) for option in value.alts)


def bound_names(frame: Frame, functions: list[Function]) -> set[str]:
    """Return the names of a module, and of the objects of its classes, that stand for something of interest."""
    found = {name for name, value in frame.names.items() if matters(value)}
    for owner in dict.fromkeys(function.owner for function in functions):
        if isinstance(owner, ClassInfo):
            found.update(name for name, value in owner.members.items() if matters(value))
        if isinstance(owner, ClassInfo) and owner.instance.attrs:
            found.update(name for name, value in owner.instance.attrs.items() if matters(value))
            if owner.outside_base() is not None and matters_base(owner):
                found.add(owner.name)
    return found


def matters_base(owner: ClassInfo) -> bool:
    """Whether a class inherits from a thing of interest."""
    base = owner.outside_base()
    return base is not None and base.partition(".")[0] in words()


class Chooser:
    """Chooses functions to follow, round after round, as more names turn out to matter."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.imported: set[str] = set()
        """Every word of the file's import statements: a name that none of them binds is no module; ``*`` binds any."""
        self._known: dict[int, tuple[frozenset[str], bool]] = {}

    def interesting(self, function: Function) -> bool:
        """Whether the body of a function names anything that matters."""
        slot = function.slot
        if slot is None:
            return True
        known = self._known.get(id(slot))
        if known is None:
            body = function.code.data[slot.inner : slot.end]
            named = tokens(body)
            known = self._known[id(slot)] = (named, self._by_itself(named, body, function))
        return known[1] or not self.names.isdisjoint(known[0])

    def _by_itself(self, named: frozenset[str], body: bytes, function: Function) -> bool:
        if not _everywhere().isdisjoint(named):
            return True
        roots = _roots() & named
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
            before = len(self.names)
            for function in found:
                if function.owner is not None:
                    self.names.add(function.owner.name)
                    if len(function.name) > 3 and not function.name.startswith("__"):
                        self.names.add(function.name)
                elif function.frame.parent is None:
                    self.names.add(function.name)
            if len(self.names) == before:
                return
