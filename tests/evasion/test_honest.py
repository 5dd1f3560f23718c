"""What honest maintainers ship is let through: as an update, and where it is the first release that anybody sees."""

import pytest
from msgspec.structs import replace

from lazaretto.core.policy import Outcome
from tests.evasion import honest
from tests.evasion.cases import cases
from tests.evasion.specimen import Specimen, ask, told


@pytest.mark.parametrize("specimen", cases(honest.SPECIMENS))
def test_an_update_is_let_through(specimen: Specimen) -> None:
    """Its line never did this before, and it is no attack."""
    analysis = ask(specimen)

    assert analysis.outcome is Outcome.ALLOW, told(analysis)


@pytest.mark.parametrize("specimen", cases(honest.SPECIMENS))
def test_a_first_release_is_let_through(specimen: Specimen) -> None:
    """There is no line to compare with, and it is no attack either."""
    analysis = ask(replace(specimen, before={}))

    assert analysis.outcome is Outcome.ALLOW, told(analysis)
