"""What nobody had thought of is held once it has been seen: with evidence at a line that is new."""

import pytest

from tests.evasion import ideas
from tests.evasion.cases import cases
from tests.evasion.specimen import Specimen, ask, refused, told


@pytest.mark.parametrize("specimen", cases(ideas.SPECIMENS))
def test_it_is_held_at_a_new_line(specimen: Specimen) -> None:
    """Each was missed when it was written."""
    analysis = ask(specimen)

    assert refused(specimen, analysis), told(analysis)


@pytest.mark.parametrize("specimen", cases(ideas.SPECIMENS, missed=True))
def test_what_is_known_to_be_missed(specimen: Specimen) -> None:
    """A known gap is better than an unknown one; a test that fails here is good news."""
    assert not refused(specimen, ask(specimen)), specimen.missed
