"""One module per lockfile format: text to pins. Pure; found by ``lazaretto._plugins``."""
