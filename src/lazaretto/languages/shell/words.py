"""Words and redirections of the POSIX shell: quotes, expansions, substitutions, here-documents."""

import re
from abc import ABC, abstractmethod
from functools import cache

from lazaretto.languages.shell.syntax import Part, PartKind, Pipeline, Redirect, Word

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}
MAX_ARITHMETIC = 4096
"""Longest arithmetic expression, in bytes."""

_NAME = r"[A-Za-z_]\w*|[0-9@*#?$!-]"


class WordReader(ABC):
    """A cursor over a script. Offsets of what it returns are those of the file."""

    def __init__(self, source: str, offset: int) -> None:
        self.source = source
        self.offset = offset
        self.at = 0
        self.defects: list[tuple[int, str]] = []
        self._document_end: int | None = None

    @abstractmethod
    def substitution(self) -> tuple[Pipeline, ...]:
        """Parse commands from the cursor up to a closing parenthesis, and step over it."""

    @abstractmethod
    def embedded(self, source: str, offset: int) -> tuple[Pipeline, ...]:
        """Parse a script of its own (the text between backticks)."""

    def defect(self, reason: str) -> None:
        """Note something that was not understood, here."""
        self.defects.append((self.offset + self.at, reason))

    def text_part(self, text: str, *, quoted: bool = True) -> Part:
        """Return a literal that stands here."""
        return Part(PartKind.TEXT, text, self.offset + self.at, quoted=quoted)

    def peek_word(self) -> str:
        """Return the plain word at the cursor, or ''."""
        match = _compiled(r"[^\s;&|<>()'\"$`\\]+").match(self.source, self.at)
        return match.group() if match else ""

    def skip_blanks(self) -> None:
        """Step over blanks, continued lines and a comment."""
        match = _compiled(r"(?:[ \t\r\v\f]|\\\r?\n)+").match(self.source, self.at)
        if match:
            self.at = match.end()
        if self.source.startswith("#", self.at) and (self.at == 0 or self.source[self.at - 1] in " \t\r\n;&|()`"):
            end = self.source.find("\n", self.at)
            self.at = len(self.source) if end < 0 else end

    def skip_separators(self, *, only_newlines: bool = False) -> None:
        """Step over what separates commands; a line's end also steps over its here-documents."""
        while True:
            self.skip_blanks()
            here = self.source[self.at : self.at + 1]
            if here == "\n":
                self.at = self.at + 1 if self._document_end is None else self._document_end
                self._document_end = None
            elif only_newlines or self.source.startswith(";;", self.at):
                return
            elif here in {";", "&"}:
                self.at += 1
            elif self.source.startswith("||", self.at):
                self.at += 2
            else:
                return

    def redirect(self) -> Redirect | None:
        """Parse one redirection with its target, if one stands here."""
        self.skip_blanks()
        match = _compiled(r"(?:\d+|\{\w+\})?(<<<|<<-?|&>>|&>|<>|<&|>&|>>|>\||>(?!\()|<(?!\())").match(
            self.source, self.at
        )
        if not match:
            return None
        self.at = match.end()
        operator = match.group(1)
        self.skip_blanks()
        word = self.word()
        if word is None:
            self.defect(f"nothing stands behind {operator}")
            word = Word((), self.offset + self.at, self.offset + self.at)
        if operator in {"<<", "<<-"}:
            return Redirect("<<", self._document(operator, word))
        if operator in {"<&", ">&"} and word.parts and _compiled(r"\d+-?|-").fullmatch(word.parts[0].text):
            operator = "dup"
        return Redirect(operator, word)

    def _document(self, operator: str, word: Word) -> Word:
        """Return the here-document that begins on the next line; the line's end will step over it."""
        delimiter = "".join(part.text for part in word.parts)
        start = self._document_end
        if start is None:
            newline = self.source.find("\n", self.at)
            start = newline + 1 if newline >= 0 else len(self.source)
        tabs = r"\t*" if operator == "<<-" else ""
        match = re.compile(rf"^{tabs}{re.escape(delimiter)}\r?$", re.MULTILINE).search(self.source, start)
        if match is None:
            self.defect(f"the here-document has no end {delimiter[:40]!r}")
        end = match.start() if match else len(self.source)
        self._document_end = match.end() if match else len(self.source)
        if any(part.quoted for part in word.parts):
            parts = [Part(PartKind.TEXT, self.source[start:end], self.offset + start, quoted=True)]
        else:
            here, whole = self.at, self.source
            self.at, self.source = start, self.source[:end]
            parts = self._quoted(closer="")
            self.at, self.source = here, whole
        return Word(tuple(parts), self.offset + start, self.offset + end)

    def word(self) -> Word | None:
        """Parse one word, or return None at an operator or the end."""
        start = self.at
        parts: list[Part] = []
        while self.at < len(self.source):
            plain = _compiled(r"[^\s;&|<>()'\"$`\\]+").match(self.source, self.at)
            if plain:
                parts.append(self.text_part(plain.group(), quoted=False))
                self.at = plain.end()
                continue
            piece = self._piece(first=self.at == start)
            if piece is None:
                break
            parts += piece
        if self.at == start:
            return None
        return Word(tuple(parts), self.offset + start, self.offset + self.at)

    def _piece(self, *, first: bool) -> list[Part] | None:
        """Parse a quoted, escaped or substituted piece; None where the word ends."""
        here = self.source[self.at]
        if here == "'":
            return [self._single()]
        if here == '"':
            self.at += 1
            return self._quoted(closer='"') or [self.text_part("")]
        if here == "\\":
            text = self.source[self.at + 1 : self.at + 2]
            part = self.text_part("" if text == "\n" else text)
            self.at += 2
            return [part]
        if here in {"$", "`"}:
            return [self._dollar(quoted=False)]
        if here in "<>" and self.source.startswith("(", self.at + 1) and first:
            start = self.at
            self.at += 2
            body = self.substitution()
            return [Part(PartKind.PROCESS, self.source[start : self.at], self.offset + start, quoted=True, body=body)]
        return None

    def _single(self) -> Part:
        end = self.source.find("'", self.at + 1)
        if end < 0:
            self.defect("a quote is not closed")
            end = len(self.source)
        part = Part(PartKind.TEXT, self.source[self.at + 1 : end], self.offset + self.at + 1, quoted=True)
        self.at = end + 1
        return part

    def _quoted(self, closer: str) -> list[Part]:
        """Parse what stands between double quotes, or a here-document (``closer`` is '': to the end)."""
        parts: list[Part] = []
        while self.at < len(self.source):
            plain = _compiled(r'[^"$`\\]+' if closer else r"[^$`\\]+").match(self.source, self.at)
            if plain:
                parts.append(self.text_part(plain.group()))
                self.at = plain.end()
                continue
            here = self.source[self.at]
            if here == closer:
                self.at += 1
                return parts
            if here == "\\":
                following = self.source[self.at + 1 : self.at + 2]
                kept = (
                    following
                    if following in {"$", "`", "\\", closer}
                    else ""
                    if following == "\n"
                    else here + following
                )
                parts.append(self.text_part(kept))
                self.at += 2
            else:
                parts.append(self._dollar(quoted=True))
        if closer:
            self.defect("a quote is not closed")
        return parts

    def _dollar(self, *, quoted: bool) -> Part:
        """Parse what begins with a dollar sign or a backtick."""
        start = self.at
        source = self.source
        if source[start] == "`":
            return self._backticks(quoted=quoted)
        end = arithmetic_end(source, start + 1)
        if end:
            self.at = end
            text = source[start + 1 : end]
            body = self.hidden_in(text, start + 1)
            return Part(PartKind.VARIABLE, text, self.offset + start, quoted=quoted, body=body)
        if source.startswith("$(", start):
            self.at += 2
            body = self.substitution()
            return Part(PartKind.CODE, source[start : self.at], self.offset + start, quoted=quoted, body=body)
        if source.startswith("${", start):
            return self._braces(quoted=quoted)
        if not quoted and source.startswith(("$'", '$"'), start):
            self.at += 1
            return self._ansi_c() if source[self.at] == "'" else self.text_part("")
        match = _compiled(_NAME).match(source, start + 1)
        self.at = match.end() if match else start + 1
        if match is None:
            return Part(PartKind.TEXT, "$", self.offset + start, quoted=quoted)
        return Part(PartKind.VARIABLE, match.group(), self.offset + start, quoted=quoted)

    def _backticks(self, *, quoted: bool) -> Part:
        start = self.at
        match = _compiled(r"`((?:[^`\\]|\\.)*)`", re.DOTALL).match(self.source, start)
        if match is None:
            self.defect("a backtick is not closed")
            self.at = len(self.source)
            return Part(PartKind.TEXT, self.source[start:], self.offset + start, quoted=True)
        self.at = match.end()
        body = self.embedded(_compiled(r"\\([`$\\])").sub(r"\1", match.group(1)), self.offset + start + 1)
        return Part(PartKind.CODE, match.group(), self.offset + start, quoted=quoted, body=body)

    def _braces(self, *, quoted: bool) -> Part:
        """Parse ``${name}`` with whatever operator; braces inside it are balanced."""
        start = self.at
        match = _compiled(rf"\$\{{([#!]?)({_NAME})(?:\[[^\]]*\])?").match(self.source, start)
        depth, self.at = 1, match.end() if match else start + 2
        begin = self.at
        while depth and self.at < len(self.source):
            strings = r"\"(?:[^\"\\]|\\.)*\"" if quoted else r"\"(?:[^\"\\]|\\.)*\"|'[^']*'"
            step = _compiled(rf"[^{{}}'\"\\]+|\\.|{strings}|.", re.DOTALL).match(self.source, self.at)
            text = step.group() if step else ""
            depth += (text == "{") - (text == "}")
            self.at += max(1, len(text))
        if depth:
            self.defect("a brace is not closed")
        operator = self.source[begin : self.at - 1] if not depth else ""
        name = match.group(2) if match and not match.group(1) else self.source[start + 2 : self.at - 1]
        body = self.hidden_in(operator, begin)
        return Part(PartKind.VARIABLE, name, self.offset + start, quoted=quoted, operator=operator, body=body)

    def hidden_in(self, text: str, start: int) -> tuple[Pipeline, ...]:
        """Return the commands inside an operator or an arithmetic expression, as what ``echo`` would run."""
        body: tuple[Pipeline, ...] = ()
        for match in _compiled(r"\$\(|`[^`]*`").finditer(text):
            end = match.end() if match.group() != "$(" else _balanced(text, match.start() + 1)
            body += self.embedded(f"echo {text[match.start() : end]}", self.offset + start - 5 + match.start())
        return body

    def _ansi_c(self) -> Part:
        r"""Parse ``$'…'``: \xHH, \NNN, \uHHHH and the usual letters."""
        match = _compiled(r"'((?:[^'\\]|\\.)*)'", re.DOTALL).match(self.source, self.at)
        start = self.at
        if match is None:
            self.defect("a quote is not closed")
            self.at = len(self.source)
            return Part(PartKind.TEXT, self.source[start:], self.offset + start, quoted=True)
        self.at = match.end()
        return Part(PartKind.TEXT, unescape(match.group(1)), self.offset + start, quoted=True)


