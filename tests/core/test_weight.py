"""Weights of evidence add up, capped in correlated groups, never below zero."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.finding import Finding
from lazaretto.core.weight import Weight, WeightTable, weigh

TABLE = WeightTable(
    version="t",
    date="2026-01-01",
    status="test",
    weights={"a/x": Weight(10, "g"), "a/y": Weight(15, "g"), "b/x": Weight(7, "h")},
    caps={"g": 20},
)
FINDINGS = st.lists(st.sampled_from([Finding("a", "x", "", ()), Finding("a", "y", "", ()), Finding("b", "x", "", ())]))


def test_each_row_counts_once_and_groups_are_capped() -> None:
    """Ten findings of one row are one charge; correlated rows stop at the cap of their group."""
    findings = [Finding("a", "x", "", ())] * 10 + [Finding("a", "y", "", ()), Finding("b", "x", "", ())]
    charge = weigh(findings, TABLE)
    assert charge.groups == {"g": 20, "h": 7}
    assert charge.total == 27


@given(FINDINGS, FINDINGS)
def test_more_findings_never_weigh_less(some: list[Finding], more: list[Finding]) -> None:
    """Adding is monotonic."""
    assert weigh(some + more, TABLE).total >= weigh(some, TABLE).total


def test_a_row_that_is_missing_or_negative_is_an_error() -> None:
    """A finding that weighs nothing by accident would be a permission by accident."""
    with pytest.raises(KeyError):
        weigh([Finding("c", "x", "", ())], TABLE)
    credit = WeightTable("t", "d", "s", {"a/x": Weight(-1, "g")})
    with pytest.raises(ValueError, match="negative"):
        weigh([Finding("a", "x", "", ())], credit)
