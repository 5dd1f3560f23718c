"""Rewrites of code that keep what it does, and the replays that they are tried on."""
