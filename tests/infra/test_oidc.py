"""Tokens of other issuers: a good one is taken, and every broken kind is not, for a reason that gives nothing away."""

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from msgspec.structs import replace

from lazaretto.app.ports import NotFound, RegistryError, Untrusted
from lazaretto.core.identity_token import MAX_LIFETIME, MAX_NAME, SKEW, Algorithm, Issuer
from lazaretto.infra.oidc import KEYS_AGAIN, KEYS_FRESH, KEYS_KEPT, NotTaken, UnknownKey, Verifier
from tests.infra import mint
from tests.infra.mint import NOW, claims, ec_key, forged, public, rsa_key, token

URL = "https://issuer.example.invalid"
ISSUER = Issuer("forge", URL, mint.AUDIENCE, {"repository": ("ours/*", "theirs/tool")}, group="ci")


class Web:
    """What an issuer publishes, by address; counts what it is asked."""

    def __init__(self, *keys: dict[str, object], **changes: object) -> None:
        self.pages = {URL + path: data for path, data in mint.documents(URL, *keys, **changes).items()}
        self.asked: list[str] = []
        self.down = False

    def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        if self.down or url not in self.pages:
            raise NotFound(url)
        return self.pages[url]


def ready(web: Web | None = None, issuer: Issuer = ISSUER, now: datetime = NOW) -> Verifier:
    """Return a verifier that has an issuer's keys."""
    made = Verifier([issuer], web or Web())
    made.ask(issuer, now)
    return made


def test_a_good_token_is_taken() -> None:
    """As its subject, in the issuer's group, until it ends; it names its issuer itself."""
    made, text = ready(), token(claims(URL))
    issuer = made.issuer(text)
    assert issuer is ISSUER
    found = made.verify(issuer, text, NOW)

    assert (found.name, found.group) == ("forge:repo:ours/app:ref:refs/heads/main", "ci")
    assert found.until == NOW + timedelta(minutes=5) + SKEW


def test_other_algorithms_where_the_settings_name_them() -> None:
    """Each with a key of its kind, and with no other's."""
    web = Web(public(ec_key(), "ec"), public(rsa_key(), "one"))
    issuer = replace(ISSUER, algorithms=(Algorithm.ES256, Algorithm.PS256))
    made = ready(web, issuer)
    assert made.verify(issuer, token(claims(URL), ec_key(), "ES256", kid="ec"), NOW).name
    assert made.verify(issuer, token(claims(URL), algorithm="PS256"), NOW).name
    with pytest.raises(NotTaken, match="in a way that is not taken"):
        made.verify(issuer, token(claims(URL)), NOW)
    with pytest.raises(NotTaken):
        made.verify(issuer, token(claims(URL), ec_key(), "ES256", kid="one"), NOW)
    with pytest.raises(NotTaken):
        made.verify(issuer, token(claims(URL), algorithm="PS256", kid="ec"), NOW)


MOMENT = int(NOW.timestamp())
LONG = int(SKEW.total_seconds()) + 1


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"aud": "another"}, "InvalidAudienceError"),
        ({"aud": None}, "MissingRequiredClaimError"),
        ({"sub": None}, "MissingRequiredClaimError"),
        ({"sub": "a\nb"}, "names no subject"),
        ({"exp": None}, "MissingRequiredClaimError"),
        ({"iat": None}, "MissingRequiredClaimError"),
        ({"exp": MOMENT - LONG, "iat": MOMENT - 600}, "has expired"),
        ({"exp": "tomorrow"}, "is no instant"),
        ({"exp": True}, "is no instant"),
        ({"exp": 1e300}, "is no instant"),
        ({"nbf": MOMENT + LONG}, "not good yet"),
        ({"iat": MOMENT + LONG}, "not good yet"),
        ({"exp": MOMENT + int(MAX_LIFETIME.total_seconds()) + 1}, "good for longer"),
        ({"repository": "evil/app"}, "claim repository is not one"),
        ({"repository": None}, "claim repository is not one"),
        ({"repository": ["ours/app"]}, "claim repository is not one"),
        ({"repository": "OURS/app"}, "claim repository is not one"),
    ],
)
def test_a_token_that_claims_otherwise(changes: dict[str, Any], problem: str) -> None:
    """Another audience, no end, too early, too late, for too long, another repository: none is taken."""
    with pytest.raises(NotTaken, match=problem) as caught:
        ready().verify(ISSUER, token(claims(URL, **changes)), NOW)

    assert "evil" not in str(caught.value)


def test_clocks_may_differ_a_little() -> None:
    """A token that has just ended, or just begins, by a clock beside ours."""
    made = ready()
    near: list[dict[str, Any]] = [{"exp": MOMENT - 59, "iat": MOMENT - 600}, {"iat": MOMENT + 59, "nbf": MOMENT + 59}]
    for changes in near:
        assert made.verify(ISSUER, token(claims(URL, **changes)), NOW).name
    assert len(made.verify(ISSUER, token(claims(URL, sub="x" * 999)), NOW).name) == MAX_NAME


