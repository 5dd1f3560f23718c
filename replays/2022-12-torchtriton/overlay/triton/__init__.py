"""isort:skip_file"""

__version__ = "2.0.0"

from . import runtime
from .runtime import autotune, jit
