"""Open files: each connection is one, and so is everything that an answer needs."""

import resource

MAX_FILES = 1 << 16
"""Open files that are asked for at most, where the system sets no bound or a very high one."""

RESERVED = 512
"""Open files that are kept back from connections: for the ledger, blobs, registries and analysts."""


def room() -> int:
    """Let this process open as many files as it may, and return how many of them may be connections.

    What a shell gives (often 1024) is an old default for programs that cannot use more. Children inherit it: none of
    ours does.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    most = MAX_FILES if soft == resource.RLIM_INFINITY else min(soft, MAX_FILES)
    return max(most - RESERVED, most // 2)
