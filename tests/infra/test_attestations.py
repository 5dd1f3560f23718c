"""Recorded attestations and signatures: the good ones hold, and each broken kind fails in its own way."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lazaretto.app.attested import AttestationError, AttestationVerifier, Checked
from lazaretto.core.model import Artifact, ArtifactKind, RegistrySignature, Release, Signed, Weakness
from lazaretto.core.names import ProjectName, Version
from lazaretto.infra.attestations import npm, pypi, verifier

SEEN = Path(__file__).parent / "attestations_seen"
Change = Callable[[dict[str, Any]], None]


def seen(name: str) -> Any:
    """Return a recorded document."""
    return json.loads((SEEN / name).read_bytes())


def keys() -> bytes:
    """Return the registry's keys: one that expired in 2025, and the one after it."""
    return (SEEN / "keys.json").read_bytes()


def nuxt(digest: str | None = None, name: str = "nuxt", version: str = "4.1.2") -> tuple[Release, Artifact]:
    """Return the recorded release of nuxt with its tarball."""
    told = next(one for one in seen("nuxt-signatures.json") if one["version"] == version)
    sha512 = digest or b64decode(told["integrity"].removeprefix("sha512-")).hex()
    signatures = tuple(RegistrySignature(one["keyid"], one["sig"]) for one in told["signatures"])
    artifact = Artifact(
        filename=f"nuxt-{version}.tgz",
        kind=ArtifactKind.TARBALL,
        url="https://registry.invalid/nuxt.tgz",
        digests={"sha512": sha512},
        provenance_url="https://registry.invalid/attestations",
        integrity=told["integrity"],
        signatures=signatures,
    )
    published = datetime.fromisoformat(told["published"])
    return Release("npm", ProjectName(name), Version(version), (artifact,), published=published), artifact


def verified(document: object, release: Release, artifact: Artifact) -> Checked:
    """Verify a document of npm."""
    return npm.Verifier().attestations(release, artifact, json.dumps(document).encode(), keys)


def test_npm_provenance_and_publication_hold() -> None:
    """What is said is what the certificate says: repository, workflow, reference, commit, trigger, issuer."""
    checked = verified(seen("nuxt-4.1.2.json"), *nuxt())

    assert checked.disproofs == ()
    built = checked.provenance
    assert built is not None
    assert built.verified
    assert built.repository is not None
    assert built.repository.endswith("/nuxt/nuxt")
    assert (built.ref, built.workflow) == ("refs/heads/main", ".github/workflows/release.yml")
    assert (built.commit, built.event) == ("412786a1d8283aaa2360a855d44ebd3ac21924f1", "pull_request_target")
    assert built.issuer is not None
    assert "actions" in built.issuer


def _payload(change: Change, item: int) -> Change:
    """Change what is signed, and leave the signature."""

    def changed(document: dict[str, Any]) -> None:
        envelope = document["attestations"][item]["bundle"]["dsseEnvelope"]
        statement = json.loads(b64decode(envelope["payload"]))
        change(statement)
        envelope["payload"] = b64encode(json.dumps(statement, separators=(",", ":")).encode()).decode()

    return changed


def _signature(document: dict[str, Any], item: int) -> None:
    signature = document["attestations"][item]["bundle"]["dsseEnvelope"]["signatures"][0]
    raw = bytearray(b64decode(signature["sig"]))
    raw[-1] ^= 1
    signature["sig"] = b64encode(raw).decode()


def _other_key(document: dict[str, Any]) -> None:
    bundle = document["attestations"][0]["bundle"]
    bundle["dsseEnvelope"]["signatures"][0]["keyid"] = "SHA256:other"
    bundle["verificationMaterial"]["publicKey"]["hint"] = "SHA256:other"


def _two_keys(document: dict[str, Any]) -> None:
    document["attestations"][0]["bundle"]["dsseEnvelope"]["signatures"][0]["keyid"] = "SHA256:other"


def _no_signature(document: dict[str, Any]) -> None:
    document["attestations"][0]["bundle"]["dsseEnvelope"]["signatures"] = []


def _swapped_kinds(document: dict[str, Any]) -> None:
    first, second = document["attestations"]
    first["predicateType"], second["predicateType"] = second["predicateType"], first["predicateType"]


def _certificate_of_another(document: dict[str, Any]) -> None:
    material = document["attestations"][1]["bundle"]["verificationMaterial"]
    other = seen("sigstore-0.4.0.json")["attestations"][0]["bundle"]["verificationMaterial"]
    material["x509CertificateChain"] = other["x509CertificateChain"]


def _log_entry(field: str, value: object) -> Change:
    def changed(document: dict[str, Any]) -> None:
        document["attestations"][1]["bundle"]["verificationMaterial"]["tlogEntries"][0][field] = value

    return changed


