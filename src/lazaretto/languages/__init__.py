"""One module per language: bytes in, facts out. Pure; found by ``lazaretto._plugins``."""
