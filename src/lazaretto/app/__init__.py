"""Use cases. They speak to the world through the ports alone."""
