"""Which command lines print a credential, and which change where code comes from: of every program its own words."""

import pytest

from lazaretto.core.facts import Kind
from lazaretto.core.language import NoUnits
from lazaretto.languages import javascript, python, shell
from lazaretto.languages._keepers import redirecting_command, secret_command, sending_command


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("gh auth token", "gh auth token"),
        ("cd x && /usr/bin/gh auth token -h host.invalid", "gh auth token"),
        ("security -q find-generic-password -wa x", "security -q find-generic-password"),
        ("x; sudo git credential fill", "git credential fill"),
        ("git credential-manager get", "git credential-manager get"),
        ("docker-credential-desktop.exe get", "docker-credential-desktop.exe get"),
        ("npm config get //host.invalid/:_authToken", "npm config get //host.invalid/:_authToken"),
        ("aws ssm get-parameters-by-path", "aws ssm get-parameters-by-path"),
        ("kubectl config view --raw", "kubectl config view --raw"),
        ("gpg --batch --export-secret-keys a", "gpg --batch --export-secret-keys"),
        ("op read op://a/b", "op read op://a/b"),
        ("gh auth login", None),
        ("kubectl config view", None),
        ("npm config get registry", None),
        ("echo gh auth token", None),
        ("bypass show", None),
        ("pass showcase", None),
        ("git credential-cache exit", None),
        ("x " * 2000 + "; gh auth token", "gh auth token"),
        ("gh" + " --quiet" * 30 + "  auth \t token", "gh" + " --quiet" * 30 + " auth token"),
    ],
)
def test_what_prints_a_credential(text: str, part: str | None) -> None:
    """The words of the program's own documentation, at the place of a command."""
    assert secret_command(text) == part
    assert redirecting_command(text) is None


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("gh api -X PUT repos/a/b -f content=*", "https://api.github.com"),
        ("cd x && gh.exe gist create {}", "https://api.github.com"),
        ("aws s3 cp * s3://x", "https://s3.amazonaws.com"),
        ("gh repo view", None),
        ("aws s3 ls", None),
    ],
)
def test_what_sends_to_its_own_service(text: str, host: str | None) -> None:
    """Such a client connects, though no address stands in its command line."""
    assert sending_command(text) == host


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("npm config set registry https://x.invalid", "npm config set registry"),
        ("npm set @scope:registry=https://x.invalid", "npm set @scope:registry=https://x.invalid"),
        ("python -m pip config set global.index-url https://x.invalid", "pip config set global.index-url"),
        ("git config --global core.hooksPath /x", "git config --global core.hooksPath /x"),
        (
            "git config --global url.https://x.invalid/.insteadOf y",
            "git config --global url.https://x.invalid/.insteadOf",
        ),
        ("yarn config set npmRegistryServer https://x.invalid", "yarn config set npmRegistryServer"),
        ("npm config set fund false", None),
        ("git config --global user.name x", None),
        ("git config core.hooksPath .husky", None),
        ("pip config list", None),
        ("npm run set registry", None),
    ],
)
def test_what_changes_where_code_comes_from(text: str, part: str | None) -> None:
    """For good, and for everything: what is set for one repository alone is how its tools work."""
    assert redirecting_command(text) == part
    assert secret_command(text) is None


@pytest.mark.parametrize("text", ["a/" * 50_000, "(" * 50_000, "npm " * 20_000, "npm" + " -a" * 20_000, "op" * 50_000])
def test_hostile_lines_end(text: str) -> None:
    """A line of any length takes no longer than one that a person writes."""
    assert (secret_command(text), redirecting_command(text)) == (None, None)


def test_every_language_takes_them_alike() -> None:
    """What such a command prints is a secret, in whichever language it is started."""
    command = "gh auth token"
    for facts in (
        shell.read("shell", command.encode(), NoUnits()),
        javascript.read("javascript", f"require('child_process').execSync('{command}')".encode(), NoUnits()),
        python.read("python", f"import os\nos.popen('{command}')".encode(), NoUnits()),
    ):
        assert command in [fact.value for fact in facts.facts if fact.kind is Kind.SECRET_READ]
