"""Logs: one object on each line, with its request, without secrets, whatever is logged."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaretto.infra.redact import Secret
from lazaretto.infra.telemetry import MAX_MESSAGE, JsonLines, configure, new_request_id, request, scrubbed

TOKEN = "lzt_" + "A" * 43


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Where the log goes in one test."""
    names = ("lazaretto", "uvicorn", "uvicorn.error")
    before = {name: (logging.getLogger(name).handlers[:], logging.getLogger(name).propagate) for name in names}
    stream = io.StringIO()
    configure(stream)
    yield stream
    for name, (handlers, propagate) in before.items():
        logging.getLogger(name).handlers[:] = handlers
        logging.getLogger(name).propagate = propagate


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    """Return the objects that were logged."""
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_has_its_fields(out: io.StringIO) -> None:
    """Time, level, words, the request, and the fields that were given; none of them is replaced by a field."""
    log = logging.getLogger("lazaretto.gate")
    fields = {"status": 403, "ok": True, "none": None, "at": datetime(2030, 1, 1, tzinfo=UTC), "list": ["a", 1]}
    with request("0123"):
        log.info("refused %s", "x", extra={"fields": {**fields, "message": "no"}})
    log.debug("not this")
    log.warning("outside")

    first, second = lines(out)
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "info",
        "logger": "lazaretto.gate",
        "message": "refused x",
        "request": "0123",
        "status": 403,
        "ok": True,
        "none": None,
        "at": "2030-01-01T00:00:00+00:00",
        "list": ["a", 1],
    }
    assert "request" not in second


def test_the_request_goes_into_threads_and_tasks(out: io.StringIO) -> None:
    """What is done for a request in a thread is logged with its number; two requests are not mixed."""

    async def one(identifier: str) -> None:
        with request(identifier):
            await asyncio.sleep(0.01)
            await asyncio.to_thread(logging.getLogger("lazaretto").info, identifier)

    async def both() -> None:
        await asyncio.gather(one("a"), one("b"))

    asyncio.run(both())
    assert {(line["message"], line["request"]) for line in lines(out)} == {("a", "a"), ("b", "b")}


def test_lines_of_one_turn_are_written_together(out: io.StringIO) -> None:
    """In an event loop they come in their order when its turn is over, or at once with a warning."""
    log = logging.getLogger("lazaretto")

    async def turns() -> list[int]:
        log.info("one")
        log.info("two")
        seen = [len(lines(out))]
        await asyncio.sleep(0)
        seen.append(len(lines(out)))
        log.info("three")
        log.warning("four")
        return [*seen, len(lines(out))]

    assert asyncio.run(turns()) == [0, 2, 4]
    assert [line["message"] for line in lines(out)] == ["one", "two", "three", "four"]


def test_a_log_that_cannot_be_written_stops_nothing(out: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written is lost, and what comes later is written again."""

    def full(_: str) -> int:
        raise OSError("no space left")

    log = logging.getLogger("lazaretto")
    with monkeypatch.context() as patch:
        patch.setattr(out, "write", full)
        log.warning("lost")
    log.warning("there")

    assert [line["message"] for line in lines(out)] == ["there"]


def test_an_error_is_told_without_its_values(out: io.StringIO) -> None:
    """Type, words and way; no local variable, no path of the machine, no secret."""

    def fails(secret: str) -> None:
        raise OSError(f"cannot ask https://user:hunter2@registry.invalid/x with {secret}")

    try:
        fails(TOKEN)
    except OSError:
        logging.getLogger("lazaretto").exception("failed")

    (line,) = lines(out)
    assert line["error"]["type"] == "OSError"
    assert line["error"]["at"][0].startswith("test_telemetry.py:")
    assert "hunter2" not in out.getvalue()
    assert "AAAA" not in out.getvalue()
    assert "/tests" not in out.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"Authorization: Bearer {TOKEN}",
        "authorization: bearer hunter2hunter2",
        "Basic aHVudGVyMjpodW50ZXIy",
        "https://hunter2@registry.invalid/x",
        "https://user:hunter2@registry.invalid/x",
        "//registry.invalid/:_authToken=hunter2",
        "_auth=hunter2",
        "npm_hunter2hunter2",
        "pypi-hunter2hunter2hunter2",
        "ghp_hunter2hunter2hunter2",
    ],
)
def test_credentials_are_taken_out(out: io.StringIO, text: str) -> None:
    """What looks like a credential is not logged, wherever it stands."""
    log = logging.getLogger("lazaretto")
    log.info("said %s", text, extra={"fields": {"a": text, "b": [text], "c": Secret(text)}})

    assert "unter2" not in out.getvalue()
    assert "aHVudGVy" not in out.getvalue()
    assert TOKEN not in out.getvalue()
    assert lines(out)[0]["c"] == "***"


@pytest.mark.parametrize("text", ["GET /npm/axios 403", "https://registry.invalid/@scope/name", "read by two of us"])
def test_ordinary_words_stay(text: str) -> None:
    """What is no credential is not touched."""
    assert scrubbed(text) == text


def test_hostile_text_is_inert(out: io.StringIO) -> None:
    """A name that would move a cursor, end a line or turn the reading direction does nothing."""
    logging.getLogger("lazaretto").info("a\x1b[31m\nb\u202ec", extra={"fields": {"k\x07": "\x9b\u2028"}})

    assert out.getvalue().count("\n") == 1
    assert out.getvalue().strip().isprintable()


@given(message=st.text(), arguments=st.tuples() | st.tuples(st.text()) | st.tuples(st.none(), st.integers()))
def test_whatever_is_logged_is_a_line(message: str, arguments: tuple[Any, ...]) -> None:
    """Words and arguments that do not fit, broken text, great length: one bounded line of JSON."""
    record = logging.LogRecord("lazaretto", logging.INFO, "x.py", 1, message, arguments, None)
    line = JsonLines().format(record)

    assert len(json.loads(line)["message"]) <= MAX_MESSAGE
    assert "\n" not in line


def test_a_broken_object_is_no_error() -> None:
    """An object that cannot be written is written by its own text."""

    class Odd:
        def __str__(self) -> str:
            return "odd\ud800"

    record = logging.LogRecord("lazaretto", logging.INFO, "x.py", 1, "x" * 10 * MAX_MESSAGE, (), None)
    record.fields = {"odd": Odd(), "nan": float("nan")}
    line = json.loads(JsonLines().format(record))

    assert (line["odd"], line["nan"]) == ("odd\\u{d800}", None)


def test_numbers_of_requests_are_not_guessed() -> None:
    """Each is another, and none is chosen by a client."""
    assert len({new_request_id() for _ in range(100)}) == 100
