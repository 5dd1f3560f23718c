"""Everything that a reader must not do."""

from tests.infra.reading import MISDEEDS
from tests.infra.reading import misbehave as read
from tests.infra.reading import unclaimed as claim

ID = "hostile"
VERSION = 1
DIALECTS = tuple(MISDEEDS)

__all__ = ["DIALECTS", "ID", "VERSION", "claim", "read"]