def test_no_signature_and_no_shared_secret() -> None:
    """``none`` in every spelling, and the public key taken for a secret, which whoever has it could sign with."""
    made, said = ready(), claims(URL)
    pem = (
        rsa_key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    for name in ("none", "None", "NONE", "", "HS256", "HS512"):
        header = {"alg": name, "kid": "one", "typ": "JWT"}
        text = forged(said, header)
        secret = hmac.new(pem, text.rpartition(".")[0].encode(), sha256).digest()
        for one in (text, text + urlsafe_b64encode(secret).decode().rstrip("=")):
            with pytest.raises(NotTaken, match="in a way that is not taken"):
                made.verify(ISSUER, one, NOW)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_keys_that_are_none() -> None:
    """Another's key, one that is too short, one for encryption, a shared secret, one for another algorithm."""
    with pytest.raises(NotTaken, match="InvalidSignatureError"):
        ready().verify(ISSUER, token(claims(URL), rsa_key(1)), NOW)
    weak = ready(Web(public(rsa_key(2, 1024), "one")))
    with pytest.raises(NotTaken, match="InvalidKeyError"):
        weak.verify(ISSUER, token(claims(URL), rsa_key(2, 1024)), NOW)
    unusable: list[dict[str, object]] = [
        public(rsa_key(), "one", use="enc"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "one"},
        {"kty": "RSA", "n": "!", "e": "AQAB", "kid": "one"},
        {**public(rsa_key(), "one"), "kid": 7},
    ]
    for key in unusable:
        with pytest.raises(UnknownKey):
            ready(Web(key)).verify(ISSUER, token(claims(URL)), NOW)
    with pytest.raises(NotTaken, match="for another algorithm"):
        ready(Web(public(rsa_key(), "one", alg="RS512"))).verify(ISSUER, token(claims(URL)), NOW)


def test_what_is_changed_or_doubled_or_critical() -> None:
    """A claim that was changed afterwards, one that is there twice, a header that asks for more than is understood."""
    made = ready()
    head, _, signature = token(claims(URL)).split(".")
    other = urlsafe_b64encode(json.dumps(claims(URL, repository="ours/other")).encode()).decode().rstrip("=")
    with pytest.raises(NotTaken, match="InvalidSignatureError"):
        made.verify(ISSUER, f"{head}.{other}.{signature}", NOW)
    with pytest.raises(NotTaken):
        made.verify(ISSUER, token(claims(URL), crit=["b64"], b64=True), NOW)
    for text in (f"!.{other}.{signature}", f"{urlsafe_b64encode(b'[]').decode()}.{other}.x"):
        with pytest.raises(NotTaken, match="header cannot be read"):
            made.verify(ISSUER, text, NOW)


def test_whose_token_it_is_not() -> None:
    """What is no token, or another issuer's, is left to whoever it is for: letter by letter."""
    made = ready()
    for said in (claims(f"{URL}/"), claims("https://issuer.example.invalid.evil.invalid"), {"iss": [URL]}, {}):
        assert made.issuer(forged(said, {"alg": "RS256"})) is None
    for text in ("", "a.b", "a.b.c", "..", f"eyJ.{'x' * 9000}.y", "é.é.é"):
        assert made.issuer(text) is None


def test_keys_are_kept_renewed_and_end() -> None:
    """Asked for once an hour; a new key is looked for, but not at every stranger's word; old ones end after a day."""
    web = Web()
    made = Verifier([ISSUER], web)
    assert made.due(ISSUER, NOW)
    with pytest.raises(UnknownKey):
        made.verify(ISSUER, token(claims(URL)), NOW)
    made.ask(ISSUER, NOW)
    assert len(web.asked) == 2
    assert not made.due(ISSUER, NOW + KEYS_FRESH - timedelta(seconds=1))
    assert made.due(ISSUER, NOW + KEYS_FRESH)

    web.pages[f"{URL}/keys"] = json.dumps({"keys": [public(rsa_key(1), "two")]}).encode()
    later = NOW + timedelta(minutes=2)
    rotated = token(claims(URL, later), rsa_key(1), kid="two")
    with pytest.raises(UnknownKey):
        made.verify(ISSUER, rotated, later)
    assert not made.due(ISSUER, NOW + KEYS_AGAIN - timedelta(seconds=1), wanted=True)
    assert made.due(ISSUER, later, wanted=True)
    made.ask(ISSUER, later)
    assert made.verify(ISSUER, rotated, later).name
    with pytest.raises(UnknownKey):  # what the issuer took back
        made.verify(ISSUER, token(claims(URL, later)), later)

    web.down = True
    with pytest.raises(RegistryError):
        made.ask(ISSUER, later + KEYS_FRESH)
    end = later + KEYS_KEPT
    before = end - timedelta(minutes=1)
    assert made.verify(ISSUER, token(claims(URL, before), rsa_key(1), kid="two"), before).name
    with pytest.raises(UnknownKey):
        made.verify(ISSUER, token(claims(URL, end), rsa_key(1), kid="two"), end)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"issuer": "https://evil.invalid"}, "about another issuer"),
        ({"jwks_uri": "https://evil.invalid/keys"}, "on another host"),
        ({"jwks_uri": "http://issuer.example.invalid/keys"}, "on another host"),
        ({"jwks_uri": 7}, "nothing that could be read"),
    ],
)
def test_keys_come_from_the_issuer_itself(changes: dict[str, Any], problem: str) -> None:
    """No description of another issuer, and no keys from elsewhere: unless the settings name their address."""
    web = Web(**changes)
    with pytest.raises(Untrusted, match=problem):
        ready(web)
    named = replace(ISSUER, keys=f"{URL}/keys")
    assert ready(web, named).verify(named, token(claims(URL)), NOW).name
    web.pages[f"{URL}/keys"] = b"<html>"
    with pytest.raises(Untrusted, match="cannot be read"):
        ready(web, named)
