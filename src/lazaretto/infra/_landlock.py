"""Landlock (Linux 5.13 and later): the process may read below some folders and do nothing else with files.

Interface: ``linux/landlock.h``; kernel documentation, *Landlock: unprivileged access control*. Called
through ctypes, because neither the C library nor Python has wrappers.
"""

import ctypes
import os
import struct
from collections.abc import Callable, Sequence

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FIRST_RIGHTS = (1 << 13) - 1  # ABI 1: execute, read, write, make and remove anything
_RIGHTS_BY_ABI = ((2, 1 << 13), (3, 1 << 14), (5, 1 << 15))  # refer, truncate, ioctl on devices
_NET_ABI, _NET_RIGHTS = 4, 0b11  # bind and connect TCP
_SCOPE_ABI, _SCOPES = 6, 0b11  # abstract sockets and signals stay inside


def prepare(readable: Sequence[str]) -> Callable[[], str]:
    """Return what confines its process for ever: read below ``readable``, no other file access, no TCP.

    It may be called in every process that is forked from this one, each of which has the rules open; once there, for
    it closes them. ``PR_SET_NO_NEW_PRIVS`` must be set by then. It returns what is in force, for a person, or raises
    OSError. Folders that do not exist are left out.

    Raises:
        OSError: the kernel has no Landlock, or it is switched off.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    abi = _call(libc, _CREATE_RULESET, None, 0, _VERSION_FLAG)
    files = _FIRST_RIGHTS
    for since, right in _RIGHTS_BY_ABI:
        files |= right if abi >= since else 0
    network = _NET_RIGHTS if abi >= _NET_ABI else 0
    scopes = _SCOPES if abi >= _SCOPE_ABI else 0
    attributes = struct.pack("QQQ", files, network, scopes)
    # An older kernel knows a shorter structure and refuses a longer one that is not zero there.
    length = 24 if scopes else 16 if network else 8
    ruleset = _call(libc, _CREATE_RULESET, attributes, length, 0)
    try:
        for path in readable:
            _allow_reading(libc, ruleset, path)
    except OSError:
        os.close(ruleset)
        raise
    said = f"Landlock ABI {abi}: files read-only below {len(readable)} paths{', no TCP' if network else ''}"

    def restrict() -> str:
        try:
            _call(libc, _RESTRICT_SELF, ruleset, 0)
        finally:
            os.close(ruleset)
        return said

    return restrict


def _allow_reading(libc: ctypes.CDLL, ruleset: int, path: str) -> None:
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights = _READ_FILE | (_READ_DIR if os.path.isdir(path) else 0)
        _call(libc, _ADD_RULE, ruleset, _RULE_PATH_BENEATH, struct.pack("=Qi", rights, beneath), 0)
    finally:
        os.close(beneath)


def _call(libc: ctypes.CDLL, number: int, *arguments: int | bytes | None) -> int:
    wide = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result: int = libc.syscall(ctypes.c_long(number), *wide)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"Landlock: {os.strerror(error)}")
    return result
