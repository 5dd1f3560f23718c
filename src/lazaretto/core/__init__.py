"""Pure values and functions. No I/O, clock, environment, logging or randomness lives here."""
