"""A drill: a company of which some took an inert axios 1.14.1, and the answers held against a sheet made apart."""
