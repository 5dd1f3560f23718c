"""SARIF: the lockfile line is the primary place, the payload is related, and no refusal is without a result."""

import json
from typing import Any

import pytest

from lazaretto.app.rendering import RenderOptions
from lazaretto.outputs import sarif
from tests.contracts import reports


def results(case: str) -> list[dict[str, Any]]:
    run = json.loads(sarif.render(reports.CASES[case], RenderOptions()))["runs"][0]
    assert {result["ruleId"] for result in run["results"]} == {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    found: list[dict[str, Any]] = run["results"]
    return found


def test_lockfile_line_is_primary_and_payload_related() -> None:
    """A finding in a new dependency stands at the line of the user's own lockfile; its payload is related."""
    finding = next(one for one in results("blocked") if one["ruleId"] == "lifecycle-script-added")
    primary = finding["locations"][0]["physicalLocation"]
    related = [one["physicalLocation"] for one in finding["relatedLocations"]]

    assert primary == {"artifactLocation": {"uri": "package-lock.json"}, "region": {"startLine": 12}}
    assert related[0]["artifactLocation"] == {"uri": "npm/plain-dep/4.2.1/setup.js", "uriBaseId": "RELEASES"}
    assert related[0]["region"]["startLine"] == 3


@pytest.mark.parametrize("case", [name for name in reports.CASES if name != "nothing-found"])
def test_no_refusal_is_without_a_result(case: str) -> None:
    """Whoever shows results only sees each release that is refused and everything that was not checked."""
    told = results(case)
    named = {one["properties"]["purl"] for one in told if "properties" in one}
    refused = {update.purl for update in reports.CASES[case].updates if update.verdict != "allow"}

    assert refused <= named
    assert sum("not checked" in one["message"]["text"] for one in told) == len(reports.CASES[case].problems)


def test_nothing_found_is_no_result() -> None:
    """A permission is no result."""
    assert results("nothing-found") == []
