"""JSON and its relatives: valid, nearly valid, broken."""

import json
from base64 import b64encode
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.facts import Kind, Moment
from lazaretto.core.language import NoUnits
from lazaretto.languages import _carried, data
from tests.languages.test_inner import read


def complete(content: bytes, dialect: str = "json") -> bool:
    """Whether a document is understood."""
    return data.read(dialect, content, NoUnits()).complete


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("package.json", b"{}", ("json", 50)),
        ("a.map", b"{}", ("sourcemap", 50)),
        ("a.ipynb", b"{}", ("notebook", 50)),
        ("tsconfig.jsonc", b"{}", ("jsonc", 50)),
        ("test/fixtures/broken.json", b"{", ("jsonc", 50)),
        ("a.json", b"\0\1", None),
        ("a.txt", b"{}", None),
    ],
)
def test_claims_by_ending(path: str, content: bytes, expected: tuple[str, int] | None) -> None:
    """Only ``.json`` outside of fixtures must be valid; what is no text is left to others."""
    claim = data.claim(path, content)
    assert (claim and (claim.dialect, claim.rank)) == expected


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": [1, 2.5, null, "x"]}',
        b'\xef\xbb\xbf{"a": "with a mark"}',
        '{"a": "in sixteen bits"}'.encode("utf-16"),
        b'{\n// note\n"url": "https://a.invalid", /* more */ "b": [1,],\n}',
        b'{"line": 1, "x": "one"}\n{"line": 2, "x": "two"}\n',
        b"",
        b"{",
    ],
)
def test_understood(content: bytes) -> None:
    """JSON, JSON with comments, JSON Lines, and what is too small to matter."""
    assert complete(content)


@pytest.mark.parametrize(
    "content",
    [
        b"require('child_process').exec('x')",
        b'{"a": 1 "b": 2, "c": 3}',
        b"[" * 100_000,
        b'{"a longer name": "\xff\xfe\xfd"}',
    ],
)
def test_not_understood(content: bytes) -> None:
    """Whatever else stands under that name is a problem; the lenient dialect has none."""
    assert not complete(content)
    assert complete(content, "jsonc")


def test_hidden_text() -> None:
    """Tag characters in a value are told; direction marks of a translation are not."""
    content = '{"he": "\u200f\u05e9\u05dc\u05d5\u05dd", "x": "\U000e0041"}'.encode()
    facts = data.read("json", content, NoUnits())
    assert [(fact.kind, fact.value) for fact in facts.facts] == [(Kind.HIDDEN_TEXT, "tag-characters")]


@given(content=st.binary(max_size=100))
def test_any_bytes_are_read(content: bytes) -> None:
    """Nothing raises, and the answer is the same every time."""
    assert data.read("json", content, NoUnits()) == data.read("json", content, NoUnits())


CODE = "const { execSync } = require('child_process'); execSync('whoami'); module.exports = () => process.env.PATH;"
SCRIPT = "import os, base64\nos.system('whoami')\nfor name in ('a', 'b', 'c'):\n    print(name, os.environ)\n"


@pytest.mark.parametrize("code", [CODE, SCRIPT])
@pytest.mark.parametrize(
    ("encode", "step"),
    [
        (lambda code: code, "json"),
        (lambda code: b64encode(code.encode()).decode(), "json>base64"),
        (lambda code: "data:text/plain;base64," + b64encode(code.encode()).decode(), "json>base64"),
        (lambda code: code.encode().hex(), "json>hex"),
    ],
    ids=["plain", "base64", "address", "hex"],
)
def test_values_that_are_code(code: str, encode: Callable[[str], str], step: str) -> None:
    """Code in a value is read as code, and runs only if somebody evaluates it."""
    facts = read("a.json", json.dumps({"a": 1, "list": [{"x": encode(code)}]}).encode())

    spawned = [fact for fact in facts.facts if fact.kind is Kind.PROCESS_SPAWN]
    assert [(fact.value, fact.via, fact.moment) for fact in spawned] == [("whoami", step, Moment.CALL)]
    assert not [fact for fact in facts.facts if fact.kind is Kind.IMPORT], "nothing of this package is loaded"


def test_values_that_are_none() -> None:
    """Commands, prose, pictures and short texts are no code; neither is more of them than anyone needs."""
    document = {
        "scripts": {"x": "node -e \"require('child_process').execSync('whoami')\" && echo a long command line"},
        "text": "Call eval() never, and do not use it in the middle of a long sentence that is no program at all.",
        "image": b64encode(bytes(range(256))).decode(),
        "broken": "A" * 81,
        "short": "eval(1)",
    }

    assert read("package.json", json.dumps(document).encode()).facts == ()


def test_the_same_value_many_times() -> None:
    """A value that stands in a document again and again is read once."""
    spawned = read("a.json", json.dumps([CODE] * 50).encode()).facts

    assert len({fact.span for fact in spawned if fact.kind is Kind.PROCESS_SPAWN}) == 1


def test_program_in_a_value() -> None:
    """A program in a value is told as the program that it is."""
    facts = read("a.json", json.dumps({"x": b64encode(b"\x7fELF" + bytes(100)).decode()}).encode())

    assert [fact.value for fact in facts.facts if fact.kind is Kind.BINARY][:1] == ["elf"]


def test_source_maps() -> None:
    """What a map quotes of its sources is what debuggers show; code anywhere else in it is a payload."""
    quoted = {"version": 3, "sources": ["a.ts"], "sourcesContent": [CODE, None], "mappings": "AAAA"}

    assert read("a.js.map", json.dumps(quoted).encode()).facts == ()
    spawned = read("a.js.map", json.dumps({**quoted, "x": CODE}).encode()).facts
    assert "whoami" in [fact.value for fact in spawned if fact.kind is Kind.PROCESS_SPAWN]
    assert read("a.js.map", json.dumps({"mappings": b64encode(CODE.encode()).decode()}).encode()).facts


def test_documents_beyond_the_bound() -> None:
    """Values of a very large document are not looked at, and that is said."""
    large = json.dumps({"x": CODE, "y": " " * _carried.MAX_DOCUMENT}).encode()

    assert read("a.json", large).problems
    assert [problem.unread for problem in read("tests/a.json", large).problems] == [True]
