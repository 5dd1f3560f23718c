"""Attributes that say something by being read, and those whose value is known everywhere."""

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
    "string.ascii_letters": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "string.ascii_lowercase": "abcdefghijklmnopqrstuvwxyz",
    "string.ascii_uppercase": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "string.digits": "0123456789",
    "string.hexdigits": "0123456789abcdefABCDEF",
}
"""Dotted name -> constant."""


def noticed(vm: "Machine", sym: str, place: tuple[int, int], frame: Frame) -> None:
    """Note an attribute whose mere reading is a fact."""
    if sym.endswith(("._getframe", ".f_globals", ".f_builtins")) and sym.startswith("object."):
        vm.emit(Kind.CODE_EVAL, None, place, frame, soft=True)
