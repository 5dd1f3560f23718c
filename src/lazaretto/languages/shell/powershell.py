"""The reader for PowerShell: statements and pipelines as commands, expressions as words.

The language is not evaluated. Constants, joined strings, variables and method calls are read wherever they stand: a
call ``x.Name(a)`` or ``[Type]::Name(a)`` becomes the command ``.name x a`` inside the word, so that the same machine
follows values through commands and methods alike (about_Parsing, about_Methods).
"""

import re
from bisect import bisect_left
from functools import cache

from lazaretto.languages.shell.syntax import (
    MAX_NESTING,
    TOO_DEEP,
    TOO_LONG,
    Function,
    Group,
    Part,
    PartKind,
    Pipeline,
    Redirect,
    Script,
    Simple,
    Word,
    told,
)

MAX_PATIENCE = 400_000
"""Characters of one script that are looked through one by one, for the ends of strings that hold strings."""

MAX_PICKED = 100_000
"""Most characters that one index picks out of a text."""

EXPRESSION = ".expression"
"""The command that stands for a statement which is only a value."""

_SKIPPED = frozenset(
    "if elseif else while do until for foreach switch try catch finally begin process end return throw in trap "
    "exit".split()
)
_BLANK = r"(?:[ \t\r\v\f]|`\r?\n|<#.*?#>)+"
_LETTER = r"[\w\x80-\xff]"
"""One of a variable's name, or a byte of one: any letter of Unicode may stand in it."""
_ASSIGN = rf"\$(env:|global:|script:|local:)?((?!\d){_LETTER}+)\s*\+?=(?!=)"
_VARIABLE = rf"\$(?:\{{([^}}\n]*)\}}|((?:\w+:)?{_LETTER}+|[$?^_]))"


def parse(source: str, offset: int = 0) -> Script:
    """Return the commands of a script whose first character stands at byte ``offset`` of the file."""
    reader = _Reader(source, offset)
    body = reader.statements()
    while reader.at < len(reader.source):
        reader.defect(f"unexpected {reader.source[reader.at]!r}")
        reader.at += 1
        body += reader.statements()
    return Script(tuple(body), told(reader.defects))


