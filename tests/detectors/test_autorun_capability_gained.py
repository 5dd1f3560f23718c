"""Another of a kind that the line has: what counts at all, and how little."""

from lazaretto.core.facts import Kind, Reach
from lazaretto.detectors.autorun_capability_gained import detect
from tests.detectors.updates import fact, update, view


def _variants(before: str, after: str, reach: Reach = Reach.INSTALL) -> list[str]:
    old = view({"a.js": "1"}, {"a.js": [fact(Kind.PROCESS_SPAWN, before)]}, {"a.js": reach})
    new = view({"a.js": "2"}, {"a.js": [fact(Kind.PROCESS_SPAWN, after)]}, {"a.js": reach})
    return [finding.variant for finding in detect(update(old, new))]


def test_another_command_at_installation() -> None:
    """It is told, since it runs by itself; a version number in it makes no other command; at import it is old news."""
    assert _variants("tool --check", "tool --fetch") == ["more-at-install"]
    assert _variants("tool-1.0.0 --check", "tool-1.2.1 --check") == []
    assert _variants("tool --check", "tool --fetch", Reach.IMPORT) == []


def test_an_easier_reach_is_a_new_kind() -> None:
    """What was started when the package was imported is now started at installation."""
    old = view({"a.js": "1"}, {"a.js": [fact(Kind.PROCESS_SPAWN, "x")]}, {"a.js": Reach.IMPORT})
    new = view({"a.js": "1"}, {"a.js": [fact(Kind.PROCESS_SPAWN, "x")]}, {"a.js": Reach.INSTALL})

    assert [finding.variant for finding in detect(update(old, new))] == ["spawn-at-install"]
    assert list(detect(update(new, old))) == []
