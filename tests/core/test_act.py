"""An act as the chain seals it."""

from datetime import datetime

import pytest

from lazaretto.core.act import Act, content


def test_an_act_needs_to_know_its_zone() -> None:
    """A time without a zone would be another one on another machine."""
    with pytest.raises(ValueError, match="time zone"):
        content(Act(datetime(2026, 1, 1), "ada", "allow", "x", "y"))  # noqa: DTZ001 - on purpose
