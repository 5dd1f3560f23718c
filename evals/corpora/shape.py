"""What a release looks like when its name, its version and its texts are taken out: clones have one shape.

One template of malware is published under hundreds of names, with other addresses and keys in it.
"""

import re
from collections.abc import Iterable
from hashlib import sha256

from lazaretto.core.manifest import Manifest
from lazaretto.core.tree import Tree

MAX_SHAPED = 2 << 20
"""Bytes of a file that are looked at: what is larger is told by its digest."""

_CODE = (".py", ".js", ".mjs", ".cjs", ".ts", ".sh", ".ps1", ".bat", ".cmd", ".vbs", ".pth", ".gyp", ".php", ".lua")
_TEXT = re.compile(
    r'"""[^"]*(?:"{1,2}[^"]+)*"""|' r"'''[^']*(?:'{1,2}[^']+)*'''|" r'"(?:[^"\\\n]|\\.)*"|' r"'(?:[^'\\\n]|\\.)*'"
)
_COMMENT = re.compile(r"(?m)^\s*(?:#|//).*$")
_NUMBER = re.compile(r"\b\d[\w.]*\b")
_OPAQUE = re.compile(r"\b(?=\w*\d)\w{12,}\b|[A-Za-z0-9+/=_-]{40,}")
_SPACE = re.compile(r"\s+")


def shape(data: bytes, words: Iterable[str]) -> str:
    """Return the digest of a file of code without names, texts, numbers, comments and spaces."""
    if len(data) > MAX_SHAPED:
        return sha256(data).hexdigest()
    text = data.decode("utf-8", "replace")
    for word in words:
        text = text.replace(word, "N")
    text = _COMMENT.sub("", text)
    text = _TEXT.sub("''", text)
    text = _OPAQUE.sub("O", text)
    text = _NUMBER.sub("0", text)
    return sha256(_SPACE.sub("", text).encode("utf-8", "surrogatepass")).hexdigest()


def names_of(manifest: Manifest) -> list[str]:
    """Return how a release writes its own name and version, the longest first."""
    words = set()
    if manifest.name and len(manifest.name) > 2:
        name = manifest.name
        bare = name.rpartition("/")[2]
        words |= {name, bare, name.lower(), bare.replace("-", "_"), bare.lower().replace("-", "_")}
    if manifest.version and len(manifest.version) > 2:
        words.add(manifest.version)
    return sorted((word for word in words if len(word) > 2), key=lambda word: (-len(word), word))


def cluster(tree: Tree, manifest: Manifest) -> str:
    """Return one name for all releases that differ in nothing but what templates fill in."""
    words = names_of(manifest)
    shapes = {shape(blob.data, words) for path, blob in tree.files.items() if path.endswith(_CODE) and blob.size}
    commands = {hook.command for hook in manifest.hooks if not hook.command.startswith("setup.py")}
    shapes |= {shape(command.encode("utf-8", "replace"), words) for command in commands}
    if not shapes:  # no code at all: what there is, as it is
        shapes = {blob.digest for blob in tree.files.values()}
    return sha256("|".join(sorted(shapes)).encode()).hexdigest()[:16]
