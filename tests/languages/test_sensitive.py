"""The shared tables of names: what they know, and what they must leave alone."""

import pytest

from lazaretto.languages._sensitive import agent_path, persist_path, secret_env, secret_path, wallet_text


@pytest.mark.parametrize(
    "text",
    [
        "~/.npmrc",
        "/home/x/.ssh/id_rsa",
        "~/.ssh",
        ".aws/credentials",
        "C:\\Users\\x\\.aws\\credentials",
        "/proc/self/environ",
        "/run/secrets/token",
        "http://169.254.169.254/latest",
        ".env",
        "config/.env.production",
        "Google/Chrome/User Data/Default/Login Data",
        "~/.config/gh/hosts.yml",
    ],
)
def test_secret_paths(text: str) -> None:
    """Files, stores and addresses of credentials are known."""
    assert secret_path(text)


@pytest.mark.parametrize(
    "text",
    [
        "package.json",
        "~/.ssh/known_hosts",
        ".environment",
        ".env.example",
        "src/aws/config.js",
        "id_rsa.js",
        "process.env.HOME",
        "/etc/hosts",
    ],
)
def test_ordinary_paths(text: str) -> None:
    """Files that programs read every day are not credentials."""
    assert not secret_path(text)


@pytest.mark.parametrize(
    "name",
    [
        "NPM_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "PGPASSWORD",
        "DB_PASSWORD",
        "OPENAI_API_KEY",
        "npm_config__authToken",
    ],
)
def test_secret_variables(name: str) -> None:
    """Variables that usually hold a credential are known."""
    assert secret_env(name)


@pytest.mark.parametrize(
    "name",
    [
        "HOME",
        "PATH",
        "NODE_ENV",
        "TOKENIZERS_PARALLELISM",
        "KEYBOARD",
        "npm_config_user_agent",
        "AUTHOR",
        "CORS_ALLOW_CREDENTIALS",
    ],
)
def test_ordinary_variables(name: str) -> None:
    """Variables that every program reads are not."""
    assert not secret_env(name)


def test_wallets() -> None:
    """Objects, files and methods of wallets are known; the word alone is not."""
    assert all(
        map(
            wallet_text,
            [
                "window.ethereum",
                "eth_sendTransaction",
                "~/.config/solana/id.json",
                "wallet.dat",
                "x/Exodus/exodus.wallet",
            ],
        )
    )
    assert not any(map(wallet_text, ["wallet", "ethereum.org", "window.location", "solana"]))


def test_persistence() -> None:
    """Places whose content starts by itself are known; others are not."""
    places = [
        "~/.bashrc",
        "/etc/cron.d/x",
        "~/.config/autostart/x",
        "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run",
        ".git/hooks/pre-commit",
        "~/.ipython/profile_default/startup/00.py",
        "~/.jupyter/jupyter_server_config.py",
    ]
    assert all(map(persist_path, places))
    assert not any(map(persist_path, ["dist/index.js", "profile.js", "systemd.md", "cron.js", "src/.profiler"]))


def test_what_agents_obey() -> None:
    """Settings, servers, hooks and rules of editors and coding agents; not what they merely keep or read."""
    places = [
        "~/.claude/settings.json",
        "~/.cursor/mcp.json",
        "*/CLAUDE.md",
        ".vscode/tasks.json",
        "~/Library/Application Support/Claude/claude_desktop_config.json",
        "C:\\src\\.cursor\\rules\\a.mdc",
    ]
    assert all(map(agent_path, places))
    assert not any(map(agent_path, ["~/.claude/projects/a.jsonl", "README.md", "docs/claude.html", ".vscode/a.json"]))
