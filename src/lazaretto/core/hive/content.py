r"""The data of a value as texts that an indicator can be compared with, whatever type the value says it has.

A source writes a path as its author saw it (``%APPDATA%\x.exe``), a machine holds it with the name of a user in it. So
both are brought to one form first: small letters, and the folders that variables stand for under one name.
"""

import re
from collections.abc import Iterable

_TEXT, _NUMBERS, _LARGE_NUMBER, _SEVERAL = frozenset({1, 2, 6}), {4: "little", 5: "big"}, 11, 7
_VARIABLE = re.compile(r"%[^%\\]*%")
_MIN_PART = 4
"""Fewest characters by which data is recognised that holds more than them."""

_FOLDERS = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (
            r"[a-z]:\\(?:programdata|documents and settings\\all users\\application data)(?=\\|$)|%allusersprofile%",
            "%programdata%",
        ),
        (r"[a-z]:\\users\\public(?=\\|$)", "%public%"),
        (r"[a-z]:\\(?:users|documents and settings)\\[^\\]+(?=\\|$)", "%userprofile%"),
        (r"%userprofile%\\(?:appdata\\local|local settings\\application data)(?=\\|$)", "%localappdata%"),
        (r"%userprofile%\\(?:appdata\\roaming|application data)(?=\\|$)", "%appdata%"),
        (r"(?:%localappdata%|%userprofile%\\local settings)\\temp(?=\\|$)|%tmp%", "%temp%"),
        (r"[a-z]:\\win(?:dows|nt)(?=\\|$)|%windir%|\\systemroot(?=\\|$)", "%systemroot%"),
        (r"[a-z]:\\program files(?: \(x86\))?(?=\\|$)|%programfiles(?:\(x86\))?%|%programw6432%", "%programfiles%"),
        (r"[a-z]:(?=\\)|%systemdrive%", "%systemdrive%"),
    )
)


def texts(kind: int, data: bytes) -> tuple[str, ...]:
    """Return the texts that the data of a value can be read as: by its type, and what else may lie in bytes."""
    if kind in _NUMBERS or kind == _LARGE_NUMBER:
        order = "big" if _NUMBERS.get(kind) == "big" else "little"
        number = int.from_bytes(data[:8], order)  # type: ignore[arg-type]
        return str(number), hex(number), f"{number:08x}"
    wide = data.decode("utf-16-le", "replace").rstrip("\0")
    if kind in _TEXT:
        return wide, data.decode("latin-1").rstrip("\0")
    if kind == _SEVERAL:
        return tuple(part for part in wide.split("\0") if part)
    return data.hex(), data.decode("latin-1").rstrip("\0"), wide


def holds(found: Iterable[str], wanted: str) -> bool:
    """Whether one of the texts is the one that is wanted, or holds it."""
    plain = common(wanted)
    hexadecimal = re.sub(r"(?:\b0x|[\s,:-])", "", wanted.lower())
    sure = max(_VARIABLE.split(plain), key=len)
    for text in found:
        folded = _folded(text)
        if folded == hexadecimal:
            return True
        if sure in folded:  # most texts end here: the rest takes ten times as long
            other = common(text)
            if other == plain or (len(plain) >= _MIN_PART and plain in other):
                return True
    return False


def common(text: str) -> str:
    """Return a text in the form in which two are compared."""
    text = _folded(text)
    for pattern, name in _FOLDERS:
        text = pattern.sub(name, text)
    return text


def _folded(text: str) -> str:
    text = text.strip().strip('"').casefold()
    return text.replace("/", "\\") if "\\" in text else text
