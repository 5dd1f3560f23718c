"""What is asked of a token's claims, by themselves: its times and its subject, whatever a verifier saw to before."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lazaretto.core.identity_token import SKEW, Issuer, holder

NOW = datetime(2030, 1, 2, tzinfo=UTC)
ISSUER = Issuer("forge", "https://issuer.invalid", "us", {"sub": ("ours/*",)})


def claims(**changes: Any) -> dict[str, object]:
    """Return what a good token says, with changes; None leaves a claim out."""
    moment = NOW.timestamp()
    said = {"sub": "ours/app", "iat": moment, "exp": moment + 300.5, **changes}
    return {key: value for key, value in said.items() if value is not None}


def test_fractions_of_a_second_and_no_nbf() -> None:
    """NumericDate may have a fraction, and not every issuer says from when on a token is good."""
    assert holder(ISSUER, claims(), NOW).until == NOW + timedelta(seconds=300.5) + SKEW


@pytest.mark.parametrize("changes", [{"exp": None}, {"iat": None}, {"exp": float("nan")}, {"exp": -1}, {"iat": "0"}])
def test_times_are_needed(changes: dict[str, Any]) -> None:
    """A token without an end is good for ever."""
    with pytest.raises(ValueError, match=r"good|no instant"):
        holder(ISSUER, claims(**changes), NOW)


@pytest.mark.parametrize("subject", ["", "a\x1b[2J", 7])
def test_a_subject_is_needed(subject: object) -> None:
    """Who got what is written down by a name."""
    anybody = Issuer("forge", "https://issuer.invalid", "us", {"kind": ("job",)})
    with pytest.raises(ValueError, match="names no subject"):
        holder(anybody, claims(sub=subject, kind="job"), NOW)
