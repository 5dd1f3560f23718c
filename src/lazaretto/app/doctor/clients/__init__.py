"""One module for each client (or update bot) whose settings are looked at. Found by ``lazaretto._plugins``."""
