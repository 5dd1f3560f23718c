"""Text that nothing runs: hidden characters, scripts of markup, false names."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.facts import Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import binary, data, text
from lazaretto.languages._hidden import FAR, hidden_text


def hidden(content: str, *, natural: bool = False) -> list[str | None]:
    """Return the ways in which a text hides something."""
    return [fact.value for fact in hidden_text(content.encode(), natural=natural)]


def kinds(dialect: str, content: bytes) -> list[tuple[Kind, str | None]]:
    """Return what a file says, as (kind, value)."""
    return [(fact.kind, fact.value) for fact in text.read(dialect, content, NoUnits()).facts]


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("README.md", b"# x", ("text", 50)),
        ("LICENSE", b"x", ("text", 10)),
        ("odd.xyz", "é".encode("latin-1"), ("text", 10)),
        ("a.html", b"<p>", ("markup", 50)),
        ("logo.svg", b"<svg>", ("markup", 50)),
        ("logo.png", b"text", ("text:png", 60)),
        ("logo.png", b"", ("text", 10)),
        ("a.txt", b"\xff\xfea\0", ("text", 50)),
        ("a.txt", b"\0\1\2", None),
    ],
)
def test_claims_any_text(path: str, content: bytes, expected: tuple[str, int] | None) -> None:
    """Any text is taken, at the lowest rank if nothing else is known of it; bytes that are no text are not."""
    claim = text.claim(path, content)
    assert (claim and (claim.dialect, claim.rank)) == expected


@given(
    path=st.sampled_from(
        ["a", "a.txt", "b.png", "c.json", "d.bin", "e.svg", "f.gz", "g.ttf", "h.md", "LICENSE", "i.map"]
    ),
    content=st.binary(max_size=200)
    | st.sampled_from([b"\x7fELF\0", b"\x89PNG\r\n\x1a\n\0", b"GIF89a\0\0", b"%PDF-1.4\n\0", b"PK\x03\x04"]),
)
def test_every_file_is_claimed(path: str, content: bytes) -> None:
    """Between text, data and binary no file is left to nobody, and reading it raises nothing."""
    claims = [(module, module.claim(path, content)) for module in (text, data, binary)]
    taken = [(module, claim) for module, claim in claims if claim]
    assert taken
    for module, claim in taken:
        assert claim.dialect in module.DIALECTS
        module.read(claim.dialect, content, NoUnits())


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a\u202eb", ["bidi"]),
        ("a\u2066b", ["bidi"]),
        ("a\u200bb", ["zero-width"]),
        ("a\u200db", ["zero-width"]),
        ("\ufeffa", []),
        ("'\u200b'", []),
        ("g(/\\//g, '\u200b/')", []),
        ("'" + "\u200b\u200c" * 2 + "'", ["zero-width"]),
        ("x \U000e0041\U000e0042", ["tag-characters"]),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", []),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", []),
        ("\u2764\ufe0f", []),
        ("a" + "\ufe01" * 4, ["variation-selectors"]),
        ("a" + "\U000e0101" * 9, ["variation-selectors"]),
        ("var \u3164 = 1", ["filler"]),
        ("x;" + " " * FAR + "evil()", ["far-right"]),
        ("x;" + " " * FAR + "\n", []),
        ("naïve “quotes” 日本語", []),
    ],
)
def test_hidden_text_in_code(content: str, expected: list[str]) -> None:
    """Code has no use for invisible characters, save joined emoji and the mark at the beginning."""
    assert hidden(content) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("עברית \u200f(\u200e)", []),
        ("\u0645\u06cc\u200c\u062e\u0648", []),
        ("\u2067عربي\u2069 text", []),
        ("\u2067open", ["bidi"]),
        ("\u202eoverride\u202c", ["bidi"]),
        ("a\u200bb", []),
        ("a" + "\u200b" * 8, ["zero-width"]),
        ("a" + "\ufe01" * 4, []),
        ("a" + "\ufe01" * 8, ["variation-selectors"]),
        ("\U000e0041", ["tag-characters"]),
        ("|" + " " * FAR + "|", []),
    ],
)
def test_hidden_text_in_natural_language(content: str, expected: list[str]) -> None:
    """Scripts written from right to left and joined letters are not suspicious; overrides, tags and runs are."""
    assert hidden(content, natural=True) == expected


def test_hidden_text_has_its_place() -> None:
    """The fact points at the line and the byte, once per line and way."""
    facts = hidden_text("a\nbé\u202e\u202e".encode())
    assert [(fact.span.line, fact.span.column, fact.span.start) for fact in facts] == [(2, 3, 5)]


def test_urls_of_markup_scripts_are_literals() -> None:
    """The source of a script element, and addresses inside it or in an event attribute, are told; links are not."""
    page = b"""<a href="https://link.invalid/">x</a><script src='https://a.invalid/x.js'></script>
<svg onload="fetch('https://b.invalid/y')"><script>ws("wss://c.invalid")</script>"""
    assert kinds("markup", page) == [
        (Kind.LITERAL_URL, "https://a.invalid/x.js"),
        (Kind.LITERAL_URL, "https://b.invalid/y"),
        (Kind.LITERAL_URL, "wss://c.invalid"),
    ]
    assert kinds("text", page) == []


def test_text_under_a_false_name() -> None:
    """Text or a script under the name of an image is a fact."""
    assert kinds("text:png", b"hello") == [(Kind.BINARY, "text named png")]
    assert kinds("text:png", b"#!/bin/sh\n") == [(Kind.BINARY, "script named png")]


def test_blank_columns_are_read_in_one_pass() -> None:
    """Long runs of blanks that lead to nothing cost what they weigh, not the square of it."""
    data = (b" " * 5000 + b"\n") * 200
    start = time.perf_counter()

    assert hidden_text(data) == ()
    assert time.perf_counter() - start < 2
