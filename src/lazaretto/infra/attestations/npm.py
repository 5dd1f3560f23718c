"""npm: the registry's ECDSA signatures, its publish attestations, and SLSA provenance in Sigstore bundles.

Sources: npm, *About ECDSA registry signatures*; npm/attestation, *publish* v0.1; in-toto, *Statement* v1; Sigstore,
*bundle* and *DSSE*. As the npm client does: a key counts for what was published before it expired.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from packageurl import PackageURL

from lazaretto.app.attested import AttestationError, Checked, Keys
from lazaretto.core.model import Artifact, Disproof, Provenance, Release, Signed, Weakness
from lazaretto.infra.attestations._certificate import Bearer

if TYPE_CHECKING:
    from sigstore.verify import Verifier as SigstoreVerifier

MAX_DOCUMENT = 16 << 20
"""Largest document that is looked at, in bytes."""

MAX_ATTESTATIONS = 32
"""Most attestations of one artifact that are verified."""

_PUBLISH = "https://github.com/npm/attestation/tree/main/specs/publish/"
_PROVENANCE = "https://slsa.dev/provenance/"
_SUPPORTED_ENTRIES = ("dsse", "hashedrekord")
_STATEMENT = "application/vnd.in-toto+json"


class _Key(msgspec.Struct):
    keyid: str
    key: str
    expires: datetime | None = None


class _Keys(msgspec.Struct):
    keys: tuple[_Key, ...]


class _Bundle(msgspec.Struct):
    envelope: dict[str, Any] = msgspec.field(name="dsseEnvelope")
    material: dict[str, Any] = msgspec.field(name="verificationMaterial")


class _Item(msgspec.Struct):
    predicate: str = msgspec.field(name="predicateType")
    bundle: msgspec.Raw = msgspec.field(name="bundle")


class _Document(msgspec.Struct):
    attestations: tuple[_Item, ...]


class _Subject(msgspec.Struct):
    name: str
    digest: dict[str, str]


class _Statement(msgspec.Struct):
    subject: tuple[_Subject, ...]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: dict[str, Any] = msgspec.field(default_factory=dict)


_T = TypeVar("_T")


class _Wrong(Exception):
    """What is signed does not hold."""

    def __init__(self, weakness: Weakness, told: str) -> None:
        super().__init__(told)
        self.weakness = weakness


class Verifier:
    """Verifies what is signed for npm's tarballs."""

    def __init__(self) -> None:
        self._sigstore: SigstoreVerifier | None = None

    def signatures(self, release: Release, artifact: Artifact, keys: Keys) -> tuple[Disproof, ...]:
        """Verify the registry's signatures over ``name@version:integrity``. Raises AttestationError, RegistryError."""
        known = _known(keys())
        message = f"{release.project}@{release.version}:{artifact.integrity}".encode()
        found = []
        for signature in artifact.signatures:
            try:
                _by_key(known, signature.keyid, message, signature.value, release.published)
            except _Wrong as wrong:
                found.append(Disproof(Signed.REGISTRY, wrong.weakness, artifact.filename, str(wrong)))
        return tuple(found)

    def attestations(self, release: Release, artifact: Artifact, document: bytes, keys: Keys) -> Checked:
        """Verify the attestations of a tarball. Raises AttestationError, RegistryError."""
        name = artifact.filename
        if len(document) > MAX_DOCUMENT:
            raise AttestationError(f"{name}: its attestations are larger than {MAX_DOCUMENT} bytes")
        items = _decode(document, _Document, f"{name}: its attestations").attestations
        wanted = [one for one in items if one.predicate.startswith((_PUBLISH, _PROVENANCE))]
        if not wanted or len(wanted) > MAX_ATTESTATIONS:
            raise AttestationError(f"{name}: {len(wanted)} attestations of a kind that is known here")
        provenance: Provenance | None = None
        disproofs = []
        unverified: AttestationError | None = None
        for item in wanted:
            try:
                built = self._item(release, artifact, item, keys)
                provenance = provenance or built
            except _Wrong as wrong:
                told = f"the attestation {item.predicate}: {wrong}"
                disproofs.append(Disproof(Signed.BUILDER, wrong.weakness, name, told))
            except AttestationError as error:
                unverified = unverified or error
        if unverified is not None and not disproofs:  # one thing that does not hold says more than another unknown
            raise unverified
        return Checked(provenance, tuple(disproofs))

    def _item(self, release: Release, artifact: Artifact, item: _Item, keys: Keys) -> Provenance | None:
        bundle = _decode(item.bundle, _Bundle, f"{artifact.filename}: a bundle")
        kind, payload = str(bundle.envelope.get("payloadType")), _payload(bundle)
        statement = _statement(kind, payload)
        if statement.predicate_type != item.predicate:
            raise _Wrong(Weakness.SUBJECT, f"what is signed is of another kind: {statement.predicate_type[:120]}")
        _is_about(
            statement, release, artifact
        )  # before anything else: a form that cannot be verified may be lifted too
        built = None
        if "publicKey" in bundle.material:
            _signed_by_key(bundle, keys, release.published, _pre_authentication(kind, payload))
        else:
            statement, built = self._signed_by_certificate(artifact, item, bundle)
        if built is not None:
            _agrees(statement, built)
        return built

    def _signed_by_certificate(self, artifact: Artifact, item: _Item, bundle: _Bundle) -> tuple[_Statement, Provenance]:
        _is_known_form(artifact, bundle)
        from sigstore.errors import Error, VerificationError
        from sigstore.models import Bundle, InvalidBundle

        bearer = Bearer()
        try:
            signed = Bundle.from_json(bytes(item.bundle))
        except InvalidBundle as error:
            raise _Wrong(Weakness.SIGNATURE, f"its bundle is broken: {_line(error)}") from None
        try:
            kind, payload = self._verifier().verify_dsse(signed, bearer)
        except VerificationError as error:
            raise _Wrong(Weakness.SIGNATURE, _line(error)) from None
        except Error as error:
            raise AttestationError(f"{artifact.filename}: its attestation cannot be verified: {_line(error)}") from None
        return _statement(kind, payload), bearer.provenance()

    def _verifier(self) -> "SigstoreVerifier":
        if self._sigstore is None:
            from sigstore.errors import Error
            from sigstore.verify import Verifier as SigstoreVerifier

            try:
                self._sigstore = SigstoreVerifier.production(offline=True)
            except (Error, OSError) as error:
                raise AttestationError(f"Sigstore's trust root cannot be read: {_line(error)}") from None
        return self._sigstore


