"""JSON in which nothing acts: every text comes back as it was, and only printable ASCII is written."""

import codecs
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lazaretto.outputs._ascii import document

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
@example({"\x7f": "##[error]", "\u202e": "\U0001f600\ufeff\x1b[2J"})
def test_a_document_says_what_it_was_given(value: object) -> None:
    """It is ASCII, with no control character but line feeds and no command to a CI runner."""
    text = document(value)

    assert json.loads(text) == value
    assert all(character == "\n" or " " <= character <= "~" for character in text)
    assert "##" not in text
    assert text.endswith("\n")


def test_what_is_no_such_error_is_raised() -> None:
    """The handler is for letters that ASCII lacks."""
    handler = codecs.lookup_error("lazaretto.outputs._ascii")
    error = UnicodeDecodeError("ascii", b"?", 0, 1, "no")
    with pytest.raises(UnicodeDecodeError):
        handler(error)
