"""Where it is worth looking: words that name a capability, and the file's own names for them.

Seeds decide which functions are read although nothing is known to call them. They are found in the
text, fast and generously; what they mean is decided by evaluation.
"""

import re
from functools import cache

from lazaretto.languages.javascript.vocabulary import Vocabulary, vocabulary

_WORDS = rb"""
require import(?=\s*[({*"'\w$]) from(?=\s*["']) process eval Function(?=\s*["'`)(]) globalThis fetch XMLHttpRequest
WebSocket EventSource sendBeacon navigator(?=\s*\[) atob Buffer(?=\s*[.(\[]) fromCharCode fromCodePoint unescape
createDecipher\w* privateDecrypt subtle gunzip\w* inflate\w*(?=\s*\() unzipSync ethereum solana phantom importScripts
Reflect mainModule child_process _load _compile execSync spawn spawnSync execFile\w* fork(?=\s*\() readFileSync
readFile(?=\s*\() writeFile\w* appendFile\w* createWriteStream createReadStream unlink\w* rmSync rmdirSync rimraf\w*
createServer runInThisContext runInNewContext runInContext setTimeout(?=\s*\(\s*(?!function|\(|async|[\w$]+\s*=>))
setInterval(?=\s*\(\s*(?!function|\(|async|[\w$]+\s*=>)) (?:Shared)?Worker(?=\s*\() Deno Bun keytar dlopen
(?:window|global|self|top|frames|this)(?=\s*\[) _0x[0-9a-f]{3,}(?=\s*\() constructor(?=["'`]?\]?\s*[.(\[]["'`(]?)
clipboard(?=\s*\.\s*(?:read|write)) Proxy(?=\s*\() sign(?:AndSend)?Transaction
prototype(?=\.(?:open|send|require|fetch)\b) cookie ajax getJSON getScript Image(?=\s*\() keydown keyup keypress
onkeydown onkeyup onkeypress localStorage(?=\s*\.\s*getItem) sessionStorage(?=\s*\.\s*getItem)
createElement(?=\s*\(\s*["'`]script) getReport cookies(?=\s*\.\s*get) FormData prepareStackTrace
addEventListener(?=\(\s*["'`](?:change|input|submit))
"""
_MODULES = b"|".join(
    rb"""child_process fs fs/promises fs-extra graceful-fs http https http2 net tls dgram dns dns/promises vm module
    worker_threads crypto zlib axios got request request-promise node-fetch cross-fetch undici superagent needle ky ws
    clipboardy copy-paste node-global-key-listener iohook uiohook-napi screenshot-desktop robotjs
    isomorphic-ws cross-spawn execa shelljs zx tinyexec node-pty rimraf del keytar crypto-js os process follow-redirects
    socket.io-client @octokit/rest @octokit/core octokit
    """.split()
)
_NAME = re.compile(rb"[A-Za-z_$][\w$]*")
MAX_ALIASES = 400


@cache
def _words() -> "re.Pattern[bytes]":
    return re.compile(rb"\b(?:" + rb"|".join(_WORDS.split()) + rb")(?![\w$])")


@cache
def _single_words() -> "tuple[frozenset[bytes], tuple[bytes, ...]]":
    """Return the words of interest without what must follow them, and the beginnings of families of words."""
    names = [re.sub(rb"\(\?=.*", b"", word) for word in _WORDS.split()]
    plain = frozenset(name for name in names if name.isalnum() or _NAME.fullmatch(name))
    families = tuple(name[: -len(rb"\w*")] for name in names if name.endswith(rb"\w*"))
    return plain | _GROUPED, families + _SPELT


# What the patterns above say with groups and character classes: the words, and the beginnings of words.
_GROUPED = frozenset(
    b"window global self top frames this Worker SharedWorker signTransaction signAndSendTransaction".split()
)
_SPELT = (b"_0x",)


@cache
def _loads() -> "re.Pattern[bytes]":
    named = rb"[\"'`](?:node:)?(?:" + _MODULES + rb")[\"'`]"
    return re.compile(
        rb"\b(?:require|__require|import|getBuiltinModule)\s*\(\s*"
        + named
        + rb"|\brequire\(\s*(?![\"'`)\s])|\bfrom\s*"
        + named
    )


