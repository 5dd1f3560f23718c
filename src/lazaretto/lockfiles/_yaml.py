"""The part of YAML that pnpm and Yarn write, strictly: nothing of a document is guessed, and nothing is built.

Read are block mappings and sequences, flow mappings and sequences on one line, plain and quoted scalars on one line,
``? key``, ``|`` and ``>`` blocks, comments, and several documents. Every scalar is text, whatever it looks like.
Refused, with the line: anchors, aliases, tags, directives, tabs as indentation, scalars over several lines, a key that
stands twice, and nesting beyond a bound. There are no references, so a document is as large as its text.
"""

import re
from typing import Any, NoReturn

from lazaretto.core.pin import LockfileError
from lazaretto.lockfiles._located import Items, Table, bounded

MAX_DEPTH = 40
"""Deepest nesting of mappings and sequences."""

MAX_DOCUMENTS = 20
"""Documents in one file; pnpm writes two."""

_QUOTED = re.compile(r"""'((?:[^']|'')*+)'|"((?:[^"\\]|\\.)*+)\"""")
_PLAIN = re.compile(r"(?:[^\s\"'{}\[\],&*!|>%@`#?:-]|[?:-](?=\S))(?:[^\s#:]|:(?=\S)|(?<=\S)#|[ \t]++(?![#\s]))*+")
_FLOW_PLAIN = re.compile(
    r"(?:[^\s\"'{}\[\],&*!|>%@`#?:-]|[?:-](?=[^\s,{}\[\]]))"
    r"(?:[^\s#:,{}\[\]]|:(?=[^\s,{}\[\]])|(?<=\S)#|[ \t]++(?![#\s,:{}\[\]]))*+"
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_ESCAPES = dict(zip('0abtnvfre "/\\N_LP', '\0\a\b\t\n\v\f\r\x1b "/\\\x85\xa0\u2028\u2029', strict=True))
_AFTER_KEY = re.compile(r"\s*:(?:\s+(.*))?$")
_NOTHING = re.compile(r"(?:\s+#.*|\s*)")
_BLOCK = re.compile(r"([|>])(?:([1-9])([+-]?)|([+-])([1-9])?)?(?:\s+#.*)?$")


def read(text: str) -> tuple[Table, ...]:
    """Return the documents of a text, each of them a mapping.

    Raises:
        LockfileError: the text is not of this part of YAML, or beyond a bound.
    """
    reader = _Reader(bounded(text))
    found: list[Table] = []
    while reader.begins_document():
        if len(found) >= MAX_DOCUMENTS:
            reader.refuse(f"more than {MAX_DOCUMENTS} documents")
        found.append(reader.document())
    return tuple(found)


class _Reader:
    """The lines of a text, and how far they are read."""

    def __init__(self, text: str) -> None:
        self._lines = [line.removesuffix("\r") for line in text.split("\n")]
        self._at = 0

    def refuse(self, why: str) -> NoReturn:
        """Raise an error at the present line."""
        raise LockfileError(min(self._at + 1, len(self._lines)), why)

    def begins_document(self) -> bool:
        """Whether another document begins; passes over the lines between documents."""
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.rstrip() in {"---", "..."} or not line.strip() or line.lstrip().startswith("#"):
                self._at += 1
            else:
                return True
        return False

    def document(self) -> Table:
        """Return the mapping that begins here."""
        value = self._node(-1, 0)
        if not isinstance(value, Table):
            self.refuse("a document that is not a mapping")
        if self._peek() is not None:
            self.refuse("this line belongs to nothing before it")
        return value

    def _peek(self) -> tuple[int, str] | None:
        """Return indentation and content of the next line that says something; None at the end of the document."""
        while self._at < len(self._lines):
            line = self._lines[self._at]
            content = line.lstrip(" ")
            if content.strip() and not content.startswith("#"):
                if line.startswith(("---", "...")) and line[3:4] in {"", " "}:
                    if line.rstrip() not in {"---", "..."}:
                        self.refuse("a document must begin on a line of its own")
                    return None
                if content.startswith("\t") or line.startswith("%"):
                    self.refuse("a tab, or a directive, at the beginning of a line")
                return len(line) - len(content), content.rstrip()
            self._at += 1
        return None

    def _node(self, parent: int, depth: int) -> Table | Items | str:
        found = self._peek()
        if found is None or found[0] <= parent:
            return ""
        if depth >= MAX_DEPTH:
            self.refuse(f"nested deeper than {MAX_DEPTH}")
        indent, content = found
        if content == "-" or content.startswith("- "):
            return self._sequence(indent, depth)
        return self._mapping(indent, depth)

    def _mapping(self, indent: int, depth: int) -> Table:
        table = Table(self._at + 1)
        while (found := self._peek()) is not None and found[0] == indent and not found[1].startswith("- "):
            line = self._at + 1
            key, rest = self._key(found[1], indent)
            table.put(key, self._value(rest, indent, depth), line)
        if found is not None and found[0] > indent:
            self.refuse("this line is indented further than it may be")
        return table

    def _sequence(self, indent: int, depth: int) -> Items:
        items = Items(self._at + 1)
        while (found := self._peek()) is not None and found[0] == indent:
            content = found[1]
            if content != "-" and not content.startswith("- "):
                break
            line = self._at + 1
            rest = content[1:].lstrip(" ")
            if rest and (rest.startswith(("- ", "? ")) or _key_of(rest) is not None):
                inner = indent + len(content) - len(rest)
                self._lines[self._at] = " " * inner + rest
                items.add(self._node(indent, depth + 1), line)
            else:
                items.add(self._value(rest, indent, depth, sequence=True), line)
        if found is not None and found[0] > indent:
            self.refuse("this line is indented further than it may be")
        return items

    def _key(self, content: str, indent: int) -> tuple[str, str]:
        """Return the key of a line and what follows it; with ``? key`` the value stands behind the next colon."""
        if content.startswith("? "):
            key = self._scalar(content[2:].strip())
            self._at += 1
            found = self._peek()
            if found is None or found[0] != indent or not (found[1] == ":" or found[1].startswith(": ")):
                self.refuse("a key without a value")
            return key, found[1][1:].strip()
        pair = _key_of(content)
        if pair is None:
            self.refuse(f"this is not 'key: value': {content[:40]!r}")
        key, rest = pair
        return (self._scalar(key) if key.startswith(("'", '"')) else key), rest

    def _value(self, rest: str, indent: int, depth: int, *, sequence: bool = False) -> Table | Items | str:
        block = _BLOCK.match(rest)
        if block is not None:
            self._at += 1
            return self._block(block, indent)
        if not rest or rest.startswith("#"):
            self._at += 1
            found = self._peek()
            if not sequence and found is not None and found[0] == indent and (found[1] + " ").startswith("- "):
                return self._sequence(indent, depth + 1)  # as a mapping's value it may stand as far left as its key
            return self._node(indent, depth + 1)
        value = self._flow(rest, depth) if rest[0] in "{[" else self._scalar(rest)
        self._at += 1
        found = self._peek()
        if found is not None and found[0] > indent:
            self.refuse("a value over several lines, or a line indented too far")
        return value

    def _scalar(self, text: str) -> str:
        """Return a scalar that is the whole text, a comment aside."""
        match = _QUOTED.match(text)
        if match is None:
            match = _PLAIN.match(text)
            value = match.group() if match else ""
        else:
            value = self._unquoted(match)
        if match is None or not _NOTHING.fullmatch(text, match.end()):
            self.refuse(f"not of the part of YAML that lockfiles are written in: {text[:40]!r}")
        return value

    def _unquoted(self, match: re.Match[str]) -> str:
        single, double = match.groups()
        if double is None:
            return str(single).replace("''", "'")

        def character(escape: re.Match[str]) -> str:
            digits = escape.group(1) or escape.group(2) or escape.group(3)
            if digits is not None:
                number = int(digits, 16)
                if number > 0x10FFFF or 0xD800 <= number < 0xE000:
                    self.refuse(f"{escape.group()!r} is no character")
                return chr(number)
            known = _ESCAPES.get(escape.group(4))
            if known is None:
                self.refuse(f"the escape {escape.group()!r} is not known")
            return known

        return _ESCAPE.sub(character, double) if "\\" in double else str(double)

    def _block(self, block: re.Match[str], indent: int) -> str:
        """Return a text that stands on the lines below its key; where it ends does not matter to a lockfile."""
        lines: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
                break
            lines.append(line.strip())
            self._at += 1
        return ("\n" if block.group(1) == "|" else " ").join(lines).strip()

    def _flow(self, text: str, depth: int) -> Table | Items:
        value, end = self._flow_value(text, 0, depth + 1)
        if isinstance(value, str) or not _NOTHING.fullmatch(text, end):
            self.refuse(f"not of the part of YAML that lockfiles are written in: {text[end : end + 40]!r}")
        return value

    def _flow_value(self, text: str, at: int, depth: int) -> tuple[Table | Items | str, int]:
        if depth >= MAX_DEPTH:
            self.refuse(f"nested deeper than {MAX_DEPTH}")
        if text.startswith("{", at):
            return self._flow_table(text, at + 1, depth)
        if not text.startswith("[", at):
            return self._flow_scalar(text, at)
        items = Items(self._at + 1)
        at = _blank(text, at + 1)
        while not text.startswith("]", at):
            value, at = self._flow_value(text, at, depth + 1)
            items.add(value, self._at + 1)
            at = self._flow_comma(text, at, "]")
        return items, at + 1

    def _flow_table(self, text: str, at: int, depth: int) -> tuple[Table, int]:
        table = Table(self._at + 1)
        at = _blank(text, at)
        while not text.startswith("}", at):
            key, at = self._flow_scalar(text, at)
            at = _blank(text, at)
            value: Any = ""
            if text.startswith(":", at):
                at = _blank(text, at + 1)
                if not text.startswith((",", "}"), at):
                    value, at = self._flow_value(text, at, depth + 1)
            table.put(key, value, self._at + 1)
            at = self._flow_comma(text, at, "}")
        return table, at + 1

    def _flow_scalar(self, text: str, at: int) -> tuple[str, int]:
        match = _QUOTED.match(text, at)
        if match is not None:
            return self._unquoted(match), match.end()
        match = _FLOW_PLAIN.match(text, at)
        if match is None:
            self.refuse(f"not of the part of YAML that lockfiles are written in: {text[at : at + 40]!r}")
        return match.group(), match.end()

    def _flow_comma(self, text: str, at: int, end: str) -> int:
        at = _blank(text, at)
        if text.startswith(",", at):
            return _blank(text, at + 1)
        if not text.startswith(end, at):
            self.refuse(f"{end} or a comma is expected: {text[at : at + 40]!r}")
        return at


def _key_of(content: str) -> tuple[str, str] | None:
    """Return key (still quoted, if it is) and the rest of a line ``key: rest``; None if it is no such line."""
    if content[0] in "'\"":
        quoted = _QUOTED.match(content)
        if quoted is None:
            return None
        after = _AFTER_KEY.match(content, quoted.end())
        return (quoted.group(), after.group(1) or "") if after else None
    plain = _PLAIN.match(content)
    if plain is None:
        return None
    after = _AFTER_KEY.match(content, plain.end())
    return (plain.group(), after.group(1) or "") if after else None


def _blank(text: str, at: int) -> int:
    while text.startswith((" ", "\t"), at):
        at += 1
    return at
