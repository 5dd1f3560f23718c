"""What is signed for a release, through the use case: read, verified, absent, out of reach."""

from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from lazaretto.app.analyse import Analyser, Analysis, Question
from lazaretto.app.attested import HABIT_DEPTH, AttestationError, Attester, Checked, Keys
from lazaretto.app.ports import NotFound, Unavailable
from lazaretto.core.finding import Example
from lazaretto.core.model import Artifact, Disproof, Provenance, Provided, RegistrySignature, Release, Signed, Weakness
from lazaretto.core.names import ProjectName, Version
from lazaretto.core.policy import Outage, Outcome, Policy
from lazaretto.core.question import package_json
from lazaretto.core.verdict import CHECK_ATTESTATION, RecordState
from tests.examples import World, build_world, rules

HOME = Provenance("https://forge.invalid/pads/pad", "refs/tags/v1", ".github/workflows/publish.yml", "push")
FORK = replace(HOME, repository="https://forge.invalid/padz/pad")


@dataclass
class Yard:
    """Documents by address: each is the name of a repository; asked for are those that it tells."""

    documents: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def fetch(self, name: ProjectName, url: str) -> bytes:
        """Return a document."""
        self.asked.append(url)
        if url not in self.documents:
            raise Unavailable(f"{url}: the registry does not answer")
        return self.documents[url]

    kept = fetch

    def keys(self, name: ProjectName) -> bytes:
        """Return no keys."""
        raise NotFound(name)


@dataclass
class Judge:
    """A verifier that says of every document the same."""

    says: Checked | AttestationError
    signed: tuple[Disproof, ...] = ()

    def attestations(self, release: Release, artifact: Artifact, document: bytes, keys: Keys) -> Checked:
        """Say it."""
        if isinstance(self.says, AttestationError):
            raise self.says
        return self.says

    def signatures(self, release: Release, artifact: Artifact, keys: Keys) -> tuple[Disproof, ...]:
        """Say it."""
        return self.signed


def claims(document: bytes) -> Provenance | None:
    """Read the documents of this yard."""
    if document == b"broken":
        raise ValueError("no document")
    return FORK if document == b"fork" else HOME


def world(*, before: int = 4, signatures: bool = False) -> World:
    """Return a registry with a pad whose every release is attested."""
    files = {"package.json": package_json("1.0.0"), "index.js": "module.exports = 1;\n"}
    made, name, _, _ = build_world(Example(title="", before=files, after=files))
    project = made.projects[name]
    template = project.releases[0]

    def attested(number: int) -> Release:
        version = Version(f"1.0.{number}")
        signature = (RegistrySignature("SHA256:key", "c2ln"),) if signatures else ()
        artifact = replace(
            template.artifacts[0],
            filename=f"{name}-{version}.tgz",
            provenance_url=f"https://registry.invalid/attestations/{version}",
            signatures=signature,
        )
        return replace(template, version=version, artifacts=(artifact,), attested=True)

    tree = made.trees[template.artifacts[0].filename]
    made.projects = {}
    for number in range(before + 1):
        made.add(attested(number), tree, provides=frozenset(Provided) - {Provided.VERIFICATION})
    return made


def ask(made: World, attester: Attester | None, version: str = "1.0.4", policy: Policy | None = None) -> Analysis:
    """Ask about a release of the pad."""
    _, _, _, now = build_world(Example(title="", after={}))
    analyser = Analyser(made.ecosystem, made, made, rules(policy), now, attester=lambda: attester)
    return analyser.release(Question(ProjectName("example-package"), Version(version)))


def documents(last: bytes = b"home") -> Yard:
    """Return the documents of five releases; ``last`` is that of the newest."""
    found = {f"https://registry.invalid/attestations/1.0.{number}": b"home" for number in range(4)}
    return Yard({**found, "https://registry.invalid/attestations/1.0.4": last})


def found(analysis: Analysis, detector: str) -> list[str]:
    """Return the variants of a detector's findings."""
    record = analysis.records.get(detector)
    return [finding.variant for finding in record.findings] if record is not None else []


def test_where_it_was_built_is_compared_with_the_habit() -> None:
    """The documents are read for real releases: a build from a fork is told, one from home is not."""
    for last, expected in ((b"home", []), (b"fork", ["repository"])):
        yard = documents(last)
        analysis = ask(world(), Attester(yard, claims, None, Policy()))

        assert found(analysis, "provenance-changed") == expected
        assert len(yard.asked) == 1 + HABIT_DEPTH
        assert analysis.records[CHECK_ATTESTATION].state is RecordState.COMPLETE


