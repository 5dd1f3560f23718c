"""What verifies attestations and signatures: Sigstore's and PyPI's own libraries, one module for each ecosystem.

Loaded only where the settings ask for it (the extra ``verify``); the cryptography is theirs. Nothing is asked of
the network here: Sigstore's trust root is that of its last update by TUF on this machine, or the one it ships.
"""

from importlib.util import find_spec
from typing import cast

from lazaretto import _plugins
from lazaretto.app.attested import AttestationError, AttestationVerifier


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