_LOADERS = (b"require", b"import", b"getBuiltinModule", b"from")


def _loaded(data: bytes) -> "list[re.Match[bytes]]":
    """Return where modules that matter are loaded, in order."""
    pattern = _loads()
    found = []
    for word in _LOADERS:
        at = data.find(word)
        while at >= 0:
            match = pattern.match(data, at - 2 if data[at - 2 : at] == b"__" and word == b"require" else at)
            if match is not None:
                found.append(match)
            at = data.find(word, at + len(word))
    return sorted(found, key=lambda match: match.start())


_BEFORE = re.compile(
    rb"([A-Za-z_$][\w$]*|\{[^{}]{1,800}\})\s*(?::\s*[\w$.<>]{1,60}\s*)?=\s*(?:await\s+)?\(?\s*(?:[\w$.]{1,40}\(\s*){0,2}(?:[\w$.]+\.)?$"
    rb"|\bimport\s+(?:type\s+)?(?:([A-Za-z_$][\w$]*)\s*,?\s*)?(\{[^{}]{1,800}\}|\*\s*as\s+[\w$]+)?\s*$"
)


def bindings(data: bytes) -> list[tuple[bytes, int]]:
    """Return the names that hold a module that matters, each with the place where it is bound."""
    found: dict[tuple[bytes, int], None] = {}
    for match in _loaded(data):
        start = match.start()
        # Only the end of what stands before matters: bindings are short, and scanning is not free.
        window = max(0, start - 900, data.rfind(b";", 0, start) + 1)
        bound = _BEFORE.search(data[window:start])
        for group in bound.groups() if bound is not None else ():
            for name in (
                names_in(group.split(b" as ")[-1].strip() if group.startswith(b"*") else group) if group else ()
            ):
                found[(name, start)] = None
        if len(found) >= MAX_ALIASES:
            break
    return list(found)


def rebound(data: bytes, position: int) -> list[bytes]:
    """Return the names that the value at ``position`` is bound to by a declaration, if it is."""
    before = data[max(0, position - 500) : position]
    bound = _TAKEN.search(before) if before.rstrip().endswith((b"=", b"(")) else None
    return names_in(bound.group(1)) if bound is not None else []


_TAKEN = re.compile(
    rb"(?:const|let|var)\s+([A-Za-z_$][\w$]*|\{[^{}]{1,400}\})\s*=\s*(?:[\w$.]{0,30}promisify\w*\(\s*)?$"
)


def names_in(binding: bytes) -> list[bytes]:
    """Return the local names of a binding: one name, or those of an object pattern or of import braces."""
    if not binding.startswith(b"{"):
        reserved = (b"const", b"let", b"var", b"return", b"exports", b"default", b"this", b"module")
        return [] if binding in reserved else [binding]
    found = []
    for part in binding.strip(b"{} \r\n\t").split(b","):
        local = part.split(b"=")[0].split(b":")[-1].split(b" as ")[-1].strip()
        if _NAME.fullmatch(local):
            found.append(local)
    return found


_WEAK = re.compile(
    rb"process\.(?:env\.NODE_ENV|platform|version|argv|stdout|stderr|emit|nextTick|hrtime|cwd|exit|on|browser|type)\b|from\b|import\b"
    rb"|this\b|constructor\b|Proxy\b|Reflect\b|prototype\b|navigator\b|process(?![\w$]*\s*[.\[])|setTimeout|setInterval|self|globalThis"
    rb"|window|fromCharCode|fromCodePoint|Buffer|require\(['\"]\."
)


def strong(data: bytes, found: list[int]) -> list[int]:
    """Return the seeds whose callers matter too."""
    return [position for position in found if _WEAK.match(data, position) is None]


def positions(data: bytes, known: Vocabulary | None = None) -> list[int]:
    """Return the byte offsets of all words of interest, in order.

    ``known`` is the vocabulary of the text, if somebody has made it already.
    """
    words = (vocabulary(data) if known is None else known).words
    plain, families = _single_words()
    pattern = _words()
    found: set[int] = set()
    for word in {*plain.intersection(words), *(word for word in words if word.startswith(families))}:
        at = data.find(word)
        while at >= 0:
            if pattern.match(data, at) is not None:
                found.add(at)
            at = data.find(word, at + len(word))
    return sorted(found)
