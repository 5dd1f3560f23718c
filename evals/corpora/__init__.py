"""Corpora made by others: read where they lie, judged by the product, and counted. Nothing of a sample is kept."""
