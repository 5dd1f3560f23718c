"""What a registry publishes, frozen. ``None`` means *unknown*: the registry did not say.

Unknown is never the same as *no* and never the same as *unchanged* (see law 2 of the design).
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

from lazaretto.core.names import Digest, ProjectName, Version


class ArtifactKind(StrEnum):
    """How an artifact is packed and who installs it."""

    TARBALL = "tgz"  # npm
    SDIST = "sdist"  # PyPI source distribution (.tar.gz, .zip)
    WHEEL = "wheel"  # PyPI built distribution


class Provided(StrEnum):
    """Fields that a registry may or may not tell.

    ``VERIFICATION`` and ``SOURCE`` are none of a registry: they say that somebody here checks signatures, as the
    settings want it, or that the repository was at hand, as the user asked.
    """

    PUBLISHER = "publisher"
    TIME = "time"
    ATTESTATION = "attestation"
    GIT_HEAD = "git_head"
    SIGNATURE = "signature"
    VERIFICATION = "verification"
    SOURCE = "source"


class Publisher(Struct, frozen=True):
    """Who published a release: an account, or a trusted publisher (CI identity, OIDC)."""

    name: str
    email: str | None = None
    trusted: bool | None = None

    @property
    def identity(self) -> tuple[str, str]:
        """What is compared between releases: name and e-mail, lower case."""
        return (self.name.lower(), (self.email or "").lower())


class Provenance(Struct, frozen=True):
    """What an attestation says about where an artifact was built. Says *where from*, not *harmless*.

    ``verified`` says that these are the words of a signing certificate whose chain, log entry and signature hold for
    this artifact, and not what the document claims of itself.
    """

    repository: str | None = None
    ref: str | None = None
    workflow: str | None = None
    event: str | None = None
    commit: str | None = None
    issuer: str | None = None
    verified: bool = False


class Signed(StrEnum):
    """Who signs for an artifact."""

    BUILDER = "attestation"  # whoever built it: Sigstore, SLSA, PEP 740
    REGISTRY = "registry-signature"  # the registry, over name, version and digest


class Weakness(StrEnum):
    """In which way what is signed does not hold."""

    SIGNATURE = "signature"  # no valid signature, certificate chain or log entry
    SUBJECT = "subject"  # it is about other bytes, or another name
    IDENTITY = "identity"  # signed by somebody else than the registry says
    KEY = "key"  # a key that is not known, or was no longer valid at that time


class Disproof(Struct, frozen=True):
    """Something that was signed for an artifact, and does not hold. ``told`` is a sentence for a person."""

    by: Signed
    weakness: Weakness
    filename: str
    told: str


class RegistrySignature(Struct, frozen=True):
    """A registry's own signature over ``name@version:integrity``. ``value`` is base64 of a DER ECDSA signature."""

    keyid: str
    value: str


class DependencySource(StrEnum):
    """Where a dependency is taken from."""

    REGISTRY = "registry"
    ALIAS = "alias"  # npm: ``npm:other@range``
    GIT = "git"
    URL = "url"
    FILE = "file"


class DependencyGroup(StrEnum):
    """When a client installs a dependency."""

    RUNTIME = "runtime"
    OPTIONAL = "optional"
    PEER = "peer"
    BUILD = "build"  # PEP 518 build requirements
    EXTRA = "extra"  # PyPI extras: only on request
    DEV = "dev"  # never installed by a consumer


class Dependency(Struct, frozen=True):
    """One edge as the manifest declares it. ``target`` is the real project behind an alias."""

    name: ProjectName
    requirement: str
    group: DependencyGroup = DependencyGroup.RUNTIME
    source: DependencySource = DependencySource.REGISTRY
    target: ProjectName | None = None
    marker: str | None = None

    @property
    def project(self) -> ProjectName:
        """The project that is really installed."""
        return self.target or self.name


class Artifact(Struct, frozen=True):
    """An immutable blob that one can download. ``digests`` maps algorithm to lower-case hex.

    ``metadata`` is the SHA-256 (``sha256:hex``) of the metadata that the index gives beside it, empty if it gives them
    without a digest; None if it gives none (PEP 658, 714). ``integrity`` is the digest as the index spells it (SRI),
    kept where ``signatures`` of the registry are over it.
    """

    filename: str
    kind: ArtifactKind
    url: str
    digests: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    uploaded: datetime | None = None
    yanked: bool = False
    attested: bool | None = None
    provenance_url: str | None = None
    metadata: str | None = None
    integrity: str | None = None
    signatures: tuple[RegistrySignature, ...] = ()


class Release(Struct, frozen=True):
    """One version of one project. ``dependencies`` is None where only the artifact tells.

    ``requires_python`` is what the index says that it asks of the interpreter (core metadata *Requires-Python*).
    """

    ecosystem: str
    project: ProjectName
    version: Version
    artifacts: tuple[Artifact, ...] = ()
    published: datetime | None = None
    publisher: Publisher | None = None
    attested: bool | None = None
    provenance: Provenance | None = None
    git_head: str | None = None
    dependencies: tuple[Dependency, ...] | None = None
    tags: tuple[str, ...] = ()
    yanked: bool = False
    deprecated: str | None = None
    requires_python: str | None = None
    disproofs: tuple[Disproof, ...] = ()


class Project(Struct, frozen=True):
    """Everything an index says about one project: releases in ascending version order.

    ``provides`` is what this registry tells for this project (in any release); ``source`` is the
    registry's host, or empty where there is none.
    """

    ecosystem: str
    name: ProjectName
    releases: tuple[Release, ...]
    tags: Mapping[str, Version] = field(default_factory=dict)
    provides: frozenset[Provided] = frozenset()
    digest: Digest | None = None
    source: str = ""

    def release(self, version: Version) -> Release | None:
        """Return the release with exactly this version, or None."""
        return next((release for release in self.releases if release.version == version), None)

    @property
    def first_published(self) -> datetime | None:
        """When the oldest known release appeared, or None if no time is told."""
        times = [release.published for release in self.releases if release.published is not None]
        return min(times, default=None)
