"""Adapters: the only places that touch the network, the disk, the clock and other processes."""
