"""Logs of builds and of clients: npm (its own debug logs too), pnpm, Yarn, pip and uv, mixed as a CI keeps them.

Counted are archives that were fetched (``http fetch GET 200 .../axios-1.14.1.tgz``), scripts that were started
(``> esbuild@0.25.0 postinstall``), what pip downloaded, used from its cache or installed (``Successfully installed
a-1.0 b-2.0``), what Yarn fetched or added, what uv installed (`` + a==1.0``), and what pnpm names: in its
summary (``+ a 1.0.0`` below ``dependencies:``), as JSON, as scripts that it started or ignored. A time is read from the
beginning of a line (ISO 8601, as GitHub and GitLab write it); a line without one has that of the line before it, or
none.

Not seen: what installers do not say. On a terminal npm and bun name nothing that they install, pnpm only what the
project itself asks for, and pnpm 12 no version of what it runs a script of.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from lazaretto.app.inventory.ports import Claim, Disk, Folder, Readers
from lazaretto.core.inventory import Entry, Place, Proof, Sign, Unread
from lazaretto.places import _pnpm_lines, _server_lines, _urls

KIND = "build-log"
OWNS = ()
READS = ("*.log", "*.log.*", "*-logs.txt", "*-log.txt")

MAX_LINE = 16_384
"""Longest line that is read; of a longer one the beginning."""

MAX_INSTALLED = 5_000
"""Releases on one line of pip's."""

_NAMES = re.compile(r"(?i).*\.log(?:\.\d{1,4})?(?:\.gz)?|.*-logs?\.txt")
_ACCESS = re.compile(r"(?i)access[._-]?log|.*access.*\.log.*")
_TIME = re.compile(r"\W{0,2}(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)\W{0,2}")
_AFTER_TIME = " \t])|:"
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_RELEASE = re.compile(r"((?:@[\w.~-]{1,214}/)?[A-Za-z0-9_][\w.~-]{0,213})@(?:npm:)?([0-9]+\.[0-9]+\.[0-9]+[\w.+~-]*)")
_HOOKS = frozenset({"preinstall", "install", "postinstall", "prepare"})
_FETCHES = ("fetch", "cache", "GET", '"GET"', "Fetching", "Downloading", "Processing", "cached", "from")
_STATUS = re.compile(r"[1-5][0-9][0-9]")
_PIP_RELEASE = re.compile(r"([A-Za-z0-9][\w.-]*?)-([0-9][\w.!+]*)", re.ASCII)
_UV_RELEASE = re.compile(r"([A-Za-z0-9][\w.-]*)==([0-9][\w.!+]*)", re.ASCII)
_OFF = ("--ignore-scripts", "ignore-scripts=true", "npm_config_ignore_scripts=true", "YARN_ENABLE_SCRIPTS=false")


def claim(folder: Folder, disk: Disk, readers: Readers) -> Iterator[Claim]:
    """Yield every log by its name, and whatever file was named that nothing else recognises."""
    for name in folder.files:
        target = f"{folder.path}/{name}"
        named = folder.named and readers.lockfiles.of(name) is None and not name.endswith(".sqlite")
        if _ACCESS.fullmatch(name) or not (_NAMES.fullmatch(name) or named):
            continue
        stat = disk.stat(target)
        if stat is not None and not _server_lines.recognised(target, disk):
            yield Claim(Place(KIND, f"{folder.shown}/{name}"), target, stat.stamp)


def read(claim: Claim, disk: Disk, readers: Readers) -> Iterator[Entry | Unread]:
    """Yield what each line tells."""
    del readers
    at: datetime | None = None
    number, off = 0, Sign.NONE
    summary = _pnpm_lines.Summary()
    for line, raw in enumerate(disk.lines(claim.target, MAX_LINE), 1):
        text = _ANSI.sub("", raw.decode("utf-8", "replace")).rstrip()
        match = _TIME.match(text)
        if match is not None:
            at = _instant(match.group(1)) or at
        if any(word in text for word in _OFF):
            off = Sign.SCRIPTS_OFF
        written, found = _releases(text if match is None else text[match.end(1) :].lstrip(_AFTER_TIME), summary)
        at = written or at
        for ecosystem, name, version, signs in found:
            ran = bool(signs & Sign.SCRIPT_RAN)
            yield Entry(
                ecosystem=ecosystem,
                name=name,
                version=version,
                proof=Proof.LOGGED,
                number=number,
                line=line,
                first=at,
                last=at,
                signs=signs | (Sign.NONE if ran else off),
            )
            number += 1


_Found = tuple[str, str, str, Sign]


def _releases(text: str, summary: _pnpm_lines.Summary) -> tuple[datetime | None, list[_Found]]:
    """Return when a line says that it was written, and what it says was fetched, installed or started."""
    if text.startswith("{") and '"pnpm:' in text:
        at, told = _pnpm_lines.document(text)
        return at, [] if told is None else [("npm", *told)]
    words = text.split()
    listed = summary.take(words)
    if listed is not None:
        return None, [("npm", *listed)]
    return None, [("npm", *told) for told in _pnpm_lines.scripts(words)] or list(_of_words(text, words))


def _of_words(text: str, words: list[str]) -> Iterator[_Found]:
    """Yield what one line tells, word by word, so that no line takes long."""
    if "@" in text:
        started = _started(words)
        if started is not None:
            yield "npm", *started, Sign.SCRIPT | Sign.SCRIPT_RAN
            return
        if "YN0013:" in words or "YN0085:" in words:
            match = next((match for word in words if (match := _RELEASE.fullmatch(word))), None)
            if match is not None and "-" not in words[: words.index(match.group())]:
                yield "npm", match.group(1), match.group(2), Sign.NONE
            return
    if len(words) == 2 and words[0] in {"+", "~"}:  # uv's; what it installed from a file or an address has more words
        yield from _python(words[1:], _UV_RELEASE)
        return
    if any(word in _FETCHES for word in words) and "No cache entry for:" not in text:
        refused = any(word[0] in "45" for word in words if _STATUS.fullmatch(word))
        for word in words:
            named = _urls.archive(word.strip("\"'(),")) if "." in word else None
            if named is not None:
                yield *named, Sign.REFUSED if refused else Sign.NONE
                return
    yield from _python(text.partition("Successfully installed ")[2].split()[:MAX_INSTALLED], _PIP_RELEASE)


def _python(words: Iterable[str], spelled: re.Pattern[str]) -> Iterator[_Found]:
    """Yield the releases that words spell."""
    for word in words:
        release = spelled.fullmatch(word) if len(word) < _urls.MAX_FILENAME else None
        if release is not None:
            yield "pypi", release.group(1), release.group(2), Sign.NONE


def _started(words: list[str]) -> tuple[str, str] | None:
    """Return the release of which a script is started: ``> a@1.0.0 postinstall``, ``info run a@1.0.0 postinstall``."""
    for before, word, hook in zip(words, words[1:], words[2:], strict=False):
        if before in {">", "run"} and hook in _HOOKS:
            match = _RELEASE.fullmatch(word)
            if match is not None:
                return match.group(1), match.group(2)
    return None


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.replace(",", ".").replace(" ", "T"))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
