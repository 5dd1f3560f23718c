"""STIX: which patterns come to values, and what an object's markings, makers and labels make of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.advisory import FeedError
from lazaretto.core.exchange import Told, Unread
from lazaretto.core.intel import Alias, Campaign, Confidence, Indicator, IndicatorKind, IntrusionSet, Source, Tlp, Use
from lazaretto.feeds import stix
from lazaretto.feeds._stix_pattern import MAX_ALTERNATIVES, PatternError, alternatives, quoted
from lazaretto.outputs._quote import stix_text

SEEDS = Path(__file__).parents[1] / "contracts" / "feeds"
TOLD = Told(Source("somebody", licence="a licence"))
SHA = "a" * 64


def read(*objects: dict[str, Any]) -> list[Any]:
    """Read a bundle of some objects."""
    return list(stix.read(json.dumps({"type": "bundle", "objects": objects}).encode(), TOLD))


def indicator(pattern: str, **fields: Any) -> dict[str, Any]:
    """Return an indicator as others make one."""
    return {"type": "indicator", "id": f"indicator--{fields.pop('n', 1)}", "pattern": pattern, **fields}


def values(pattern: str, **fields: Any) -> list[tuple[IndicatorKind, str]]:
    """Return what a pattern comes to; nothing for what is told as not read."""
    return [(one.kind, one.value) for one in read(indicator(pattern, **fields)) if isinstance(one, Indicator)]


def test_a_whole_bundle() -> None:
    """Values with their source, marking, validity and campaign; the campaign, and who is behind it."""
    found = list(stix.read((SEEDS / "stix-bundle.json").read_bytes(), TOLD))
    domain, address, network, package = (one for one in found if isinstance(one, Indicator))
    assert (domain.kind, domain.value, domain.use) == (IndicatorKind.DOMAIN, "c2.example.invalid", Use.HUNT)
    assert (domain.confidence, domain.tlp, domain.campaign) == (Confidence.HIGH, Tlp.GREEN, "Plain")
    (source,) = domain.sources
    assert (source.name, source.url, source.licence) == ("A Vendor", "https://vendor.invalid/report", "a licence")
    assert domain.valid_until is not None
    assert domain.context == "command server"
    assert [(one.kind, one.value) for one in (address, network)] == [
        (IndicatorKind.IPV4, "192.0.2.7"),
        (IndicatorKind.CIDR, "198.51.100.0/24"),
    ]
    assert (package.kind, package.value, package.use) == (
        IndicatorKind.PACKAGE,
        "pkg:npm/plain-example@1.0.1",
        Use.BLOCK,
    )
    assert package.sources[0].name == "somebody"
    (campaign,) = (one for one in found if isinstance(one, Campaign))
    assert (campaign.name, str(campaign.first_seen)) == ("Plain", "2030-03-31")
    (actor,) = (one for one in found if isinstance(one, IntrusionSet))
    assert actor.aliases == (Alias("Another Name", "somebody"),)
    assert actor.motives == ("personal-gain",)
    told = [(one.broken, one.reason) for one in found if isinstance(one, Unread)]
    assert (True, "the pattern compares with '>', which tells no value") in told
    assert (False, "is revoked") in told
    assert (False, "1 of type malware are of no use here") in told


REGISTRY = (
    r"[windows-registry-key:values[0].data = 'C:\\x.exe' AND windows-registry-key:key = 'HKEY_CURRENT_USER\\Run'"
    " AND windows-registry-key:values[0].name = 'Evil' AND windows-registry-key:values[0].data_type = 'REG_SZ']"
)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[url:value='https://a.invalid/x']", [(IndicatorKind.URL, "https://a.invalid/x")]),
        (f"[file:hashes.'SHA-256' = '{SHA}' AND file:name = 'x']", [(IndicatorKind.SHA256, SHA)]),
        (
            r"[file:name = 'wt.exe' AND file:parent_directory_ref.path = 'C:\\Data']",
            [(IndicatorKind.FILE_PATH, "C:\\Data\\wt.exe")],
        ),
        ("[file:name = 'x']", [(IndicatorKind.FILE_PATH, "x")]),
        ("([mutex:name = 'm'])", [(IndicatorKind.MUTEX, "m")]),
        ("[(mutex:name = 'm' OR mutex:name = 'n')]", [(IndicatorKind.MUTEX, "m"), (IndicatorKind.MUTEX, "n")]),
        ("[network-traffic:dst_port = 8000]", [(IndicatorKind.PORT, "8000")]),
        (
            "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'x']",
            [(IndicatorKind.USER_AGENT, "x")],
        ),
        (r"[mutex:name = 'it\'s \\ one']", [(IndicatorKind.MUTEX, "it's \\ one")]),
        ("[ipv6-addr:value = '2001:db8::1']", [(IndicatorKind.IPV6, "2001:db8::1")]),
        (
            r"[windows-registry-key:key = 'HKEY_CURRENT_USER\\Software\\Evil']",
            [(IndicatorKind.REGISTRY_VALUE, r"HKEY_CURRENT_USER\Software\Evil")],
        ),
        (
            r"[windows-registry-key:key = 'HKEY_CURRENT_USER\\Run\\' AND windows-registry-key:values[*].name = 'Evil']",
            [(IndicatorKind.REGISTRY_VALUE, r"HKEY_CURRENT_USER\Run\Evil")],
        ),
        (
            REGISTRY,
            [(IndicatorKind.REGISTRY_VALUE, r"HKEY_CURRENT_USER\Run\Evil|C:\x.exe")],
        ),
    ],
)
def test_patterns_that_come_to_values(pattern: str, expected: list[tuple[IndicatorKind, str]]) -> None:
    """Comparisons by equality, alternatives of them, and joined ones that together are one value."""
    assert values(pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("[domain-name:value LIKE '%.invalid']", "compares with 'LIKE'"),
        ("[domain-name:value NOT = 'a']", "compares with 'NOT'"),
        ("[domain-name:value = 'a.invalid'] FOLLOWEDBY [url:value = 'b']", "more than values: 'FOLLOWEDBY'"),
        ("[domain-name:value = 'a.invalid'] AND [url:value = 'b']", "more than values: 'AND'"),
        ("[domain-name:value = 'a.invalid'] REPEATS 5 TIMES", "more than values"),
        ("[domain-name:value = 'a.invalid' AND network-traffic:dst_port = 1]", "joins conditions"),
        ("[software:name = 'a' AND software:version = '1']", "no registry"),
        ("[windows-registry-key:values[*].name = 'a']", "nothing is known"),
        (
            REGISTRY.replace("].data_type", "].name"),
            "joins conditions",
        ),
        ("[x-odd:value = 'a']", "nothing is known"),
        ("[domain-name:value = 'a b']", "is no name of a host"),
        ("[mutex:name = '']", "is empty"),
        ("[domain-name:value = ", "must have a text or a number"),
        ("[domain-name:value = 'a'", "lacks ']'"),
        ("domain-name:value = 'a'", "lacks '['"),
        ("['a' = 'b']", "must name a property"),
        ("[mutex:name IN 'a']", "lacks '('"),
        ("[mutex:name = ;]", "cannot be read at character 14"),
        ("", "lacks '['"),
        ("(" * 60, "nested too deeply"),
        ("[" + "(" * 60, "nested too deeply"),
        ("[a:b = '" + "x" * 20_000 + "']", "longer than"),
    ],
)
def test_what_comes_to_no_value_is_told(pattern: str, reason: str) -> None:
    """With the place and why."""
    (told,) = read(indicator(pattern))
    assert isinstance(told, Unread)
    assert told.broken
    assert told.place == "object 1 indicator--1"
    assert reason in told.reason


def test_alternatives_are_bounded() -> None:
    """Joined alternatives multiply; beyond a bound they are refused."""
    either = "(" + " OR ".join("a:b = 'x'" for _ in range(40)) + ")"
    with pytest.raises(PatternError, match="alternatives"):
        alternatives(f"[{either} AND {either}]")
    listed = ", ".join("'x'" for _ in range(MAX_ALTERNATIVES + 1))
    with pytest.raises(PatternError, match="alternatives"):
        alternatives(f"[a:b IN ({listed})]")
    whole = " OR ".join("[a:b = 'x']" for _ in range(MAX_ALTERNATIVES + 1))
    with pytest.raises(PatternError):
        alternatives(whole)


@given(st.text(max_size=60))
def test_any_text_can_be_a_literal(text: str) -> None:
    """Whatever a value holds, the pattern compares with it and with nothing else."""
    assert alternatives(f"[mutex:name = {stix_text(text)}]") == [(("mutex:name", text),)]
    assert quoted(text) == stix_text(text)


@pytest.mark.parametrize(
    ("labels", "use"),
    [([], Use.BLOCK), (["malicious-activity"], Use.BLOCK), (["benign"], Use.KNOWN_GOOD), (["unknown"], Use.HUNT)],
)
def test_what_it_is_called_says_what_it_is_good_for(labels: list[str], use: Use) -> None:
    """Of STIX 2.1 the types of an indicator, of 2.0 its labels."""
    for name in ("indicator_types", "labels"):
        (found,) = read(indicator(f"[file:hashes.MD5 = '{'a' * 32}']", **{name: labels}))
        assert found.use is use


def test_markings() -> None:
    """The strictest counts; an unknown one counts as amber, one that the bundle defines as what it says."""
    pattern = "[mutex:name = 'm']"
    own = {"type": "marking-definition", "id": "marking-definition--1", "definition": {"tlp": "red"}}
    for refs, tlp in (
        (["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"], Tlp.CLEAR),
        (["marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "nobody's"], Tlp.AMBER),
        (["marking-definition--1"], Tlp.RED),
    ):
        found = [one for one in read(own, indicator(pattern, object_marking_refs=refs)) if isinstance(one, Indicator)]
        assert [one.tlp for one in found] == [tlp]


def test_the_latest_version_counts() -> None:
    """Of two objects with one identifier."""
    found = read(
        indicator("[mutex:name = 'new']", modified="2030-01-02T00:00:00Z"),
        indicator("[mutex:name = 'old']", modified="2030-01-01T00:00:00Z"),
    )
    assert [one.value for one in found] == ["new"]


def test_what_is_no_object_and_no_bundle() -> None:
    """An object without a type is told; a document without objects is refused."""
    (told,) = read({"id": "x"})
    assert told == Unread("object 1", "has no type and identifier")
    (snort,) = read(indicator("alert", pattern_type="snort"))
    assert (snort.broken, snort.reason) == (False, "its pattern is of type snort")
    (timeless,) = read({"type": "campaign", "id": "campaign--1", "name": "c"})
    assert timeless.reason == "tells no time"
    for data in (b"[]", b"{}", b'{"objects": {}}', b"\xff", b"{"):
        with pytest.raises(FeedError):
            list(stix.read(data, TOLD))


def test_our_own_extension_is_checked_as_anything_else() -> None:
    """A value that is none, and a note of others."""
    from lazaretto.core.stix import EXTENSION

    own = {"kind": "sha256", "value": "short", "use": "block"}
    (told,) = read({"type": "note", "id": "note--1", "extensions": {EXTENSION: own}})
    assert told.reason == "is no sha256"
    (told,) = read({"type": "note", "id": "note--1", "extensions": {EXTENSION: {}}})
    assert "is missing" in told.reason
    (told,) = read({"type": "note", "id": "note--1", "content": "x"})
    assert told.reason == "1 of type note are of no use here"
