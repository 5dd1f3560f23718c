"""The parser for sh, bash, dash and zsh (POSIX.1-2024, XCU 2): reduced to what may run, in which order and pipe.

Conditions and loops become groups whose parts all count as run. What does not fit is a defect, and reading goes on
behind it. Substitutions stay text here and are parsed when they are evaluated.
"""

import re
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
from lazaretto.languages.shell.words import WordReader, arithmetic_end

MAX_INDEX = 400
"""Longest index of an array that is assigned to, in characters."""

_SKIPPED = frozenset({"then", "else", "do", "!", "time", "coproc"})
_OPENERS = {"if": "fi", "while": "done", "until": "done", "elif": ""}
_CLOSERS = frozenset({"fi", "done", "esac", "}"})


def parse(source: str, offset: int = 0) -> Script:
    """Return the commands of a script whose first character stands at byte ``offset`` of the file."""
    parser = _Parser(source, offset, 0)
    body = parser.run()
    return Script(tuple(body), told(parser.defects))


class _Parser(WordReader):
    """Recursive descent over the characters; every loop consumes at least one."""

    def __init__(self, source: str, offset: int, depth: int) -> None:
        super().__init__(source, offset)
        self.depth = depth

    def run(self) -> list[Pipeline]:
        """Parse to the end of the text, stepping over closers that nothing opened."""
        body: list[Pipeline] = []
        while self.at < len(self.source):
            body += self.pipelines(frozenset())
            if self.at < len(self.source):
                self.defect(f"{self.source[self.at : self.at + 8]!r} closes nothing")
                self.at += max(1, len(self.peek_word()))
        return body

    def substitution(self) -> tuple[Pipeline, ...]:
        """Parse commands from the cursor up to a closing parenthesis, and step over it."""
        body = self.pipelines(frozenset())
        while self.at < len(self.source) and self.source[self.at] != ")":
            self.defect(f"{self.source[self.at : self.at + 8]!r} closes nothing")
            self.at += max(1, len(self.peek_word()))
            body += self.pipelines(frozenset())
        if self.at >= len(self.source):
            self.defect("a substitution is not closed")
        self.at += 1
        return tuple(body)

    def embedded(self, source: str, offset: int) -> tuple[Pipeline, ...]:
        """Parse a script of its own (the text between backticks)."""
        if self.depth >= MAX_NESTING:
            self.defect(TOO_DEEP)
            return ()
        inner = _Parser(source, offset, self.depth + 1)
        body = inner.run()
        self.defects += inner.defects
        return tuple(body)

    def pipelines(self, closers: frozenset[str]) -> list[Pipeline]:
        """Parse commands until one of ``closers`` stands at the start of a command, or any other closer."""
        body: list[Pipeline] = []
        self.depth += 1
        while self.depth <= MAX_NESTING:
            self.skip_separators()
            if self.at >= len(self.source) or self.source[self.at] == ")" or self.source.startswith(";;", self.at):
                break
            if self.peek_word() in closers or self.peek_word() in _CLOSERS:
                break
            before = self.at
            pipeline = self.pipeline()
            if pipeline.stages:
                body.append(pipeline)
            if self.at == before:
                self.defect(f"unexpected {self.source[self.at]!r}")
                self.at += 1
        else:
            self.defect(TOO_DEEP)
            self.at = len(self.source)
        self.depth -= 1
        return body

    def pipeline(self) -> Pipeline:
        """Parse commands joined by ``|`` or ``|&``."""
        stages: list[Simple | Group | Function] = []
        while True:
            stage = self.command()
            if stage is not None:
                stages.append(stage)
            self.skip_blanks()
            if self.source.startswith("||", self.at) or not self.source.startswith("|", self.at):
                return Pipeline(tuple(stages))
            self.at += 2 if self.source.startswith("|&", self.at) else 1
            self.skip_separators(only_newlines=True)

    def command(self) -> Simple | Group | Function | None:
        """Parse one command of any kind; None if only a reserved word stood here."""
        self.skip_blanks()
        start = self.at
        word = self.peek_word()
        if word in _SKIPPED or word == "elif":
            self.at += len(word)
            return None
        if word in {"if", "while", "until"}:
            self.at += len(word)
            return self.group(self.pipelines(frozenset({_OPENERS[word]})), _OPENERS[word], start)
        if word in {"for", "select", "case"}:
            self.at += len(word)
            return self.case(start) if word == "case" else self.loop(start)
        if word == "{":
            self.at += 1
            return self.group(self.pipelines(frozenset({"}"})), "}", start)
        end = arithmetic_end(self.source, self.at)
        if end:
            self.at = end
            return Group(self.hidden_in(self.source[start:end], start), (), self.offset + start)
        if self.source.startswith("(", self.at):
            self.at += 1
            return self.group(self.pipelines(frozenset()), ")", start, subshell=True)
        function = _compiled(
            r"(?:function[ \t]+([^\s(){}<>|&;'\"$`]+)[ \t]*(?:\([ \t]*\))?|([A-Za-z_][\w.:+-]*)[ \t]*\([ \t]*\))\s*"
        ).match(self.source, self.at)
        if function:
            self.at = function.end()
            body = self.command()
            return Function(
                function.group(1) or function.group(2), (Pipeline((body,)),) if body else (), self.offset + start
            )
        return self.simple()

    def group(self, body: list[Pipeline], closer: str, start: int, *, subshell: bool = False) -> Group:
        """Finish a compound command: its closer and its redirections."""
        if closer and self.source.startswith(closer, self.at):
            self.at += len(closer)
        elif closer:
            self.defect(f"{closer!r} is missing")
        redirects: list[Redirect] = []
        while (redirect := self.redirect()) is not None:
            redirects.append(redirect)
        return Group(tuple(body), tuple(redirects), self.offset + start, subshell=subshell)

    def loop(self, start: int) -> Group:
        """Parse ``for name [in words]; do … done``, or the arithmetic form."""
        self.skip_blanks()
        name, items = "", []
        end = arithmetic_end(self.source, self.at, loop=True)
        if end:
            self.at = end
        else:
            name = self.peek_word()
            self.at += len(name)
            self.skip_separators(only_newlines=True)
            if self.peek_word() == "in":
                self.at += 2
                items = self.words()
        body = self.pipelines(frozenset({"done", "}"}))
        closer = "}" if self.source.startswith("}", self.at) else "done"
        found = self.group(body, closer, start)
        return Group(found.body, found.redirects, found.start, variable=name, items=tuple(items))

    def case(self, start: int) -> Group:
        """Parse ``case word in pattern) commands ;; … esac``."""
        subject = self.words(stop_at="in")
        body = [
            Pipeline(
                (
                    Simple(
                        (),
                        (),
                        tuple(Redirect("case", word) for word in subject),
                        self.offset + start,
                        self.offset + self.at,
                    ),
                )
            )
        ]
        if self.peek_word() == "in":
            self.at += 2
        while self.at < len(self.source):
            self.skip_case_end()
            if self.peek_word() == "esac" or self.at >= len(self.source):
                break
            pattern_end = self.pattern_end()
            if pattern_end < 0:
                self.defect("a pattern of case has no end")
                self.at = len(self.source)
                break
            self.at = pattern_end + 1
            body += self.pipelines(frozenset({"esac"}))
            if self.source.startswith(")", self.at) or self.peek_word() in _CLOSERS - {"esac"}:
                self.defect(f"unexpected {self.source[self.at]!r} in case")
                self.at += 1
        return self.group(body, "esac", start)

    def skip_case_end(self) -> None:
        """Step over ``;;``, ``;&`` and blank lines between two patterns."""
        while self.at < len(self.source):
            self.skip_separators()
            if not self.source.startswith(";", self.at):
                return
            self.at += 1

    def pattern_end(self) -> int:
        """Return the offset of the parenthesis that ends a pattern, or -1."""
        match = _compiled(r"\s*\(?(?:'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.|\[[^\]\n]*\]|[^()'\"\\])*?\)", re.DOTALL).match(
            self.source, self.at
        )
        return match.end() - 1 if match else -1

    def words(self, stop_at: str = "") -> list[Word]:
        """Parse words up to the end of the command (or a reserved word)."""
        found: list[Word] = []
        while True:
            self.skip_blanks()
            if stop_at and self.peek_word() == stop_at:
                return found
            word = self.word()
            if word is None:
                return found
            found.append(word)

    def simple(self) -> Simple | None:
        """Parse assignments, words and redirections up to an operator."""
        start = self.at
        assigns: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            self.skip_blanks()
            redirect = self.redirect()
            if redirect is not None:
                redirects.append(redirect)
                continue
            if (
                words
                and words[0].parts
                and words[0].parts[0].text == "[["
                and self.source[self.at : self.at + 1] in set("<>&|()!")
            ):
                self.at += 1  # inside [[ ]] these are operators of the test
                continue
            if not words and (assign := self.assignment()) is not None:
                assigns.append(assign)
                continue
            word = self.word()
            if word is None:
                break
            words.append(word)
            if (
                len(words) > 1
                and words[0].parts
                and words[0].parts[0].text == "[["
                and word.parts
                and word.parts[0].text == "]]"
            ):
                break
        if not (assigns or words or redirects):
            return None
        return Simple(tuple(assigns), tuple(words), tuple(redirects), self.offset + start, self.offset + self.at)

    def assignment(self) -> tuple[str, Word] | None:
        """Parse ``name=word`` or ``name=(words)`` (an array, joined by blanks)."""
        match = _compiled(rf"([A-Za-z_]\w*)(?:\[[^\]\n]{{0,{MAX_INDEX}}}\])?\+?=").match(self.source, self.at)
        if not match:
            if _compiled(rf"[A-Za-z_]\w*\[[^\]\n]{{{MAX_INDEX + 1}}}").match(self.source, self.at):
                self.defect(TOO_LONG)
            return None
        start = self.at
        self.at = match.end()
        name = match.group(1)
        if self.source.startswith("(", self.at):
            self.at += 1
            parts = []
            while self.at < len(self.source) and not self.source.startswith(")", self.at):
                self.skip_separators(only_newlines=True)
                word = self.word()
                if word is None:
                    break
                parts += [*word.parts, self.text_part(" ")]
            self.at += 1 if self.source.startswith(")", self.at) else 0
            return name, Word(tuple(parts[:-1]), self.offset + start, self.offset + self.at)
        word = self.word() or Word((), self.offset + self.at, self.offset + self.at)
        if match.group().endswith("+="):
            before = Part(PartKind.VARIABLE, name, word.start, quoted=True)
            word = Word((before, *word.parts), word.start, word.end)
        return name, word


@cache
def _compiled(source: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(source, flags | re.ASCII)  # a byte above 127 is part of a word: no blank, and no letter of a name
