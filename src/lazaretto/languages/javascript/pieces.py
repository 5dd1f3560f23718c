"""Reading a large file piece by piece, remembering every piece by its digest.

A piece knows its statements, functions and literals, packed; the bodies of functions are lowered when
they are first needed and remembered with it. Nothing in it depends on where the piece stands or on
what stands around it, so that the memo is transparent.
"""

import hashlib
from bisect import bisect_left
from contextlib import suppress
from typing import Any

from msgspec import Struct, msgpack

from lazaretto.core.language import Units
from lazaretto.core.names import Digest, sha256_digest
from lazaretto.languages.javascript import cuts, grammar, literals, seeds
from lazaretto.languages.javascript.source import Unit
from lazaretto.languages.javascript.syntax import IR, declared_names
from lazaretto.languages.javascript.values import Func
from lazaretto.languages.javascript.vocabulary import Vocabulary, together, vocabulary

MAX_PIECE = 2 * cuts.MAX_CUT
MAX_LEVELS = 3
MAX_OPEN = 4 * 1024 * 1024
"""How many bytes of text stay parsed at once: a tree takes about 24 bytes for each."""
SHORT = 8 * 1024
"""Longest function or declaration that is parsed without the rest of its piece."""
_DECLARATIONS = frozenset({"variable_declaration", "lexical_declaration"})


_IN_JSON = b"\xc1"
"""The one byte that MessagePack never begins with."""


def _pack(part: Any) -> bytes:
    """Return a part of the lowered tree in MessagePack, or in JSON where that cannot hold it.

    JavaScript's strings may hold half of a surrogate pair (ECMA-262, 6.1.4), as tables of Unicode's letters do, and its
    numbers may be longer than 64 bits; UTF-8 and MessagePack may not.
    """
    try:
        return msgpack.encode(part)
    except (UnicodeEncodeError, OverflowError):
        import json

        return _IN_JSON + json.dumps(part).encode()


def _unpack(packed: bytes) -> Any:
    if packed[:1] != _IN_JSON:
        return msgpack.decode(packed)
    import json

    return json.loads(packed[1:])


class Packed(Struct, array_like=True):
    """What is remembered of a piece; positions are relative to its start."""

    statements: list[list[Any]]
    codes: list[bytes]  # empty: a declaration that nobody has needed yet
    functions: list[int]
    literals: list[tuple[str, int, int]]
    bodies: dict[str, bytes]
    words: list[int]
    deep: bool


class Piece:
    """One piece of a large file, as the evaluator sees it: a unit whose tree is only made if it must be."""

    def __init__(self, dialect: str, data: bytes, packed: Packed, reader: "PieceReader") -> None:
        self.dialect = dialect
        self.data = data
        self.packed = packed
        self.changed = False
        self._reader = reader
        self._bodies: dict[tuple[int, int], list[Any] | None] = {}
        self._loaded: dict[int, IR] = {}

    @property
    def deep(self) -> bool:
        """Whether something was nested too deeply to be lowered."""
        return self.packed.deep

    def statements(self) -> list[IR]:
        """Return the statements: functions as they are, everything else packed (``lazy``)."""
        return self.packed.statements

    def load(self, statement: IR) -> IR:
        """Unpack a statement."""
        if statement[0] != "lazy":
            return statement
        number = statement[5]
        if number not in self._loaded:
            packed = self.packed.codes[number]
            if not packed:
                lowered = self._reader.declaration(self, statement[1], statement[2])
                self.packed.codes[number] = _pack(lowered)
                self.changed = True
            else:
                lowered = self._reader.statement(self, number) or _unpack(packed)
            self._loaded[number] = lowered
        return self._loaded[number]

    def body(self, start: int, end: int) -> list[Any] | None:
        """Return a function's body, from the memo if it is there."""
        key = (start, end)
        if key not in self._bodies:
            packed = self.packed.bodies.get(f"{start}-{end}")
            if packed is None:
                unit = self._reader.unit(self, start, end, grammar.FUNCTION)
                body = unit.body(start, end)
                self.packed.deep = self.packed.deep or unit.lowerer.deep
                self.packed.bodies[f"{start}-{end}"] = _pack(body)
                self.changed = True
                self._bodies[key] = body
            else:
                self._bodies[key] = self._reader.lowered(self, key) or _unpack(packed)
        return self._bodies[key]

    def text(self, function: Func) -> str:
        """Return the source text of a function."""
        return self.data[function.code[1] : function.code[2]].decode("utf-8", "replace")

    def close(self) -> None:
        """Give up what was lowered or unpacked."""
        self._bodies.clear()
        self._loaded.clear()


