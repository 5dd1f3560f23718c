"""The same person as for the inventory: somebody with a state folder of their own at a shell."""

from tests.inventory.conftest import person

__all__ = ["person"]
