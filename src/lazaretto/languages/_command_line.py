"""Words that are handed to a program one by one, as the line that a shell would split into them again."""

from collections.abc import Iterable

_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@%+<>()$")


def command_line(words: Iterable[str]) -> str:
    """Return the words as one line, those in quotes that a shell would not leave whole."""
    return " ".join(word if word and _BARE.issuperset(word) else _quoted(word) for word in words)


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