def _is_known_form(artifact: Artifact, bundle: _Bundle) -> None:
    """Refuse bundles of forms that Sigstore's library does not verify: those of npm until the end of 2024."""
    entries = bundle.material.get("tlogEntries")
    for entry in entries if isinstance(entries, list) else ():
        kind = entry.get("kindVersion", {}).get("kind") if isinstance(entry, dict) else None
        if kind not in _SUPPORTED_ENTRIES or "inclusionProof" not in entry:
            raise AttestationError(
                f"{artifact.filename}: its attestation is of an older form ({str(kind)[:40]} entry in the log), "
                "which Sigstore's library does not verify"
            )


def _payload(bundle: _Bundle) -> bytes:
    try:
        return b64decode(bundle.envelope.get("payload", ""), validate=True)
    except (Base64Error, TypeError, ValueError):
        raise _Wrong(Weakness.SIGNATURE, "its payload is no base64") from None


def _signed_by_key(bundle: _Bundle, keys: Keys, published: datetime | None, message: bytes) -> None:
    """Verify a statement that a key of the registry signed (DSSE)."""
    key, envelope = bundle.material["publicKey"], bundle.envelope
    hint = key.get("hint") if isinstance(key, dict) else None
    signatures = envelope.get("signatures")
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], dict):
        raise _Wrong(Weakness.SIGNATURE, "not exactly one signature")
    keyid, value = signatures[0].get("keyid") or hint, signatures[0].get("sig")
    if not isinstance(keyid, str) or keyid != hint:
        raise _Wrong(Weakness.KEY, "the bundle and its signature name different keys, or none")
    _by_key(_known(keys()), keyid, message, value, published)


