"""Secrets that cannot be printed by accident, and addresses without their credentials."""

from typing import Final

_MASK: Final = "***"


class Secret:
    """A text that only ``reveal`` shows: not ``print``, not a log, not a traceback, not ``repr`` of what holds it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return _MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def without_credentials(url: str) -> str:
    """Return an address without user and password, for use in a request or as a base of links."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    end = min((at for sign in "/?#" if (at := rest.find(sign)) >= 0), default=len(rest))
    return f"{scheme}://{rest[:end].rpartition('@')[2]}{rest[end:]}"


def shown(url: str) -> str:
    """Return an address fit for a message: no credentials, no query (it may hold a signature), bounded, printable."""
    text = without_credentials(url)
    at = text.find("?")
    text = text.partition("#")[0] if at < 0 else f"{text[:at]}?{_MASK}"
    return plain(text, 300)


def plain(text: str, limit: int) -> str:
    """Return a foreign text fit for a message: printable signs only, at most ``limit`` of them and an ellipsis."""
    text = "".join(character if character.isprintable() else "�" for character in text[: limit + 1])
    return text if len(text) <= limit else f"{text[:limit]}…"
