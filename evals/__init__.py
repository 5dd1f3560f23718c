"""Figures: benchmarks beside a peer, and runs over real updates. Never tests."""