def _proof_of_another_tree(document: dict[str, Any]) -> None:
    entry = document["attestations"][1]["bundle"]["verificationMaterial"]["tlogEntries"][0]
    entry["inclusionProof"]["rootHash"] = b64encode(b"\0" * 32).decode()


BROKEN: dict[str, tuple[Change, Weakness]] = {
    "the signature by the registry's key": (lambda d: _signature(d, 0), Weakness.SIGNATURE),
    "the signature by the builder": (lambda d: _signature(d, 1), Weakness.SIGNATURE),
    "the builder's statement changed": (
        _payload(lambda s: s["predicate"].update(runDetails={}), 1),
        Weakness.SIGNATURE,
    ),
    "the registry's statement changed": (
        _payload(lambda s: s["predicate"].update(version="4.1.3"), 0),
        Weakness.SIGNATURE,
    ),
    "a key that nobody has": (_other_key, Weakness.KEY),
    "two keys at once": (_two_keys, Weakness.KEY),
    "no signature": (_no_signature, Weakness.SIGNATURE),
    "kinds exchanged": (_swapped_kinds, Weakness.SUBJECT),
    "the certificate of another build": (_certificate_of_another, Weakness.SIGNATURE),
    "another time in the log": (_log_entry("integratedTime", "1000000000"), Weakness.SIGNATURE),
    "a proof of another log": (_proof_of_another_tree, Weakness.SIGNATURE),
}


@pytest.mark.parametrize("name", BROKEN)
def test_npm_broken(name: str) -> None:
    """Each broken kind fails, says in which way, and the other attestation of the document is verified all the same."""
    change, weakness = BROKEN[name]
    document = seen("nuxt-4.1.2.json")
    change(document)

    found = verified(document, *nuxt()).disproofs

    assert weakness in {one.weakness for one in found}
    assert {one.by for one in found} == {Signed.BUILDER}
    assert {one.filename for one in found} == {"nuxt-4.1.2.tgz"}


@pytest.mark.parametrize("other", [{"digest": "00" * 64}, {"name": "nuxt-edge"}], ids=["bytes", "name"])
def test_npm_lifted_from_another_release(other: dict[str, str]) -> None:
    """Valid attestations of something else are disproofs, both of them."""
    found = verified(seen("nuxt-4.1.2.json"), *nuxt(**other)).disproofs

    assert [one.weakness for one in found] == [Weakness.SUBJECT, Weakness.SUBJECT]


def old() -> tuple[Release, Artifact]:
    """Return the release that the older document is about."""
    payload = seen("sigstore-0.4.0.json")["attestations"][0]["bundle"]["dsseEnvelope"]["payload"]
    digests = json.loads(b64decode(payload))["subject"][0]["digest"]
    artifact = Artifact("sigstore-0.4.0.tgz", ArtifactKind.TARBALL, "https://registry.invalid/x", digests)
    published = datetime(2023, 1, 11, tzinfo=UTC)
    return Release("npm", ProjectName("sigstore"), Version("0.4.0"), (artifact,), published=published), artifact


def test_npm_forms_that_the_library_does_not_verify() -> None:
    """An older form is no disproof and no proof: it cannot be verified here, and that is said."""
    with pytest.raises(AttestationError, match="older form"):
        verified(seen("sigstore-0.4.0.json"), *old())


def test_npm_older_form_lifted_from_another_release() -> None:
    """That it is about something else needs no signature to be seen."""
    found = verified(seen("sigstore-0.4.0.json"), *nuxt()).disproofs

    assert [one.weakness for one in found] == [Weakness.SUBJECT, Weakness.SUBJECT]


def test_npm_a_disproof_counts_beside_an_older_form() -> None:
    """What cannot be verified does not hide what does not hold."""
    document = seen("sigstore-0.4.0.json")
    _signature(document, 1)

    (found,) = verified(document, *old()).disproofs

    assert found.weakness is Weakness.SIGNATURE


def test_npm_publication_of_an_older_form_holds() -> None:
    """The registry's own statement of those years holds, by the key of those years."""
    document = seen("sigstore-0.4.0.json")
    document["attestations"] = document["attestations"][1:]

    assert verified(document, *old()) == Checked()


@pytest.mark.parametrize(
    "document",
    [b"", b"[]", b"{", b'{"attestations": 1}', b'{"attestations": []}', b"[" * 100_000, b"\xff\xfe"],
    ids=["empty", "list", "cut off", "number", "none", "deep", "no text"],
)
@pytest.mark.parametrize("judge", [npm.Verifier(), pypi.Verifier()], ids=["npm", "pypi"])
def test_documents_that_are_none(judge: AttestationVerifier, document: bytes) -> None:
    """What is no document of attestations cannot be verified."""
    release, artifact = nuxt()
    with pytest.raises(AttestationError):
        judge.attestations(release, artifact, document, keys)


