"""JSON and its relatives: valid, nearly valid, broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.facts import Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import data


def complete(content: bytes, dialect: str = "json") -> bool:
    """Whether a document is understood."""
    return data.read(dialect, content, NoUnits()).complete


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("package.json", b"{}", ("json", 50)),
        ("a.map", b"{}", ("jsonc", 50)),
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
