"""Kinds of places in which releases are found: one module each, no list. They see the disk through a port."""
