"""An issuer of tokens for tests: keys, the documents that it publishes, and tokens good and bad."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
AUDIENCE = "lazaretto"


@cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return one of a few RSA keys, each made once."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    """Return a key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def public(key: Any, kid: str, **more: object) -> dict[str, object]:
    """Return the public half of a key as an issuer publishes it."""
    family = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**family.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **more}


def claims(url: str, now: datetime = NOW, **changes: object) -> dict[str, object]:
    """Return what a good token says, with changes; None leaves a claim out."""
    said = {
        "iss": url,
        "aud": AUDIENCE,
        "sub": "repo:ours/app:ref:refs/heads/main",
        "repository": "ours/app",
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int((now + timedelta(minutes=5)).timestamp()),
        **changes,
    }
    return {key: value for key, value in said.items() if value is not None}


def token(said: Mapping[str, object], key: Any = None, algorithm: str = "RS256", **header: object) -> str:
    """Return a signed token."""
    return jwt.encode(dict(said), key or rsa_key(), algorithm, headers={"kid": "one", **header})


def forged(said: Mapping[str, object], header: Mapping[str, object], signature: bytes = b"") -> str:
    """Return a token with any header and any signature."""
    parts = (json.dumps(header).encode(), json.dumps(said).encode(), signature)
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def documents(url: str, *keys: dict[str, object], **changes: object) -> dict[str, bytes]:
    """Return what an issuer publishes, by path."""
    described = {"issuer": url, "jwks_uri": f"{url}/keys", **changes}
    return {
        "/.well-known/openid-configuration": json.dumps(described).encode(),
        "/keys": json.dumps({"keys": keys or [public(rsa_key(), "one", alg="RS256")]}).encode(),
    }