@pytest.mark.parametrize("version", ["3.13.0", "4.1.2"])
def test_registry_signatures_hold(version: str) -> None:
    """The old key counts for what was published before it expired, the new one after."""
    assert npm.Verifier().signatures(*nuxt(version=version), keys) == ()


def test_registry_signature_of_other_bytes() -> None:
    """A signature is over name, version and digest: of another release it does not hold."""
    release, artifact = nuxt()
    other = nuxt(version="3.13.0")[1].signatures

    for changed in (
        Artifact(**{f: getattr(artifact, f) for f in artifact.__struct_fields__} | {"integrity": "sha512-AAAA"}),
        Artifact(**{f: getattr(artifact, f) for f in artifact.__struct_fields__} | {"signatures": other}),
    ):
        (found,) = npm.Verifier().signatures(release, changed, keys)
        assert (found.by, found.weakness) in {
            (Signed.REGISTRY, Weakness.SIGNATURE),
            (Signed.REGISTRY, Weakness.KEY),
        }


def test_registry_key_that_had_expired() -> None:
    """A release that appeared after the key's end is not believed by it."""
    release, artifact = nuxt(version="3.13.0")
    late = Release(release.ecosystem, release.project, release.version, published=datetime(2025, 6, 1, tzinfo=UTC))

    (found,) = npm.Verifier().signatures(late, artifact, keys)

    assert found.weakness is Weakness.KEY
    assert "expired" in found.told


def test_registry_without_keys() -> None:
    """A document that is none of keys leaves everything unverified."""
    with pytest.raises(AttestationError, match="keys"):
        npm.Verifier().signatures(*nuxt(), lambda: b"<html>")


def sample(**digests: str) -> tuple[Release, Artifact]:
    """Return the recorded source distribution of sampleproject."""
    sha256 = {"sha256": "0ace7980f82c5815ede4cd7bf9f6693684cec2ae47b9b7ade9add533b8627c6b"}
    name = "sampleproject-4.0.0.tar.gz"
    artifact = Artifact(name, ArtifactKind.SDIST, "https://index.invalid/x", sha256 | digests)
    return Release("pypi", ProjectName("sampleproject"), Version("4.0.0"), (artifact,)), artifact


def of_pypi(document: object, release: Release, artifact: Artifact) -> Checked:
    """Verify a document of PyPI."""
    return pypi.Verifier().attestations(release, artifact, json.dumps(document).encode(), keys)


def test_pypi_attestation_holds() -> None:
    """PEP 740: the publisher that the index names is the one of the certificate."""
    checked = of_pypi(seen("sampleproject-4.0.0.tar.gz.json"), *sample())

    assert checked.disproofs == ()
    built = checked.provenance
    assert built is not None
    assert built.verified
    assert (built.workflow, built.ref) == (".github/workflows/release.yml", "refs/heads/main")
    assert (built.event, built.commit) == ("push", "621e4974ca25ce531773def586ba3ed8e736b3fc")


def _publisher(field: str, value: str) -> Change:
    return lambda document: document["attestation_bundles"][0]["publisher"].update({field: value})


def _pypi_signature(document: dict[str, Any]) -> None:
    envelope = document["attestation_bundles"][0]["attestations"][0]["envelope"]
    raw = bytearray(b64decode(envelope["signature"]))
    raw[-1] ^= 1
    envelope["signature"] = b64encode(raw).decode()


@pytest.mark.parametrize(
    ("change", "weakness"),
    [
        (_publisher("repository", "somebody/sampleproject"), Weakness.IDENTITY),
        (_publisher("workflow", "other.yml"), Weakness.IDENTITY),
        (_pypi_signature, Weakness.SIGNATURE),
    ],
    ids=["another repository", "another workflow", "the signature"],
)
def test_pypi_broken(change: Change, weakness: Weakness) -> None:
    """Signed by somebody else than the index names, or not validly at all."""
    document = seen("sampleproject-4.0.0.tar.gz.json")
    change(document)

    (found,) = of_pypi(document, *sample()).disproofs

    assert (found.by, found.weakness) == (Signed.BUILDER, weakness)


def test_pypi_attestation_of_other_bytes() -> None:
    """A valid attestation of another file."""
    (found,) = of_pypi(seen("sampleproject-4.0.0.tar.gz.json"), *sample(sha256="00" * 32)).disproofs

    assert found.weakness is Weakness.SUBJECT


def test_libraries_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for verification without its libraries is told what to install."""
    monkeypatch.setattr("lazaretto.infra.attestations.find_spec", lambda _: None)

    with pytest.raises(AttestationError, match=r"lazaretto\[verify\]"):
        verifier("npm")
