"""One fact for each distinct line; each line is a cut."""

from tests.infra.reading import read_words as read
from tests.infra.reading import unclaimed as claim

ID = "words"
VERSION = 1
DIALECTS = ("words", "verses")

__all__ = ["DIALECTS", "ID", "VERSION", "claim", "read"]
