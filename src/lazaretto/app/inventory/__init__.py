"""The inventory: what is in use where, and who is exposed."""
