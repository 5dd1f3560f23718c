"""Detectors: one question about an update in each module, with its card, its page and its examples.

A module here is a plug-in (see ``core.finding.Detector``): the file name is the id with ``_`` for ``-``, the docstring
is the page, ``CARD`` is what outputs and the weight table need, ``EXAMPLES`` are small updates on which it must fire
or stay silent, ``detect`` is a pure function of the update. Names read after "this update ...".

A detector is judged by what it leaves alone. It asks about change and habit; what it finds is weighed by the table
``data/weights.json`` and by nothing in the code.
"""
