"""Who depends on what, as of when, and whose account would reach most."""
