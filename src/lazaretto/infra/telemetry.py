"""Logs that a machine reads: one JSON object on each line, with the request it belongs to, and without secrets.

A ``Secret`` writes itself as ``***`` wherever it ends up. What is only a text (an error of a library, an address with
a password in it) is searched for what looks like a credential as well: the first is the rule, the second the net.
"""

import asyncio
import logging
import re
import secrets
import sys
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from traceback import extract_tb
from typing import Any, TextIO

import msgspec

from lazaretto.core.inert import inert

MAX_MESSAGE = 4000
"""Longest text of a log line's field, in characters."""

MAX_FRAMES = 20
"""Most places of an error's way that are logged, the innermost."""

LOGGER = "lazaretto"

MAX_SHORT = 100
"""Longest text that is looked at once for many log lines, in characters."""

_request: ContextVar[str] = ContextVar("request", default="")
_MASK = "***"
_CREDENTIALS = re.compile(
    r"\blzt_[A-Za-z0-9_-]{8,}|\bnpm_[A-Za-z0-9]{8,}|\bpypi-[A-Za-z0-9_-]{16,}|\bgh[a-z]_[A-Za-z0-9]{16,}"
    r"|(?<=[Bb]earer )[^\s\"',]+|(?<=[Bb]asic )[A-Za-z0-9+/=_-]{6,}|(?<=://)[^\s/@]+(?=@)"
    r"|(?<=_authToken=)[^\s\"',]+|(?<=_auth=)[^\s\"',]+|(?<=_password=)[^\s\"',]+"
)
_HINTS = ("_", "://", "earer ", "asic ", "pypi-")
"""One of these is in every text in which something is to be found: most texts are not searched at all."""

_encoder = msgspec.json.Encoder(enc_hook=repr)


def new_request_id() -> str:
    """Return a number for a request that nobody can guess or choose: 16 hexadecimal digits."""
    while True:
        try:
            return _numbers.pop()
        except IndexError:  # asking the kernel for many costs what asking for one does
            digits = secrets.token_hex(8 * 256)
            _numbers.extend(digits[at : at + 16] for at in range(0, len(digits), 16))


_numbers: list[str] = []


class request:  # noqa: N801 - it is used as a function, but a generator's context takes twice the time
    """Marks everything that is logged within as belonging to a request; also in threads that are given its context."""

    def __init__(self, identifier: str) -> None:
        self._identifier = identifier

    def __enter__(self) -> None:
        self._mark = _request.set(self._identifier)

    def __exit__(self, *_: object) -> None:
        _request.reset(self._mark)


def scrubbed(text: str) -> str:
    """Return a text without what looks like a credential."""
    return _CREDENTIALS.sub(_MASK, text) if any(map(text.__contains__, _HINTS)) else text


def configure(stream: TextIO | None = None, level: int = logging.INFO) -> logging.Logger:
    """Send our own log, and the server's, to a stream as JSON lines; return ours. May be called again.

    Fields of a line beside its words are given as ``extra={"fields": {...}}``.
    """
    handler = Lines(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    for name in (LOGGER, "uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler] if name != "uvicorn.error" else []
        logger.propagate = name == "uvicorn.error"
        logger.setLevel(level if name == LOGGER else max(level, logging.WARNING))
    # Nothing that we write names the line, thread or process that a record comes from: finding them out took a fifth
    # of the time of a log line ("Optimization" in the documentation of logging).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    return logging.getLogger(LOGGER)


class Lines(logging.StreamHandler[TextIO]):
    """Writes the lines of one turn of an event loop together: writing one costs more than making it.

    A warning, or what is logged outside of a loop, is written at once, with all that came before it.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._waiting: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, now or soon."""
        try:
            self._waiting.append(self.format(record))
            if record.levelno >= logging.WARNING or (len(self._waiting) == 1 and not self._soon()):
                self.flush()
        except Exception:  # noqa: BLE001 - as every handler has it
            self.handleError(record)

    def flush(self) -> None:
        """Write what waits. What cannot be written is lost: there is no other place to say so."""
        self.acquire()
        try:
            lines, self._waiting = self._waiting, []
            if lines:
                lines.append("")
                self.stream.write("\n".join(lines))
            super().flush()
        except (OSError, ValueError):
            pass
        finally:
            self.release()

    def _soon(self) -> bool:
        """Have it written when this turn of the loop is over, if there is a loop."""
        try:
            asyncio.get_running_loop().call_soon(self.flush)
        except RuntimeError:
            return False
        return True


class Said(logging.LogRecord):
    """A record with fields, made in a third of the time: it does not look for who said it, nor where."""

    def __init__(
        self, name: str, level: int, words: str, fields: dict[str, object], failed: Exception | None = None
    ) -> None:
        self.__dict__.update(_UNSAID)
        self.name, self.msg = name, words
        self.levelno, self.levelname = level, logging.getLevelName(level)
        self.created = time.time()  # noqa: TID251 - the time of a record is that of the log, not of the product
        self.fields = fields
        if failed is not None:
            self.exc_info = (type(failed), failed, failed.__traceback__)


_UNSAID = vars(logging.LogRecord("", 0, "", 0, "", (), None)) | {"args": None}


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON; never raises, whatever it is given."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: time, level, logger, words, request, the fields, and an error with its way."""
        line: dict[str, object] = {
            "time": f"{_second(int(record.created))}.{int(record.created % 1 * 1000):03}+00:00",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _text(_message(record)),
        }
        if identifier := _request.get():
            line["request"] = identifier
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            for key, value in fields.items():
                if key not in line:
                    kind = type(value)  # most are texts and numbers
                    if kind is str:
                        line[_key(key)] = _text(value)
                    else:
                        line[_key(key)] = value if kind is int or kind is float or value is None else _plain(value)
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _error(record.exc_info[1])
        return _encoder.encode(line).decode()


@lru_cache(maxsize=2)
def _second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().removesuffix("+00:00")


@lru_cache(maxsize=256)  # fields are named by our own code, the same few for each request
def _key(key: str) -> str:
    return inert(str(key), 100)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # the words and their arguments do not fit: both are told
        return f"{record.msg} {record.args!r}"


def _error(error: BaseException) -> dict[str, object]:
    """Return an error's type, words and way: files and lines, never values."""
    frames = extract_tb(error.__traceback__)[-MAX_FRAMES:]
    return {
        "type": type(error).__name__,
        "message": _text(str(error)),
        "at": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _plain(value: Any) -> object:  # noqa: ANN401 - a field is whatever its writer has
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value[:100]]
    return _text(str(value))


def _text(text: str) -> str:
    return _short(text) if len(text) <= MAX_SHORT else _long(text)


def _long(text: str) -> str:
    return inert(scrubbed(text[: 2 * MAX_MESSAGE]), MAX_MESSAGE)


_short = lru_cache(maxsize=4096)(_long)  # methods, routes, clients and paths come again and again