def _balanced(text: str, start: int) -> int:
    """Return the offset behind the parenthesis that closes the one at ``start``."""
    depth = 0
    for match in _compiled(r"[()]").finditer(text, start):
        depth += 1 if match.group() == "(" else -1
        if depth == 0:
            return match.end()
    return len(text)


def arithmetic_end(source: str, start: int, *, loop: bool = False) -> int:
    """Return the offset behind ``(( … ))`` at ``start``, or 0 if this is not what bash takes for arithmetic.

    Outside the head of a loop a semicolon inside it can only mean two subshells.
    """
    if not source.startswith("((", start):
        return 0
    depth = 0
    for match in _compiled(r"[();]").finditer(source, start, start + MAX_ARITHMETIC):
        text = match.group()
        depth += (text == "(") - (text == ")")
        if text == ";" and not loop:
            return 0
        if depth == 1 and text == ")":
            return match.end() + 1 if source.startswith(")", match.end()) else 0
    return 0


def unescape(text: str) -> str:
    r"""Return a text with the escapes of ``printf``, ``echo -e`` and ``$'…'`` replaced."""

    def one(match: re.Match[str]) -> str:
        escape = match.group(1)
        if escape[0] == "x":
            return chr(int(escape[1:], 16))
        if escape[0] in "uU":
            code = int(escape[1:], 16)
            return chr(code).encode("utf-8", "replace").decode("latin-1") if code < 0x110000 else ""
        if escape[0].isdigit():
            return chr(int(escape, 8) & 0xFF)
        return _ESCAPES.get(escape, escape if escape in "\\'\"?" else match.group())

    return _compiled(r"\\(x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|U[0-9A-Fa-f]{1,8}|[0-7]{1,4}|.)", re.DOTALL).sub(
        one, text
    )


@cache
def _compiled(source: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(source, flags | re.ASCII)  # a byte above 127 is part of a word: no blank, and no letter of a name
