"""Tables of specimens as parameters of a test."""

from collections.abc import Iterable

import pytest

from tests.evasion.specimen import Specimen


def cases(specimens: Iterable[Specimen]) -> list[object]:
    """Return a parameter for each specimen; one that is missed is expected to fail, and told when it no longer does."""
    return [
        pytest.param(
            specimen,
            id=specimen.name,
            marks=pytest.mark.xfail(reason=specimen.missed, strict=True) if specimen.missed else (),
        )
        for specimen in specimens
    ]
