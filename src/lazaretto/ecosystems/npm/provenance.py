"""What the registry's attestation document says about where a tarball was built."""

from base64 import b64decode
from binascii import Error

import msgspec

from lazaretto.core.model import Provenance

_MAX_BYTES = 16 * 1024 * 1024


def parse_attestations(data: bytes) -> Provenance | None:
    """Return what the SLSA provenance (v1, or v0.2) of an attestation document claims; None without one.

    Nothing is verified here: a claim is only as good as the signature somebody checked.

    Raises:
        ValueError: not an attestation document.
    """
    if len(data) > _MAX_BYTES:
        raise ValueError(f"the attestation document is larger than {_MAX_BYTES} bytes")
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the attestation document is not JSON: {error}") from None
    bundles = _at(document, "attestations")
    if not isinstance(bundles, list):
        raise ValueError("the attestation document has no list of attestations")  # noqa: TRY004 - it is the document
    for item in bundles:
        kind = _at(item, "predicateType")
        if isinstance(kind, str) and "slsa.dev/provenance" in kind:
            return _statement(_at(item, "bundle", "dsseEnvelope", "payload"))
    return None


def _statement(payload: object) -> Provenance:
    """Return the provenance of a signed statement's payload (base64 of in-toto JSON)."""
    try:
        statement = msgspec.json.decode(b64decode(payload if isinstance(payload, str) else "", validate=True))
    except (Error, ValueError, RecursionError) as error:
        raise ValueError(f"the provenance statement cannot be read: {error}") from None
    predicate = _at(statement, "predicate")
    definition = _at(predicate, "buildDefinition")
    if definition is not None:
        workflow = _at(definition, "externalParameters", "workflow")
        return Provenance(
            repository=_text(_at(workflow, "repository")),
            ref=_text(_at(workflow, "ref")),
            workflow=_text(_at(workflow, "path")),
            event=_text(_at(definition, "internalParameters", "github", "event_name")),
        )
    source = _at(predicate, "invocation", "configSource")
    uri, _, ref = (_text(_at(source, "uri")) or "").removeprefix("git+").partition("@")
    return Provenance(
        repository=uri or None,
        ref=ref or None,
        workflow=_inside(_text(_at(source, "entryPoint"))),
        event=_text(_at(predicate, "invocation", "environment", "GITHUB_EVENT_NAME")),
    )


def _inside(entry: str | None) -> str | None:
    """Return where in its repository a workflow stands: ``owner/name/.github/…@ref`` of v0.2 as v1 has it."""
    if entry is None:
        return None
    path = entry.partition("@")[0]
    return path[max(path.find(".github/"), 0) :]


def _at(value: object, *keys: str) -> object:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
