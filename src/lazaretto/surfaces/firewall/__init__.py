"""The firewall: a reverse proxy in front of the registries, in which a held release does not exist."""