class _Reader:
    """A cursor; every loop consumes at least one character."""

    def __init__(self, source: str, offset: int) -> None:
        self.source, self._shorter = _plain(source)
        self.offset = offset
        self.at = 0
        self.depth = 0
        self.patience = MAX_PATIENCE
        self.defects: list[tuple[int, str]] = []

    def defect(self, reason: str) -> None:
        """Note something that was not understood, here."""
        self.defects.append((self.place(self.at), reason))

    def place(self, at: int) -> int:
        """Return where a character stands in the file."""
        return self.offset + at + 2 * bisect_left(self._shorter, at)

    def here(self, length: int = 1) -> str:
        """Return the characters at the cursor."""
        return self.source[self.at : self.at + length]

    def match(self, pattern: str) -> re.Match[str] | None:
        """Match at the cursor without moving it."""
        return _compiled(pattern).match(self.source, self.at)

    def skip(self, *, lines: bool) -> None:
        """Step over blanks and comments; with ``lines`` over everything between statements."""
        pattern = rf"(?:{_BLANK}|#[^\n]*" + (r"|[\n;]|&&|\|\|)+" if lines else ")+")
        match = self.match(pattern)
        if match:
            self.at = match.end()

    def statements(self) -> list[Pipeline]:
        """Parse statements up to a closing bracket or the end."""
        body: list[Pipeline] = []
        self.depth += 1
        if self.depth > MAX_NESTING:
            self.defect(TOO_DEEP)
            self.at = len(self.source)
        while True:
            self.skip(lines=True)
            if self.at >= len(self.source) or self.here() in {")", "}", "]"}:
                break
            before = self.at
            pipeline = self.pipeline()
            if pipeline.stages:
                body.append(pipeline)
            if self.at == before:
                self.at += 1
        self.depth -= 1
        return body

    def pipeline(self) -> Pipeline:
        """Parse commands joined by ``|``; an assignment takes what the whole pipeline prints."""
        assign = self.match(_ASSIGN)
        if assign:
            start = self.at
            self.at = assign.end()
            self.skip(lines=False)
            value = self.pipeline()
            name = assign.group(2).upper() if assign.group(1) == "env:" else f":{assign.group(2).lower()}"
            part = Part(PartKind.CODE, self.source[start : self.at], self.place(start), quoted=True, body=(value,))
            word = Word((part,), self.place(start), self.place(self.at))
            return Pipeline((Simple(((name, word),), (), (), self.place(start), self.place(self.at)),))
        stages: list[Simple | Group | Function] = []
        while True:
            stage = self.command()
            if stage is not None:
                stages.append(stage)
            self.skip(lines=False)
            if self.here() != "|" or self.here(2) == "||":
                return Pipeline(tuple(stages))
            self.at += 1
            self.skip(lines=True)

    def command(self) -> Simple | Group | Function | None:
        """Parse one command, block, function or expression."""
        self.skip(lines=False)
        start = self.at
        function = self.match(r"(?:function|filter)\s+(?:\w+:)?([\w-]+)\s*(?:\([^)]*\)\s*)?(?=\{)")
        if function:
            self.at = function.end()
            return Function(function.group(1).lower(), tuple(self.block()), self.place(start))
        keyword = self.match(r"[A-Za-z]+(?![\w.:\\/-])")
        if keyword and keyword.group().lower() in _SKIPPED:
            self.at = keyword.end()
            return None
        if self.here() == "{":
            return Group(tuple(self.block()), (), self.place(start))
        return self.simple()

    def block(self) -> list[Pipeline]:
        """Parse ``{ … }``, ``( … )`` or ``[ … ]`` from its opening bracket."""
        closer = {"{": "}", "(": ")", "[": "]"}[self.here()]
        self.at += 1
        body = self.statements()
        while self.at < len(self.source) and self.here() != closer:
            self.defect(f"unexpected {self.here()!r}")
            self.at += 1
            body += self.statements()
        if self.at >= len(self.source):
            self.defect(f"{closer!r} is missing")
        self.at += 1
        return body

    def simple(self) -> Simple | None:
        """Parse a command with its arguments, or an expression."""
        start = self.at
        expression = self.match(r"['\"$@(\[+\d-]") is not None
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            self.skip(lines=False)
            redirect = self.match(r"[\d*]?(>>|>)(&\d)?")
            if redirect:
                self.at = redirect.end()
                self.skip(lines=False)
                target = None if redirect.group(2) else self.word()
                if target is not None:
                    redirects.append(Redirect(redirect.group(1), target))
                continue
            if self.here() == "," or (self.here() == "=" and words):
                self.at += 1
                continue
            if self.here() == "&" and not words:
                self.at += 1
                words.append(self._text_word("&", self.at - 1))
                continue
            word = self.word()
            if word is None:
                break
            words.append(word)
        if not words and not redirects:
            return None
        if expression and words:
            words.insert(0, self._text_word(EXPRESSION, start))
        return Simple((), tuple(words), tuple(redirects), self.place(start), self.place(self.at))

    def word(self) -> Word | None:
        """Parse one operand with its method calls, joined to the next one by ``+``."""
        start = self.at
        parts: list[Part] = []
        computes = self.here() in {"'", '"', "$", "(", "[", "@"}  # in a bare word a plus is a letter like any other
        while True:
            plus = self.match(rf"(?:{_BLANK})?\+(?:{_BLANK}|\n)?(?=['\"$(\[@])") if parts else None
            if plus is not None and (computes or plus.group()[0] != "+"):
                self.at = plus.end()
            elif not self.piece(parts, start):
                break
        return Word(tuple(parts), self.place(start), self.place(self.at)) if self.at > start else None

    def piece(self, parts: list[Part], start: int) -> bool:
        """Add the next piece of a word to ``parts``; False where the word ends."""
        here, at = self.here(), self.at
        called = self.match(r"(?:\.|::)(\w+)\(") if parts or here == "[" else None
        if self._picked(parts):
            return True
        if called:
            parts[:] = [self._method(called, parts, start)]
        elif here in {"'", '"'} or self.here(2) in {"@'", '@"'}:
            parts += self._string()
        elif character := self.match(r"\[char\]\s*(0x[0-9a-f]{1,6}|\d{1,7})"):
            self.at = character.end()
            code = int(character.group(1), 16 if character.group(1)[1:2] in {"x", "X"} else 10)
            text = chr(code).encode("utf-8", "replace").decode("latin-1") if code < 0x110000 else ""
            parts.append(Part(PartKind.TEXT, text, self.place(at), quoted=True))
        elif here == "$" or self.here(2) in {"@(", "@{"}:
            parts.append(self._dollar())
        elif here in {"(", "{"}:
            if parts:
                return False  # ``iex(…)`` is a command and its argument
            body = tuple(self.block())
            parts.append(Part(PartKind.CODE, self.source[at : self.at], self.place(at), quoted=True, body=body))
        elif here == "`" and self.at + 1 < len(self.source):
            self.at += 2
            parts.append(Part(PartKind.TEXT, self.source[self.at - 1], self.place(at), quoted=True))
        else:
            return self._bare(parts)
        return True

    def _picked(self, parts: list[Part]) -> bool:
        """Fold the characters that an index picks out of a constant: ``'abc'[2,1]``, ``'abc'[-1..-3]``."""
        index = self.match(r"\[\s*(-?\d{1,5}(?:\s*(?:,|\.\.)\s*-?\d{1,5})*)\s*\]") if parts else None
        if index is None or any(part.kind is not PartKind.TEXT for part in parts):
            return False
        text = "".join(part.text for part in parts)
        places: list[int] = []
        for piece in index.group(1).split(","):
            first, _, last = (number.strip() for number in piece.partition(".."))
            step = 1 if not last or int(last) >= int(first) else -1
            chosen = range(int(first), int(last or first) + step, step)
            places += [place for place in chosen if -len(text) <= place < len(text)]
            if len(places) > MAX_PICKED:
                self.defect(TOO_LONG)
                break
        picked = " ".join(text[place] for place in places)
        parts[:] = [Part(PartKind.TEXT, picked, parts[0].start, quoted=True)]
        self.at = index.end()
        return True

    def _bare(self, parts: list[Part]) -> bool:
        bare = self.match(r"\[[\w.,\[\]` ]+\]|(?:(?!(?:\.|::)\w+\()[^ \t\r\n\v\f;|(){}$'\"`,&<>])+|(?:\.|::)(?=\w)")
        if bare is None:
            return False
        parts.append(Part(PartKind.TEXT, bare.group(), self.place(self.at), quoted=True))
        self.at = bare.end()
        return True

    def _method(self, called: re.Match[str], parts: list[Part], start: int) -> Part:
        """Parse the arguments of a call; what stood before it is the receiver."""
        receiver = Word(tuple(parts), self.place(start), self.place(self.at))
        name = self._text_word(f".{called.group(1).lower()}", self.at)
        self.at = called.end()
        words: list[Word] = []
        while True:
            self.skip(lines=True)
            if self.here() == ",":
                self.at += 1
                continue
            word = self.word()
            if word is None:
                break
            words.append(word)
        if self.here() == ")":
            self.at += 1
        else:
            self.defect("the arguments of a call have no end")
        span = (self.place(start), self.place(self.at))
        call = Simple((), (name, receiver, *words), (), *span)
        return Part(PartKind.CODE, self.source[start : self.at], span[0], quoted=True, body=(Pipeline((call,)),))

    def _dollar(self) -> Part:
        """Parse a variable, ``$env:NAME``, ``$( )`` or ``@( )``."""
        start = self.at
        if self.match(r"[$@][({]") and not self.match(r"\$\{[^}\n]*\}"):
            self.at += 1
            body = tuple(self.block())
            return Part(PartKind.CODE, self.source[start : self.at], self.place(start), quoted=True, body=body)
        match = self.match(_VARIABLE)
        self.at = match.end() if match else start + 1
        if match is None:
            return Part(PartKind.TEXT, "$", self.place(start), quoted=True)
        return self._variable(match.group(1) or match.group(2), start)

    def _variable(self, name: str, start: int) -> Part:
        scope, colon, rest = name.rpartition(":")
        text = rest.upper() if scope.lower() == "env" else f":{rest.lower()}"
        return Part(PartKind.VARIABLE, text, self.place(start), quoted=not colon)

    def _string(self) -> list[Part]:
        """Parse a quoted string or here-string; double quotes expand variables and ``$( )``."""
        start = self.at
        match = self.match(r"@'\r?\n(.*?)\r?\n'@|@\"\r?\n(.*?)\r?\n\"@|'((?:[^']|'')*)'|\"((?:[^\"`]|`.|\"\")*)\"")
        if match is None:
            self.defect("a string is not closed")
            self.at = len(self.source)
            return [Part(PartKind.TEXT, self.source[start:], self.place(start), quoted=True)]
        self.at = match.end()
        if match.group(4) is not None and "$(" in match.group(4):
            end = self._closing(match.start(4))
            if end is not None:
                self.at = end
                return self._expanding(match.start(4), end - 1)
        literal = match.group(1) if match.group(1) is not None else match.group(3)
        if literal is not None:
            return [Part(PartKind.TEXT, literal.replace("''", "'"), self.place(start), quoted=True)]
        group = 2 if match.group(2) is not None else 4
        return self._expanding(match.start(group), match.end(group))

    def _closing(self, at: int) -> int | None:
        """Return where a string in double quotes ends that may hold ``$( )`` with strings of its own, or None."""
        inside = ['"']
        while at < len(self.source) and self.patience:
            self.patience -= 1
            character = self.source[at]
            doubled = inside[-1] == character == '"' == self.source[at + 1 : at + 2]
            if doubled or (character == "`" and inside[-1] != "'"):
                at += 1
            elif inside[-1] == character:
                inside.pop()
            elif inside[-1] == "'":
                pass
            elif inside[-1] == '"':
                inside += [")"] if self.source.startswith("$(", at) else []
                at += character == "$" and inside[-1] == ")"
            elif character in _OPENING:
                inside.append(_OPENING[character])
            at += 1
            if not inside:
                return at
        if not self.patience:
            self.defect(TOO_LONG)
        return None

    def _expanding(self, start: int, end: int) -> list[Part]:
        """Parse the inside of double quotes."""
        after, whole = self.at, self.source
        self.at, self.source = start, whole[:end]
        parts: list[Part] = []
        while self.at < end:
            plain = self.match(r"[^$`\"]+|`.|\"\"?")
            if plain:
                text = plain.group()
                text = _BACKTICKS.get(text[1], text[1]) if text[0] == "`" else text[:1] if text[0] == '"' else text
                parts.append(Part(PartKind.TEXT, text, self.place(self.at), quoted=True))
                self.at = plain.end()
            else:
                parts.append(self._dollar())
        self.at, self.source = after, whole
        return parts or [Part(PartKind.TEXT, "", self.place(start), quoted=True)]

    def _text_word(self, text: str, at: int) -> Word:
        part = Part(PartKind.TEXT, text, self.place(at), quoted=True)
        return Word((part,), self.place(at), self.place(at))


def _plain(source: str) -> tuple[str, list[int]]:
    """Return a script with the quotation marks and dashes of books as what PowerShell takes them for.

    Also where in it those stand that were three bytes long (UTF-8) and are one now.
    """
    shorter: list[int] = []

    def plain(found: re.Match[str]) -> str:
        shorter.append(found.start() - 2 * len(shorter))
        last = found.group()[2]
        return "'" if last in "\x98\x99\x9a\x9b" else '"' if last in "\x9c\x9d\x9e" else "-"

    if "\xe2\x80" not in source:
        return source, shorter
    return _compiled("\xe2\x80(?:[\x98-\x9e]|(?<=[ \\t]..)[\x93-\x95](?=[a-z]))").sub(plain, source), shorter


_OPENING = {'"': '"', "'": "'", "(": ")"}
_BACKTICKS = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source, re.DOTALL | re.IGNORECASE)
