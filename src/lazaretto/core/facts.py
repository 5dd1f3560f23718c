"""What a piece of code can do, where, when it runs, and with which value: the closed vocabulary.

Facts are a pure function of a file's bytes (and of the language version that read them), so they are
cached by content digest. What depends on the rest of the artifact (the final reach) is added later by
``core.reach``.
"""

from enum import StrEnum

from msgspec import Struct

from lazaretto.core.names import Digest


class Kind(StrEnum):
    """The closed vocabulary of facts."""

    PROCESS_SPAWN = "process.spawn"  # value: the command line or program
    CODE_EVAL = "code.eval"  # value: the code, if it folds to a constant
    NET_CONNECT = "net.connect"  # value: URL or host
    NET_LISTEN = "net.listen"  # value: port or address
    DNS_QUERY = "dns.query"  # value: host name
    FS_READ = "fs.read"  # value: path
    FS_WRITE = "fs.write"  # value: path
    FS_DELETE = "fs.delete"  # value: path
    FS_SELF_DELETE = "fs.self_delete"  # a file that deletes itself, or swaps its own manifest
    ENV_READ = "env.read"  # value: variable name
    ENV_DUMP = "env.dump"  # the whole environment taken as a value
    SECRET_READ = "secret.read"  # value: path, variable or address of a credential
    KEY_GIVEN = "key.given"  # key material that a caller hands over and that goes on; value: the parameter
    WALLET_TOUCH = "wallet.touch"  # value: the wallet object, store or address pattern
    BROWSER_HOOK = "browser.hook"  # value: what is replaced, e.g. fetch
    MODULE_HOOK = "module.hook"  # value: what is replaced, e.g. Module.prototype.require
    PERSIST = "persist"  # value: unit, key or path that starts code again
    RUNTIME_FETCH = "runtime.fetch"  # value: the second interpreter
    DECODE = "decode"  # value: bounded decoded text; via: the chain
    DECRYPT = "decrypt"  # value: the cipher, if known
    OBFUSCATED = "obfuscated"  # value: the style (string-array, hex-names, packed, jsfuck, ...)
    HIDDEN_TEXT = "hidden_text"  # value: what hides (bidi, zero-width, far-right, tag characters)
    BINARY = "binary"  # value: the real type (elf, pe, macho, wasm, node, pyc, ...)
    LOOP_ENDLESS = "loop.endless"  # a loop that runs at load and that nothing ends
    AGENT_CONFIG = "agent_config"  # value: the file or key
    PROMPT = "prompt"  # words for a model that reads the file; value: what they are for (override, verdict), never they
    USER_WATCH = "user.watch"  # value: what of the user is taken (keyboard, clipboard, screen)
    IMPORT = "import"  # value: module specifier as written; "" when it cannot be known
    LITERAL_URL = "literal.url"
    LITERAL_DOMAIN = "literal.domain"
    LITERAL_IP = "literal.ip"
    LITERAL_PATH = "literal.path"
    LITERAL_EMAIL = "literal.email"
    LITERAL_HASH = "literal.hash"
    LITERAL_COMMAND = "literal.command"


class Moment(StrEnum):
    """When a place of a file runs, seen from inside that file alone."""

    LOAD = "load"  # runs when the file is loaded or executed
    CALL = "call"  # runs only when somebody calls it


class Reach(StrEnum):
    """When a place runs, seen from the whole artifact; ordered by how little it takes."""

    INSTALL = "install"
    IMPORT = "import"
    CALL = "call"
    UNREACHED = "unreached"


class Span(Struct, frozen=True, array_like=True):
    """A place in the file as published: 1-based line, 0-based column in bytes, byte range [start, end)."""

    line: int
    column: int
    start: int
    end: int


class Fact(Struct, frozen=True, array_like=True):
    """One capability or literal at one place.

    ``value`` is the decoded argument, at most ``MAX_VALUE`` characters, or None if it cannot be known.
    ``via`` says how it was recovered: ``plain`` or the decode chain, e.g. ``base64>xor``.
    """

    kind: Kind
    value: str | None
    span: Span
    moment: Moment
    via: str = "plain"


class Flow(Struct, frozen=True, array_like=True):
    """What goes from one fact to another inside a file: indices into ``Facts.facts``.

    ``how`` is ``data`` if the value itself was followed, ``scope`` if both stand in one function
    and nothing better is known.
    """

    source: int
    sink: int
    how: str


class Role(StrEnum):
    """Which way data pass through a port of a file."""

    FROM = "from"  # out of another file's export, into this one
    TO = "to"  # into a call of another file's export, out of this one
    GIVES = "gives"  # out of this file, by an export: its value, what it returns, what it hands to a callback
    TAKES = "takes"  # into this file, by the arguments of an exported function


class Port(Struct, frozen=True, array_like=True):
    """Where data enter or leave a file of an artifact by its modules: what the file alone knows of it.

    ``name`` is that of the export: empty for the module as a whole, ``*`` for everything that another module has.
    ``specifier`` is the other module as written (FROM, TO); ``value`` the text of a constant (GIVES).
    """

    role: Role
    name: str
    specifier: str
    moment: Moment
    value: str | None = None


class Link(Struct, frozen=True, array_like=True):
    """What goes from one end to another inside a file, where one of them is a port.

    An end is an index into ``Facts.facts``, or ``-1 - index`` into ``Facts.ports``. ``pattern`` is the text of
    the sink as far as it is known, with ``*`` for what is not.
    """

    source: int
    sink: int
    pattern: str = ""


class Call(Struct, frozen=True, array_like=True):
    """That something runs when a port is passed; ends as in ``Link``.

    From TAKES: what a call of the export does. From TAKES to GIVES: it calls back. From TO: what the callback does that
    was handed over there.
    """

    port: int
    end: int


class Problem(Struct, frozen=True, array_like=True):
    """Why a file is not fully understood: the place and the reason, for a person.

    ``unread``: a bound was met, and something was not looked at. That is a problem also of a text that nobody need
    understand: whoever knows the bound could have put there what matters.
    """

    line: int
    reason: str
    unread: bool = False


class Facts(Struct, frozen=True, array_like=True):
    """Everything a language module knows about one file.

    A file with problems is *incomplete*: its facts stand, but their absence proves nothing.
    """

    language: str
    facts: tuple[Fact, ...] = ()
    flows: tuple[Flow, ...] = ()
    problems: tuple[Problem, ...] = ()
    ports: tuple[Port, ...] = ()
    links: tuple[Link, ...] = ()
    calls: tuple[Call, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether the whole file was understood."""
        return not self.problems


DEFINES = "exec-definitions"
"""The style of decoded code that is known in full and calls nothing unknown: what it does is told beside it."""

MAX_VALUE = 2000
"""Longest value of a fact in characters; a longer one is cut and ends in an ellipsis."""


def bounded(value: str) -> str:
    """Return the value of a fact: cut to ``MAX_VALUE``, and such that UTF-8 can hold it.

    Strings of Python (PEP 383) and JavaScript (ECMA-262, 6.1.4) may hold halves of surrogate pairs.
    """
    text = value if len(value) <= MAX_VALUE else value[: MAX_VALUE - 1] + "…"
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


class FactKey(Struct, frozen=True):
    """What facts are cached by: the content and who read it."""

    digest: Digest
    language: str
    version: int
