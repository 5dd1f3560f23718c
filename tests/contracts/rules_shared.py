"""What reads rules of Suricata and of Sigma, as others wrote it: nothing of it is ours, and nothing of ours needs it.

surinort-ast has a grammar of Suricata's rules, pySigma is the reader of Sigma's own project. Neither is Suricata, which
alone knows which keyword goes with which: what surinort-ast does not know by name is listed here.
"""

from functools import cache
from typing import Any

from sigma.backends.test.backend import TextQueryTestBackend
from sigma.collection import SigmaCollection
from sigma.plugins import InstalledSigmaPlugins
from sigma.validation import SigmaValidator
from surinort_ast import parse_rule
from surinort_ast.core import nodes

BUFFERS = frozenset({"dns.query", "tls.sni", "http.host", "http.uri"})
"""The parts of a connection that our rules look at (Suricata's documentation, *sticky buffers*)."""

TRANSFORMS = frozenset({"dotprefix"})
"""What is done to such a part before it is compared, which the grammar takes for any word."""


def rule_of(line: str) -> Any:
    """Return a rule of Suricata, read; each comparison is with a part of the connection that was named before it."""
    rule = parse_rule(line)
    looked_at = ""
    for one in rule.options:
        if isinstance(one, nodes.BufferSelectOption):
            looked_at = one.buffer_name
            assert looked_at in BUFFERS, line
        elif isinstance(one, nodes.GenericOption):
            assert one.keyword in TRANSFORMS, line
        assert looked_at or not isinstance(one, nodes.ContentOption), line
        # the buffer is in lower case already, and Suricata refuses to be told so
        assert not (isinstance(one, nodes.NocaseOption) and looked_at == "http.host"), line
    return rule


def compared(line: str) -> list[tuple[str, bytes]]:
    """Return what a rule of Suricata compares with what: the part of the connection, and the bytes."""
    found, looked_at = [], ""
    for one in rule_of(line).options:
        if isinstance(one, nodes.BufferSelectOption):
            looked_at = one.buffer_name
        elif isinstance(one, nodes.ContentOption):
            found.append((looked_at, one.pattern))
    return found


_NOT_ASKED = frozenset({"escaped_wildcard", "wildcards_instead_of_modifiers"})
"""Checks that ask whether a wildcard, or that it is none, is meant: it is."""


@cache
def _checks() -> tuple[Any, ...]:
    """Return the checks of pySigma, without those of tags, which ask the network what tags there are."""
    known = InstalledSigmaPlugins.autodiscover().validators
    return tuple(one for name, one in known.items() if name not in _NOT_ASKED and ".tags" not in one.__module__)


def queries(text: str) -> list[str]:
    """Return the query that pySigma makes of each rule of a text, in the language of its own tests."""
    collection: Any = SigmaCollection.from_yaml(text)
    issues = [str(one) for one in SigmaValidator(_checks()).validate_rules(collection)]
    assert not issues, issues
    assert len({rule.id for rule in collection}) == len(collection)
    return [query for rule in collection for query in TextQueryTestBackend().convert_rule(rule)]
