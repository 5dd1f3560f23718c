"""Keys under which spellings meet, package URLs, defanged addresses, and what may stand in a block list."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.exchange import (
    Collection,
    Told,
    active,
    defanged,
    emails_in,
    hosts_in,
    is_digest,
    key_of,
    package_of,
    purl_of,
    stricter,
    urls_in,
    usual_use,
)
from lazaretto.core.intel import Confidence, Indicator, IndicatorKind, Source, Tlp, Use
from lazaretto.core.values import blockable

NOW = datetime(2026, 3, 31, tzinfo=UTC)
DIGEST = "ab" * 32


def indicator(kind: IndicatorKind, value: str, use: Use = Use.BLOCK, **fields: object) -> Indicator:
    """Return an indicator of somebody who is sure."""
    return Indicator(kind, value, use, **{"confidence": Confidence.HIGH, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "value", "key"),
    [
        (IndicatorKind.PACKAGE, "pkg:npm/%40a/b@1.0.0?x=y#z", "package:npm/@a/b"),
        (IndicatorKind.PACKAGE, "pkg:npm/@a/b@1.0.0", "package:npm/@a/b"),
        (IndicatorKind.PACKAGE, "axios@1.14.1", ""),
        (IndicatorKind.SHA256, DIGEST.upper(), f"digest:{DIGEST}"),
        (IndicatorKind.DOMAIN, "Evil.Invalid.", "host:evil.invalid"),
        (IndicatorKind.IPV6, "[2001:DB8::1]", "host:2001:db8::1"),
        (IndicatorKind.URL, "HTTP://Evil.Invalid:80/A/", "url:http://evil.invalid:80/A"),
        (IndicatorKind.EMAIL, "A@Evil.Invalid", "email:a@evil.invalid"),
        (IndicatorKind.CIDR, "192.0.2.0/24", ""),
        (IndicatorKind.STRING, "OrDeR", ""),
    ],
)
def test_keys(kind: IndicatorKind, value: str, key: str) -> None:
    """Two spellings of one thing have one key; what cannot be looked up has none."""
    assert key_of(indicator(kind, value)) == key


@given(st.sampled_from(["npm", "pypi"]), st.text(min_size=1, max_size=30), st.text(max_size=20))
def test_any_name_comes_back_out_of_its_package_url(ecosystem: str, name: str, version: str) -> None:
    """Whatever a name holds, the package URL keeps it apart from the version."""
    if any("\ud800" <= sign <= "\udfff" for sign in name + version):
        return
    assert package_of(purl_of(ecosystem, name, version)) == (ecosystem, name, version)


def test_what_is_in_a_text() -> None:
    """Hosts with the names above them, addresses with a scheme, mailboxes."""
    text = "curl http://C2.Evil.invalid:8000/x and 192.0.2.7; mail Me@evil.invalid"
    assert list(hosts_in(text)) == ["c2.evil.invalid", "evil.invalid", "192.0.2.7", "evil.invalid"]
    assert list(urls_in(text)) == ["http://C2.Evil.invalid:8000/x"]
    assert list(emails_in(text)) == ["me@evil.invalid"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("hxxps://evil[.]invalid/a", "https://evil.invalid/a"),
        ("evil(.)invalid", "evil.invalid"),
        (" 192[.]0[.]2[.]1 ", "192.0.2.1"),
        ("a[@]evil.invalid", "a@evil.invalid"),
        ("http[:]//evil.invalid", "http://evil.invalid"),
    ],
)
def test_defanged(written: str, meant: str) -> None:
    """Reports spell addresses so that nobody clicks on them."""
    assert defanged(written) == meant


def test_what_whoever_imports_says_comes_first() -> None:
    """Its use and confidence count before the document's; a marking only ever gets stricter."""
    told = Told(Source("me"), Use.HUNT, Confidence.LOW, Tlp.AMBER)
    kept = told.applied(indicator(IndicatorKind.DOMAIN, "a.invalid", tlp=Tlp.GREEN))
    assert (kept.use, kept.confidence, kept.tlp, kept.sources) == (Use.HUNT, Confidence.LOW, Tlp.AMBER, (Source("me"),))
    spared = indicator(IndicatorKind.DOMAIN, "a.invalid", Use.DO_NOT_BLOCK)
    assert Told(Source("me"), Use.BLOCK).applied(spared).use is Use.DO_NOT_BLOCK, "--as block blocks no innocent"
    red = Told(Source("me")).applied(indicator(IndicatorKind.DOMAIN, "a.invalid", tlp=Tlp.RED, sources=(Source("x"),)))
    assert (red.use, red.confidence, red.tlp, red.sources) == (Use.BLOCK, Confidence.HIGH, Tlp.RED, (Source("x"),))
    assert stricter(Tlp.AMBER_STRICT, Tlp.AMBER) is Tlp.AMBER_STRICT


def test_usual_use_and_digests() -> None:
    """What is exact blocks, a host is to be hunted; a digest has its length."""
    assert usual_use(IndicatorKind.PACKAGE) is Use.BLOCK
    assert usual_use(IndicatorKind.DOMAIN) is Use.HUNT
    assert is_digest(IndicatorKind.SHA256, DIGEST)
    assert not is_digest(IndicatorKind.SHA1, DIGEST)
    assert not is_digest(IndicatorKind.SHA256, "z" * 64)
    assert not is_digest(IndicatorKind.DOMAIN, "ab")


def test_validity() -> None:
    """From the beginning on, and no longer at the end."""
    day = timedelta(days=1)
    assert active(indicator(IndicatorKind.DOMAIN, "a"), NOW)
    assert active(indicator(IndicatorKind.DOMAIN, "a", valid_from=NOW, valid_until=NOW + day), NOW)
    assert not active(indicator(IndicatorKind.DOMAIN, "a", valid_from=NOW + day), NOW)
    assert not active(indicator(IndicatorKind.DOMAIN, "a", valid_until=NOW), NOW)


USES = st.sampled_from(list(Use))


@given(st.lists(st.tuples(st.sampled_from(["a.invalid", "A.invalid", "b.invalid"]), USES, st.sampled_from(Confidence))))
def test_nothing_that_is_called_good_is_blocked(told: list[tuple[str, Use, Confidence]]) -> None:
    """A block list has what somebody sure tells to block, once, and nobody calls good."""
    found = [Indicator(IndicatorKind.DOMAIN, value, use, confidence) for value, use, confidence in told]
    listed = list(blockable(Collection("t", NOW, tuple(found))))
    keys = [key_of(one) for one in listed]
    assert len(keys) == len(set(keys))
    for one in listed:
        assert one.use is Use.BLOCK
        assert one.confidence in (Confidence.HIGH, Confidence.MEDIUM)
    spared = (Use.KNOWN_GOOD, Use.DO_NOT_BLOCK, Use.DO_NOT_USE)
    assert not {key_of(one) for one in found if one.use in spared} & set(keys)


def test_versions_of_a_package_are_told_apart() -> None:
    """One version called good keeps no other out of a list."""
    bad = indicator(IndicatorKind.PACKAGE, "pkg:npm/a@1.0.1")
    good = indicator(IndicatorKind.PACKAGE, "pkg:npm/a@1.0.0", Use.KNOWN_GOOD)
    path = indicator(IndicatorKind.FILE_PATH, "/tmp/ld.py")
    gone = indicator(IndicatorKind.PACKAGE, "pkg:npm/a@1.0.2", valid_until=NOW)
    assert list(blockable(Collection("t", NOW, (bad, good, path, gone)))) == [path, bad]
