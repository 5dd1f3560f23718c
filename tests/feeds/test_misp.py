"""MISP: attributes of events and of their objects, markings, galaxies."""

import json
from pathlib import Path
from typing import Any

import pytest

from lazaretto.core.advisory import FeedError
from lazaretto.core.exchange import Told, Unread
from lazaretto.core.intel import Alias, Confidence, Indicator, IndicatorKind, IntrusionSet, Source, Tlp, Use
from lazaretto.feeds import misp

SEEDS = Path(__file__).parents[1] / "contracts" / "feeds"
TOLD = Told(Source("somebody"))


def read(document: Any) -> list[Any]:
    """Read a document."""
    return list(misp.read(document if isinstance(document, bytes) else json.dumps(document).encode(), TOLD))


def event(*attributes: Any, **fields: Any) -> dict[str, Any]:
    """Return an event."""
    return {"Event": {"Attribute": list(attributes), **fields}}


def test_an_event() -> None:
    """Its attributes and those of its objects, one of two types twice, with the strictest marking."""
    found = read((SEEDS / "misp-event.json").read_bytes())
    indicators = [one for one in found if isinstance(one, Indicator)]
    assert [(one.kind.value, one.value, one.use.value) for one in indicators] == [
        ("domain", "c2.example.invalid", "hunt"),
        ("file-path", "setup.js", "hunt"),
        ("sha1", "d" * 40, "block"),
        ("ipv4", "192.0.2.7", "reference"),
        ("md5", "e" * 32, "block"),
    ]
    assert (indicators[0].tlp, indicators[1].tlp) == (Tlp.AMBER, Tlp.GREEN)
    assert indicators[0].confidence is Confidence.MEDIUM
    assert indicators[0].sources[0].name == "A CSIRT"
    (actor,) = (one for one in found if isinstance(one, IntrusionSet))
    assert (actor.name, actor.aliases) == ("Somebody", (Alias("Another Name"),))
    told = [(one.place, one.broken) for one in found if isinstance(one, Unread)]
    assert told == [("event 1 attribute 1", True), ("event 1 attribute 5", False), ("event 1 attribute 6", False)]


def test_a_galaxy() -> None:
    """Threat actors with their names and sources; other galaxies are of no use here."""
    told, actor = read((SEEDS / "misp-galaxy.json").read_bytes())
    assert told == Unread("cluster 1", "has no value")
    assert (actor.name, actor.motives, actor.sources[0].url) == ("Somebody", ("gain",), "https://vendor.invalid/report")
    (passed,) = read({"type": "ransomware", "values": []})
    assert not passed.broken
    (bare,) = read({"type": "threat-actor", "values": [{"value": "a", "meta": {"targeted-sector": ["x"]}}]})
    assert (bare.id, bare.targets, bare.sources[0].name) == ("a", ("x",), "MISP galaxy")


def test_several_events() -> None:
    """As a search answers them, or as a list; what is none is told."""
    one = {"type": "domain", "value": "a.invalid", "to_ids": True}
    assert len(read({"response": [event(one), event(one)]})) == 2
    assert [type(item) for item in read([event(one), 5])] == [Indicator, Unread]
    broken: list[Any] = [{}, [], {"response": []}, {"Event": {}}, b"{"]
    for document in broken:
        with pytest.raises(FeedError):
            read(document)


def test_attributes_that_are_odd() -> None:
    """No object, an empty value, a network, a marking that nobody knows."""
    odd, empty, network = read(
        event(
            5,
            {"type": "domain", "value": ""},
            {"type": "ip-dst", "value": "192.0.2.0/24", "Tag": [{"name": "tlp:unheard"}]},
        )
    )
    assert (odd.reason, empty.reason) == ("is no object", "is of type 'domain': has no value")
    assert (network.kind.value, network.tlp, network.use) == ("cidr", Tlp.AMBER, Use.REFERENCE)
    (long,) = read(event({"type": "mutex", "value": "x" * 5000}))
    assert "too long" in long.reason


def test_the_registry() -> None:
    """A key with the data below it stays one thing, and so does an object of key, name and data."""
    run = "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run"
    document = event(
        {"type": "regkey", "value": f"{run}\\Evil", "to_ids": True},
        {"type": "regkey|value", "value": f"{run}|C:\\x.exe", "to_ids": True},
        Object=[
            {
                "name": "registry-key",
                "Attribute": [
                    {"type": "regkey", "object_relation": "key", "value": run, "to_ids": True},
                    {"type": "text", "object_relation": "name", "value": name},
                    {"type": "text", "object_relation": "data", "value": data},
                    {"type": "text", "object_relation": "data", "value": "other", "deleted": True},
                    5,
                ],
            }
            for name, data in (("Evil", ""), ("Evil", "y"), ("", "z"))
        ],
    )
    found = [one for one in read(document) if isinstance(one, Indicator)]
    assert {one.kind for one in found} == {IndicatorKind.REGISTRY_VALUE}
    assert {one.use for one in found} == {Use.HUNT}
    assert [one.value.removeprefix(run) for one in found] == ["\\Evil", "|C:\\x.exe", "\\Evil", "\\Evil|y", "|z"]
