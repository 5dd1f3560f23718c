"""Short cuts of the reading find what the long way finds."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.facts import Kind
from lazaretto.languages import _hidden
from lazaretto.languages.javascript import grammar, literals, seeds, style, vocabulary
from lazaretto.languages.javascript.source import Unit
from tests.languages.javascript_reading import read, values

_PARTS = st.lists(
    st.sampled_from(
        [
            b"require",
            b"__require",
            b"import",
            b"from",
            b"fetch",
            b"constructor",
            b"inflate",
            b"inflateRaw",
            b"writeFileSync",
            b"_0xab12",
            b"this",
            b"Worker",
            b"prototype.fetch",
            b"'fs'",
            b'"node:https"',
            b"name",
            b"$",
            b"_",
            b"(",
            b"[",
            b" ",
            b"\n",
            b".",
            b"=",
            b"\xc3\xa9",
        ]
    ),
    max_size=40,
).map(b"".join)


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_the_vocabulary_is_the_words(chunk: int) -> None:
    """However a text is cut up, its words are those that a regular expression finds."""

    @given(_PARTS)
    def check(data: bytes) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(vocabulary, "_CHUNK", chunk)
            assert vocabulary.vocabulary(data).words == set(re.findall(rb"\w+", data))

    check()


@given(_PARTS)
def test_words_of_interest_are_found_by_the_vocabulary(data: bytes) -> None:
    """Looking for the words that are there gives what a search for all of them gives."""
    assert seeds.positions(data) == [match.start() for match in seeds._words().finditer(data)]


@given(_PARTS)
def test_loads_are_found_by_their_words(data: bytes) -> None:
    """Modules are found from the words that load them."""
    assert [match.span() for match in seeds._loaded(data)] == [match.span() for match in seeds._loads().finditer(data)]


@given(st.lists(st.integers(0, 3 * style.MIN_LINE), max_size=12))
def test_long_lines_are_not_passed_over(sizes: list[int]) -> None:
    """Every line that is longer than the least, and no other, is looked at."""
    data = b"\n".join(b"x" * size for size in sizes)
    found = [data[start:end] for start, end in style._long_lines(data)]
    assert found == [line for line in data.split(b"\n") if len(line) > style.MIN_LINE]


@given(
    st.lists(
        st.sampled_from([b" ", b"\t", b" " * 70, b"\t" * 90, b" \t" * 40, b"x", b"\n", b" " * _hidden.FAR]), max_size=12
    )
)
def test_text_far_to_the_right_is_found_in_samples(parts: list[bytes]) -> None:
    """A gap that hides text is found however it is made of blanks."""
    data = b"".join(parts) + b"y"
    gap = re.search(rb"[ \t]{%d}[ \t]*[^\s]" % _hidden.FAR, data) is not None
    assert any(fact.value == "far-right" for fact in _hidden.hidden_text(data)) == gap


@pytest.mark.parametrize(
    "text",
    [
        "function f(a, b = 1) { return a + g(function () { return b; }); }",
        "const f = async (a) => { await h(a); };",
        "class K extends B { static get m() { return super.m + this.#x; } }",
        "const o = { *each(a) { yield a; } };",
    ],
)
def test_a_function_parsed_alone_is_the_same(text: str) -> None:
    """What a function does is read without what stands around it, at the same places."""
    data = f"first();\n{text}\nlast();\n".encode()
    tree, _covered = grammar.parse("javascript", data)
    assert tree is not None
    for start, end in grammar.function_ranges("javascript", tree):
        alone = grammar.parse_part("javascript", data, start, end, grammar.FUNCTION)
        assert alone is not None
        assert Unit(data, alone).body(start, end) == Unit(data, tree).body(start, end)


def test_half_a_function_is_not_parsed_alone() -> None:
    """What is no function by itself is left to the whole text."""
    assert grammar.parse_part("javascript", b"f(function () { return 1 })", 2, 12, grammar.FUNCTION) is None


def test_literals_without_their_words_are_found_by_their_signs() -> None:
    """Mail addresses, numbers of hosts, hashes and paths need no word."""
    digest = "0123456789abcdef" * 4
    text = f"x(['a.b+c@mail.example', '10.20.30.40:8080', '{digest}', '%APPDATA%/y', '/home', '/home/z'])"
    found = [what for what, _start, _end in literals.find(text.encode(), None)]
    assert found == ["a.b+c@mail.example", "10.20.30.40:8080", digest, "%APPDATA%/y", "/home/z"]


def test_a_call_that_tells_nothing_new_keeps_its_value() -> None:
    """A small function that makes an address does so for every call, though it is read once."""
    calls = "\n".join(f"function c{n}(x) {{ return fetch(address(x)); }}" for n in range(6))
    facts = read(f"const base = 'https://a.invalid/';\nfunction address(x) {{ return base + x; }}\n{calls}")
    assert values(facts, Kind.NET_CONNECT) == ["https://a.invalid/*"] * 6


def test_a_call_that_leaves_something_behind_is_read_again() -> None:
    """A function that gathers is no function that tells nothing new."""
    text = "let n = 0;\nfunction next(x) { n += 1; return 'https://h' + n + '.invalid/'; }\n"
    facts = read(text + "fetch(next(unknown));\nfetch(next(unknown));")
    assert values(facts, Kind.NET_CONNECT) == ["https://h1.invalid/", "https://h2.invalid/"]


@pytest.mark.parametrize(
    "callback",
    [
        "(c) => String.fromCharCode(c)",
        "(c, i) => String.fromCharCode(c + 0 * i)",
        "(c, i, all) => String.fromCharCode(all[i])",
        "(...given) => String.fromCharCode(given[2][given[1]])",
        "function () { return String.fromCharCode(arguments[2][arguments[1]]) }",
    ],
)
def test_a_callback_that_sees_the_array(callback: str) -> None:
    """The array is handed to a callback that can see it, whichever way it does."""
    code = f"const f = {callback};\nrequire('child_process').exec([99, 117, 114, 108].map(f).join(''))\n"
    assert values(read(code), Kind.PROCESS_SPAWN) == ["curl"]
