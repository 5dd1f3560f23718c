"""Memory that is given back to the system when it is freed, for a program that reads one release after another."""

import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_SETTINGS = ((_MMAP_THRESHOLD, 256 << 10), (_TRIM_THRESHOLD, 4 << 20), (_ARENA_MAX, 2))
"""mallopt(3): blocks from this size on are mapped each by itself; bytes free at the end of the heap; pools."""


def give_back_early() -> bool:
    """Have freed memory given back at once; return whether the C library knows how.

    glibc keeps what was freed in a pool for each thread, and whenever a large block is freed it takes all blocks up to
    that size for small ones: after a few releases every file comes from pools that never shrink again.
    """
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl gives back by itself
        return False
    return all(mallopt(parameter, value) for parameter, value in _SETTINGS)
