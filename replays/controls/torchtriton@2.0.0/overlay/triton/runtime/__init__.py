from .jit import autotune, jit
