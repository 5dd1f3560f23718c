"""The firewall obeys what was imported: on the page, by the address, and as readings see it."""

from pathlib import Path

import pytest

from lazaretto.app.intelligence.ports import Taken
from lazaretto.core.intel import IndicatorKind, Use
from lazaretto.infra.intelligence import SqliteIntelligence
from tests.app.test_intelligence import NORMAL
from tests.contracts.collections_shared import NOW
from tests.core.test_exchange import indicator
from tests.surfaces.firewall.street import street


def imported(folder: Path, purl: str, use: Use = Use.BLOCK) -> None:
    """Put an indicator into the book of a service that is to be started."""
    (folder / "state").mkdir(parents=True, exist_ok=True)
    book = SqliteIntelligence(folder / "state", NORMAL)
    book.replace(Taken("partner", "lists", "x.csv", NOW), [indicator(IndicatorKind.PACKAGE, purl, use)])
    book.close()


@pytest.mark.parametrize(("use", "served"), [(Use.BLOCK, 403), (Use.HUNT, 200)])
def test_a_release_that_is_to_be_blocked_is_not_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: Use, served: int
) -> None:
    """Though it has been public for years: it vanishes from the page, and its address says why."""
    imported(tmp_path, "pkg:npm/thing@1.0.0", use)
    with street(tmp_path, monkeypatch) as made:
        made.upstream.npm("thing", "0.9.0", age=400)
        made.upstream.npm("thing", "1.0.0", age=300)
        page = made.ask("/npm/thing").body
        answer = made.ask("/npm/thing/-/thing-1.0.0.tgz")
        assert answer.status == served
        assert (b'"1.0.0"' in page) is (served == 200)
        if served == 403:
            assert b"is to be blocked" in answer.body
        assert made.ask("/npm/thing/-/thing-0.9.0.tgz").status == 200
