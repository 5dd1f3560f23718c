"""Verifies tokens of other issuers, with the keys that these publish (OpenID Connect Discovery 1.0, RFC 7517, 7519).

Keys are asked for through the one bounded client, on the issuer's own host alone unless the settings name another
address, and kept: for an hour, or until a token names one that is not known. Whatever a token says of itself decides
nothing but which of the configured issuers and keys it is compared with: the algorithms are those of the settings.
Needs PyJWT (the extra ``oidc``).
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import jwt
import msgspec
from jwt import PyJWK
from msgspec import Struct

from lazaretto.app.ports import Untrusted
from lazaretto.core.identity_token import Holder, Issuer, holder
from lazaretto.infra.redact import shown

MAX_TOKEN = 6144
"""Longest token that is looked at, in bytes."""

MAX_KEYS = 64
"""Most keys of one issuer."""

KEYS_FRESH = timedelta(hours=1)
"""After how long keys are asked for anew."""

KEYS_KEPT = timedelta(hours=24)
"""For how long keys are used whose issuer cannot be asked."""

KEYS_AGAIN = timedelta(seconds=60)
"""The least time between two questions for keys, whoever shows whatever."""

_OPTIONS: jwt.types.Options = {
    "require": ["exp", "iat", "iss", "aud", "sub"],
    "verify_exp": False,  # by our own clock, in ``core.identity_token``
    "verify_nbf": False,
    "verify_iat": False,
    "enforce_minimum_key_length": True,
}


class NotTaken(Exception):
    """A token of a configured issuer that is not taken; the message says why, without a word of what it holds."""


class UnknownKey(Exception):
    """A token names a key that is not known: it may be a new one."""


class Key(Struct, frozen=True):
    """A public key, and the algorithm that it is for, if the issuer says (RFC 7517, 4.4)."""

    key: PyJWK
    algorithm: str


class Keys(Struct, frozen=True):
    """An issuer's keys by their ids, and when they were asked for."""

    by_id: Mapping[str, Key]
    asked: datetime


class _Header(Struct):
    alg: str
    kid: str = ""
    crit: msgspec.Raw | None = None


class _Claims(Struct):
    iss: str


class _Discovered(Struct):
    issuer: str
    jwks_uri: str


class _KeySet(Struct):
    keys: list[dict[str, object]]


