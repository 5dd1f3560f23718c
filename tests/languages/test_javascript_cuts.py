"""Large files are read piece by piece: the facts are those of the whole, and only what changed is read again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import javascript
from lazaretto.languages.javascript import cuts
from tests.languages.javascript_reading import Memo, read, values

STATEMENTS = (
    "function f{n}(a, b) {{\n  var s = 'text {n}';\n  return a + b + s + {n};\n}}",
    "var v{n} = {{ a: {n}, b: [1, 2, 3], c: 'https://h{n}.invalid/' }};",
    "const c{n} = require('fs');",
    "function g{n}() {{ return fs.readFileSync('/nonexistent/{n}'); }}",
    "let k{n} = 'id -{n}';\nfunction run{n}() {{ cp.exec(k{n}); }}",
    "class K{n} {{\n  m() {{ return fetch(u + '/{n}'); }}\n}}",
    "var e{n} = ((x) => {{ x[x['A'] = {n}] = 'A'; return x; }})(e{n} || {{}});",
    "run{n}();",
    "eval(atob('YWxlcnQo{n}KQ=='));",
    "/* a comment that ends like code;\nfunction no{n}() {{}} */",
)
FILL = "lorem ipsum " * 40
HEAD = "const cp = require('child_process'), fs = require('fs');\nconst u = ['https:', '', 'h.invalid'].join('/');\n"


def bundle(picks: list[int], wrapper: str = "") -> bytes:
    """Return a program of some hundred kilobytes, plain or inside a function that is called at once."""
    parts = [HEAD]
    number = 0
    while sum(map(len, parts)) < 90_000:
        for pick in picks:
            number += 1
            parts.append(STATEMENTS[pick].format(n=number) + "\n")
            parts.append(f"function pad{number}() {{\n  return '{FILL}';\n}}\n")
    body = "".join(parts)
    if wrapper == "iife":
        return f'"use strict";\n(function () {{\n{body}}})();\n'.encode()
    if wrapper == "guarded":
        lines = "".join(f"  {line}\n" if line else "\n" for line in body.split("\n"))
        return f'process.env.NODE_ENV !== "production" && (function() {{\n{lines}}})();\n'.encode()
    return body.encode()


def whole(data: bytes) -> Facts:
    """Read a file without cutting it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuts, "propose", lambda _data: None)
        return javascript.read("javascript", data, NoUnits())


@settings(max_examples=12)
@given(
    picks=st.lists(st.integers(0, len(STATEMENTS) - 1), min_size=3, max_size=12),
    wrapper=st.sampled_from(["", "iife", "guarded"]),
)
def test_pieces_give_the_facts_of_the_whole(picks: list[int], wrapper: str) -> None:
    """However a file is cut, and whether the memo is cold or warm, nothing changes in what is found."""
    data = bundle(picks, wrapper)
    memo = Memo()
    expected = whole(data)

    assert read(data, units=memo) == expected
    assert read(data, units=memo) == expected


def test_most_files_of_this_kind_are_cut() -> None:
    """The property above is not empty: these files are cut into several pieces."""
    for wrapper in ("", "iife", "guarded"):
        proposal = cuts.propose(bundle([0, 1, 5], wrapper))
        assert proposal is not None
        assert len(proposal.ranges) >= 2


def test_an_insertion_costs_its_neighbourhood() -> None:
    """After a line is added near the top, nearly all pieces are known already."""
    memo = Memo()
    before = bundle([0, 1, 4, 5])
    read(before * 3, units=memo)
    known = len(memo.units)
    memo.hits = 0
    changed = before.replace(b"function pad9()", b"function fresh() { eval(x); }\nfunction pad9()", 1)
    facts = read(changed + before * 2, units=memo)

    assert values(facts, Kind.CODE_EVAL) == [None]
    assert memo.hits > 0
    assert len(memo.units) - known <= 3


def test_text_that_looks_like_an_anchor_is_no_boundary() -> None:
    """A comment, a template or a nested function with lines like declarations makes the file whole, never wrong."""
    trap = "const t = `\n" + "};\nfunction no() {\n" * 6_000 + "`;\neval(t.length);\n"
    data = (HEAD + trap).encode()

    assert read(data) == whole(data)
    assert read(data).complete


def test_symbols_are_resolved_across_pieces() -> None:
    """A name that one piece declares is what another one means by it."""
    pad = "".join(f"function pad{n}() {{\n  return '{'x' * 300}';\n}}\n" for n in range(400))
    data = (
        HEAD
        + "var key = 'aWQgLXU=';\n"
        + pad
        + "function run(c) {\n  cp.exec(atob(c));\n}\n"
        + pad.replace("pad", "rest")
        + "run(key);\n"
    ).encode()
    facts = read(data)

    assert cuts.propose(data) is not None
    assert values(facts, Kind.PROCESS_SPAWN) == ["id -u"]
    assert facts == whole(data)


@pytest.mark.parametrize(
    "wrapper",
    [
        "(function () {{\n{0}}})();\n",
        "module.exports = function () {{\n{0}}};\n",
        "if (a) {{\n{0}}}\n",
        "function f() {{\n{0}}}\nf();\n",
    ],
    ids=["called", "exported", "block", "declared"],
)
def test_pieces_in_a_list_that_is_not_long(wrapper: str) -> None:
    """A file is cut by its own length, a list is long by the list's: the pieces run all the same."""
    body = bundle([0, 3, 8, 4]).decode()[:56_000].rpartition("\n}\n")[0] + "\n}\n"
    data = f"const z = '{'x' * 10_500}';\n{wrapper.format(body)}".encode()

    assert cuts.propose(data) is not None
    found = read(data)
    assert found.problems == ()
    assert found == whole(data)


@pytest.mark.parametrize("digits", [16, 17, 1000, 20_000])
def test_long_numbers_are_read_and_remembered(digits: int) -> None:
    """They may be longer than any format of numbers."""
    number = "0x" + "f" * digits
    long = "function h(s = {0}n) {{\n  cp.exec(s + '{1}');\n}}\nvar w{1} = {0};\ncp.exec('a' + w{1});\n"
    code = bundle([1, 3]) + "".join(long.format(number, at) for at in range(3)).encode()
    memo = Memo()

    fresh = javascript.read("javascript", code, memo)
    assert fresh.complete
    assert len(values(fresh, Kind.PROCESS_SPAWN)) >= 4
    assert javascript.read("javascript", code, memo) == fresh == javascript.read("javascript", code, NoUnits())


def test_half_of_a_surrogate_pair_is_read_and_remembered() -> None:
    """Strings of JavaScript may hold what is no text in UTF-8, as tables of Unicode's letters do."""
    halves = "function h(s) {{\n  cp.exec('\\ud800' + s + '{n}');\n}}\nvar w{n} = '\\udc00';\ncp.exec(w{n} + '{n}');\n"
    code = bundle([1, 3]) + "".join(halves.format(n=n) for n in range(3)).encode()
    memo = Memo()

    fresh = javascript.read("javascript", code, memo)
    assert fresh.complete
    assert len(values(fresh, Kind.PROCESS_SPAWN)) == 6
    assert javascript.read("javascript", code, memo) == fresh == javascript.read("javascript", code, NoUnits())
