"""What the caller of a server hands over to say who he is: known by the name under which it travels."""

from typing import TYPE_CHECKING, Any

from lazaretto.core.facts import Kind
from lazaretto.languages.python.values import NO_TAINT

if TYPE_CHECKING:
    from lazaretto.languages.python.machine import Machine
    from lazaretto.languages.python.scope import Frame

_NAMES = frozenset("authorization proxy-authorization http_authorization http_cookie cookie".split())
_ALL = "COOKIES"
"""All cookies of a request, as Django calls them."""


def handed(vm: "Machine", name: Any, place: tuple[int, int], frame: "Frame") -> frozenset[int]:
    """Return what stands for a caller's token, if something unknown is asked for it; it is told where it goes on."""
    if not isinstance(name, str) or (name != _ALL and name.lower() not in _NAMES):
        return NO_TAINT
    return frozenset((vm.emit(Kind.KEY_GIVEN, name, place, frame, soft=True),))
