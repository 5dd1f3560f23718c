"""Where a payload sends to or fetches from, told from where programs connect: by names and addresses alone."""

import re
from collections.abc import Iterator
from functools import lru_cache

_COMMON_ADDRESSES = ("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "255.255.255.255")
_SORTS = (
    ("webhook", ("discord.com/api/webhooks", "discordapp.com/api/webhooks", "hooks.slack.com/services")),
    ("webhook", ("webhook.site", "pipedream.net", "requestbin.", "beeceptor.com", "hookbin.com", "typedwebhook.tools")),
    ("messenger", ("api.telegram.org/bot", "t.me/")),
    ("callback", ("oast.", "interact.sh", "burpcollaborator.net", "oastify.com", "dnslog.", "canarytokens.")),
    ("tunnel", ("ngrok.io", "ngrok.app", "ngrok-free.app", "trycloudflare.com", "serveo.net", "localhost.run")),
    ("paste", ("pastebin.com/raw", "paste.ee/r", "hastebin.com/raw", "rentry.co/", "dpaste.com", "ghostbin.")),
    ("drop", ("transfer.sh", "file.io", "gofile.io", "anonfiles.", "bashupload.com", "0x0.st", "catbox.moe")),
    ("drop", ("cdn.discordapp.com/attachments", "cdn.discord.com/attachments", "media.discordapp.net/attachments")),
    ("chain", ("api.mainnet-beta.solana.com", "icp0.io", "icp-api.io", "api.trongrid.io")),
    ("chain", ("bsc-dataseed", "mainnet.infura.io", "eth-mainnet", "cloudflare-eth.com", "rpc.ankr.com")),
    ("chain", ("aptoslabs.com/v1", "ipfs.io/ipfs", "gateway.pinata.cloud", "relay.damus.io")),
    ("dead-drop", ("calendar.app.google", "calendar.google.com/calendar/ical", "telegra.ph/", "dontpad.com/")),
    ("dead-drop", ("steamcommunity.com/profiles", "steamcommunity.com/id", "gist.githubusercontent.com", "write.as/")),
    ("hidden-service", (".onion",)),
)  # fmt: skip
"""Sorts of destination that a payload uses because nobody has to register them: (sort, parts of host and path)."""


@lru_cache(maxsize=4096)  # each reading of the same release asks of the same values again
def destination(value: str | None) -> str | None:
    """Return the suspicious sort of a URL, host or command that names one, or None.

    ``address`` is a bare public IP address. The others are services that take data from anybody or hide who
    asks. A reserved ending (RFC 2606) does not make a name another one.
    """
    text = (value or "").lower().replace(".invalid", "")
    for sort, parts in _SORTS:
        if any(_names_host(text, part) for part in parts):
            return sort
    return "address" if any(is_public_address(host) for host in _hosts(text)) else None


_MAILBOXES = ("api.telegram.org/bot", "/api/webhooks", "hooks.slack.com/services")
_OPEN = ("{", "*", "$", "%", "<", "}")


def names_service_alone(value: str | None) -> bool:
    """Whether a value names a service that holds mailboxes, and none of them: whoever calls the code gives his own."""
    text = (value or "").lower().replace(".invalid", "")
    after = [text.partition(part)[2].lstrip("/") for part in _MAILBOXES if part in text]
    return bool(after) and all(not rest or rest.startswith(_OPEN) for rest in after)


def _names_host(text: str, part: str) -> bool:
    at = text.find(part)
    while at >= 0:
        if part.startswith(".") or at == 0 or not (text[at - 1].isalnum() or text[at - 1] in "-_"):
            return True
        at = text.find(part, at + 1)
    return False


def _hosts(text: str) -> Iterator[str]:
    """Yield the hosts of the URLs in a text, or the text itself if it looks like a host."""
    pieces = text.split("://")
    for piece in pieces[1:] or pieces[:1]:
        authority = piece.split("/", 1)[0].split("?", 1)[0].rpartition("@")[2].strip(" '\"")
        yield authority.split(":", 1)[0].split(" ", 1)[0]


# Patterns are compiled when they are first needed (``re`` keeps them): most runs never need these.
_OWN_HOST = r"(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:[^/@*{\s]*@)?[a-z0-9][a-z0-9.-]*\.[a-z0-9-]{2,}(?:[:/?]|$)"


def names_host(value: str | None) -> bool:
    """Whether a URL or host says where it leads, whatever else of it is only known at run time (``*``, ``{}``)."""
    return re.match(_OWN_HOST, value or "", re.IGNORECASE) is not None


def is_public_address(host: str) -> bool:
    """Whether a host is an IPv4 address that is neither private, local, multicast nor a well-known resolver."""
    parts = host.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
        return False
    first, second, _, last = (int(part) for part in parts)
    if max(int(part) for part in parts) > 255 or host in _COMMON_ADDRESSES:
        return False
    if first in (0, 10, 127) or first >= 224 or (first, last) == (1, 0):
        return False
    if (first, second) in ((169, 254), (192, 168)) or (first == 100 and 64 <= second < 128):
        return False
    return not (first == 172 and 16 <= second < 32)


_LOOPBACK = r"(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)(?::[\d*{}]{1,5})?(?:[/?#].*)?"


def is_loopback(value: str | None) -> bool:
    """Whether a URL or host is this very machine (RFC 6761, 6.3; RFC 1122, 3.2.1.3)."""
    return re.fullmatch(_LOOPBACK, value or "", re.IGNORECASE) is not None


_DOWNLOADERS = ("curl", "wget", "iwr", "irm", "invoke-webrequest", "invoke-restmethod", "fetch ")
_INTERPRETERS = (
    "|sh", "|bash", "|zsh", "|dash", "|node", "|python", "|perl", "|iex", "|osascript", "$(curl", "<(curl", "iex(",
)  # fmt: skip


_FOLDERS = re.compile(r"\|(?:[\w.~-]*/)+")


def _leaves_out(text: str) -> bool:
    """Whether dots stand where each address would: words about such a command, which runs nothing."""
    return "://" in text and all(host and not host.strip(".…") for host in _hosts(text))


def pipes_download(command: str | None) -> bool:
    """Whether a command line hands what it downloads straight to an interpreter."""
    text = " ".join((command or "").lower().split())
    if not any(tool in text for tool in _DOWNLOADERS) or _leaves_out(text):
        return False
    squeezed = text.replace("| ", "|").replace("sudo ", "").replace("/usr/bin/env ", "")
    return any(into in _FOLDERS.sub("|", squeezed) for into in _INTERPRETERS)


_TRANSFER = ("curl", "wget", "iwr", "irm", "invoke-webrequest", "invoke-restmethod", "nc", "ncat", "http", "https")
_INLINE = ("-c", "-lc", "-ic", "-e", "--eval", "-command", "-encodedcommand", "-s", "-")
_READERS = ("sh", "bash", "zsh", "dash", "ksh", "node", "bun", "python", "python3", "perl", "ruby", "osascript")
_UNKNOWN = ("*", "{", "$")
_CHECKS = ("sha256sum", "sha512sum", "shasum", "gpg ", "cosign", "minisign")


@lru_cache(maxsize=4096)
def transfers(command: str | None) -> bool:
    """Whether a command line runs a tool that sends what it is given to a host."""
    return any(_program(word) in _TRANSFER for word in (command or "").lower().split())


def reads_code(command: str | None) -> bool:
    """Whether a program is an interpreter that takes its code from its input, or from an argument not known here."""
    words = (command or "").lower().split()
    if not words or _program(words[0]) not in (*_READERS, "powershell", "pwsh"):
        return False
    return len(words) == 1 or (words[1] in _INLINE and (len(words) == 2 or words[2].startswith(_UNKNOWN)))


def checks_download(command: str) -> bool:
    """Whether a command line compares what it downloads with a known hash or signature."""
    return any(tool in command.lower() for tool in _CHECKS)


def _program(word: str) -> str:
    return word.replace("\\", "/").rpartition("/")[2].removesuffix(".exe").strip("\"'();&|")


_GENERIC = frozenset({"token", "key", "secret", "auth", "access", "api", "password", "pass", "session", "node", "id"})
_SHORT = {"gh": "github", "hf": "huggingface"}


def own_service(variable: str, address: str | None) -> bool | None:
    """Whether the name of a credential's variable says that it belongs to the host that it is sent to.

    ``GITHUB_TOKEN`` belongs to ``api.github.com``. None if it cannot be told: the name says nothing, or the host is
    not known. A path names no service.
    """
    if not variable.replace("_", "").isalnum():
        return False
    words = {_SHORT.get(word, word) for word in variable.lower().split("_")} - _GENERIC
    hosts = [host.removesuffix(".invalid").split(".") for host in _hosts((address or "").lower())]
    owners = [labels[-2] for labels in hosts if len(labels) > 1 and labels[-2].isalnum()]
    if any(owner.startswith(word) or owner.endswith(word) for owner in owners for word in words if len(word) > 2):
        return True
    return False if words and any(hosts) and "." in (address or "") else None