def test_nothing_is_asked_where_nothing_is_wanted() -> None:
    """Without an attester there is no such check, and a registry that attests nothing is asked for nothing."""
    assert CHECK_ATTESTATION not in ask(world(), None).records
    made = world()
    name = ProjectName("example-package")
    made.projects[name] = replace(made.projects[name], provides=frozenset({Provided.TIME}))
    yard = Yard()

    assert CHECK_ATTESTATION not in ask(made, Attester(yard, claims, None, Policy())).records
    assert yard.asked == []


@pytest.mark.parametrize("last", [b"broken", None], ids=["broken", "away"])
def test_a_document_that_cannot_be_had_leaves_the_answer_incomplete(last: bytes | None) -> None:
    """Not got and not understood is not clean; the outage class says which, and the policy decides."""
    yard = documents(last or b"")
    if last is None:
        del yard.documents["https://registry.invalid/attestations/1.0.4"]
    outage = Outage.UNTRUSTED if last else Outage.UPSTREAM

    analysis = ask(world(), Attester(yard, claims, None, Policy()))

    record = analysis.records[CHECK_ATTESTATION]
    assert (record.state, record.outage) == (RecordState.INCOMPLETE, outage)
    assert analysis.outcome is Outcome.HOLD
    assert CHECK_ATTESTATION in analysis.verdict.missing
    permissive = Policy(outages={outage: Outcome.ALLOW})
    assert ask(world(), Attester(yard, claims, None, permissive), policy=permissive).outcome is Outcome.ALLOW


def test_a_habit_that_cannot_be_had_leaves_the_answer_incomplete() -> None:
    """Losing the documents of earlier releases must not turn a changed build into an unknown one."""
    yard = documents(b"fork")
    del yard.documents["https://registry.invalid/attestations/1.0.3"]

    analysis = ask(world(), Attester(yard, claims, None, Policy()))

    assert analysis.records[CHECK_ATTESTATION].state is RecordState.INCOMPLETE


def test_what_does_not_hold_is_blocked() -> None:
    """A disproof by the verifier becomes a finding that blocks by itself."""
    disproof = Disproof(Signed.BUILDER, Weakness.SUBJECT, "x.tgz", "it is about other bytes")
    attester = Attester(documents(), claims, Judge(Checked(None, (disproof,))), Policy())

    analysis = ask(world(), attester)

    assert found(analysis, "attestation-invalid") == ["subject"]
    assert analysis.outcome is Outcome.BLOCK


def test_what_the_registry_signed_is_verified_too() -> None:
    """The registry's signatures are asked about on their own, where the index has them."""
    disproof = Disproof(Signed.REGISTRY, Weakness.SIGNATURE, "x.tgz", "it does not hold")
    attester = Attester(documents(), claims, Judge(Checked(HOME), (disproof,)), Policy())

    assert found(ask(world(), attester), "registry-signature-invalid") == []
    assert found(ask(world(signatures=True), attester), "registry-signature-invalid") == ["signature"]


def test_what_cannot_be_verified_is_not_verified() -> None:
    """An older form of the release in question is incomplete; of earlier releases its claims are still their habit."""
    error = AttestationError("of an older form")

    analysis = ask(world(), Attester(documents(), claims, Judge(error), Policy()))

    record = analysis.records[CHECK_ATTESTATION]
    assert (record.outage, record.problems) == (Outage.UNVERIFIED, ("of an older form",))


def test_the_habit_of_older_forms_is_what_they_claim() -> None:
    """Earlier releases that nobody can verify any more still show what the line was used to."""
    error = AttestationError("of an older form")

    class Modern(Judge):
        """Verifies the newest release alone."""

        def attestations(self, release: Release, artifact: Artifact, document: bytes, keys: Keys) -> Checked:
            return (
                Checked(FORK) if release.version == "1.0.4" else super().attestations(release, artifact, document, keys)
            )

    analysis = ask(world(), Attester(documents(), claims, Modern(error), Policy()))

    assert found(analysis, "provenance-changed") == ["repository"]
    assert analysis.records[CHECK_ATTESTATION].state is RecordState.COMPLETE


def test_without_a_verifier_nothing_claims_to_have_verified() -> None:
    """The detectors that need verification are not run, and the report says so."""
    analysis = ask(world(), Attester(documents(), claims, None, Policy()))

    assert "attestation-invalid" not in analysis.records
    assert "attestation-invalid" not in analysis.verdict.missing
    verified = ask(world(), Attester(documents(), claims, Judge(Checked(HOME)), Policy()))
    assert verified.records["attestation-invalid"].state is RecordState.COMPLETE
    assert verified.outcome is Outcome.ALLOW
