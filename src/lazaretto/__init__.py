"""Lazaretto keeps tampered releases out: it reads every update before anyone installs it."""

__version__ = "0.1.0"
