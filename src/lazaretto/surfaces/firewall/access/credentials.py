"""The token in a request, wherever a client puts it: Bearer, or the password or the user of Basic.

npm sends ``_authToken`` as Bearer and ``_auth`` as Basic; pip, uv, poetry and pdm send what stands in the address as
Basic. A browser sends Basic by itself, also when another site tells it to: so Basic is enough to read, and never to
review.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable

from msgspec import Struct

from lazaretto.core.access import TOKEN_PREFIX
from lazaretto.infra.redact import Secret
from lazaretto.surfaces.firewall.access.refusal import Refused

MAX_AUTHORIZATION = 8192
"""Longest ``Authorization`` header that is looked at, in bytes."""


class Presented(Struct, frozen=True):
    """What a request shows: a token of ours, and whether by Basic; or credentials that are meant for someone else.

    ``signed`` are such credentials in the form of a JWT (RFC 7519): its issuer may be one whose tokens are taken.
    """

    token: Secret | None = None
    basic: bool = False
    foreign: bool = False
    signed: Secret | None = None


NOTHING = Presented()
"""What a request without such a header shows."""


def presented(headers: Iterable[tuple[bytes, bytes]]) -> Presented:
    """Return the credentials in a request's headers.

    Raises:
        Refused: there are several, or they are too long to be read.
    """
    values = [pair[1] for pair in headers if pair[0] == b"authorization"]
    if not values:
        return NOTHING
    if len(values) > 1 or len(values[0]) > MAX_AUTHORIZATION:
        raise Refused(400, "the request has more credentials than can be read")
    scheme, _, rest = values[0].decode("latin-1").partition(" ")
    kind, rest = scheme.lower(), rest.strip()
    if kind == "bearer" and rest.startswith(TOKEN_PREFIX):
        return Presented(Secret(rest))
    if kind == "basic":
        for text in _user_and_password(rest):
            if text.startswith(TOKEN_PREFIX):
                return Presented(Secret(text), basic=True)
            if _signed(text):
                return Presented(basic=True, foreign=True, signed=Secret(text))
    return Presented(foreign=True, signed=Secret(rest) if kind == "bearer" and _signed(rest) else None)


def _signed(text: str) -> bool:
    return text.startswith("eyJ") and text.count(".") == 2  # an object of JSON in base64, and two more parts


def _user_and_password(encoded: str) -> tuple[str, str]:
    """Return the password and the user of Basic credentials, in the order in which they are looked at."""
    try:
        text = b64decode(encoded, validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return "", ""
    user, _, password = text.partition(":")
    return password, user
