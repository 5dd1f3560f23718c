"""What follows from an incident, in each format: one module each, and no list of them."""
