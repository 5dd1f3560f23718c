"""What the strings of a binary name: addresses, commands, places of credentials and of start-up. Never disassembled.

Most of a binary is no text: its printable runs are taken out first. In them strings are found from fixed pieces that
only such values hold, because to search a piece runs at the speed of memory.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial

from msgspec import Struct

from lazaretto.core.facts import Fact, Kind, Moment, Problem, Span, bounded
from lazaretto.languages._sensitive import persist_path, secret_path, wallet_text

MAX_STRINGS = 5000
"""Most strings told of one binary, of each kind."""

MAX_TRIES = 1_000_000
"""Most places of one binary that are looked at more closely."""

_WINDOW = 64 * 1024 * 1024
_EDGE = 4096
_REACH = 400
_TEXT = (4 * rb"[ -~]" + rb"[ -~]+", 4 * rb"[ -~]\0" + rb"(?:[ -~]\0)+")
"""A printable run, and one in UTF-16: no value that is looked for is shorter. Written out, as counting takes longer."""

# Pieces in the order in which they are searched; each string is told once for each kind.
_PATHS = (
    b".npmrc", b".pypirc", b".netrc", b"git-credentials", b".vault-token", b"id_rsa", b"id_ed25519", b"id_ecdsa",
    b".aws/", b".aws\\", b".kube/config", b".docker/config.json", b".gnupg", b"gcloud", b"/etc/shadow", b"/etc/sudoers",
    b"Login Data", b"Local State", b"cookies.sqlite", b"logins.json", b"key4.db", b"Keychains", b"169.254.169.254",
    b"metadata.google.internal", b"wallet.dat", b"exodus.wallet", b"Electrum", b"nkbihfbeogaeaoehlefnkodbefgpgknn",
    b"LaunchAgents", b"LaunchDaemons", b"CurrentVersion\\Run", b"Programs\\Startup", b"authorized_keys", b".bashrc",
    b".zshrc", b".bash_profile", b"/etc/cron", b"/var/spool/cron", b"systemd/system", b"systemd/user", b"ld.so.preload",
    b"config/autostart", b".git/hooks", b"sitecustomize.py", b"_history",
)  # fmt: skip
_COMMANDS = (
    b"curl -", b"curl http", b"wget -", b"wget http", b"/bin/sh -c", b"/bin/bash -c", b"bash -i", b"cmd /c",
    b"cmd.exe /c", b"powershell -", b"powershell.exe -", b"schtasks", b"crontab -", b"launchctl", b"systemctl enable",
    b"reg add ", b"osascript -", b"certutil -", b"mshta http", b"rundll32 ", b"chmod +x", b"chmod 777", b"nohup ",
    b"/dev/tcp/", b"| sh", b"|sh", b"| bash", b"|bash", b"npm publish", b"twine upload", b"rm -rf",
)  # fmt: skip
_COMMAND = (
    rb"(?:curl|wget)\s+(?:-\S+\s+)*\S*https?://|/bin/(?:ba)?sh\s+-c\s+\S|bash\s+-i\b.*/dev/tcp/|cmd(?:\.exe)?\s+/c\s+\S"
    rb"|powershell(?:\.exe)?\s+-\w|schtasks\s+/create|crontab\s+-|launchctl\s+(?:load|bootstrap)|systemctl\s+enable\s"
    rb"|reg\s+add\s+\S|osascript\s+-e|certutil\s+-(?:urlcache|decode)"
    rb"|mshta\s+http|rundll32\s+\S+,|chmod\s+(?:\+x|777)\s+\S"
    rb"|nohup\s+\S|(?:curl|wget)\b.*\|\s*(?:ba)?sh\b|npm\s+publish|twine\s+upload|rm\s+-rf\s+[/~$]"
)
_ADDRESS = rb"(?:https?|wss?|ftp|tcp)://[A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%]{4,400}"
_PORT = rb":\d{2,5}(?![\d.])"  # one fixed byte in front: it is searched at the speed of memory
_HOST_OF_PORT = (
    rb"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]\d?)\.)(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){2}"
    rb"(?:25[0-5]|2[0-4]\d|1?\d?\d)\Z"
)
_HOSTS = (b".onion", b"api.telegram.org", b"discord.com", b"discordapp.com", b"pastebin.com", b"webhook.site")
_HOST = rb"(?<![\w.-])(?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,10}(?![\w.-])"


_Hit = tuple[int, int, Kind, str]
_Around = Callable[[bytes, tuple[bytes, ...]], Iterator[tuple[int, bytes]]]


class Strings(Struct, frozen=True):
    """What strings name, in the order of the searches, and what was not looked at or is not told."""

    facts: tuple[Fact, ...]
    problems: tuple[Problem, ...]


def strings(data: bytes, *, wide: bool = False) -> Strings:
    """Return what the strings of a binary name; ``wide`` also searches UTF-16, as Windows writes."""
    search = _Search()
    find = partial(_found, around=search.around)
    return search.finish(hit for width in ((1, 2) if wide else (1,)) for hit in _windows(data, width, find))


def addresses(data: bytes) -> Strings:
    """Return the URLs and the IPv4 addresses with a port among the strings of a binary."""
    search = _Search()
    return search.finish(_windows(data, 1, partial(_addresses, around=search.around)))


def _windows(data: bytes, width: int, find: Callable[[bytes], Iterator[_Hit]]) -> Iterator[_Hit]:
    """Yield what is found in a binary, a window of it at a time: what begins at an edge is seen whole in one of two."""
    for start in range(0, max(len(data), 1), _WINDOW):
        first = max(0, start - _EDGE)
        seen = memoryview(data)[first : start + _WINDOW + _EDGE].tobytes() if len(data) > _WINDOW else data
        text = _Text(seen, width)
        for begin, end, kind, value in text.placed(find(text.joined)):
            if start <= first + begin < start + _WINDOW:
                yield first + begin, first + end, kind, value


class _Text:
    """The printable runs of a binary, one after the other, and where they stand in it; ``width``: of a character."""

    def __init__(self, data: bytes, width: int) -> None:
        runs: list[bytes] = []
        self._width = width
        self._starts: list[int] = []
        self._places: list[int] = []
        size = 0
        for match in _pattern(_TEXT[width - 1]).finditer(data):
            run = match.group()[::width]
            self._starts.append(size)
            self._places.append(match.start())
            runs.append(run)
            size += len(run) + 1
        self.joined = b"\0".join(runs)

    def placed(self, found: Iterator[tuple[int, int, Kind, str]]) -> Iterator[tuple[int, int, Kind, str]]:
        """Yield what was found in the runs, at its place in the binary."""
        for start, end, kind, value in found:
            run = bisect_right(self._starts, start) - 1
            place, before = self._places[run], self._starts[run]
            yield place + (start - before) * self._width, place + (end - before) * self._width, kind, value


def text_facts(texts: Iterable[tuple[str, Span]], moment: Moment) -> Strings:
    """Return what texts name, each at its place: for formats that hold their strings one by one."""
    joined = bytearray()
    starts: list[int] = []
    places: list[Span] = []
    for text, place in texts:
        starts.append(len(joined))
        places.append(place)
        joined += text.encode("utf-8", "replace") + b"\0"
    search = _Search()
    found = search.finish(_found(bytes(joined), search.around))
    facts = (
        Fact(fact.kind, fact.value, places[bisect_right(starts, fact.span.start) - 1], moment) for fact in found.facts
    )
    return Strings(tuple(facts), found.problems)


class _Search:
    """One search: how many places may still be looked at more closely."""

    def __init__(self) -> None:
        self._tries = MAX_TRIES
        self._cut = False

    def finish(self, found: Iterator[_Hit]) -> Strings:
        """Return what was found, each value once for each kind."""
        told: dict[Kind, dict[str, Fact]] = {}
        full: set[Kind] = set()
        for start, end, kind, value in found:
            known = told.setdefault(kind, {})
            if value not in known and len(known) < MAX_STRINGS:
                known[value] = Fact(kind, bounded(value), Span(1, start, start, end), Moment.CALL)
            elif value not in known:
                full.add(kind)
        reasons = [f"more than {MAX_STRINGS} strings of the kind {kind}: not all are told" for kind in sorted(full)]
        if self._cut:
            reasons.append(f"more than {MAX_TRIES} places that may name something: not all were looked at")
        facts = tuple(fact for known in told.values() for fact in known.values())
        return Strings(facts, tuple(Problem(1, reason, unread=True) for reason in reasons))

    def around(self, data: bytes, pieces: tuple[bytes, ...]) -> Iterator[tuple[int, bytes]]:
        """Yield the printable run around each place where one of the pieces stands, bounded on both sides."""
        for piece in pieces:
            at = data.find(piece)
            while at >= 0:
                self._tries -= 1
                if self._tries < 0:
                    self._cut = True
                    return
                before, behind = data[max(0, at - _REACH) : at], data[at : at + _REACH]
                start = at - (len(before) - len(before.rstrip(_PRINTABLE)))
                end = at + len(behind) - len(behind.lstrip(_PRINTABLE))
                yield start, data[start:end]
                at = data.find(piece, max(end, at + len(piece)))


def _found(data: bytes, around: _Around) -> Iterator[_Hit]:
    yield from _addresses(data, around)
    for start, text in around(data, _HOSTS):
        for match in _pattern(_HOST).finditer(text):
            if match[0].endswith(_HOSTS):
                yield start + match.start(), start + match.end(), Kind.LITERAL_DOMAIN, match[0].decode("ascii")
    for start, raw in around(data, _PATHS):
        path = raw.decode("ascii")
        if secret_path(path) or persist_path(path) or wallet_text(path):
            yield start, start + len(raw), Kind.LITERAL_PATH, path
    for start, raw in around(data, _COMMANDS):
        if _pattern(_COMMAND).search(raw):
            yield start, start + len(raw), Kind.LITERAL_COMMAND, raw.decode("ascii").strip()


def _addresses(data: bytes, around: _Around) -> Iterator[_Hit]:
    for start, text in around(data, (b"://",)):
        for match in _pattern(_ADDRESS).finditer(text):
            yield start + match.start(), start + match.end(), Kind.LITERAL_URL, match[0].decode("ascii")
    for match in _pattern(_PORT).finditer(data):
        host = _pattern(_HOST_OF_PORT).search(data[max(0, match.start() - 16) : match.start()])
        if host:
            value = host[0] + match[0]
            yield match.end() - len(value), match.end(), Kind.LITERAL_IP, value.decode("ascii")


_PRINTABLE = bytes(range(0x20, 0x7F))


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source)
