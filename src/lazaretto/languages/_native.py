"""What the readers of programs share: a bounded cursor, what imported functions can do, whether code is packed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from math import log2

from lazaretto.core.facts import Fact, Facts, Kind, Moment, Problem, Span, bounded
from lazaretto.languages._strings import strings

MAX_SYMBOLS = 200_000
"""Most imported names that are looked at in one program."""

MAX_LIBRARIES = 500
"""Most libraries that are told of one program."""

MAX_CODE_SECTIONS = 200
"""Most sections of code that are looked at in one program."""

_PACKED = 7.2
_SAMPLE = 4096
_SLICES = 16
_SMALL = 8192
_LEAST = 64


class Malformed(Exception):
    """A structure that does not hold; the message says which."""


class TooMany(Malformed):
    """There is more than is read, or than any loader takes."""


class View:
    """The bytes of a file, read by number: whatever leads out of the file is malformed."""

    def __init__(self, data: bytes, order: str = "little") -> None:
        self.data = data
        self._order = order

    def number(self, at: int, size: int) -> int:
        """Return an unsigned number."""
        if at < 0 or at + size > len(self.data):
            raise Malformed(f"offset {at} leads out of the file")
        return int.from_bytes(self.data[at : at + size], self._order)  # type: ignore[arg-type]

    def text(self, at: int, limit: int = 512) -> str:
        """Return the text up to the next zero byte."""
        if at < 0 or at >= len(self.data):
            raise Malformed(f"a name at offset {at} stands out of the file")
        end = self.data.find(b"\0", at, at + limit)
        return self.data[at : end if end >= 0 else at + limit].decode("utf-8", "replace")


_ACTS = {
    Kind.PROCESS_SPAWN: (
        "system popen execv execve execvp execvpe execl execlp execle fexecve posix_spawn posix_spawnp "
        "CreateProcessA CreateProcessW CreateProcessAsUserW CreateProcessWithLogonW CreateProcessWithTokenW WinExec "
        "ShellExecuteA ShellExecuteW ShellExecuteExA ShellExecuteExW _wsystem _popen _wpopen NSTask"
    ),
    Kind.NET_CONNECT: (
        "connect WSAConnect ConnectEx InternetOpenUrlA InternetOpenUrlW InternetConnectA InternetConnectW "
        "HttpSendRequestA HttpSendRequestW WinHttpConnect WinHttpSendRequest URLDownloadToFileA URLDownloadToFileW "
        "curl_easy_perform SSL_connect CFStreamCreatePairWithSocketToHost NSURLSession NSURLConnection"
    ),
    Kind.NET_LISTEN: "listen",
    Kind.DNS_QUERY: "res_query res_search DnsQuery_A DnsQuery_W",
    Kind.PERSIST: "CreateServiceA CreateServiceW SMLoginItemSetEnabled",
    Kind.SECRET_READ: (
        "CryptUnprotectData CredEnumerateA CredEnumerateW CredReadA CredReadW SecKeychainFindGenericPassword "
        "SecKeychainFindInternetPassword SecKeychainItemCopyContent"
    ),
}
_KIND_OF = {name: kind for kind, names in _ACTS.items() for name in names.split()}


class Program:
    """The facts of one program while it is read."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._facts: dict[tuple[Kind, str | None], Fact] = {}
        self._problems: list[Problem] = []
        self._symbols = MAX_SYMBOLS
        self._sections = MAX_CODE_SECTIONS

    def symbols(self, count: int) -> range:
        """Return the numbers of the symbols of a table that may still be looked at; if those are not all, say so."""
        allowed = min(count, self._symbols)
        self._symbols -= allowed
        if allowed < count:
            self.problem(f"more than {MAX_SYMBOLS} symbols: not all were looked at", unread=True)
        return range(allowed)

    def fact(self, kind: Kind, value: str, start: int, end: int, *, via: str = "plain", load: bool = False) -> None:
        """Note a fact, once for each value."""
        moment = Moment.LOAD if load else Moment.CALL
        span = Span(1, start, start, max(start, end))
        self._facts.setdefault((kind, value), Fact(kind, bounded(value), span, moment, via))

    def malformed(self, name: str, error: Malformed | None = None) -> None:
        """Note that a table does not hold: what it would have told is not known."""
        self.fact(Kind.BINARY, f"malformed:{name}", 0, 0)
        unread = isinstance(error, TooMany)
        self.problem(f"a table of this {name} file does not hold: not all of it was read", unread=unread)

    def problem(self, reason: str, *, unread: bool = False) -> None:
        """Note that a structure was not understood, or not read because a bound was met."""
        self._problems.append(Problem(1, reason, unread))

    def libraries(self, names: Iterable[tuple[str, int]]) -> None:
        """Note the libraries that are loaded with the program, each with the place of its name."""
        for count, (name, at) in enumerate(names):
            if count >= MAX_LIBRARIES:
                self.problem(f"more than {MAX_LIBRARIES} libraries: not all are told", unread=True)
                return
            if name:
                self.fact(Kind.IMPORT, name, at, at + len(name.encode()), via="library", load=True)

    def imported(self, name: str, at: int) -> None:
        """Note what an imported function can do, if it is one of those that do more than compute."""
        plain = name.partition("@")[0]
        kind = _KIND_OF.get(plain)
        if kind is not None:
            self.fact(kind, plain, at, at + len(plain), via="symbol")

    def code(self, name: str, data: bytes, start: int, end: int, base: int = 0) -> None:
        """Note a section of code that is packed: executable, and as irregular as what is compressed or encrypted.

        ``base`` is where ``data`` begin in the file.
        """
        end = min(end, len(data))
        self._sections -= 1
        if self._sections == -1:
            self.problem(f"more than {MAX_CODE_SECTIONS} sections of code: not all were looked at", unread=True)
        if self._sections >= 0 and start < end and (name.upper().startswith("UPX") or is_packed(data, start, end)):
            self.fact(Kind.OBFUSCATED, f"packed:{name.strip() or 'code'}", base + start, base + end)

    def overlay(self, size: int, end: int) -> None:
        """Note what stands behind the last byte that the headers speak of."""
        if 0 < end <= size - _LEAST:
            self.fact(Kind.BINARY, f"overlay:{size - end}", end, size)

    def finish(self, data: bytes, *, wide: bool = False) -> Facts:
        """Return the facts, with what the strings of the file name."""
        named = strings(data, wide=wide)
        found = [*self._facts.values(), *named.facts]
        size = len(data)
        facts = tuple(fact for fact in found if fact.span.end <= size)
        return Facts(self._language, facts, (), (*self._problems, *named.problems))


def is_packed(data: bytes, start: int, end: int) -> bool:
    """Whether a range of code has more than 7.2 bits of entropy in a byte; compiled code has about six."""
    if end - start < _SMALL:
        return False
    step = max(_SAMPLE, (end - start) // _SLICES)
    counts: Counter[int] = Counter()
    for at in range(start, end, step):
        counts.update(data[at : min(at + _SAMPLE, end)])
    total = counts.total()
    return -sum(n / total * log2(n / total) for n in counts.values()) > _PACKED


def leb128(data: bytes, at: int, bits: int = 32) -> tuple[int, int]:
    """Return an unsigned LEB128 number and the offset behind it (WebAssembly core specification, 5.2.2)."""
    value = shift = 0
    while True:
        if at >= len(data) or shift >= bits:
            raise Malformed(f"the number at offset {at} does not end")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at


def chunks(count: int, limit: int, what: str) -> Iterator[int]:
    """Yield the numbers of a table that says how long it is; one that says too much is malformed."""
    if count > limit:
        raise TooMany(f"{count} {what}: more than {limit}")
    yield from range(count)
