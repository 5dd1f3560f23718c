"""Scripts that a client runs: what their files do decides, not that they are there."""

import pytest

from lazaretto.core.facts import Kind, Problem, Reach
from lazaretto.core.question import MAX_DECODED
from lazaretto.detectors.lifecycle_script_added import detect, fetches
from tests.detectors.updates import fact, script, update, view

FILES = {"package.json": "{}", "index.js": "a"}
HOOK = (script("node setup.js"),)
INSTALLED = {"setup.js": Reach.INSTALL}


def test_a_file_that_nobody_understands_is_a_payload() -> None:
    """What could not be read is never taken for a banner."""
    problems = (("setup.js", Problem(1, "too deep")),)
    after = view({**FILES, "setup.js": "x"}, {"setup.js": []}, INSTALLED, hooks=HOOK, problems=problems)

    assert [f.variant for f in detect(update(view(FILES), after))] == ["with-payload"]


def test_what_the_script_s_file_loads_counts() -> None:
    """The file named by the script is harmless; the file that it loads starts a process."""
    reaches = {"setup.js": Reach.INSTALL, "lib/x.js": Reach.INSTALL}
    facts = {"setup.js": [fact(Kind.IMPORT, "./lib/x.js")], "lib/x.js": [fact(Kind.PROCESS_SPAWN, "whoami")]}
    after = view({**FILES, "setup.js": "x", "lib/x.js": "y"}, facts, reaches, hooks=HOOK)
    (finding,) = detect(update(view(FILES), after))

    assert finding.variant == "with-payload"
    assert [one.path for one in finding.evidence] == ["package.json", "lib/x.js"]


def test_the_reader_sees_what_was_hidden() -> None:
    """Decoded values of the executed file stand in the evidence, up to their bound."""
    hidden = [fact(Kind.DECODE, f"value {n}", n, "base64>xor") for n in range(2, 60)]
    facts = {"setup.js": [fact(Kind.PROCESS_SPAWN, "osascript", 1, "base64>xor"), *hidden]}
    after = view({**FILES, "setup.js": "x\n" * 60}, facts, INSTALLED, hooks=HOOK)
    (finding,) = detect(update(view(FILES), after))
    values = [one.decoded for one in finding.evidence]

    assert values[:3] == ["node setup.js", "osascript", "value 2"]
    assert len(values) == MAX_DECODED + 1


def test_first_contact_leaves_ordinary_installers_alone() -> None:
    """A package nobody has seen may download and start its program; hidden text is another matter."""
    acts = [fact(Kind.NET_CONNECT, "https://files.invalid"), fact(Kind.PROCESS_SPAWN, "tar", 2)]
    plain = view({**FILES, "setup.js": "x"}, {"setup.js": acts}, INSTALLED, hooks=HOOK)
    coded = view(
        {**FILES, "setup.js": "x"}, {"setup.js": [fact(Kind.PROCESS_SPAWN, "x", via="hex")]}, INSTALLED, hooks=HOOK
    )

    assert list(detect(update(None, plain))) == []
    assert [f.variant for f in detect(update(None, coded))] == ["first-contact"]


@pytest.mark.parametrize(
    "command", ["curl x", "/usr/bin/wget x", "node -e 'x'", "powershell.exe x", "a|bash", "true;curl x"]
)
def test_commands_that_fetch_or_carry_code(command: str) -> None:
    """Downloaders, inline code and pipes are seen wherever they stand in the command."""
    assert fetches(command)


@pytest.mark.parametrize(
    "command",
    [
        "husky",
        "node install.js",
        "node-gyp rebuild",
        "opencollective || exit 0",
        "curly",
        "pre -r napi || node-gyp rebuild",
    ],
)
def test_ordinary_commands(command: str) -> None:
    """The customary scripts neither fetch nor carry code."""
    assert not fetches(command)
