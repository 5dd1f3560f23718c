"""Analysts: processes that read one artifact after another for the firewall, each replaced when it fails.

They are started by a command of the caller's, told one request at a time on their standard input and answer on their
standard output: four bytes of length, then MessagePack. They answer twice: with an empty message when they take the
request, and with what they read. A process that answers nonsense, takes too long or ends while it reads has its request
answered as incomplete; a request that it had not taken goes to another. Closing its input ends a process, so none
outlives this one, however it ended.
"""

import heapq
import os
import select
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from typing import IO

import msgspec
from msgspec import Struct

from lazaretto.app.ports import ReadAnswer, ReadRequest, Urgency

MAX_READING_SECONDS = 600.0
"""Longest time that one reading may take before its analyst is replaced."""

MAX_WAITING = {Urgency.ASKED: 20_000, Urgency.AHEAD: 5_000, Urgency.BACKGROUND: 1_000}
"""Readings that may wait before one of this urgency is not taken, to be asked for again."""

MAX_MESSAGE = 1 << 20
"""Largest message between the firewall and an analyst, in bytes."""

MAX_READINGS = 1_000
"""Readings after which an analyst is replaced, so that what it keeps in memory cannot grow without end."""

MAX_ANALYSTS_PER_READING = 3
"""Analysts that one request is given to, should each end before it takes it, until it is answered as incomplete."""

_DECODER = msgspec.msgpack.Decoder(ReadAnswer)

GiveUp = Callable[[ReadRequest, str], ReadAnswer]
"""(request, why) -> the answer where there is none: the failure policy's word."""


class AnalystGone(Exception):
    """An analyst does not answer any more; the message says why."""


class _NotTaken(AnalystGone):
    """An analyst ended before it took the request, so nothing of the artifact was read."""


class _Task(Struct, eq=False):
    request: ReadRequest
    future: "Future[ReadAnswer | None]"
    urgency: Urgency
    begin: Callable[[], bool]
    begun: bool = False


