"""seccomp-BPF (Linux 3.17 and later): the few system calls that a reader needs, and no others.

The list names what is allowed; everything else fails with EPERM. What only an attack would try
(another program, a socket, another process's memory) ends the process at once, so that it shows.
Interface: ``linux/seccomp.h``, ``linux/filter.h``; numbers from the kernel's system call tables.
"""

import ctypes
import os
import struct
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _EACCES, _ENOSYS = 1, 13, 38
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16
_X32 = 0x40000000  # the second numbering of x86-64, which would step around the list
_CLONE3 = 435
_NOBODY = 0xFFFFFFFF  # stands for the process id until that is known; no call and no argument is it


class _Machine(Struct, frozen=True):
    """The system call numbers of one architecture."""

    audit: int
    allowed: tuple[int, ...]
    killed: tuple[int, ...]
    open_flags: Mapping[int, int]  # call -> which argument holds the flags
    tgkill: int
    prlimit: int


# fmt: off
_X86_64 = _Machine(
    audit=0xC000003E,
    allowed=(
        0, 1, 3, 19, 20, 17, 8,  # read write close readv writev pread64 lseek
        4, 5, 6, 21, 262, 269, 332, 439,  # stat fstat lstat access newfstatat faccessat statx faccessat2
        89, 267, 79, 217,  # readlink readlinkat getcwd getdents64
        44, 45, 46, 47, 7, 271, 23,  # sendto recvfrom sendmsg recvmsg poll ppoll select
        9, 10, 11, 12, 25, 28,  # mmap mprotect munmap brk mremap madvise
        13, 14, 15, 131, 219,  # rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall
        202, 273, 334, 24, 204,  # futex set_robust_list rseq sched_yield sched_getaffinity
        35, 230, 96, 228, 229, 100, 98,  # nanosleep clock_nanosleep gettimeofday clock_gettime _getres times rusage
        39, 186, 110, 102, 104, 107, 108, 63, 99,  # getpid gettid getppid uids gids uname sysinfo
        72, 97, 160, 318, 60, 231,  # fcntl getrlimit setrlimit getrandom exit exit_group
    ),
    # socket connect accept bind listen socketpair accept4; execve execveat; ptrace process_vm_readv, _writev
    killed=(41, 42, 43, 49, 50, 53, 288, 59, 322, 101, 310, 311),
    open_flags={2: 1, 257: 2},  # open openat
    tgkill=234,
    prlimit=302,
)
_AARCH64 = _Machine(
    audit=0xC00000B7,
    allowed=(
        63, 64, 57, 65, 66, 67, 62,  # read write close readv writev pread64 lseek
        80, 79, 48, 291, 439,  # fstat newfstatat faccessat statx faccessat2
        78, 17, 61,  # readlinkat getcwd getdents64
        206, 207, 211, 212, 73, 72,  # sendto recvfrom sendmsg recvmsg ppoll pselect6
        222, 226, 215, 214, 216, 233,  # mmap mprotect munmap brk mremap madvise
        134, 135, 139, 132, 128,  # rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall
        98, 99, 293, 124, 123,  # futex set_robust_list rseq sched_yield sched_getaffinity
        101, 115, 169, 113, 114, 153, 165,  # nanosleep clock_nanosleep gettimeofday clock_gettime _getres times rusage
        172, 178, 173, 174, 176, 175, 177, 160, 179,  # getpid gettid getppid uids gids uname sysinfo
        25, 163, 164, 278, 93, 94,  # fcntl getrlimit setrlimit getrandom exit exit_group
    ),
    # socket connect accept bind listen socketpair accept4; execve execveat; ptrace process_vm_readv, _writev
    killed=(198, 203, 202, 200, 201, 199, 242, 221, 281, 117, 270, 271),
    open_flags={56: 2},  # openat
    tgkill=131,
    prlimit=261,
)
# fmt: on
_MACHINES: Mapping[str, _Machine] = {"x86_64": _X86_64, "aarch64": _AARCH64}


def prepare() -> Callable[[], str]:
    """Return what confines its process for ever, in whichever process that is forked from this one it is called.

    ``PR_SET_NO_NEW_PRIVS`` must be set by then. It returns what is in force, for a person, or raises OSError: the
    kernel refuses.

    Raises:
        OSError: the machine's system calls are not known here.
    """
    name = os.uname().machine
    machine = _MACHINES.get(name)
    if machine is None or struct.calcsize("P") != 8:
        raise OSError(_ENOSYS, f"seccomp: the system calls of {name} are not known")
    steps = list(_program(machine, _NOBODY))
    (own,) = (at for at, step in enumerate(steps) if step[-1] == _NOBODY)
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    program = ctypes.create_string_buffer(code, len(code))
    pointer = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(program))
    libc, mode, zero = ctypes.CDLL(None, use_errno=True), ctypes.c_ulong(_MODE_FILTER), ctypes.c_ulong(0)
    said = f"seccomp: {len(machine.allowed)} system calls allowed"

    def restrict() -> str:
        struct.pack_into("I", program, 8 * own + 4, os.getpid())  # the operand of that step
        if libc.prctl(_PR_SET_SECCOMP, mode, pointer, zero, zero):
            error = ctypes.get_errno()
            raise OSError(error, f"seccomp: {os.strerror(error)}")
        return said

    return restrict


def _program(machine: _Machine, pid: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the filter: (operation, steps to skip if true, if false, operand)."""
    writing = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC | os.O_APPEND | (os.O_TMPFILE & ~os.O_DIRECTORY)
    yield _LOAD, 0, 0, _MACHINE_AT
    yield _EQUAL, 1, 0, machine.audit
    yield _RETURN, 0, 0, _KILL
    yield _LOAD, 0, 0, _NUMBER_AT
    if machine is _X86_64:
        yield _AT_LEAST, 0, 1, _X32
        yield _RETURN, 0, 0, _KILL
    for number in machine.allowed:
        yield _EQUAL, 0, 1, number
        yield _RETURN, 0, 0, _ALLOW
    for number, argument in machine.open_flags.items():
        yield _EQUAL, 0, 4, number
        yield _LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument
        yield _ANY_BIT, 0, 1, writing
        yield _RETURN, 0, 0, _ERRNO | _EACCES
        yield _RETURN, 0, 0, _ALLOW
    # A process may signal (abort) and limit itself, nobody else.
    for number, own in ((machine.tgkill, pid), (machine.prlimit, 0)):
        yield _EQUAL, 0, 4, number
        yield _LOAD, 0, 0, _ARGUMENTS_AT
        yield _EQUAL, 0, 1, own
        yield _RETURN, 0, 0, _ALLOW
        yield _RETURN, 0, 0, _ERRNO | _EPERM
    for number in machine.killed:
        yield _EQUAL, 0, 1, number
        yield _RETURN, 0, 0, _KILL
    # The C library tries clone3 first and falls back to clone, which is refused as well.
    yield _EQUAL, 0, 1, _CLONE3
    yield _RETURN, 0, 0, _ERRNO | _ENOSYS
    yield _RETURN, 0, 0, _ERRNO | _EPERM
