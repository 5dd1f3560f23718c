"""PEP 740 provenance objects: which trusted publisher uploaded a file, and from where it was built."""

from typing import Any

import msgspec

from lazaretto.core.model import Provenance, Publisher

_MAX_BYTES = 16 * 1024 * 1024
_HOSTS = {"github": "https://github.com/", "gitlab": "https://gitlab.com/"}


def parse_attestations(data: bytes) -> Provenance | None:
    """Return what the first publisher of a provenance object claims; None if there is none.

    Nothing is verified here: a claim is only as good as the signature somebody checked.

    Raises:
        ValueError: not a provenance object.
    """
    publisher = _publisher(data)
    if publisher is None:
        return None
    kind, repository = str(publisher.get("kind", "")).lower(), _text(publisher.get("repository"))
    if repository is not None and "://" not in repository:
        repository = _HOSTS.get(kind, "") + repository
    claims = publisher.get("claims")
    claims = claims if isinstance(claims, dict) else {}
    return Provenance(
        repository=repository,
        ref=_text(claims.get("ref")),
        workflow=_workflow(kind, publisher),
        event=_text(claims.get("event_name")),
    )


def _workflow(kind: str, publisher: dict[str, Any]) -> str | None:
    """Return where in the repository the workflow stands: of GitHub's, the publisher names the file alone."""
    name = _text(publisher.get("workflow"))
    if name is None:
        return _text(publisher.get("workflow_filepath"))
    return f".github/workflows/{name}" if kind == "github" and "/" not in name else name


def parse_publisher(data: bytes) -> Publisher | None:
    """Return the trusted publisher of a provenance object: kind, repository, workflow and environment as one name.

    Raises:
        ValueError: not a provenance object.
    """
    publisher = _publisher(data)
    if publisher is None:
        return None
    words = [
        _text(publisher.get(key)) for key in ("kind", "repository", "workflow", "workflow_filepath", "environment")
    ]
    words.append(_text(publisher.get("email")))
    return Publisher(name=" ".join(word for word in words if word), trusted=True)


def _publisher(data: bytes) -> dict[str, Any] | None:
    if len(data) > _MAX_BYTES:
        raise ValueError(f"the provenance object is larger than {_MAX_BYTES} bytes")
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the provenance object is not JSON: {error}") from None
    bundles = document.get("attestation_bundles") if isinstance(document, dict) else None
    if not isinstance(bundles, list):
        raise ValueError("the provenance object has no list of attestation bundles")  # noqa: TRY004 - it is the document
    for bundle in bundles:
        publisher = bundle.get("publisher") if isinstance(bundle, dict) else None
        if isinstance(publisher, dict):
            return publisher
    return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