class Analysts:
    """At most ``size`` analysts at work. Several threads may submit.

    Args:
        command: starts one analyst.
        size: how many.
        give_up: what is answered where there is no reading.
    """

    def __init__(self, command: Sequence[str], size: int, give_up: GiveUp) -> None:
        self._command = tuple(command)
        self._give_up = give_up
        self._turn = threading.Condition()
        self._queue: list[tuple[Urgency, int, _Task]] = []
        self._numbers = count()
        self._tasks: dict[ReadRequest, _Task] = {}
        self._closing = False
        self._threads = [
            threading.Thread(target=self._work, name=f"analyst-{number}", daemon=True) for number in range(size)
        ]
        self.readings = 0
        self.replaced = 0
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many readings have not ended."""
        with self._turn:
            return len(self._tasks)

    def submit(
        self, request: ReadRequest, urgency: Urgency, begin: Callable[[], bool] = lambda: True
    ) -> "Future[ReadAnswer | None]":
        """Return the reading of an artifact: the one that goes on, or a new one, moved up if this is more urgent.

        ``begin`` is asked in the thread of the analyst that would read now; it must not raise.
        """
        with self._turn:
            task = self._tasks.get(request)
            if task is None:
                if self._closing or len(self._tasks) >= MAX_WAITING[urgency]:
                    done: Future[ReadAnswer | None] = Future()
                    done.set_result(None)
                    return done
                task = self._tasks[request] = _Task(request, Future(), urgency, begin)
            elif task.begun or urgency >= task.urgency:
                return task.future
            task.urgency = urgency
            heapq.heappush(self._queue, (urgency, next(self._numbers), task))
            self._turn.notify()
            return task.future

    def close(self, patience: float = 10.0) -> None:
        """Begin nothing more, let what was begun end within ``patience`` seconds, and end every analyst."""
        with self._turn:
            self._closing = True
            dropped = [task for task in self._tasks.values() if not task.begun]
            self._queue.clear()
            self._turn.notify_all()
        for task in dropped:
            self._answer(task, None)  # nothing is decided: whoever asks again, or elsewhere, has it read
        give_up = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, give_up - time.monotonic()))

    def _work(self) -> None:
        analyst = self._early()
        try:
            while (task := self._next()) is not None:
                if not task.begin():
                    self._answer(task, None)
                    continue
                analyst, answer = self._read(analyst, task.request)
                self.readings += 1
                self._answer(task, answer)
        finally:
            if analyst is not None:
                analyst.end()

    def _read(self, analyst: "_Analyst | None", request: ReadRequest) -> "tuple[_Analyst | None, ReadAnswer]":
        """Return the answer, and the analyst that may be given the next request, if there is one."""
        left = MAX_ANALYSTS_PER_READING
        while True:
            left -= 1
            try:
                if analyst is not None and (analyst.readings >= MAX_READINGS or analyst.ended):
                    analyst.end()
                    analyst = None
                analyst = analyst or _Analyst(self._command)
                return analyst, analyst.read(request)
            except (AnalystGone, OSError) as error:
                if analyst is not None:
                    analyst.kill()
                analyst = None
                self.replaced += 1
                if not (left and isinstance(error, _NotTaken)):
                    return None, self._give_up(request, str(error))

    def _early(self) -> "_Analyst | None":
        """Start an analyst, so that whoever asks first need not wait for it; whoever asks tells what is wrong."""
        with suppress(OSError):
            return _Analyst(self._command)
        return None

    def _next(self) -> _Task | None:
        with self._turn:
            while not self._closing:
                while self._queue:
                    _, _, task = heapq.heappop(self._queue)
                    if not task.begun:  # one that was moved up stands in the queue twice
                        task.begun = True
                        return task
                self._turn.wait()
            return None

    def _answer(self, task: _Task, answer: ReadAnswer | None) -> None:
        with self._turn:
            self._tasks.pop(task.request, None)
        task.future.set_result(answer)


class _Analyst:
    """One process."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - the caller's own words
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True
        )
        assert self._process.stdin is not None  # pipes were asked for
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self.readings = 0

    @property
    def ended(self) -> bool:
        """Whether the process has ended, of itself or by another's hand: then no request is given to it."""
        return self._process.poll() is not None

    def read(self, request: ReadRequest) -> ReadAnswer:
        """Return the answer to a request. Raises AnalystGone (_NotTaken if nothing was read), OSError."""
        self.readings += 1
        deadline = time.monotonic() + MAX_READING_SECONDS
        try:
            send(self._input, request)
            self._is_taken(deadline)
            body = receive(self._output, lambda: self._wait(deadline))
            if body is None:
                raise AnalystGone(f"the analyst ended while it read ({self._ending()})")
            return _DECODER.decode(body)
        except BrokenPipeError:
            raise _NotTaken(f"the analyst had ended ({self._ending()})") from None
        except (msgspec.MsgspecError, ValueError) as error:
            raise AnalystGone(f"the analyst answered nonsense: {error}") from None

    def _is_taken(self, deadline: float) -> None:
        taken = receive(self._output, lambda: self._wait(deadline))
        if taken is None:
            raise _NotTaken(f"the analyst ended before it read ({self._ending()})")
        if taken:
            raise ValueError(f"{len(taken)} bytes where a request is taken")

    def end(self) -> None:
        """Let it end by itself, or kill it after a second."""
        with suppress(OSError):
            self._input.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self.kill()
        self._output.close()

    def kill(self) -> None:
        """End it now, with the readers that it started: they see its socket close."""
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            self._input.close()
        self._output.close()

    def _wait(self, deadline: float) -> None:
        left = max(0.0, deadline - time.monotonic())
        poll = select.poll()  # select takes no descriptor above 1023, and a firewall has many
        poll.register(self._output, select.POLLIN)
        if not poll.poll(left * 1000):
            raise AnalystGone(f"the reading took longer than {MAX_READING_SECONDS:g} s")

    def _ending(self) -> str:
        try:
            return f"exit code {self._process.wait(1.0)}"
        except subprocess.TimeoutExpired:
            return "its output is closed"


def take(stream: IO[bytes]) -> None:
    """Say that a request is taken: the empty message. Raises OSError."""
    _write(stream, b"")


def send(stream: IO[bytes], message: Struct) -> None:
    """Write one message. Raises OSError."""
    _write(stream, msgspec.msgpack.encode(message))


def _write(stream: IO[bytes], body: bytes) -> None:
    data = memoryview(len(body).to_bytes(4, "big") + body)
    while data:
        data = data[os.write(stream.fileno(), data) :]


def receive(stream: IO[bytes], wait: Callable[[], None] = lambda: None) -> bytes | None:
    """Read one message; None at the end of the stream. ``wait`` is called before each read.

    Raises:
        ValueError: the message is larger than ``MAX_MESSAGE``.
        OSError: the stream cannot be read.
    """
    head = _exactly(stream, 4, wait)
    if head is None:
        return None
    size = int.from_bytes(head, "big")
    if size > MAX_MESSAGE:
        raise ValueError(f"a message of {size} bytes")
    return _exactly(stream, size, wait)


def _exactly(stream: IO[bytes], size: int, wait: Callable[[], None]) -> bytes | None:
    data = b""
    while len(data) < size:
        wait()
        piece = os.read(stream.fileno(), size - len(data))
        if not piece:
            return None
        data += piece
    return data
