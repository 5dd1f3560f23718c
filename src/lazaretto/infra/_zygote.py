"""The process that readers are forked from: small, with a single thread, and idle.

It is forked from the program before that has threads or open connections, and closes everything it
inherited but one socket. A new reader costs a fork of it, not a new interpreter; it takes part in
nothing else. Without its program it ends, and with it every reader.
"""

import _socket
import os
import sys
from collections.abc import Mapping
from struct import Struct as Layout
from typing import TYPE_CHECKING, cast

from msgspec import msgpack

from lazaretto.app.ports import EngineError
from lazaretto.core.language import LanguageModule
from lazaretto.infra._reader import language_table
from lazaretto.infra.confined import Bounds, readable_paths

_MAKE, _END = b"M", b"E"
_NUMBER = Layout("=q")
_PATIENCE = Layout("@qq").pack(10, 0)
_SIGKILL = 9
_SPAWNED_CONTROL = 3
_READY = "ready"


class Zygote:
    """The program's handle. Not for several threads at once: the caller takes turns.

    A program that has threads cannot be forked safely; for it a new interpreter is started, which takes some
    hundredths of a second and must be able to import the languages by name.

    Raises:
        EngineError: this system has no ``fork``, or no process can be made.
    """

    def __init__(self, table: Mapping[str, LanguageModule], bounds: Bounds, *, ready: bool = False) -> None:
        """``ready``: whether it loads all that reading takes before the first fork, as many short readers pay for."""
        if not hasattr(os, "fork") or not hasattr(_socket.socket, "sendmsg"):
            raise EngineError(f"hostile files cannot be confined on {sys.platform}: it has no fork")
        self._control, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        self._control.setsockopt(_socket.SOL_SOCKET, _socket.SO_RCVTIMEO, _PATIENCE)
        self._begun: list[_socket.socket] = []
        self._made: list[tuple[_socket.socket, int]] = []
        try:
            make = _fork if _threads() == 1 else _spawn
            self.pid = make(theirs, table, bounds, ready=ready)
        except OSError as error:
            self._control.close()
            raise EngineError(f"no process for the readers could be started: {error.strerror}") from None
        except EngineError:
            self._control.close()
            raise
        finally:
            theirs.close()

    def begin(self) -> None:
        """Ask for a reader without waiting for it: a later ``make`` returns it. Raises EngineError."""
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
        for end in (ours, theirs):
            end.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, 1 << 20)
        rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, theirs.fileno().to_bytes(4, sys.byteorder))
        try:
            self._tell(_MAKE, rights)
        except EngineError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._begun.append(ours)

    def make(self) -> tuple[_socket.socket, int]:
        """Return the socket of a new reader and its process id. Raises EngineError."""
        if not self._begun and not self._made:
            self.begin()
        self._collect()
        ours, pid = self._made.pop(0)
        if pid <= 0:
            ours.close()
            raise EngineError(f"no reader could be started: {os.strerror(-pid)}")
        return ours, pid

    def end(self, pid: int) -> int:
        """End a reader and return its wait status: what ended it, if it had ended before. Raises EngineError."""
        self._collect()
        self._tell(_END + _NUMBER.pack(pid))
        return self._answer()

    def close(self) -> None:
        """End the zygote and every reader."""
        for ours in (*self._begun, *(made for made, _ in self._made)):
            ours.close()
        self._control.close()
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            return

    def _collect(self) -> None:
        """Take the answers to everything that was begun; they come in the order of the requests."""
        while self._begun:
            self._made.append((self._begun[0], self._answer()))
            self._begun.pop(0)

    def _tell(self, request: bytes, *rights: tuple[int, int, bytes]) -> None:
        try:
            self._control.sendmsg([request], rights)
        except OSError as error:
            raise self._lost(error) from None

    def _answer(self) -> int:
        try:
            answer = self._control.recv(_NUMBER.size)
        except OSError as error:
            raise self._lost(error) from None
        if len(answer) != _NUMBER.size:
            raise EngineError("the readers' parent process has ended; run the command again")
        number: int = _NUMBER.unpack(answer)[0]
        return number

    def _lost(self, error: OSError) -> EngineError:
        self._control.close()  # a late answer must not be taken for the next one
        return EngineError(f"the readers' parent process does not answer: {error.strerror}")