def _pre_authentication(kind: str, payload: bytes) -> bytes:
    """Return what is signed (DSSE v1, *PAE*)."""
    return b"DSSEv1 %d %b %d %b" % (len(kind.encode()), kind.encode(), len(payload), payload)


def _statement(kind: str, payload: bytes) -> _Statement:
    if kind != _STATEMENT:
        raise _Wrong(Weakness.SUBJECT, f"what is signed is no in-toto statement: {kind[:80]}")
    try:
        return msgspec.json.decode(payload, type=_Statement)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _Wrong(Weakness.SUBJECT, f"what is signed is no in-toto statement: {_line(error)}") from None


def _is_about(statement: _Statement, release: Release, artifact: Artifact) -> None:
    sha512 = artifact.digests.get("sha512")
    if sha512 is None:
        raise AttestationError(f"{artifact.filename}: the index gives no SHA-512 that its attestation could be about")
    if len(statement.subject) != 1:
        raise _Wrong(Weakness.SUBJECT, f"it is about {len(statement.subject)} things and not about one")
    subject = statement.subject[0]
    if not _same_release(subject.name, release):
        raise _Wrong(Weakness.SUBJECT, f"it is about {subject.name[:120]}")
    if subject.digest.get("sha512") != sha512:
        raise _Wrong(Weakness.SUBJECT, "it is about other bytes: the SHA-512 differs")


def _same_release(purl: str, release: Release) -> bool:
    scope, _, name = release.project.rpartition("/")
    try:
        return PackageURL.from_string(purl) == PackageURL("npm", scope or None, name, release.version)
    except ValueError:
        return False


def _agrees(statement: _Statement, built: Provenance) -> None:
    """The repository that the statement claims must be that of the certificate."""
    definition = statement.predicate.get("buildDefinition")
    workflow = definition.get("externalParameters", {}).get("workflow") if isinstance(definition, Mapping) else None
    claimed = workflow.get("repository") if isinstance(workflow, Mapping) else None
    if claimed is not None and claimed != built.repository:
        told = f"it claims the repository {str(claimed)[:120]}, and was signed from {built.repository}"
        raise _Wrong(Weakness.IDENTITY, told)


def _known(document: bytes) -> dict[str, _Key]:
    return {key.keyid: key for key in _decode(document, _Keys, "the registry's keys").keys}


def _by_key(known: Mapping[str, _Key], keyid: str, message: bytes, value: object, published: datetime | None) -> None:
    """Verify an ECDSA signature (P-256, SHA-256; base64 of DER) by one of the registry's keys."""
    key = known.get(keyid)
    if key is None:
        raise _Wrong(Weakness.KEY, f"the registry has no key {keyid[:80]}")
    at = published or datetime(2015, 1, 1, tzinfo=UTC)  # as the npm client takes an unknown time
    if key.expires is not None and at >= key.expires:
        raise _Wrong(Weakness.KEY, f"the key {keyid[:80]} had expired when this was published")
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        public = load_der_public_key(b64decode(key.key))
    except (ValueError, Base64Error) as error:
        raise AttestationError(f"the registry's key {keyid[:80]} cannot be read: {_line(error)}") from None
    if not isinstance(public, EllipticCurvePublicKey):
        raise AttestationError(f"the registry's key {keyid[:80]} is of a kind that is not known here")
    try:
        public.verify(b64decode(value if isinstance(value, str) else "", validate=True), message, ECDSA(SHA256()))
    except (InvalidSignature, Base64Error, ValueError):
        raise _Wrong(Weakness.SIGNATURE, f"the signature by the key {keyid[:80]} does not hold") from None


def _decode(data: bytes | msgspec.Raw, kind: "type[_T]", what: str) -> "_T":
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AttestationError(f"{what} cannot be read: {_line(error)}") from None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
