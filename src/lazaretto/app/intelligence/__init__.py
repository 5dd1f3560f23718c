"""What others know of attackers: brought in, obeyed by scan and gate, and passed on."""
