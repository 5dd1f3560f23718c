"""One folder per ecosystem; each exposes ``ECOSYSTEM``, an object satisfying ``app.ports.Ecosystem``. Pure: no I/O."""
