"""The doors. Thin: they parse a request, ask a use case, and print a report."""
