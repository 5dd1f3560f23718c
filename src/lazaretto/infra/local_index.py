"""Indexes that are folders of this machine: ``file:`` addresses laid out as PEP 503 says."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from lazaretto.app.ports import NotFound, Unavailable, Untrusted
from lazaretto.infra.redact import shown


def folder(url: str) -> Path:
    """Return the folder or file of a ``file:`` address.

    Raises:
        Untrusted: the address names another machine.
    """
    parsed = urlsplit(url)
    if parsed.netloc not in ("", "localhost"):
        raise Untrusted(f"{shown(url)} names another machine: a file index must lie on this one")
    return Path(unquote(parsed.path))


def page(index: str, name: str, max_bytes: int) -> tuple[bytes, str]:
    """Return the HTML of a project's page and its address.

    Raises:
        NotFound: the folder has no such project.
        Unavailable, Untrusted: it cannot be read, or is larger than ``max_bytes``.
    """
    url = f"{index}{name}/"
    return _read(folder(url) / "index.html", url, max_bytes), url


def artifact(url: str, indexes: tuple[str, ...], max_bytes: int) -> bytes:
    """Return the bytes of a file that an index names; it must lie in the folder around one of ``indexes``.

    Raises:
        NotFound, Unavailable: it is not there, or cannot be read.
        Untrusted: it lies elsewhere, or is larger than ``max_bytes``.
    """
    path = folder(url).resolve()
    if not any(path.is_relative_to(folder(index).resolve().parent) for index in indexes):
        raise Untrusted(f"{shown(url)} lies outside of the file indexes that are configured")
    return _read(path, url, max_bytes)


def _read(path: Path, url: str, max_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"{shown(url)} does not exist") from None
    except OSError as error:
        raise Unavailable(f"{shown(url)} cannot be read: {error.strerror}") from None
    if len(data) > max_bytes:
        raise Untrusted(f"{shown(url)} is larger than the limit of {max_bytes} bytes")
    return data
