"""A registry that is configured when it is first asked."""

from collections.abc import Callable
from typing import cast

from lazaretto.app.ports import Registry


class _Late:
    def __init__(self, make: Callable[[], Registry]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> object:
        return getattr(self._make(), name)


def late(make: Callable[[], Registry]) -> Registry:
    """Return a registry that ``make`` gives when it is needed: local archives without new dependencies need none."""
    return cast("Registry", _Late(make))
