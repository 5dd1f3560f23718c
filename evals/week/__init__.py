"""A week in the life of the firewall, compressed: ``python -m evals.week`` (``make week``).

Releases appear on a registry of loopback over seven simulated days, ordinary ones and tampered ones; a bot updates a
project with real npm through the firewall; people review, an advisory appears, the registry fails. The clock is the
script's own, given to the application through its port; nothing in the product obeys it otherwise. The tampered
releases are inert: their hosts end in ``.invalid``, and no script is run.
"""
