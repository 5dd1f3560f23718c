"""Where a payload sends to or fetches from, told from where programs connect: by names and addresses alone."""

from collections.abc import Iterator

_COMMON_ADDRESSES = ("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "255.255.255.255")
_SORTS = (
    ("webhook", ("discord.com/api/webhooks", "discordapp.com/api/webhooks", "hooks.slack.com/services")),
    ("webhook", ("webhook.site", "pipedream.net", "requestbin.", "beeceptor.com", "hookbin.com", "typedwebhook.tools")),
    ("messenger", ("api.telegram.org/bot", "t.me/")),
    ("callback", ("oast.", "interact.sh", "burpcollaborator.net", "oastify.com", "dnslog.", "canarytokens.")),
    ("tunnel", ("ngrok.io", "ngrok.app", "ngrok-free.app", "trycloudflare.com", "serveo.net", "localhost.run")),
    ("paste", ("pastebin.com/raw", "paste.ee/r", "hastebin.com/raw", "rentry.co/", "dpaste.com", "ghostbin.")),
    ("drop", ("transfer.sh", "file.io", "gofile.io", "anonfiles.", "bashupload.com", "0x0.st", "catbox.moe")),
    ("chain", ("api.mainnet-beta.solana.com", "icp0.io", "icp-api.io", "api.trongrid.io")),
    ("chain", ("bsc-dataseed", "mainnet.infura.io", "eth-mainnet", "cloudflare-eth.com", "rpc.ankr.com")),
    ("hidden-service", (".onion",)),
)  # fmt: skip
"""Sorts of destination that a payload uses because nobody has to register them: (sort, parts of host and path)."""


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


_DOWNLOADERS = ("curl", "wget", "iwr", "irm", "invoke-webrequest", "invoke-restmethod", "fetch ")
_INTERPRETERS = (
    "|sh", "|bash", "|zsh", "|dash", "|node", "|python", "|perl", "|iex", "|osascript", "$(curl", "<(curl", "iex(",
)  # fmt: skip


def pipes_download(command: str | None) -> bool:
    """Whether a command line hands what it downloads straight to an interpreter."""
    text = " ".join((command or "").lower().split())
    if not any(tool in text for tool in _DOWNLOADERS):
        return False
    squeezed = text.replace("| ", "|").replace("sudo ", "").replace("/usr/bin/env ", "").replace("/bin/", "")
    return any(into in squeezed for into in _INTERPRETERS)
