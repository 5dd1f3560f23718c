"""A module that breaks the contract: it raises."""

from tests.infra.reading import fail as read
from tests.infra.reading import unclaimed as claim

ID = "broken"
VERSION = 1
DIALECTS = ("broken",)

__all__ = ["DIALECTS", "ID", "VERSION", "claim", "read"]
