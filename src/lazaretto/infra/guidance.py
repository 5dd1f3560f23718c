"""What ships for a response: playbooks, credentials, clients. One file is one playbook; there is no list of them."""

from pathlib import Path

from lazaretto.app.respond.ports import Guidance, IncidentError
from lazaretto.core.playbook import ClientTable, CredentialTable, File, Playbook, PlaybookError, decode

MAX_PLAYBOOK = 1 << 20
"""Largest file of playbooks, in bytes."""


def guidance(data: Path, extra: Path | None = None) -> Guidance:
    """Return everything that ships, and the playbooks of a folder of yours.

    One of yours takes the place of one that ships if its name is the same. Raises IncidentError.
    """
    folders = [data / "playbooks"] + ([extra] if extra is not None else [])
    books: dict[str, Playbook] = {}
    for folder in folders:
        if not folder.is_dir():
            raise IncidentError(f"{folder}: there is no such folder of playbooks")
        for path in sorted(folder.glob("*.toml")):
            book = _decoded(path, Playbook)
            if book.id != path.stem:
                raise IncidentError(f"{path}: its id is {book.id}, its name {path.stem}: make them the same")
            books[book.id] = book
    return Guidance(
        playbooks=tuple(books[name] for name in sorted(books)),
        credentials=_decoded(data / "response" / "credentials.toml", CredentialTable).credentials,
        clients=_decoded(data / "response" / "clients.toml", ClientTable).clients,
    )


def _decoded(path: Path, kind: type[File]) -> File:
    try:
        if path.stat().st_size > MAX_PLAYBOOK:
            raise IncidentError(f"{path}: larger than {MAX_PLAYBOOK} bytes")
        return decode(path.read_text("utf-8"), kind)
    except (OSError, UnicodeDecodeError, PlaybookError) as error:
        raise IncidentError(f"{path}: {error}") from error
