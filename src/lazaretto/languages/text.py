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
from itertools import islice

from lazaretto.core.facts import Fact, Facts, Kind, Moment, Problem, Span, bounded
from lazaretto.core.inner import Inner
from lazaretto.core.language import Claim, Units
from lazaretto.languages._addressed import addressed
from lazaretto.languages._hidden import hidden_text
from lazaretto.languages._lines import Lines
from lazaretto.languages._magic import is_text
from lazaretto.languages._names import ASSETS, TEXT, ending
from lazaretto.languages._pages import scripts
from lazaretto.languages._utf16 import as_utf8, in_published

ID = "text"
VERSION = 4

_MARKUP = frozenset({"html", "htm", "xhtml", "svg", "vue", "svelte", "astro"})
DIALECTS = ("text", "markup", *(f"text:{name}" for name in sorted(ASSETS)))
"""Every dialect that ``read`` takes."""

MAX_LITERALS = 2000
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
    problems: tuple[Problem, ...] = ()
    if name == "markup":
        urls = list(islice(_script_urls(text), MAX_LITERALS + 1))
        facts += urls[:MAX_LITERALS]
        if len(urls) > MAX_LITERALS:
            reason = f"more than {MAX_LITERALS} addresses in the scripts of a page: not all are told"
            problems = (Problem(1, reason, unread=True),)
    return Facts(language=ID, facts=in_published(facts, text, data), problems=problems)


def inner(dialect: str, data: bytes, facts: Facts) -> Iterator[Inner | Problem]:
    """Yield the scripts of markup, to be read as what they are."""
    if dialect == "markup":
        yield from scripts(data)


def _script_urls(data: bytes) -> Iterator[Fact]:
    """Yield a literal for every absolute URL in a script element, its ``src`` or an event attribute, each once."""
    lines = Lines(data)
    known: set[bytes] = set()
    for first, last in _script_places(data):
        for match in _pattern(rb"(?:https?|wss?)://[^\s\"'`<>\\)]{3,}").finditer(data, first, last):
            if match[0] not in known:
                known.add(match[0])
                yield Fact(
                    Kind.LITERAL_URL,
                    bounded(match[0].decode("utf-8", "replace")),
                    lines.span(*match.span()),
                    Moment.LOAD,
                )


def _script_places(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where elements and event attributes begin and end, in their order; what never ends goes on to the end."""
    at = 0
    while (start := _pattern(rb"(?i)<script\b|\bon[a-z]{3,20}\s*=\s*(?=[\"'])").search(data, at)) is not None:
        if start[0][:1] == b"<":
            end = _pattern(rb"(?i)</script\s*>").search(data, start.end())
            at = end.end() if end else len(data)
        else:
            quote = data.find(data[start.end() : start.end() + 1], start.end() + 1)
            at = quote if quote >= 0 else len(data)
        yield start.start(), at


@cache
def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source)
