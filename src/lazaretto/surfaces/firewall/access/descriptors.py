"""Open files: each connection is one, and so is everything that an answer needs."""

import resource

MOST = 1 << 16
"""Open files that are asked for at most, where the system sets no bound or a very high one."""

RESERVED = 512
"""Open files that are kept back from connections: for the ledger, blobs, registries and analysts."""


def room() -> int:
    """Let this process open as many files as it may, and return how many of them may be connections.

    What a shell gives (often 1024) is an old default for programs that cannot use more. Children inherit it: none of
    ours does.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    most = MOST if soft == resource.RLIM_INFINITY else min(soft, MOST)
    return max(most - RESERVED, most // 2)
