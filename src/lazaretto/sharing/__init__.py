"""One module per form in which intelligence is passed on: a collection in, text out."""
