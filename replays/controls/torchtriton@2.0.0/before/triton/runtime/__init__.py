from .jit import jit
