"""Pages in sheets: whatever changes, what is sent is the whole page, and only what changed is made anew."""

import gzip
import json
from collections.abc import Sequence
from hashlib import sha256
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.app.ports import Ecosystem, IndexPage
from lazaretto.app.shelf import View
from lazaretto.core.firewall_policy import FirewallPolicy
from lazaretto.core.model import Project
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.page_standing import PageStanding
from lazaretto.core.view import PageView
from lazaretto.ecosystems import npm
from lazaretto.surfaces.firewall import press
from lazaretto.surfaces.firewall.press import Press, Printed

ECOSYSTEM = cast("Ecosystem", npm.ECOSYSTEM)
NAME, BASE = ProjectName("thing"), "http://gate.invalid"
VERSIONS = tuple(f"1.{number}.0" for number in range(60))


def page(*texts: str) -> IndexPage:
    """Return a packument of some 200 kB."""
    noise = [sha256(text.encode()).hexdigest() for text in VERSIONS]
    versions = {
        text: {"name": "thing", "dist": {"tarball": f"https://x.invalid/thing-{text}.tgz"}, "noise": noise}
        for text in texts
    }
    time = {text: f"2026-01-01T00:00:{number:02}Z" for number, text in enumerate(texts)}
    body = json.dumps({"name": "thing", "dist-tags": {"latest": texts[-1]}, "versions": versions, "time": time})
    return IndexPage(body.encode(), "application/json", "https://x.invalid/thing")


def printed(by: Press, of: IndexPage, hidden: Sequence[str], form: str = "full") -> tuple[Printed, bytes]:
    """Return the page without some versions, and what the ecosystem prints of it in one go."""
    shown = {f"thing-{text}.tgz": Version(text) for text in VERSIONS if text not in hidden}
    seen = PageView(shown, lambda filename: f"{BASE}/npm/thing/-/{filename}")
    standing = PageStanding({}, frozenset(hidden), frozenset(), {})
    view = View(of, Project("npm", NAME, (), {}), standing, FirewallPolicy(), repr((id(of), sorted(hidden))))
    plain = ECOSYSTEM.render(NAME, of.body, of.media_type, seen, form)
    return by.print(ECOSYSTEM, view, form, BASE, seen), plain


@settings(max_examples=30)
@given(st.lists(st.sets(st.sampled_from(VERSIONS)), min_size=1, max_size=5), st.sampled_from(sorted(ECOSYSTEM.FORMS)))
def test_a_page_is_whole_whatever_was_printed_before(turns: list[set[str]], form: str) -> None:
    """Both forms that are sent hold the page as it is printed in one go, and its tag speaks of its bytes alone."""
    by, of = Press(), page(*VERSIONS)
    tags: dict[str, bytes] = {}
    for hidden in turns:
        found, plain = printed(by, of, sorted(hidden), form)
        assert found.body == plain
        assert not found.zipped or gzip.decompress(found.zipped) == plain
        assert tags.setdefault(found.etag, plain) == plain
        assert printed(Press(), of, sorted(hidden), form)[0].zipped == found.zipped


def test_what_did_not_change_is_not_made_anew() -> None:
    """One version less costs its own sheet, the one that is compressed after it, and those with tags and times."""
    by, of = Press(), page(*VERSIONS)
    before, after = (printed(by, of, hidden)[0].sheets for hidden in ([], ["1.20.0"]))

    assert len(before) == len(after) > 5
    assert sum(old is not new for old, new in zip(before, after, strict=True)) <= 3


def test_a_longer_page_keeps_what_it_began_with() -> None:
    """A release that is added leaves the sheets of all that came before it, though the page came anew."""
    by = Press()
    before = printed(by, page(*VERSIONS[:-1]), [])[0].sheets
    after = printed(by, page(*VERSIONS), [])[0].sheets

    assert len(before) > 6
    assert all(old is new for old, new in zip(before[2:-2], after[2:], strict=False))


def test_compression_in_sheets_costs_little() -> None:
    """The compressed page is hardly longer than if it had been compressed as a whole."""
    found, plain = printed(Press(), page(*VERSIONS), [])

    assert len(found.zipped) < 1.05 * len(gzip.compress(plain, 5))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest unused pages and plates go first."""
    by, of = Press(), page(*VERSIONS)
    one = printed(by, of, [])[0]
    monkeypatch.setattr(press, "MAX_PRINTED_BYTES", 3 * one.cost)
    monkeypatch.setattr(press, "MAX_PLATE_BYTES", 1)
    for text in VERSIONS[:10]:
        printed(by, of, [text])
        printed(by, of, [text], "abbreviated")

    assert by._printed_bytes == sum(kept.cost for kept in by._printed.values()) <= 3 * one.cost
    assert len(by._plates) == 1
    assert by._plate_bytes == len(of.body)
