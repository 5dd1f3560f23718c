"""Tokens of other issuers (OpenID Connect): which are taken, as whom, and what is asked of what they claim.

A signature says only that the issuer wrote a token, and a public issuer writes one for anybody who asks: what makes a
client ours are the audience and the claims, so at least one claim is always asked for.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from msgspec import Struct

SKEW = timedelta(seconds=60)
"""How far an issuer's clock may be from ours."""

MAX_LIFETIME = timedelta(hours=24)
"""Longest time for which a token may be good: nobody else says that one was revoked."""

MAX_NAME = 200
"""Longest name under which a token's holder is written down, in characters."""


class Algorithm(StrEnum):
    """How a token may be signed: by a key that the issuer alone has. No shared secrets, and never nothing."""

    RS256 = "RS256"
    RS384 = "RS384"
    RS512 = "RS512"
    PS256 = "PS256"
    PS384 = "PS384"
    PS512 = "PS512"
    ES256 = "ES256"
    ES384 = "ES384"
    ES512 = "ES512"
    EDDSA = "EdDSA"


class Issuer(Struct, frozen=True):
    """An issuer whose tokens are taken for reading.

    ``url`` is what its tokens name, letter by letter; ``keys`` where its keys are, if it is not asked for that.
    ``claims`` maps each claim that is asked for to patterns, one of which must fit. ``group`` has its own policy.
    """

    name: str
    url: str
    audience: str
    claims: Mapping[str, tuple[str, ...]]
    algorithms: tuple[Algorithm, ...] = (Algorithm.RS256,)
    group: str | None = None
    keys: str = ""


class Holder(Struct, frozen=True):
    """Whoever shows a token that is taken: the name to write down, the group, and from when until when it is good."""

    name: str
    group: str | None
    issued: datetime
    until: datetime


def holder(issuer: Issuer, claims: Mapping[str, object], now: datetime) -> Holder:
    """Return whose token it is, by claims whose signature, issuer and audience were verified.

    Raises:
        ValueError: it is not taken; the message says why, without a word of what it holds.
    """
    at = now.timestamp()
    skew = SKEW.total_seconds()
    until, since, issued = (_instant(claims, key) for key in ("exp", "nbf", "iat"))
    if until is None or issued is None:
        raise ValueError("the token does not say from when to when it is good")
    if at >= until + skew:
        raise ValueError("the token has expired")
    if issued > at + skew or (since is not None and since > at + skew):
        raise ValueError("the token is not good yet; compare the clocks")
    if until - issued > MAX_LIFETIME.total_seconds():
        raise ValueError(f"the token is good for longer than {MAX_LIFETIME}")
    for name, patterns in issuer.claims.items():
        value = claims.get(name)
        if not isinstance(value, str) or not any(fnmatchcase(value, pattern) for pattern in patterns):
            raise ValueError(f"the token's claim {name} is not one that is taken here")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or not subject.isprintable():
        raise ValueError("the token names no subject")
    # By the issuer's clock, which may be ahead: a revocation reaches a token that seems to be a little younger.
    begun, end = (datetime.fromtimestamp(at, now.tzinfo) for at in (issued - skew, until + skew))
    return Holder(f"{issuer.name}:{subject}"[:MAX_NAME], issuer.group, begun, end)


def _instant(claims: Mapping[str, object], key: str) -> float | None:
    """Return a NumericDate (RFC 7519, 2). Raises ValueError if it is something else."""
    value = claims.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 40:
        raise ValueError(f"the token's claim {key} is no instant")
    return float(value)
