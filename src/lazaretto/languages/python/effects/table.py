"""Dotted name -> what a call of it does. The only list of names outside the decoders and pure functions."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from lazaretto.languages.python.effects import (
    crypto,
    environment,
    files,
    hooks,
    network,
    process,
    reflection,
    runners,
    unpickling,
    watching,
)
from lazaretto.languages.python.scope import Call
from lazaretto.languages.python.values import Value

if TYPE_CHECKING:
    from lazaretto.languages.python.machine import Machine

Handler = Callable[["Machine", Call, Value | None], Value]

_ALIASES = (
    ("six.moves.urllib.", "urllib."),
    ("six.moves.builtins.", "builtins."),
    ("six.moves.", ""),
    ("urllib2.", "urllib.request."),
    ("urllib.urlopen", "urllib.request.urlopen"),
    ("urllib.urlretrieve", "urllib.request.urlretrieve"),
    ("urllib.quote", "urllib.parse.quote"),
    ("httplib.", "http.client."),
    ("__builtin__.", "builtins."),
    ("__builtins__.", "builtins."),
    ("posix.", "os."),
    ("nt.", "os."),
    ("_io.", "io."),
    ("io.open", "builtins.open"),
    ("codecs.open", "builtins.open"),
    ("_socket.", "socket."),
    ("_posixsubprocess.", "subprocess."),
    ("importlib.__import__", "builtins.__import__"),
    ("cPickle.", "pickle."),
    ("_pickle.", "pickle."),
    ("posixpath.", "os.path."),
    ("ntpath.", "os.path."),
    ("concurrent.futures.thread.", "concurrent.futures."),
    ("builtins.builtins.", "builtins."),
    ("Cryptodome.", "Crypto."),
    ("pathlib.PosixPath", "pathlib.Path"),
    ("pathlib.WindowsPath", "pathlib.Path"),
    ("pathlib.PurePath", "pathlib.Path"),
    ("anyio.Path", "pathlib.Path"),
    ("aiofiles.open", "builtins.open"),
    ("gevent.subprocess.", "subprocess."),
    ("gevent.socket.", "socket."),
    ("subprocess32.", "subprocess."),
    ("builtins.execfile", "runpy.run_path"),
)


_MACHINE = (
    "socket.gethostname socket.getfqdn platform.node platform.uname os.uname os.getlogin getpass.getuser uuid.getnode"
)


@lru_cache(maxsize=4096)
def canonical(sym: str) -> str:
    """Return the name under which the table knows a thing."""
    for alias, name in _ALIASES:
        if sym.startswith(alias):
            return canonical(name + sym[len(alias) :]) if name + sym[len(alias) :] != sym else sym
    return sym


def handler(sym: str) -> Handler | None:
    """Return what handles a call of this dotted name, or None."""
    return _table().get(sym)


@lru_cache(maxsize=4096)
def handler_by_shape(sym: str) -> Handler | None:
    """Return what handles a name by its library and last word, or None."""
    return (
        network.by_shape(sym)
        or process.by_shape(sym)
        or runners.by_shape(sym)
        or crypto.by_shape(sym)
        or (watching.by_shape(sym))
    )


@lru_cache(maxsize=1)
def _table() -> dict[str, Handler]:
    table: dict[str, Handler] = {}
    for module in (
        process,
        reflection,
        unpickling,
        files,
        environment_table(),
        network,
        hooks,
        crypto,
        runners,
        watching,
    ):
        names: dict[str, Handler] = module if isinstance(module, dict) else module.HANDLERS
        table.update(names)
    return table


def names() -> tuple[str, ...]:
    """Return every dotted name that is handled by itself."""
    return tuple(_table())


@lru_cache(maxsize=4096)
def leads_on(sym: str, *, called: bool = False) -> bool:
    """Whether a thing outside is known, leads to something that is, or comes out of it; ``called``: by a call."""
    sym = canonical(sym)
    if sym in _ways():
        return True
    at = len(sym)
    while at > 0:
        if sym[:at] in _ends():
            return True
        at = max(sym.rfind(".", 0, at), sym.rfind("(", 0, at))
    return network.may_lead(sym, called=called) or crypto.may_lead(sym) or process.may_lead(sym)


@lru_cache(maxsize=1)
def _ends() -> frozenset[str]:
    from lazaretto.languages.python.decoding import DECODERS
    from lazaretto.languages.python.pure import FOLDS

    # What joins a path is among them: a constructor may make the name of a secret that another method opens.
    return frozenset((*_table(), *DECODERS, *FOLDS))


@lru_cache(maxsize=1)
def _ways() -> frozenset[str]:
    """Return every beginning of a name that is handled: ``socket``, ``socket.socket``, ``socket.socket()``, ..."""
    return frozenset(
        name[: match.end() if match.group() == "()" else match.start()]
        for name in _ends()
        for match in re.finditer(r"\.|\(|\(\)|$", name)
    )


@lru_cache(maxsize=1)
def parts() -> frozenset[str]:
    """Return the names of modules and of their members that handled names are made of."""
    return frozenset(part for name in _table() for part in re.split(r"[.()]+", name) if part)


def members(module: str) -> frozenset[str]:
    """Return the names of a module that are handled, or lead to something that is."""
    start = canonical(f"{module}.")
    return frozenset(re.split(r"[.(]", name[len(start) :], maxsplit=1)[0] for name in _ends() if name.startswith(start))


def environment_table() -> dict[str, Handler]:
    """Return the handlers of environment variables."""
    table: dict[str, Handler] = {
        "gc.get_objects": environment.memory,
        "os.getenv": environment.read,
        "os.getenvb": environment.read,
        "os.environ.copy": environment.copied,
        **dict.fromkeys(_MACHINE.split(), environment.machine),
    }
    for name in ("get", "pop", "setdefault", "__getitem__"):
        table[f"os.environ.{name}"] = environment.read
        table[f"os.environb.{name}"] = environment.read
    for name in ("items", "values", "iteritems", "__iter__", "__str__", "__repr__"):
        table[f"os.environ.{name}"] = environment.dump
        table[f"os.environb.{name}"] = environment.dump
    return table
