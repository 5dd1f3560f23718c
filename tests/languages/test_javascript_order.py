"""Files do not know of each other: what was read before changes nothing (same input, same facts)."""

from lazaretto.core.facts import Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import javascript

PIPES = b"const https = require('https');\nhttps.get('https://a.invalid', (r) => r.pipe(somewhere));\n"
XHR = b"const x = unknownThing();\nXMLHttpRequest.prototype.open.call(x, 'GET', u);\n"
LOADS = b"import(maybe);\nrequire(other);\nfetch(unknown);\n"


def test_what_was_read_before_changes_nothing() -> None:
    """A value that one file taints is not the unknown value of the next."""
    files = [PIPES, XHR, LOADS]
    alone = [javascript.read("javascript", data, NoUnits()) for data in files]
    for first in files:
        javascript.read("javascript", first, NoUnits())
        assert [javascript.read("javascript", data, NoUnits()) for data in files] == alone
    assert all(facts.complete for facts in alone)


def test_a_declaration_that_the_grammar_does_not_know_is_no_problem() -> None:
    """Compilers write forms that the grammar lacks; nothing runs them, unless code loads the file."""
    odd = b"export default function (\n\tdirectory: string,\n): void;\nexport = x;\n"
    assert javascript.claim("index.d.mts", odd) is not None
    assert javascript.read("declaration", odd, NoUnits()).complete
    assert not javascript.read("typescript", odd, NoUnits()).complete


def test_a_declaration_ends_before_a_line_that_begins_with_a_bracket() -> None:
    """Code without semicolons is understood, and what it does stands where it stood."""
    code = (
        b"export { a as import, b as super, c as void, d as catch\n, e as try };\n"
        b"let args\n[args] = take()\nlet more\n  [ more ] = take()\n"
        b"require('child_process').exec('id')\n"
    )
    facts = javascript.read("javascript", code, NoUnits())

    assert facts.complete
    (spawn,) = [fact for fact in facts.facts if fact.kind is Kind.PROCESS_SPAWN]
    assert code[spawn.span.start : spawn.span.end].endswith(b"exec('id')")
