"""isort:skip_file"""

__version__ = "2.0.0"

from .runtime import autotune, jit
