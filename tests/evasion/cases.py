"""Tables of specimens as parameters of a test."""

from collections.abc import Iterable

import pytest

from tests.evasion.specimen import Specimen


def cases(specimens: Iterable[Specimen], *, missed: bool = False) -> list[object]:
    """Return a parameter for each specimen that is held, or for each that is known to be missed."""
    return [pytest.param(one, id=one.name) for one in specimens if bool(one.missed) is missed]
