"""Collections that every form of sharing is asked to write: all kinds and uses, none, and hostile ones."""

from datetime import UTC, date, datetime

from hypothesis import strategies as st

from lazaretto.core.exchange import Collection, purl_of
from lazaretto.core.intel import (
    Alias,
    Campaign,
    Confidence,
    Indicator,
    IndicatorKind,
    IntrusionSet,
    Source,
    Tlp,
    Use,
)
from tests.contracts import reports

NOW = datetime(2030, 3, 31, 12, 0, tzinfo=UTC)
SOURCE = Source("A Vendor", "https://vendor.invalid/report", date(2030, 3, 31), "CC-BY-4.0")
PRODUCT = "lazaretto 0.1.0"
VALUES = {
    IndicatorKind.DOMAIN: "c2.example.invalid",
    IndicatorKind.URL: "http://c2.example.invalid:8000/6202033",
    IndicatorKind.URI_PATH: "/6202033",
    IndicatorKind.IPV4: "192.0.2.7",
    IndicatorKind.IPV6: "2001:db8::1",
    IndicatorKind.CIDR: "198.51.100.0/24",
    IndicatorKind.PORT: "8000/tcp",
    IndicatorKind.EMAIL: "me@example.invalid",
    IndicatorKind.SHA512: "a" * 128,
    IndicatorKind.SHA256: "b" * 64,
    IndicatorKind.SHA1: "c" * 40,
    IndicatorKind.MD5: "d" * 32,
    IndicatorKind.FILE_PATH: "%PROGRAMDATA%\\wt.exe",
    IndicatorKind.PACKAGE: "pkg:npm/%40scope/plain@1.0.1",
}


def value_of(kind: IndicatorKind) -> str:
    """Return a value of a kind."""
    return VALUES.get(kind, f"a value of kind {kind}")


def indicator(kind: IndicatorKind, use: Use, **fields: object) -> Indicator:
    """Return an indicator of a sure source."""
    known = {"confidence": Confidence.HIGH, "context": f"a {kind}", "campaign": "c-1", "sources": (SOURCE,), **fields}
    return Indicator(kind, value_of(kind), use, **known)  # type: ignore[arg-type]


WHOLE = Collection(
    PRODUCT,
    NOW,
    indicators=(
        *(indicator(kind, Use.BLOCK) for kind in IndicatorKind),
        *(
            Indicator(
                IndicatorKind.DOMAIN, f"{use.replace('_', '-')}.example.invalid", use, Confidence.LOW, tlp=Tlp.AMBER
            )
            for use in Use
        ),
        Indicator(
            IndicatorKind.PACKAGE, "pkg:pypi/plain", Use.BLOCK, Confidence.MEDIUM, valid_until=NOW.replace(year=2031)
        ),
    ),
    campaigns=(
        Campaign("c-1", "Plain", date(2030, 3, 30), date(2030, 3, 31), techniques=("T1195.002",), sources=(SOURCE,)),
    ),
    actors=(IntrusionSet("i-1", "Somebody", (Alias("Another Name", "A Vendor"),), techniques=("T1195.002",)),),
)
EMPTY = Collection(PRODUCT, NOW)


def hostile(text: str) -> Collection:
    """Return a collection in which every text is ``text``."""
    source = Source(text, text, None, text)
    return Collection(
        PRODUCT,
        NOW,
        tuple(
            Indicator(kind, text, Use.BLOCK, Confidence.HIGH, text, text, (source,)) for kind in IndicatorKind if text
        ),
        campaigns=(Campaign(text, text, date(2030, 3, 31), techniques=(text,), sources=(source,), note=text),),
        actors=(IntrusionSet(text, text, (Alias(text, text),), techniques=(text,), sources=(source,), note=text),),
    )


HOSTILE = (
    *(text for text in reports.HOSTILE if text != "\ud800"),  # no document and no table can hold half a pair
    "'] OR [url:value = 'x",
    "\\' OR '",
    '"; sid:1; content:"',
    '|41 42|"; pcre:"/x/',
    '" or true //',
    "a.invalid\nalert ip any any -> any any (sid:1;)",
    "- x\n  condition: true",
    "*?\\*",
    "+1+1",
    "@SUM(1)",
    "'=1",
)

_PLAIN = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Cc", "Cs", "Cf", "Zs"]), min_size=1
)
_LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
_HEX = st.sampled_from("0123456789abcdef")
_VALUES = {
    IndicatorKind.DOMAIN: st.lists(_LABEL, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "invalid"])),
    IndicatorKind.IPV4: st.ip_addresses(v=4).map(str),
    IndicatorKind.IPV6: st.ip_addresses(v=6).map(str),
    IndicatorKind.SHA512: st.text(_HEX, min_size=128, max_size=128),
    IndicatorKind.SHA256: st.text(_HEX, min_size=64, max_size=64),
    IndicatorKind.SHA1: st.text(_HEX, min_size=40, max_size=40),
    IndicatorKind.MD5: st.text(_HEX, min_size=32, max_size=32),
    IndicatorKind.PACKAGE: st.builds(
        purl_of, st.sampled_from(["npm", "pypi"]), _LABEL, _LABEL.map(lambda text: f"1.{text}")
    ),
    IndicatorKind.CIDR: st.just("198.51.100.0/24"),
    IndicatorKind.URL: _LABEL.map(lambda text: f"https://{text}.invalid/{text}"),
    IndicatorKind.EMAIL: _LABEL.map(lambda text: f"{text}@example.invalid"),
}
_INSTANTS = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - a zone follows
SOURCES = st.builds(
    Source, _PLAIN, _PLAIN | st.just(""), st.none() | st.dates(date(2020, 1, 1), date(2040, 1, 1)), _PLAIN | st.just("")
)


@st.composite
def indicators(draw: st.DrawFn) -> Indicator:
    """Draw an indicator whose value can be one of its kind."""
    kind = draw(st.sampled_from(list(IndicatorKind)))
    return Indicator(
        kind=kind,
        value=draw(_VALUES.get(kind, _PLAIN)),
        use=draw(st.sampled_from(list(Use))),
        confidence=draw(st.sampled_from(list(Confidence))),
        context=draw(_PLAIN | st.just("")),
        campaign=draw(_PLAIN | st.just("")),
        sources=tuple(draw(st.lists(SOURCES, min_size=1, max_size=2, unique_by=lambda one: one.name))),
        tlp=draw(st.sampled_from(list(Tlp))),
        valid_from=draw(_INSTANTS),
        valid_until=draw(_INSTANTS),
    )


COLLECTIONS = st.lists(indicators(), max_size=5, unique_by=lambda one: (one.kind, one.value)).map(
    lambda found: Collection(PRODUCT, NOW, tuple(found))
)