class PieceReader:
    """Cuts a file, reads what the memo does not know, and puts back what it has learnt."""

    def __init__(self, dialect: str, units: Units) -> None:
        self.dialect = dialect
        self.functions: list[tuple[int, int]] = []
        self.literals: list[tuple[str, int, int]] = []
        self.words: list[int] = []
        self.pieces: list[tuple[Digest, Piece]] = []
        self.shells: list[Unit] = []
        self._vocabularies: dict[int, Vocabulary] = {}
        self._ends: list[bytes] = []
        self._units = units
        self._known: dict[Digest, Packed] = {}
        self._new: set[Digest] = set()
        self._fresh: dict[int, dict[int, IR]] = {}
        self._open: dict[int, Unit] = {}
        self._open_bytes = 0

    def read(self, data: bytes, base: int = 0, level: int = 0) -> Unit | None:
        """Return the shell of a cut file with its pieces, or None if the cutting does not hold."""
        cutting = cuts.propose(data)
        if cutting is None:
            return None
        tree, _covered = grammar.parse(self.dialect, cutting.shell)
        if tree is None or not cuts.open_shell(tree, cutting):
            return None
        shell = Unit(data, tree)
        shell.lowerer.cut = (cutting.first, cutting.last)
        self.shells.append(shell)
        self.functions.extend((base + start, base + end) for start, end in grammar.function_ranges(self.dialect, tree))
        head, tail = data[: cutting.first], data[cutting.last :]
        self.literals.extend(
            (text, base + start, base + end)
            for text, start, end in literals.find(head, tree)
            + _moved(literals.find(tail, None), cutting.last, tree, data)
        )
        self._ends += (head, tail)
        self.words.extend(base + word for word in seeds.positions(head))
        self.words.extend(base + cutting.last + word for word in seeds.positions(tail))
        digests = [sha256_digest(hashlib.sha256(data[start:end]).hexdigest()) for start, end in cutting.ranges]
        wanted = [digest for digest in dict.fromkeys(digests) if digest not in self._known]
        for digest, packed in self._units.get(self.dialect, wanted).items():
            self._known[digest] = msgpack.decode(packed, type=Packed)
        for (start, end), digest in zip(cutting.ranges, digests, strict=True):
            piece = self._piece(data[start:end], digest, base + start, level)
            if piece is None:
                return None
            shell.pieces.append((piece, start))
        return shell

    def _piece(self, data: bytes, digest: Digest, base: int, level: int) -> "Piece | _Inner | None":
        if len(data) > MAX_PIECE and level < MAX_LEVELS:
            inner = self.read(data, base, level + 1)
            if inner is not None:
                return _Inner(inner)
        packed = self._known.get(digest)
        if packed is None:
            packed = self._parse(data)
            if packed is None:
                return None
            self._known[digest] = packed
            self._new.add(digest)
        piece = Piece(self.dialect, data, packed, self)
        self.pieces.append((digest, piece))
        flat = packed.functions
        self.functions.extend((base + flat[n], base + flat[n + 1]) for n in range(0, len(flat), 2))
        self.literals.extend((text, base + start, base + end) for text, start, end in packed.literals)
        self.words.extend(base + word for word in packed.words)
        return piece

    def _parse(self, data: bytes) -> Packed | None:
        tree, covered = grammar.parse(self.dialect, data)
        if tree is None or covered < len(data) or tree.root_node.has_error:
            return None
        unit = Unit(data, tree)
        known = vocabulary(data)
        words = seeds.positions(data, known)
        packed = Packed([], [], [], literals.find(data, tree, known), {}, words, False)
        self._vocabularies[id(packed)] = known
        fresh = self._fresh[id(packed)] = {}
        for node in tree.root_node.named_children:
            start, end = node.start_byte, node.end_byte
            if node.type in _DECLARATIONS and not _has_word(words, start, end):
                packed.statements.append(["lazy", start, end, "var", unit.lowerer.names(node), len(packed.codes)])
                packed.codes.append(b"")
                continue
            statement = unit.lowerer.statement(node)
            if statement is None:
                continue
            if statement[0] == "fnd":
                packed.statements.append(statement)
            else:
                names = declared_names(statement)
                packed.statements.append(["lazy", start, end, statement[0], names, len(packed.codes)])
                fresh[len(packed.codes)] = statement
                packed.codes.append(_pack(statement))
        ranges = grammar.function_ranges(self.dialect, tree)
        packed.functions = [position for pair in ranges for position in pair]
        for start, end in ranges:
            if _has_word(words, start, end):
                packed.bodies[f"{start}-{end}"] = _pack(unit.body(start, end))
        packed.deep = unit.lowerer.deep
        self._keep(packed, unit)
        return packed

    def vocabulary(self, data: bytes) -> Vocabulary:
        """Return the words of the whole text: put together if every piece has just been read, else made."""
        known = [self._vocabularies.get(id(piece.packed)) for _digest, piece in self.pieces]
        parts = [part for part in known if part is not None]
        return together([*parts, *map(vocabulary, self._ends)]) if len(parts) == len(known) else vocabulary(data)

    def statement(self, piece: Piece, number: int) -> IR | None:
        """Return a statement if it has just been lowered: then it need not be unpacked."""
        return self._fresh.get(id(piece.packed), {}).get(number)

    def lowered(self, piece: Piece, key: tuple[int, int]) -> list[Any] | None:
        """Return a function's body if it has just been lowered: then it need not be unpacked."""
        unit = self._open.get(id(piece.packed))
        return None if unit is None else unit.bodies.get(key)

    def declaration(self, piece: Piece, start: int, end: int) -> IR:
        """Lower the declaration of variables that stands in this range of a piece."""
        unit = self.unit(piece, start, end, grammar.STATEMENT)
        node = unit.tree.root_node.descendant_for_byte_range(start, end - 1)
        while node is not None and (node.type not in _DECLARATIONS or node.start_byte != start or node.end_byte != end):
            node = node.parent
        lowered = None if node is None else unit.lowerer.statement(node)
        piece.packed.deep = piece.packed.deep or unit.lowerer.deep
        return ["var", start, end, "var", []] if lowered is None else lowered

    def unit(self, piece: Piece, start: int, end: int, surroundings: tuple[tuple[bytes, bytes], ...]) -> Unit:
        """Return a tree with what stands in this range of a piece.

        The trees of the few pieces that were used last are kept. Else a short part is parsed alone.
        """
        unit = self._open.get(id(piece.packed))
        if unit is None and end - start <= SHORT:
            alone = grammar.parse_part(self.dialect, piece.data, start, end, surroundings)
            if alone is not None:
                return Unit(piece.data, alone)
        if unit is None:
            tree, _covered = grammar.parse(self.dialect, piece.data)
            assert tree is not None
            unit = Unit(piece.data, tree)
        self._keep(piece.packed, unit)
        return unit

    def _keep(self, packed: Packed, unit: Unit) -> None:
        key = id(packed)
        if self._open.pop(key, None) is None:
            self._open_bytes += len(unit.data)
        self._open[key] = unit
        while self._open_bytes > MAX_OPEN and len(self._open) > 1:
            oldest = next(iter(self._open))
            self._open_bytes -= len(self._open.pop(oldest).data)

    def remember(self) -> None:
        """Hand over the pieces that are new, and those of which more was lowered than the memo had."""
        done = set()
        for digest, piece in self.pieces:
            if (piece.changed or digest in self._new) and digest not in done:
                done.add(digest)
                with suppress(UnicodeEncodeError, OverflowError):  # what MessagePack cannot hold is not remembered
                    self._units.put(self.dialect, digest, msgpack.encode(piece.packed))

    def close(self) -> None:
        """Give up what was parsed and lowered."""
        for unit in (*self.shells, *self._open.values()):
            unit.close()
        for _digest, piece in self.pieces:
            piece.close()
        self._fresh.clear()


class _Inner:
    """A piece that is itself cut: one statement list that consists of the shell's statements."""

    def __init__(self, shell: Unit) -> None:
        self.shell = shell
        self.data = shell.data
        self.pieces = shell.pieces
        self._statements: list[IR] | None = None

    def statements(self) -> list[IR]:
        """Return the statements of the shell."""
        if self._statements is None:
            self._statements = self.shell.statements()
        return self._statements

    def load(self, statement: IR) -> IR:
        """Return a statement itself."""
        return statement

    def body(self, start: int, end: int) -> list[Any] | None:
        """Return a function's body."""
        return self.shell.body(start, end)

    def text(self, function: Func) -> str:
        """Return the source text of a function."""
        return self.shell.text(function)


def _moved(found: list[tuple[str, int, int]], by: int, tree: Any, data: bytes) -> list[tuple[str, int, int]]:
    return [
        (text, start + by, end + by)
        for text, start, end in found
        if literals.in_code_string(tree, data, start + by, text)
    ]


def _has_word(words: list[int], start: int, end: int) -> bool:
    """Whether a word of interest stands in this range: what it holds will be needed."""
    at = bisect_left(words, start)
    return at < len(words) and words[at] < end
