"""Text that nothing runs: documents, styles, markup, settings, licences; and the fall-back for any other text.

Dialects: ``text``; ``markup`` (HTML, SVG and what embeds scripts like them: the URLs of its scripts are literals, and
the scripts are read as code at their place); ``text:<ending>`` for text under the name of an image, font or the like.

## What it cannot see
Scripts of a template that become code only when it is filled in; transformations of XML (XSLT), entities that a
document defines itself, styles that load something; what a page loads from elsewhere, beside its URL. A script that is
not understood is no problem: no installation and no import runs it.
"""

import re
from collections.abc import Iterator
from functools import cache

from lazaretto.core.facts import MAX_VALUE, Fact, Facts, Kind, Moment, Span
from lazaretto.core.inner import Inner
from lazaretto.core.language import Claim, Units
from lazaretto.languages._addressed import addressed
from lazaretto.languages._hidden import hidden_text
from lazaretto.languages._magic import is_text
from lazaretto.languages._names import ASSETS, TEXT, ending
from lazaretto.languages._pages import scripts
from lazaretto.languages._utf16 import as_utf8, in_published

ID = "text"
VERSION = 3

_MARKUP = frozenset({"html", "htm", "xhtml", "svg", "vue", "svelte", "astro"})
DIALECTS = ("text", "markup", *(f"text:{name}" for name in sorted(ASSETS)))
"""Every dialect that ``read`` takes."""

MAX_LITERALS = 500
"""Most URLs taken from the scripts of one file."""

_WHOLE = Span(1, 0, 0, 0)


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read any text: by its ending, under a false name, or because nobody else knows it."""
    if not is_text(data):
        return None
    last = ending(path)
    if last in ASSETS and data:
        return Claim(f"text:{last}", 60)
    if last in _MARKUP:
        return Claim("markup", 50)
    return Claim("text", 50 if last in TEXT else 10)


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return what hides in the text; for markup the URLs of scripts; the false name. Never raises."""
    text = as_utf8(data)
    facts: list[Fact] = []
    name, _, false_name = dialect.partition(":")
    if false_name:
        what = "script" if data.startswith(b"#!") else "text"
        facts.append(Fact(Kind.BINARY, f"{what} named {false_name}", _WHOLE, Moment.LOAD))
    facts += hidden_text(text, natural=True)
    facts += addressed(text)
    if name == "markup":
        facts += _script_urls(text)
    return Facts(language=ID, facts=in_published(facts, text, data))


def inner(dialect: str, data: bytes, facts: Facts) -> Iterator[Inner]:
    """Yield the scripts of markup, to be read as what they are."""
    if dialect == "markup":
        yield from scripts(data)


def _script_urls(data: bytes) -> list[Fact]:
    """Return a literal for every absolute URL in a script element, its ``src`` or an event attribute."""
    facts: list[Fact] = []
    for script in _pattern(
        rb"(?is)<script\b.{0,500000}?(?:</script\s*>|$)|\bon[a-z]{3,20}\s*=\s*(?:\"[^\"]*|'[^']*)"
    ).finditer(data):
        for match in _pattern(rb"(?:https?|wss?)://[^\s\"'`<>\\)]{3,}").finditer(data, script.start(), script.end()):
            if len(facts) == MAX_LITERALS:
                return facts
            start, end = match.span()
            span = Span(data.count(b"\n", 0, start) + 1, start - data.rfind(b"\n", 0, start) - 1, start, end)
            value = match.group().decode("utf-8", "replace")[:MAX_VALUE]
            facts.append(Fact(Kind.LITERAL_URL, value, span, Moment.LOAD))
    return facts


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source)
