"""What verifies attestations and signatures: Sigstore's and PyPI's own libraries, one module for each ecosystem.

Loaded only where the settings ask for it (the extra ``verify``); the cryptography is theirs. Nothing is asked of
the network here: Sigstore's trust root is that of its last update by TUF on this machine, or the one it ships.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import cast

from lazaretto import _plugins
from lazaretto.app.attested import AttestationError, AttestationVerifier, Attester
from lazaretto.app.ports import Upstream
from lazaretto.core.policy import Attestations, Policy
from lazaretto.infra.statements import Statements


def attester(ecosystem: str, upstream: Upstream, cache_dir: Path, policy: Policy) -> Attester | None:
    """Return what reads, or verifies, what is signed for the releases of an ecosystem; None if neither is wanted.

    Documents of earlier releases are kept in ``cache_dir``. Raises AttestationError, PluginError: see ``verifier``.
    """
    if policy.attestations is Attestations.IGNORE:
        return None
    judge = verifier(ecosystem) if policy.attestations is Attestations.VERIFY else None
    parts = _plugins.load(f"lazaretto.ecosystems.{ecosystem}.provenance", ("parse_attestations",))
    return Attester(Statements(upstream, cache_dir / "attestations"), parts.parse_attestations, judge, policy)


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
