"""Attributes that say something by being read, and those whose value is known everywhere."""

import string
from typing import TYPE_CHECKING

from lazaretto.core.facts import Kind
from lazaretto.languages.python.scope import Frame

if TYPE_CHECKING:
    from lazaretto.languages.python.machine import Machine

VALUES: dict[str, str] = {
    "os.sep": "/",
    "os.linesep": "\n",
    "os.pathsep": ":",
    "os.curdir": ".",
    "string.ascii_letters": string.ascii_letters,
    "string.ascii_lowercase": string.ascii_lowercase,
    "string.ascii_uppercase": string.ascii_uppercase,
    "string.digits": string.digits,
    "string.hexdigits": string.hexdigits,
    "string.octdigits": string.octdigits,
    "string.printable": string.printable,
    "string.punctuation": string.punctuation,
    "string.whitespace": string.whitespace,
}
"""Dotted name -> constant."""


def noticed(vm: "Machine", sym: str, place: tuple[int, int], frame: Frame) -> None:
    """Note an attribute whose mere reading is a fact."""
    if sym.endswith(("._getframe", ".f_globals", ".f_builtins")) and sym.startswith("object."):
        vm.emit(Kind.CODE_EVAL, None, place, frame, soft=True)
