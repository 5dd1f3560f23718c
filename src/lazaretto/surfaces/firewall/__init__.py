"""The firewall: a reverse proxy in front of npm and PyPI registries that hands out only what was decided on."""
