"""What is worked out of an object once, and forgotten with it: a memo must not keep an archive in memory."""

from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar
from weakref import ref

_Thing = TypeVar("_Thing")
_Result = TypeVar("_Result")


class Once(Generic[_Thing, _Result]):
    """A function of objects that do not change; its answers are kept by identity, as long as the object is in use."""

    def __init__(self, work: Callable[[_Thing], _Result]) -> None:
        self._work = work
        self._known: dict[int, tuple[ref[_Thing], _Result]] = {}

    def __call__(self, thing: _Thing) -> _Result:
        """Return the answer."""
        known = self._known.get(id(thing))
        if known is None:
            known = (ref(thing, partial(self._forget, id(thing))), self._work(thing))
            self._known[id(thing)] = known
        return known[1]

    def _forget(self, key: int, _: ref[_Thing]) -> None:
        self._known.pop(key, None)
