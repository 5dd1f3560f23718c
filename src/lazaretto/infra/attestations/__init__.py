"""What verifies attestations and signatures: Sigstore's and PyPI's own libraries, one module for each ecosystem.

Loaded only where the settings ask for it (the extra ``verify``); the cryptography is theirs. The one thing that is
asked of the network here is whether Sigstore has a newer trust root (TUF); without an answer the last one is used.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import cast

from lazaretto import _plugins
from lazaretto.app.attested import AttestationError, AttestationVerifier, Attester
from lazaretto.app.ports import Upstream
from lazaretto.core.policy import Attestations, Policy
from lazaretto.infra.attestations._trust import Fresh, TrustRoot
from lazaretto.infra.statements import Statements


def attester(ecosystem: str, upstream: Upstream, cache_dir: Path, policy: Policy) -> Attester | None:
    """Return what reads, or verifies, what is signed for the releases of an ecosystem; None if neither is wanted.

    Documents of earlier releases are kept in ``cache_dir``. Raises AttestationError, PluginError: see ``verifier``.
    """
    if policy.attestations is Attestations.IGNORE:
        return None
    parts = _plugins.load(f"lazaretto.ecosystems.{ecosystem}.provenance", ("parse_attestations",))
    kept = cache_dir / "attestations"
    trust = TrustRoot(kept)
    judge = Fresh(verifier(ecosystem), trust) if policy.attestations is Attestations.VERIFY else None
    return Attester(Statements(upstream, kept), parts.parse_attestations, judge, policy, lambda: trust.notes)


def verifier(ecosystem: str) -> AttestationVerifier:
    """Return what verifies the attestations of an ecosystem.

    Raises:
        AttestationError: the libraries are not installed.
        PluginError: nothing verifies those of this ecosystem.
    """
    if find_spec("sigstore") is None or find_spec("pypi_attestations") is None:
        raise AttestationError(
            "policy.attestations is 'verify', and the libraries for it are not installed: "
            "pip install 'lazaretto[verify]', or set it to 'read'"
        )
    module = _plugins.load(f"lazaretto.infra.attestations.{ecosystem}", ("Verifier",))
    return cast("AttestationVerifier", module.Verifier())
