"""What is the key of a wallet: known by a name that says so, or by what the file does with it.

Names of parameters are an author's whim and the first thing that a minifier changes. What makes, signs with or keeps a
key has a name that others call it by, and that name stays: ``fromSecretKey(t)``, ``ed25519.sign(text, t)``,
``secretKey: t``. Words of that sort are rare, so a file without them pays for one search.
"""

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from lazaretto.languages._sensitive import is_key_name
from lazaretto.languages.javascript.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazaretto.languages.javascript.graph import Functions
    from lazaretto.languages.javascript.values import Func

_COMMON = (b"ecretKey", b"rivateKey", b"nemonic", b"eypair", b"eyPair")
_WORDS = (
    *_COMMON, b"ecret_key", b"rivate_key", b"privKey", b"Phrase", b"fromSeed", b"MasterSeed", b"Wallet(", b"ecdsaSign",
    b"nacl", b"ed25519", b"secp256k1",
)  # fmt: skip
"""One of these stands wherever a key is handled, whatever its own name; in a large file one of the common ones, too."""

SMALL = 64 * 1024
MAX_PLACES = 1_000
KEY_WITHIN = 16 * 1024
"""Longest function around another that a call shares its keys with."""

_MAKER = (
    rb"(?:from|import|with|restore|set|load|add|make|create|derive|recover)\w{0,24}"
    rb"(?:SecretKey|PrivateKey|Mnemonic|SeedPhrase|MasterSeed|RecoveryPhrase|[kK]ey[pP]air)"
    rb"|fromSeed|(?:privateKey|mnemonic|seedPhrase|secretKey)To\w{2,24}|(?:HD)?Wallet"
    rb"|(?:[\w$]*(?:nacl|ed25519|secp256k1))[\w$]*(?:\.[\w$]+){0,2}\.(?:getPublicKey|publicKeyCreate)"
)
_SIGNER = rb"ecdsaSign|[\w$]*(?:nacl|ed25519|secp256k1)[\w$]*(?:\.[\w$]+){0,2}\.sign(?:Sync|Async|\.detached)?"
_KEPT = rb"_?(?:secret|private)_?[kK]ey|_?mnemonic|_?seedPhrase"
_NAME = rb"([A-Za-z_$][\w$]*)(?![\w$.(\[])"
_HANDLED = re.compile(
    rb"(?<![\w$])(?:(?:" + _MAKER + rb")\)?\((?:[\w$.]{1,30}\()?" + _NAME
    + rb"|(?:" + _SIGNER + rb")\)?\([^;{}()]{1,80}(?:\([^;{}()]{0,40}\))?,\s*" + _NAME
    + rb"|(?:" + _KEPT + rb")\s*[:=]\s*" + _NAME + rb")"
)  # fmt: skip
_DEFINED = re.compile(
    rb"(?<![\w$.])(?:(?:(?:async|static|function)\s+)*(?:"
    + _MAKER
    + rb")\s*(?:[:=]\s*(?:async\s*)?(?:function\s*)?)?$)"
)
_BEFORE, _AFTER = 48, 160


class Keys:
    """Where one file handles keys."""

    def __init__(self, data: bytes = b"", words: Vocabulary | None = None) -> None:
        """``words``: the vocabulary of the text, if somebody has made it."""
        self._data = data
        self._places = sorted(_found(data, words))
        self._handled = sorted(set(self._names()))
        self.any = bool(self._places)

    def near(self, calls: list[int], functions: "Functions") -> list[int]:
        """Return the calls that stand in a function which handles keys: what they hand over may be one."""
        known: dict[int, bool] = {-1: False}

        def handles(number: int) -> bool:
            if number not in known:
                parent = functions.parents[number]
                small = parent >= 0 and functions.ends[parent] - functions.starts[parent] <= KEY_WITHIN
                here = self._stand_in(functions.starts[number] - _BEFORE, functions.ends[number])
                known[number] = here or (small and handles(parent))
            return known[number]

        return [at for at in calls if handles(functions.innermost(at))] if self._places else []

    def taken(self, function: "Func", name: str, position: int) -> bool:
        """Whether a parameter takes a key; ``position`` counts from 0. Code in strings is known by names alone."""
        if is_key_name(name):
            return True
        start, end = function.key
        word = name.encode("utf-8", "replace")
        at = bisect_left(self._handled, (start, b""))
        while at < len(self._handled) and self._handled[at][0] < end:
            if self._handled[at][1] == word:
                return True
            at += 1
        return position == 0 and self._makes(start)

    def _makes(self, start: int) -> bool:
        """Whether a function is named as what makes a key: by what stands in front of its parameters."""
        if not self._stand_in(start - _BEFORE, start + _BEFORE):
            return False
        opening = self._data.find(b"(", start, start + _BEFORE)
        ends = (start, opening) if opening >= 0 else (start,)
        return any(_DEFINED.search(self._data, max(0, end - _BEFORE), end) for end in ends)

    def _stand_in(self, start: int, end: int) -> bool:
        at = bisect_left(self._places, start)
        return at < len(self._places) and self._places[at] < end

    def _names(self) -> "Iterator[tuple[int, bytes]]":
        for place in self._places:
            # In the middle of a word the search finds what begins before it, and no more than once what is near.
            for match in _HANDLED.finditer(self._data, max(0, place - _BEFORE), place + _AFTER):
                yield match.start(), next(group for group in match.groups() if group)


def _found(data: bytes, words: Vocabulary | None) -> "Iterator[int]":
    wanted = [word for word in _WORDS if words is None or words.may_hold(word)]
    if len(data) > SMALL and not any(word in data for word in wanted if word in _COMMON):
        return
    for word in wanted:
        at = data.find(word)
        count = 0
        while at >= 0 and count < MAX_PLACES:
            yield at
            count += 1
            at = data.find(word, at + len(word))
