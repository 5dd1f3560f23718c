"""JavaScript with types of Flow, which no engine takes as it is: what a bundler strips, a second reading knows.

The grammar of TypeScript understands most of these types. Facts of both readings count, so that calling a file Flow
takes nothing away from what is seen in it: ``f<import("x")>(y)`` is a type to one of them and a call to the other.
"""

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from lazaretto.core.facts import Call, Facts, Flow, Link
from lazaretto.languages.javascript.reader import read_file

if TYPE_CHECKING:
    from lazaretto.core.language import Units

MAX_HEAD = 4096
"""Bytes at the start of a file in which it has to say that it is Flow; Flow itself looks at the first comments."""

_PRAGMA = re.compile(rb"@(?:no)?flow\b")
_OTHERWISE = (
    re.compile(rb"(?<=\{)\||\|(?=\})"),  # exact objects
    re.compile(rb"(?<=[{,;|\n])[ \t]*([+-])(?=\s*(?:[\w$]+\??|\[[^\]\n]*\])\s*:)"),  # variance
    re.compile(rb":[ \t]*[\w$]+([ \t]*=>[ \t]*[\w$.]+)(?=\s*[,;)={\n])"),  # a function of one argument
    re.compile(rb"\([\w$.]+([ \t]*:[ \t]*[\w$.]+)\)(?!\s*(?:=>|[:{]))"),  # a cast
    re.compile(rb"\bimport[ \t]+(typeof)(?=[ \t]+[\w$*{])"),
    re.compile(rb"\b(opaque)(?=[ \t]+type\b)"),
)
"""What only Flow has, and TypeScript does without: the first group, or all of it, becomes blanks."""


def read_again(data: bytes, facts: Facts, units: "Units") -> Facts:
    """Return the facts of a file that says that it is Flow, read with types if it is better understood with them."""
    if not _PRAGMA.search(data, 0, MAX_HEAD):
        return facts
    text = data
    for pattern in _OTHERWISE:
        text = pattern.sub(_blank, text)
    typed = min(
        (read_file("tsx", one, units) for one in dict.fromkeys((data, text))), key=lambda read: len(read.problems)
    )
    return _joined(facts, typed) if len(typed.problems) < len(facts.problems) else facts


def _blank(found: re.Match[bytes]) -> bytes:
    whole = found[0]
    start, end = found.span(1) if found.re.groups else found.span()
    first, last = start - found.start(), end - found.start()
    return b"%s%s%s" % (whole[:first], b" " * (last - first), whole[last:])


def _joined(plain: Facts, typed: Facts) -> Facts:
    """Return what either reading says, and what only the second did not understand."""
    facts = {fact: number for number, fact in enumerate(dict.fromkeys((*plain.facts, *typed.facts)))}
    ports = {port: number for number, port in enumerate(dict.fromkeys((*plain.ports, *typed.ports)))}
    flows: dict[Flow, None] = {}
    links: dict[Link, None] = {}
    calls: dict[Call, None] = {}
    for one in (plain, typed):

        def end(at: int, one: Facts = one) -> int:
            return facts[one.facts[at]] if at >= 0 else -1 - ports[one.ports[-1 - at]]

        flows |= dict.fromkeys(Flow(end(flow.source), end(flow.sink), flow.how) for flow in one.flows)
        links |= dict.fromkeys(Link(end(link.source), end(link.sink), link.pattern) for link in one.links)
        calls |= dict.fromkeys(Call(end(call.port), end(call.end)) for call in one.calls)
    return replace(
        typed, facts=tuple(facts), flows=tuple(flows), ports=tuple(ports), links=tuple(links), calls=tuple(calls)
    )