class Verifier:
    """Verifies tokens. For one event loop but for ``ask``, which waits for an issuer and may run in a thread."""

    def __init__(self, issuers: Iterable[Issuer], fetch: Callable[[str], bytes]) -> None:
        """``fetch`` gets a document; it raises RegistryError."""
        self._issuers = {issuer.url: issuer for issuer in issuers}
        self._fetch = fetch
        self._keys: dict[str, Keys] = {}
        self._tried: dict[str, datetime] = {}

    def issuer(self, token: str) -> Issuer | None:
        """Return whose token this says it is; None if it is no token, or none of a configured issuer."""
        parts = token.split(".")
        if len(token) > MAX_TOKEN or len(parts) != 3:
            return None
        try:
            return self._issuers.get(msgspec.json.decode(_decoded(parts[1]), type=_Claims).iss)
        except ValueError:
            return None

    def due(self, issuer: Issuer, now: datetime, *, wanted: bool = False) -> bool:
        """Whether an issuer's keys should be asked for: they are old, or one is ``wanted`` that is not there."""
        tried = self._tried.get(issuer.url)
        if tried is not None and timedelta() <= now - tried < KEYS_AGAIN:
            return False
        keys = self._keys.get(issuer.url)
        return keys is None or wanted or not timedelta() <= now - keys.asked < KEYS_FRESH

    def ask(self, issuer: Issuer, now: datetime) -> None:
        """Get an issuer's keys. Raises RegistryError; the keys from before stay then."""
        self._tried[issuer.url] = now
        place = issuer.keys or self._discovered(issuer)
        try:
            found = msgspec.json.decode(self._fetch(place), type=_KeySet).keys
        except msgspec.DecodeError:
            raise Untrusted(f"the keys of {shown(issuer.url)} cannot be read") from None
        self._keys[issuer.url] = Keys(_keys(found[:MAX_KEYS]), now)

    def ready(self, issuer: Issuer, now: datetime) -> bool:
        """Whether an issuer's keys are here, and are not too old."""
        return self._usable(issuer, now) is not None

    def verify(self, issuer: Issuer, token: str, now: datetime) -> Holder:
        """Return whose token it is.

        Raises:
            NotTaken: it is not taken.
            UnknownKey: it names a key that is not known, or none is known.
        """
        head, body, _ = token.split(".")
        try:
            header = msgspec.json.decode(_decoded(head), type=_Header)
        except ValueError:
            raise NotTaken("the token's header cannot be read") from None
        if header.alg not in issuer.algorithms or header.crit is not None:
            raise NotTaken("the token is signed in a way that is not taken here")
        known = self._usable(issuer, now)
        key = known.by_id.get(header.kid) if known is not None else None
        if key is None:
            raise UnknownKey
        if key.algorithm not in ("", header.alg):
            raise NotTaken("the token's key is for another algorithm")
        try:
            claims = jwt.decode(token, key.key.key, [header.alg], _OPTIONS, audience=issuer.audience, issuer=issuer.url)
            _once(_decoded(body))
            return holder(issuer, claims, now)
        except jwt.exceptions.PyJWTError as error:
            raise NotTaken(f"the token is not good here: {type(error).__name__}") from None
        except TypeError:  # a key of another kind than the algorithm needs
            raise NotTaken("the token's key is for another algorithm") from None
        except ValueError as error:
            raise NotTaken(str(error)) from None

    def _usable(self, issuer: Issuer, now: datetime) -> Keys | None:
        keys = self._keys.get(issuer.url)
        return keys if keys is not None and timedelta() <= now - keys.asked < KEYS_KEPT else None

    def _discovered(self, issuer: Issuer) -> str:
        address = f"{issuer.url.rstrip('/')}/.well-known/openid-configuration"
        try:
            found = msgspec.json.decode(self._fetch(address), type=_Discovered)
        except msgspec.DecodeError:
            raise Untrusted(f"{shown(address)} says nothing that could be read") from None
        if found.issuer != issuer.url:
            raise Untrusted(f"{shown(address)} is about another issuer")
        if urlsplit(found.jwks_uri)[:2] != urlsplit(issuer.url)[:2]:
            raise Untrusted(f"{shown(address)} has its keys on another host: name their address in the settings (keys)")
        return found.jwks_uri


def _keys(found: Iterable[Mapping[str, object]]) -> dict[str, Key]:
    """Return the public keys that are meant for signatures; what is not understood is no key."""
    keys = {}
    for one in found:
        kid = one.get("kid", "")
        if one.get("kty") not in ("RSA", "EC", "OKP") or one.get("use", "sig") != "sig" or not isinstance(kid, str):
            continue
        try:
            public = PyJWK({key: value for key, value in one.items() if key != "d"})
        except (jwt.exceptions.PyJWTError, ValueError, TypeError, KeyError):
            continue
        algorithm = one.get("alg", "")
        keys[kid] = Key(public, algorithm if isinstance(algorithm, str) else "none")
    return keys


def _decoded(part: str) -> bytes:
    """Return what a part of a token says. Raises ValueError."""
    return urlsafe_b64decode(part.encode("ascii", "strict") + b"=" * (-len(part) % 4))


def _once(data: bytes) -> None:
    """Raise ValueError if a claim is there twice: another reader may take the other one."""

    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        if len({key for key, _ in found}) != len(found):
            raise ValueError("the token makes a claim twice")
        return dict(found)

    json.loads(data, object_pairs_hook=pairs)
