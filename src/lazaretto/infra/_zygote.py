"""The process that readers are forked from: small, with a single thread, and idle.

It is forked from the program before that has threads or open connections, and closes everything it
inherited but one socket. A new reader costs a fork of it, not a new interpreter; it takes part in
nothing else. Without its program it ends, and with it every reader.
"""

import _socket
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from struct import Struct as Layout
from typing import TYPE_CHECKING, cast

from msgspec import msgpack

from lazaretto import _plugins
from lazaretto.app.ports import EngineError
from lazaretto.core.language import LanguageModule
from lazaretto.infra._reader import language_table
from lazaretto.infra.confined import Bounds, Cage, readable_paths

_MAKE, _END, _LOAD, _EXPECT = b"M", b"E", b"L", b"X"
_MAX_REQUEST = 64 << 10
_NUMBER = Layout("=q")
_PATIENCE = Layout("@qq").pack(10, 0)
_SIGKILL = 9
_SPAWNED_CONTROL = 3


Languages = Callable[[], Mapping[str, LanguageModule]]
"""Gives the table of languages to whoever needs it; the program itself may not have loaded them yet."""

EARLY = 2
"""Readers that are asked for before there is anything to do: they are there when there is."""


class Zygote:
    """The program's handle. Not for several threads at once: the caller takes turns.

    A program that has threads cannot be forked safely; for it a new interpreter is started, which takes some
    hundredths of a second and must be able to import the languages by name.

    Raises:
        EngineError: this system has no ``fork``, or no process can be made.
    """

    def __init__(self, languages: "Languages", bounds: Bounds) -> None:
        if not hasattr(os, "fork") or not hasattr(_socket.socket, "sendmsg"):
            raise EngineError(f"hostile files cannot be confined on {sys.platform}: it has no fork")
        _reap()
        self._control, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        self._control.setsockopt(_socket.SOL_SOCKET, _socket.SO_RCVTIMEO, _PATIENCE)
        self._begun: list[tuple[_socket.socket, int]] = []
        self._asked = 0
        self.bounds = bounds
        self._answered = 0
        self._processes: dict[int, int] = {}
        try:
            make = _fork if _threads() == 1 else _spawn
            self.pid = make(theirs, languages, bounds)
        except OSError as error:
            self._control.close()
            raise EngineError(f"no process for the readers could be started: {error.strerror}") from None
        except EngineError:
            self._control.close()
            raise
        finally:
            theirs.close()

    @property
    def begun(self) -> int:
        """How many readers were asked for and not taken yet."""
        return len(self._begun)

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
        self._begun.append((ours, self._asked))
        self._asked += 1

    def load(self, dialects: Iterable[str]) -> None:
        """Have it load what reading these dialects takes, so that every later reader has it. Raises EngineError.

        It cannot be forked from meanwhile; readers that are begun already have nothing of it.
        """
        self._tell(_LOAD + " ".join(dialects).encode())

    def expect(self, ecosystem: str) -> None:
        """Have it load what reading most files of an ecosystem takes, as ``load`` does. Raises EngineError."""
        self._tell(_EXPECT + ecosystem.encode())

    def make(self) -> tuple[_socket.socket, int]:
        """Return the socket of a new reader, and a number by which ``process`` knows it. Raises EngineError.

        What is sent to it waits until it is there.
        """
        if not self._begun:
            self.begin()
        return self._begun.pop(0)

    def process(self, number: int) -> int:
        """Return the process id of a reader, once it is there. Raises EngineError if it could not be started."""
        self._collect(number + 1)
        pid = self._processes[number]
        if pid <= 0:
            raise EngineError(f"no reader could be started: {os.strerror(-pid)}")
        return pid

    def end(self, number: int) -> int:
        """End a reader and return its wait status: what ended it, if it had ended before. Raises EngineError."""
        self._collect(self._asked)
        pid = self.process(number)
        del self._processes[number]
        self._tell(_END + _NUMBER.pack(pid))
        return self._answer()

    def _collect(self, count: int) -> None:
        """Take the answers to the first ``count`` requests for readers; they come in their order."""
        while self._answered < count:
            self._processes[self._answered] = self._answer()
            self._answered += 1

    def close(self) -> None:
        """End the zygote and every reader."""
        for ours, _ in self._begun:
            ours.close()
        self._control.close()
        with suppress(OSError):
            os.kill(self.pid, _SIGKILL)  # it may be loading what nobody will need now
        _ended.append(self.pid)
        _reap()

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