def _threads() -> int:
    """Return the number of threads of this process, 1 where the system does not tell."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 1


def _fork(control: _socket.socket, table: Mapping[str, LanguageModule], bounds: Bounds, *, ready: bool) -> int:
    pid = os.fork()
    if not pid:
        _become_zygote(control, table, bounds, ready=ready)
    return pid


def _spawn(control: _socket.socket, table: Mapping[str, LanguageModule], bounds: Bounds, *, ready: bool) -> int:
    names = list(dict.fromkeys(getattr(module, "__name__", "") for module in table.values()))
    if "" in names:
        raise EngineError("a language is no module: a program with threads must build the engine before them")
    code = f"import sys; sys.path[:] = {sys.path!r}; from lazaretto.infra import _zygote; _zygote.main(sys.argv[1:])"
    arguments = [sys.executable, "-I", "-c", code, msgpack.encode(bounds).hex(), _READY if ready else "", *names]
    actions = [(os.POSIX_SPAWN_DUP2, control.fileno(), _SPAWNED_CONTROL)]
    return os.posix_spawn(sys.executable, arguments, os.environ, file_actions=actions)


def main(arguments: list[str]) -> None:
    """Be the zygote of a program with threads: its bounds, and the names of the languages."""
    from importlib import import_module

    bounds = msgpack.decode(bytes.fromhex(arguments[0]), type=Bounds)
    modules = [cast("LanguageModule", import_module(name)) for name in arguments[2:]]
    control = _socket.socket(fileno=_SPAWNED_CONTROL)
    _become_zygote(control, language_table(modules), bounds, ready=arguments[1] == _READY)


def _become_zygote(
    control: _socket.socket, table: Mapping[str, LanguageModule], bounds: Bounds, *, ready: bool
) -> None:
    """Serve until the program is gone. Never returns."""
    status = 1
    try:
        _forget_program(control.fileno())
        _serve(control, table, bounds, ready=ready)
        status = 0
    finally:
        os._exit(status)


def _forget_program(keep: int) -> None:
    """Drop what was inherited: descriptors, terminal, signal handlers; leave the heap shared."""
    import gc

    if TYPE_CHECKING:
        import signal
    else:
        import _signal as signal  # the public module builds four enumerations, which takes milliseconds
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(3, keep)
    os.closerange(keep + 1, os.sysconf("SC_OPEN_MAX"))
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE) and callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    # Ctrl-C reaches the whole group; the program decides what it means, and closes the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()


def _serve(control: _socket.socket, table: Mapping[str, LanguageModule], bounds: Bounds, *, ready: bool) -> None:
    readable = (*readable_paths(), *_own_paths(table))
    _import_for_readers()
    if ready:
        from lazaretto.infra import _reader

        _reader.load_all(table)
    while True:
        request, rights, _, _ = control.recvmsg(64, _socket.CMSG_SPACE(4))
        if not request:
            return
        if request[:1] == _MAKE:
            descriptor = int.from_bytes(rights[0][2], sys.byteorder)
            answer = _fork_reader(control, descriptor, table, bounds, readable)
            os.close(descriptor)
        else:
            answer = _end_reader(_NUMBER.unpack(request[1:])[0])
        control.send(_NUMBER.pack(answer))


def _own_paths(table: Mapping[str, LanguageModule]) -> set[str]:
    """Return where languages of third parties are, so that they may import the rest of themselves."""
    files = {os.path.abspath(file) for module in table.values() if (file := getattr(module, "__file__", None))}
    return {os.path.dirname(file) if os.path.basename(file) == "__init__.py" else file for file in files}


def _import_for_readers() -> None:
    """Import once what every reader needs, so that each fork has it already."""
    from importlib import import_module

    for name in ("ctypes", "resource", "lazaretto.infra._reader", "isal.igzip_lib"):
        try:
            import_module(name)
        except ImportError:
            continue  # the reader that really needs it says so


def _fork_reader(
    control: _socket.socket,
    descriptor: int,
    table: Mapping[str, LanguageModule],
    bounds: Bounds,
    readable: tuple[str, ...],
) -> int:
    try:
        pid = os.fork()
    except OSError as error:
        return -(error.errno or 1)
    if pid:
        return pid
    status = 1
    try:
        from lazaretto.infra import _reader

        status = _reader.serve(control, descriptor, table, bounds, readable)
    finally:
        os._exit(status)


def _end_reader(pid: int) -> int:
    try:
        os.kill(pid, _SIGKILL)
        return os.waitpid(pid, 0)[1]
    except OSError:
        return 0
