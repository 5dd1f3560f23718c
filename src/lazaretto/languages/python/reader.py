"""The two dialects: whole files of Python, and ``.pth`` files."""

from lazaretto.core.facts import Facts, Kind, Moment, Problem
from lazaretto.core.language import Units
from lazaretto.languages.python.cuts import SMALL, pieces_of, remember
from lazaretto.languages.python.ir import DEEP
from lazaretto.languages.python.machine import Machine
from lazaretto.languages.python.program import (
    MAX_BYTES,
    Piece,
    follow,
    lower_piece,
    read_pieces,
    tell_marks,
    tell_text,
)
from lazaretto.languages.python.record import Record
from lazaretto.languages.python.scope import Code, Frame
from lazaretto.languages.python.syntax import Source

MAX_LINES = 2000
"""Most lines of a ``.pth`` file that are read; comments and blank lines are none."""


def read_python(dialect: str, data: bytes, units: Units) -> Facts:
    """Return the facts of one file of Python source."""
    if len(data) > MAX_BYTES:
        return Facts(dialect, problems=(Problem(1, f"longer than {MAX_BYTES} bytes: not read", unread=True),))
    source = Source(data)
    if len(source.data) > SMALL:
        pieces = pieces_of(source.data, dialect, units) or [lower_piece(source.data)]
    else:
        pieces = [lower_piece(source.data)]
    facts = read_pieces(source, pieces, dialect)
    remember(pieces, dialect, units)
    return facts


def read_pth(data: bytes) -> Facts:
    """Return the facts of a ``.pth`` file: lines that start with ``import`` run at every start of Python."""
    source = Source(data)
    record = Record()
    vm = Machine(record)
    pieces: list[Piece] = []
    start = number = 0
    for line in source.data.split(b"\n"):
        number += bool(line.strip()) and not line.startswith(b"#")
        if number > MAX_LINES:
            record.problem(start, f"more than {MAX_LINES} lines: not all are read", unread=True)
            break
        _line(vm, line.strip(b"\f\r"), start + len(line) - len(line.lstrip(b"\f")), pieces)
        start += len(line) + 1
    tell_marks(vm, pieces)
    tell_text(vm, source)
    return record.finish("pth", source)


def _line(vm: Machine, line: bytes, start: int, pieces: list[Piece]) -> None:
    if not line.strip() or line.startswith(b"#"):
        return
    if not line.startswith((b"import ", b"import\t")):
        text = line.decode("utf-8", "replace").strip()
        vm.record.add(Kind.LITERAL_PATH, text, (start, start + len(line)), Moment.LOAD)
        return
    piece = lower_piece(line, start)
    frame = Frame(Code(line, start, broken=piece.errors), Moment.LOAD)
    vm.run(piece.block, frame)
    vm.settle(frame)
    vm.scope_flows(frame)
    follow(vm, frame)
    for offset, reason in piece.found():
        vm.record.problem(start + offset, reason, unread=reason in DEEP)
    pieces.append(piece)
