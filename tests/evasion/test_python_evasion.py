"""No way of hiding what Python does gets past: each is held, with evidence at a line that is new."""

import pytest

from tests.evasion import python
from tests.evasion.cases import cases
from tests.evasion.specimen import Specimen, ask, refused, told


@pytest.mark.parametrize("specimen", cases(python.SPECIMENS))
def test_it_is_held_at_a_new_line(specimen: Specimen) -> None:
    """Hidden or not, it is the same payload."""
    analysis = ask(specimen)

    assert refused(specimen, analysis), told(analysis)
