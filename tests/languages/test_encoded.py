"""Web addresses that stand in a string in an encoding."""

import pytest

from lazaretto.core.facts import Kind
from lazaretto.languages._encoded import MAX_ENCODED, encoded_addresses

ADDRESS = "https://a.invalid/in"
_HEX = ADDRESS.encode().hex()


def escaped(text: str) -> str:
    """Return a text in escapes, as a file holds it."""
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("aHR0cHM6Ly9hLmludmFsaWQvaW4=", "base64"),
        ("aHR0cHM6Ly9hLmludmFsaWQvaW4", "base64"),
        (_HEX, "hex"),
        (ADDRESS[::-1], "reverse"),
        (escaped(ADDRESS), "unescape"),
        (escaped("aHR0cHM6Ly9hLmludmFsaWQvaW4="), "unescape"),
    ],
)
@pytest.mark.parametrize("quote", ["'", '"', "`"])
def test_what_is_written_in_an_encoding_is_told(text: str, way: str, quote: str) -> None:
    """With its place, and how it was hidden."""
    (found,) = encoded_addresses(f"one\nname = {quote}{text}{quote}\n".encode())
    assert (found.kind, found.value, found.via) == (Kind.LITERAL_URL, ADDRESS, way)
    assert (found.span.line, found.span.column) == (2, 8)


@pytest.mark.parametrize(
    "text",
    [
        f"'{ADDRESS}'",
        "'aHR0cHM6'",
        "'aHR0cHM6Ly/////////////////'",
        "'aHR0cDovLwAAAAAAAAAAAAAAAAA='",
        f"'{_HEX}0'",
        "'687474703a2f2f00000000000000'",
        "'aHR0cHM6Ly9hLmludmFsaWQvaW4=",
        f"'{ADDRESS[::-1]}",
        f"{ADDRESS[::-1]}'",
        "'aHR0cHM6Ly9hLm ='",
        "'//:ptth'",
        "aHR0cHM6Ly9hLmludmFsaWQvaW4=",
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    """Nor is what stands in no string."""
    assert encoded_addresses(text.encode()) == ()


def test_there_is_an_end() -> None:
    """A table of a thousand addresses is told as far as anybody reads."""
    assert len(encoded_addresses(b"'aHR0cHM6Ly9hLmludmFsaWQvaW4='\n" * 1000)) == MAX_ENCODED
