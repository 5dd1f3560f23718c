"""One module per source of advisories and indicators: bytes in, records out."""
