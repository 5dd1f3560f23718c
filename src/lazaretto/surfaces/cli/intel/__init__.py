"""``lazaretto intel WORD``: one module for each word, found by its name; a further word is one new file.

A module offers ``SUMMARY``, ``EXAMPLES`` (what stands after ``lazaretto intel WORD``), ``arguments(parser)`` and
``run(options)``. Its top imports light things only: the help of all commands loads every one of them.
"""

import argparse
from importlib import import_module


def run(options: argparse.Namespace) -> int:
    """Run one word and return its exit code."""
    code: int = import_module(f"{__name__}.{options.module}").run(options)
    return code
