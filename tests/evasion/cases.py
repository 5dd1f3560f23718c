"""Tables of specimens as parameters of a test."""

from collections.abc import Iterable

import pytest

from tests.evasion.specimen import Specimen


def cases(specimens: Iterable[Specimen]) -> list[object]:
    """Return a parameter for each specimen."""
    return [pytest.param(one, id=one.name) for one in specimens]
