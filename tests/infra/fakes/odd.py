"""A module that breaks the contract: its facts cannot be written down."""

from tests.infra.reading import unclaimed as claim
from tests.infra.reading import unwritable as read

ID = "odd"
VERSION = 1
DIALECTS = ("odd",)

__all__ = ["DIALECTS", "ID", "VERSION", "claim", "read"]
