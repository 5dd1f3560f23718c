"""isort:skip_file"""

__version__ = "2.0.0.dev1"

from .runtime import jit