def shipped() -> Mapping[str, LanguageModule]:
    """Return the table of the languages that come with the program. Raises PluginError."""
    modules = _plugins.discover("lazaretto.languages", ("ID", "VERSION", "DIALECTS", "claim", "read"))
    return language_table(cast("Sequence[LanguageModule]", modules))


_ended: list[int] = []
"""Zygotes that were told to end and may still be at it: nobody has to wait for that."""


def _reap() -> None:
    for pid in list(_ended):
        with suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                continue
        _ended.remove(pid)


_early: list[Zygote] = []


def start_early(ecosystem: str | None) -> None:
    """Make the zygote of a program that will read, before the rest of it is imported: both take their time.

    ``ecosystem``: whose releases it will most likely read. What this takes is loaded once the first readers are there.
    Where that fails nothing is lost: whoever needs one makes it, and tells what is wrong.
    """
    with suppress(EngineError):
        zygote = Zygote(shipped, Bounds())
        _early.append(zygote)
        for _ in range(EARLY):
            zygote.begin()
        if ecosystem is not None:
            zygote.expect(ecosystem)


def take_early(bounds: Bounds) -> Zygote | None:
    """Return the zygote that was started early, if there is one with these bounds; it is nobody else's then."""
    if not _early or _early[0].bounds != bounds:
        return None
    return _early.pop()


def _fork(control: _socket.socket, languages: Languages, bounds: Bounds) -> int:
    pid = os.fork()
    if not pid:
        _become_zygote(control, languages, bounds)
    return pid


def _spawn(control: _socket.socket, languages: Languages, bounds: Bounds) -> int:
    table = languages()
    names = list(dict.fromkeys(getattr(module, "__name__", "") for module in table.values()))
    if "" in names:
        raise EngineError("a language is no module: a program with threads must build the engine before them")
    code = f"import sys; sys.path[:] = {sys.path!r}; from lazaretto.infra import _zygote; _zygote.main(sys.argv[1:])"
    arguments = [sys.executable, "-I", "-c", code, msgpack.encode(bounds).hex(), *names]
    actions = [(os.POSIX_SPAWN_DUP2, control.fileno(), _SPAWNED_CONTROL)]
    return os.posix_spawn(sys.executable, arguments, os.environ, file_actions=actions)


def main(arguments: list[str]) -> None:
    """Be the zygote of a program with threads: its bounds, and the names of the languages."""
    from importlib import import_module

    bounds = msgpack.decode(bytes.fromhex(arguments[0]), type=Bounds)
    modules = [cast("LanguageModule", import_module(name)) for name in arguments[1:]]
    control = _socket.socket(fileno=_SPAWNED_CONTROL)
    _become_zygote(control, lambda: language_table(modules), bounds)


def _become_zygote(control: _socket.socket, languages: Languages, bounds: Bounds) -> None:
    """Serve until the program is gone. Never returns."""
    status = 1
    try:
        _forget_program(control.fileno())
        _serve(control, languages(), bounds)
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


def _serve(control: _socket.socket, table: Mapping[str, LanguageModule], bounds: Bounds) -> None:
    import gc

    cage = Cage(bounds, (*readable_paths(), *_own_paths(table)))
    _import_for_readers()
    while True:
        request, rights, _, _ = control.recvmsg(_MAX_REQUEST, _socket.CMSG_SPACE(4))
        if not request:
            return
        if request[:1] in (_LOAD, _EXPECT):
            from lazaretto.infra import _reader

            words = request[1:].decode()
            _reader.load(table, words.split() if request[:1] == _LOAD else _reader.dialects_of(table.values(), words))
            gc.freeze()
            continue
        if request[:1] == _MAKE:
            descriptor = int.from_bytes(rights[0][2], sys.byteorder)
            answer = _fork_reader(control, descriptor, table, bounds, cage)
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
    cage: Cage,
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

        status = _reader.serve(control, descriptor, table, bounds, cage)
    finally:
        os._exit(status)


def _end_reader(pid: int) -> int:
    try:
        os.kill(pid, _SIGKILL)
        return os.waitpid(pid, 0)[1]
    except OSError:
        return 0
