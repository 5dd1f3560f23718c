"""Tokens that are kept as hashes, scopes that include each other, groups by network."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.core.access import (
    MAX_TOKEN,
    TOKEN_PREFIX,
    Networks,
    Scope,
    Token,
    Tokens,
    Viewer,
    address,
    hash_of,
    mint,
    network,
)

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def minted(number: int, *scopes: Scope, expires: datetime | None = None) -> tuple[str, Token]:
    """Return a token made of a number instead of chance."""
    return mint(number.to_bytes(32), f"t{number}", scopes or (Scope.READ,), NOW - timedelta(days=1), expires, "ci")


def test_a_token_is_kept_as_its_hash() -> None:
    """What is kept has neither the text nor the chance in it; the text has a prefix to look for, and fits a header."""
    text, token = minted(7)

    assert text.startswith(TOKEN_PREFIX)
    assert len(text) == len(TOKEN_PREFIX) + 43
    assert text not in repr(token)
    assert token.hash == hash_of(text)
    assert text.isascii()


@given(numbers=st.sets(st.integers(0, 2**200), max_size=20), asked=st.integers(0, 2**200))
def test_a_token_is_found_by_its_text_alone(numbers: set[int], asked: int) -> None:
    """Exactly the tokens that are there are found."""
    tokens = Tokens(minted(number)[1] for number in numbers)
    text, token = minted(asked)

    assert tokens.find(text, NOW) == (token if asked in numbers else None)


@given(text=st.text())
def test_no_text_is_an_error(text: str) -> None:
    """Whatever a client sends: it is no token."""
    assert Tokens([minted(1)[1]]).find(text, NOW) is None
    assert Tokens([minted(1)[1]]).find("x" * (MAX_TOKEN + 1), NOW) is None


def test_a_token_expires() -> None:
    """At the instant of its end it is no longer valid."""
    text, token = minted(1, expires=NOW)

    assert Tokens([token]).find(text, NOW) is None
    assert Tokens([token]).find(text, NOW - timedelta(seconds=1)) == token


def test_two_hashes_with_one_beginning() -> None:
    """Tokens whose hashes begin alike are told apart."""
    text, token = minted(1)
    other = Token("other", type(token.hash)(token.hash[:-1] + "0"), token.scopes, NOW)

    assert Tokens([other, token, other]).find(text, NOW) == token


def test_scopes_include_each_other() -> None:
    """Who may change who may decide, may decide; who may decide, may install."""
    assert minted(1, Scope.READ)[1].grants == {Scope.READ}
    assert minted(1, Scope.REVIEW)[1].grants == {Scope.READ, Scope.REVIEW}
    assert minted(1, Scope.ADMIN, Scope.READ)[1].grants == {Scope.READ, Scope.REVIEW, Scope.ADMIN}
    assert minted(1, Scope.PUBLISH)[1].grants == {Scope.READ, Scope.PUBLISH}  # asked for by its name alone
    assert not Viewer("192.0.2.1").may(Scope.READ)


@pytest.mark.parametrize(
    ("random", "name", "scopes", "expires"),
    [
        (b"short", "a", (Scope.READ,), None),
        (bytes(32), "", (Scope.READ,), None),
        (bytes(32), "a\nb", (Scope.READ,), None),
        (bytes(32), "a" * 200, (Scope.READ,), None),
        (bytes(32), "oidc:forge:ours", (Scope.READ,), None),
        (bytes(32), "a", (), None),
        (bytes(32), "a", (Scope.READ,), NOW),
    ],
)
def test_what_is_no_token_is_not_made(
    random: bytes, name: str, scopes: tuple[Scope, ...], expires: datetime | None
) -> None:
    """Too little chance, no name, no scope, or an end before the beginning."""
    with pytest.raises(ValueError, match="token"):
        mint(random, name, scopes, NOW, expires)


def test_the_smallest_network_counts() -> None:
    """A group within another's network is the group; IPv4 is IPv4 however it is written; a zone makes no difference."""
    groups = Networks({"all": ["0.0.0.0/0"], "ci": ["192.0.2.0/24", "2001:db8::/32"], "one": ["192.0.2.7"]})
    found = [groups.of(address(text)) for text in ("192.0.2.7", "::ffff:192.0.2.8", "198.51.100.1", "2001:db8::1%eth0")]

    assert found == ["one", "ci", "all", "ci"]
    assert groups.of(address("fe80::1")) is None
    assert groups.of(address("unix")) is None
    with pytest.raises(ValueError, match="no network"):
        network("10.0.0.0/99")


@given(text=st.text())
def test_any_text_is_an_address_or_none(text: str) -> None:
    """Whatever stands where an address should."""
    found = address(text)
    assert found is None or address(str(found)) == found


def test_a_viewer_is_written_down_by_token_or_address() -> None:
    """The journal names the token if there is one."""
    assert (Viewer("192.0.2.1").client, Viewer("192.0.2.1", "ci").client) == ("192.0.2.1", "token:ci")
