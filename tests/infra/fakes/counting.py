"""How many of a file's lines the memo of cuts knew."""

from tests.infra.reading import count_known as read
from tests.infra.reading import unclaimed as claim

ID = "counting"
VERSION = 1
DIALECTS = ("counting",)

__all__ = ["DIALECTS", "ID", "VERSION", "claim", "read"]
